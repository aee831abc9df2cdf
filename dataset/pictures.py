"""One picture of one body, from its key."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from numpy.random import RandomState
from PIL import Image

from dataset import maps
from dataset.bodies import BODIES
from dataset.cameras import Camera
from dataset.clouds import below_clouds
from dataset.scene import draw_scene
from dataset.sensor import photograph
from dataset.streams import stream
from dataset.tracing import trace

SEED = 2025
_CREDIT = b"CC BY-SA 4.0, https://mlops.swiss-ai-center.ch"
"""Travels inside every file."""


def picture(name: str, camera: Camera, random: RandomState) -> npt.NDArray[np.uint8]:
    """A random picture of the body ``name``: grey values of shape (camera.size, camera.size, 3)."""
    body, surface = BODIES[name], maps.load(name)
    scene = draw_scene(body, camera, random)
    if body.clouds:
        surface = below_clouds(surface.levels[1], random)  # half the map is enough for a small disc
    light, coverage = trace(body, surface, scene, camera.size, camera.supersampling)
    return photograph(light, coverage, camera, random)


def jpeg(set_name: str, name: str, index: int, camera: Camera) -> bytes:
    """The file number ``index`` of the body ``name`` in the set ``set_name``."""
    pixels = picture(name, camera, stream(SEED, set_name, name, index))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=camera.jpeg_quality, subsampling=0, comment=_CREDIT)
    return file.getvalue()
