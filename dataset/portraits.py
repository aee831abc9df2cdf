"""Large pictures for people: portraits of single bodies, and sheets with many pictures of a set."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dataset import jupiter, maps
from dataset.archives import write_whole
from dataset.bodies import BODIES
from dataset.clouds import below_clouds
from dataset.errors import DatasetError
from dataset.maps import GAMMA, SurfaceMap
from dataset.pictures import jpeg
from dataset.rings import RINGS_REACH
from dataset.scene import Scene, orientation, sun_direction
from dataset.sensor import saturate, to_bytes
from dataset.sets import PictureSet
from dataset.streams import stream
from dataset.tracing import trace

_SUPERSAMPLING = 4
_FILL = 0.485
"""How far body and rings reach from the middle, as a share of the picture's width."""


@dataclass(frozen=True)
class _View:
    """From where a body looks best. Angles in degrees."""

    longitude: float
    latitude: float
    roll: float = -12.0
    """From the top of the picture to the body's north, against the clock."""
    phase: float = 36.0
    """Between sun and viewer."""


_VIEWS = {
    "earth": _View(-25, 6, roll=-20),
    "moon": _View(0, 0, roll=-8, phase=40),
    "mars": _View(-65, 4, roll=-20),
    "jupiter": _View(-48, -8, roll=-8, phase=32),
    "saturn": _View(0, 20, roll=-22, phase=36),
    "uranus": _View(0, 35, roll=-70),
    "neptune": _View(30, -22, roll=-24),
    "pluto": _View(175, 12),
}
_ANY_VIEW = _View(20, 8)


def portrait(name: str, size: int) -> Image.Image:
    """The body ``name`` as an RGBA picture of ``size`` x ``size`` pixels.

    No sky, no noise, and the sun on the left. Alpha is the share of a pixel that body and rings cover.
    """
    if name not in BODIES:
        raise DatasetError(f"there is no body {name!r}; the bodies are {', '.join(BODIES)}")
    body, view = BODIES[name], _VIEWS.get(name, _ANY_VIEW)
    radius = _FILL / RINGS_REACH if body.rings else _FILL
    scene = Scene(
        radius=radius,
        centre=(0.5, 0.5),
        to_body=orientation(*np.radians([view.longitude, view.latitude, view.roll])),
        sun=sun_direction(np.radians(view.phase), np.radians(155)),
    )
    surface = _detailed_map(name, texels=2 * np.pi * radius * size)
    light, coverage = trace(body, surface, scene, size, _SUPERSAMPLING)
    light = saturate(light / np.maximum(coverage, 1e-6), 1.1)
    white = np.quantile(light.max(axis=0)[coverage > 0.5], 0.99)
    grey = np.clip(light / white, 0, 1) ** (1 / GAMMA)
    return Image.fromarray(to_bytes(np.concatenate([grey, coverage[None]])), "RGBA")


def _detailed_map(name: str, texels: float) -> SurfaceMap:
    """A map with about ``texels`` texels around the equator, if there is a way to get them."""
    surface = maps.load(name)
    factor = 1
    while factor < 4 and surface.levels[0].shape[1] * factor < 0.6 * texels:
        factor *= 2
    if name == "jupiter" and factor > 1:
        return SurfaceMap(jupiter.paint(surface.levels[0].shape[1] * factor))
    if factor > 1:
        surface = surface.enlarged(factor)
    if BODIES[name].clouds:
        return below_clouds(surface.levels[0], stream("portrait", name), more_octaves=factor.bit_length(), shear=0.45)
    return surface


def write_portrait(name: str, size: int, path: Path) -> None:
    """Writes a portrait as PNG or WebP, the formats that keep its background transparent."""
    if path.suffix.lower() not in (".png", ".webp"):
        raise DatasetError(f"{path}: a portrait has no background; end the name with .png or .webp")
    _save(portrait(name, size), path)


def sheet(s: PictureSet, columns: int) -> Image.Image:
    """The first pictures of each class of a set, one row for each class."""
    cell, label = s.camera.size + 2, 90
    image = Image.new("RGB", (label + columns * cell, len(s.classes) * cell), (24, 24, 28))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    for row, name in enumerate(s.classes):
        draw.text((8, row * cell + cell // 2), name, fill="white", font=font, anchor="lm")
        for column in range(min(columns, s.count)):
            picture = Image.open(io.BytesIO(jpeg(s.name, name, column, s.camera)))
            image.paste(picture, (label + column * cell, row * cell + 1))
    return image


def write_sheet(s: PictureSet, columns: int, path: Path) -> None:
    """Writes a sheet in the format that the name of the file says."""
    if path.suffix.lower() not in (".png", ".jpg", ".webp"):
        raise DatasetError(f"{path}: end the name with .png, .jpg or .webp")
    _save(sheet(s, columns), path)


def _save(image: Image.Image, path: Path) -> None:
    file = io.BytesIO()
    kind = Image.registered_extensions()[path.suffix.lower()]
    image.save(file, format=kind, quality=90)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, file.getvalue())
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}; choose another place") from error
