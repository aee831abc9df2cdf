"""Weather for the Earth: a cloud deck that is different in every picture."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from dataset.maps import Array, SurfaceMap
from dataset.noise import value_noise


def below_clouds(ground: Array, random: RandomState, more_octaves: int = 0, shear: float = 1.0) -> SurfaceMap:
    """The map ``ground`` of shape (height, width, 3) below random clouds that the winds have sheared.

    For large pictures, ``more_octaves`` adds finer detail and a smaller ``shear`` avoids long streaks.
    """
    height, width, _ = ground.shape
    noise = value_noise(random, (height, width), cells=(7, 14), octaves=5 + more_octaves, gain=0.68)
    east = value_noise(random, (height, width), cells=(4, 8), octaves=3) - 0.5
    south = value_noise(random, (height, width), cells=(4, 8), octaves=3) - 0.5
    y, x = np.mgrid[0:height, 0:width]
    y = np.clip(y + (south * shear * (22 / 128) * height).astype(np.int64), 0, height - 1)
    x = (x + (east * shear * (60 / 256) * width).astype(np.int64)) % width
    latitude = np.linspace(90, -90, height)[:, None]
    # Wet at the equator and at 55 degrees, dry at 25.
    threshold = 0.56 - 0.05 * np.cos(np.radians(latitude * 6)) + 0.03 * (random.random_sample() - 0.5)
    opacity = np.clip((noise[y, x] - threshold) / 0.30, 0, 1) ** 0.8 * 0.92
    opacity = opacity[..., None]
    return SurfaceMap(ground * (1 - opacity) + opacity * 0.8)
