"""Paints the map of Jupiter: belts and zones that winds and eddies have stirred.

``python3 -m dataset.jupiter`` writes the committed map. The other maps come from elsewhere; this one is
invented, after what a good telescope shows of Jupiter: dark belts and bright zones, blue-grey festoons
on the northern edge of the equatorial zone, the Great Red Spot in its hollow, white ovals in the south.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import RandomState
from PIL import Image

from dataset.maps import FOLDER, GAMMA, Array, SurfaceMap, interpolate
from dataset.noise import value_noise
from dataset.streams import stream

# Latitude in degrees and grey values: zones are pale, belts brown, the poles grey.
_BANDS = np.array(
    [
        (90, 120, 126, 128),
        (66, 138, 137, 131),
        (56, 152, 147, 138),
        (49, 163, 154, 141),
        (44, 143, 126, 109),
        (40, 178, 166, 149),
        (35, 199, 190, 175),
        (30, 194, 180, 158),
        (27.5, 172, 134, 102),
        (24.5, 180, 143, 111),
        (23, 216, 208, 196),
        (19.5, 224, 217, 203),
        (18, 190, 150, 116),
        (15, 172, 130, 96),
        (11, 156, 113, 80),
        (8, 168, 130, 100),
        (6.5, 212, 204, 192),
        (3, 228, 222, 210),
        (0, 217, 205, 186),
        (-3, 228, 222, 209),
        (-6, 222, 214, 202),
        (-7.5, 176, 138, 106),
        (-10, 163, 121, 89),
        (-13, 188, 152, 122),
        (-16, 168, 127, 95),
        (-19.5, 176, 136, 102),
        (-21, 222, 216, 206),
        (-26, 224, 218, 205),
        (-28, 180, 156, 132),
        (-31, 166, 142, 120),
        (-33.5, 206, 198, 184),
        (-38, 193, 183, 167),
        (-42, 162, 149, 134),
        (-47, 176, 167, 153),
        (-53, 152, 147, 139),
        (-62, 140, 140, 136),
        (-75, 124, 128, 128),
        (-90, 112, 119, 122),
    ]
)

# Latitude in degrees, and how far the jet there carries a cloud, in degrees of longitude.
_JETS = np.array(
    [
        (90, 0),
        (50, 2),
        (40, -3),
        (33, 4),
        (27, -4),
        (23, 16),
        (17, -8),
        (12, 2),
        (7, 14),
        (0, 8),
        (-7, 14),
        (-12, 2),
        (-18, -12),
        (-27, 8),
        (-31, -4),
        (-37, 6),
        (-43, -3),
        (-50, 3),
        (-90, 0),
    ]
)

# Latitude in degrees, and how strong the eddies are: the belts boil, the zones are calm.
_EDDIES = np.array(
    [
        (90, 0.9),
        (45, 0.9),
        (30, 0.7),
        (21, 0.5),
        (15, 1.2),
        (7, 0.9),
        (0, 0.45),
        (-7, 0.9),
        (-15, 1.3),
        (-22, 0.5),
        (-32, 0.9),
        (-45, 1.0),
        (-90, 0.9),
    ]
)

_STEPS = 50
"""Of the stirring: more make longer filaments."""


@dataclass(frozen=True)
class _Oval:
    """A storm that spins: the Great Red Spot, or a white oval. Angles in degrees."""

    longitude: float
    latitude: float
    half_width: float
    half_height: float
    spin: float

    def distance(self, longitude: Array, latitude: Array, stretch: float = 1.0) -> Array:
        """0 in the middle of the storm, ``1 / stretch`` on its edge."""
        east = _turn(longitude - self.longitude) / self.half_width
        north = (latitude - self.latitude) / self.half_height
        return np.asarray(np.hypot(east, north) / stretch)


_RED_SPOT = _Oval(-60.0, -22.5, 10.5, 6.0, spin=60.0)


def paint(width: int) -> Array:
    """The map, ``width`` texels wide, in linear light and of shape (width // 2, width, 3).

    Every width shows the same picture.
    """
    size = (width // 2, width)
    random = stream("jupiter", 1)
    latitudes = 90 - (np.arange(size[0]) + 0.5) * 180 / size[0]
    longitudes = -180 + (np.arange(size[1]) + 0.5) * 360 / size[1]
    longitude, latitude = np.meshgrid(longitudes, latitudes)
    eddies = value_noise(random, size, cells=(30, 26), octaves=5, gain=0.6) - 0.5
    white_ovals = _draw_white_ovals(random)

    wind = _wind(longitude, latitude, eddies, [_RED_SPOT, *white_ovals])
    longitude, latitude = _upstream(wind, longitude, latitude)
    colours = _paint_bands(random, longitude, latitude)
    _paint_festoons(random, colours, longitude, latitude)
    _paint_barges(random, colours, longitude, latitude)
    for oval in white_ovals:
        distance = oval.distance(longitude, latitude)
        _blend(colours, (150, 132, 114), 0.35 * _bell(distance, 1.15, 0.2))
        _blend(colours, (230, 225, 215), 0.85 * _bell(distance, 0, 0.9))
    _paint_red_spot(colours, longitude, latitude)
    colours *= _streaks(random, longitude, latitude)
    return np.clip(colours.transpose(1, 2, 0), 0, 1)


def _draw_white_ovals(random: RandomState) -> list[_Oval]:
    """A string of small ones around 40 degrees south, and a large one."""
    string = [
        _Oval(-150 + 41 * i + random.uniform(-7, 7), -40.5 + random.uniform(-0.6, 0.6), 2.6, 1.9, spin=12.0)
        for i in range(7)
    ]
    return [*string, _Oval(35.0, -33.2, 4.6, 3.0, spin=20.0)]


def _wind(longitude: Array, latitude: Array, eddies: Array, ovals: Sequence[_Oval]) -> Array:
    """How far the wind carries a cloud, east and north in degrees: shape (2, height, width).

    Jets blow along the parallels. Eddies and storms are the slopes of a stream function, so that the wind
    runs around them and never into them.
    """
    wake = np.exp(-((_turn(longitude - _RED_SPOT.longitude + 32) / 26) ** 2) - ((latitude + 15.5) / 4.5) ** 2)
    flow = 46 * eddies * _profile(_EDDIES, latitude)[0] * (1 + 1.6 * wake)
    jets = _profile(_JETS, latitude)[0]
    for oval in ovals:
        distance = oval.distance(longitude, latitude)
        flow = flow * (1 - np.exp(-(distance**4) / 3.2)) + oval.spin * np.exp(-(distance**2) / 1.2)
        jets *= 1 - np.exp(-(oval.distance(longitude, latitude, stretch=1.4) ** 4))
    degrees = 180 / len(flow)
    north = -(np.roll(flow, -1, axis=1) - np.roll(flow, 1, axis=1)) / (2 * degrees)
    east = np.gradient(flow, -degrees, axis=0)
    shrink = np.clip(np.cos(np.radians(latitude)), 0.25, 1)  # a degree of longitude is shorter near the poles
    return np.stack([(jets + east) / shrink, north / shrink])


def _upstream(wind: Array, longitude: Array, latitude: Array) -> tuple[Array, Array]:
    """Where the cloud that is here now has come from."""
    table = wind.reshape(2, -1) / _STEPS
    for _ in range(_STEPS):
        east, north = interpolate(table, longitude.shape, np.radians(longitude), np.radians(latitude))
        longitude = longitude - east
        latitude = np.clip(latitude - north, -89.9, 89.9)
    return longitude, latitude


def _paint_bands(random: RandomState, longitude: Array, latitude: Array) -> Array:
    """Belts and zones with edges that are not quite straight: linear light of shape (3, height, width)."""
    wobble = _carried_noise(random, longitude, latitude, cells=(12, 10), octaves=4)
    return _light(_profile(_BANDS, latitude + 3.2 * wobble))


def _streaks(random: RandomState, longitude: Array, latitude: Array) -> Array:
    """Lines along the winds, clouds, and patches of colour: factors of shape (3, height, width)."""
    lines = _carried_noise(random, longitude, latitude, cells=(90, 5), octaves=4, gain=0.6)
    clouds = _carried_noise(random, longitude, latitude, cells=(24, 24), octaves=6, gain=0.62)
    warmth = _carried_noise(random, longitude, latitude, cells=(40, 9), octaves=4, gain=0.6)
    tone = 1 + 0.7 * lines + 0.45 * clouds
    return np.stack([tone * (1 + 0.18 * warmth), tone, tone * (1 - 0.35 * warmth)])


def _paint_festoons(random: RandomState, colours: Array, longitude: Array, latitude: Array) -> None:
    """Blue-grey plumes that hang from the northern equatorial belt and trail off into the zone."""
    count = 11
    for i in range(count):
        start = -180 + 360 * (i + 0.5 * random.random_sample()) / count
        along = _turn(longitude - start) / random.uniform(18, 27)
        behind_head = 1 / (1 + np.exp(np.clip(-30 * along, -50, 50)))
        thickness = 1 + 0.9 * np.clip(along, 0, 1)
        curve = 6.6 - 5.6 * np.clip(along, 0, 1)
        share = _bell(latitude, curve, thickness) * behind_head * np.clip(1.1 - along, 0, 1)
        _blend(colours, (104, 122, 146), np.clip(share, 0, 1))


def _paint_barges(random: RandomState, colours: Array, longitude: Array, latitude: Array) -> None:
    """Dark brown spots on the northern edge of the northern equatorial belt."""
    for i in range(6):
        barge = _Oval(-170 + 57 * i + 20 * random.random_sample(), 15.6, 3.4, 1.3, spin=0.0)
        _blend(colours, (108, 66, 44), 0.7 * np.exp(-(barge.distance(longitude, latitude) ** 4)))


def _paint_red_spot(colours: Array, longitude: Array, latitude: Array) -> None:
    """The storm, its darker core and rim, and the pale hollow that it sits in."""
    distance = _RED_SPOT.distance(longitude, latitude)
    _blend(colours, (228, 222, 212), 0.95 * np.clip((1.62 - distance) / 0.22, 0, 1))
    _blend(colours, (164, 118, 96), 0.6 * _bell(distance, 1.02, 0.1))
    _blend(colours, (206, 140, 110), 0.96 * np.clip((1.04 - distance) / 0.1, 0, 1))
    _blend(colours, (188, 108, 80), 0.75 * _bell(distance, 0, 0.5))


def _carried_noise(
    random: RandomState,
    longitude: Array,
    latitude: Array,
    cells: tuple[int, int],
    octaves: int,
    gain: float = 0.6,
) -> Array:
    """Noise from -0.5 to 0.5 that the wind has carried along, of shape (height, width)."""
    noise = value_noise(random, longitude.shape, cells, octaves, gain).reshape(1, -1) - 0.5
    carried = interpolate(noise, longitude.shape, np.radians(longitude), np.radians(latitude))
    return carried.reshape(longitude.shape)


def _profile(table: Array, latitude: Array) -> Array:
    """What a table (from north to south) says of each latitude: shape (columns, *latitude.shape)."""
    south_first = table[::-1]
    return np.stack([np.interp(latitude, south_first[:, 0], column) for column in south_first[:, 1:].T])


def _blend(colours: Array, grey_values: tuple[int, int, int], share: Array) -> None:
    """Covers ``share`` of ``colours``, of shape (3, height, width), with another colour, in place."""
    colours *= 1 - share
    colours += _light(np.array(grey_values, np.float64))[:, None, None] * share


def _light(grey_values: Array) -> Array:
    """Linear light from grey values between 0 and 255."""
    light: Array = (grey_values / 255) ** GAMMA
    return light


def _bell(values: Array, middle: Array | float, width: Array | float) -> Array:
    return np.asarray(np.exp(-(((values - middle) / width) ** 2)))


def _turn(degrees: Array) -> Array:
    """An angle between -180 and 180 degrees."""
    return (degrees + 180) % 360 - 180


def write(path: Path = FOLDER / "jupiter.jpg") -> None:
    """Paints the committed map: twice as large as it is kept, so that its filaments are smooth."""
    colours = SurfaceMap(paint(1024)).levels[1]
    Image.fromarray(np.uint8(colours ** (1 / GAMMA) * 255 + 0.5)).save(path, quality=85)


if __name__ == "__main__":
    write()
