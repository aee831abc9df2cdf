"""Fractal noise on a map."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from dataset.maps import Array


def value_noise(
    random: RandomState, size: tuple[int, int], cells: tuple[int, int], octaves: int, gain: float = 0.55
) -> Array:
    """Noise from 0 to 1 of shape ``size`` = (height, width), closed where the left edge meets the right one.

    Random values on a lattice of ``cells`` = (rows, columns), smoothed in between; each further octave has
    twice as many cells each way and ``gain`` times the weight. The same stream draws the same noise at every
    size.
    """
    height, width = size
    total = np.zeros(size)
    weight = 1.0
    for octave in range(octaves):
        rows, columns = cells[0] * 2**octave, cells[1] * 2**octave
        lattice = random.random_sample((rows + 1, columns))
        y = np.linspace(0, rows, height, endpoint=False)
        x = np.linspace(0, columns, width, endpoint=False)
        top, left = y.astype(np.int64), x.astype(np.int64)
        right = (left + 1) % columns
        down, across = _smoothstep(y - top)[:, None], _smoothstep(x - left)[None, :]
        lines = lattice[top] * (1 - down) + lattice[top + 1] * down
        total += weight * (lines[:, left] * (1 - across) + lines[:, right] * across)
        weight *= gain
    total -= total.min()
    total /= total.max()
    return total


def _smoothstep(t: Array) -> Array:
    return t * t * (3 - 2 * t)
