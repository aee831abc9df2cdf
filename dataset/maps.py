"""Maps of the bodies: what colour is the ground at this longitude and latitude?

Every map is equirectangular: longitude runs along the width, from -180 degrees on the left to 180 degrees
on the right, latitude along the height, from the north pole at the top.
"""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from dataset.errors import DatasetError

Array = npt.NDArray[np.float64]

FOLDER = Path(__file__).parent / "maps"
GAMMA = 2.2
"""Grey values of a file = linear light to the power of 1 / GAMMA."""

_WIDTH = 512
"""Width of the committed maps, in texels."""
_SMALLEST = 32
"""Height at which the pyramid stops."""


class SurfaceMap:
    """A map and its smaller copies, so that a small disc does not flicker with details it cannot show.

    ``levels[0]`` is the map itself, of shape (height, width, 3) in linear light; each further level has half
    the size.
    """

    def __init__(self, colours: Array) -> None:
        self.levels = [colours]
        while (height := self.levels[-1].shape[0]) > _SMALLEST:
            blocks = self.levels[-1].reshape(height // 2, 2, -1, 2, 3)
            self.levels.append(blocks.mean(axis=(1, 3)))

    @cached_property
    def _colour_tables(self) -> list[Array]:
        """Each level as a table of texels, of shape (3, height * width)."""
        return [level.reshape(-1, 3).T.copy() for level in self.levels]

    @cached_property
    def _relief_tables(self) -> list[Array]:
        """The same with the slope to the east and to the south below the colour: (5, height * width).

        Nothing here measures heights, so brightness stands in for them: craters have bright rims.
        """
        tables = []
        for level, colours in zip(self.levels, self._colour_tables, strict=True):
            brightness = level.mean(axis=2)
            brightness = brightness / (brightness.mean() + 1e-6)
            east = (np.roll(brightness, -1, axis=1) - np.roll(brightness, 1, axis=1)) / 2
            south = np.gradient(brightness, axis=0)
            # A map that was enlarged has smaller steps from texel to texel, not a flatter surface.
            scale = max(1.0, self.levels[0].shape[1] / _WIDTH)
            tables.append(np.stack([*colours, scale * east.ravel(), scale * south.ravel()]))
        return tables

    def sample(self, longitude: Array, latitude: Array, texels_per_ray: float, relief: bool) -> Array:
        """Colour (and slopes) at each of n points, interpolated between the four nearest texels.

        ``longitude`` and ``latitude`` are in radians and of shape (n,). The answer is of shape (3, n): linear
        red, green and blue; with ``relief`` of shape (5, n): the slopes to the east and south come after.
        ``texels_per_ray``, at the middle of the disc, decides which level of the pyramid to take.
        """
        level = int(np.floor(np.log2(max(texels_per_ray, 1e-3)) + 0.3))
        level = min(max(level, 0), len(self.levels) - 1)
        height, width, _ = self.levels[level].shape
        table = (self._relief_tables if relief else self._colour_tables)[level]

        return interpolate(table, (height, width), longitude, latitude)

    def enlarged(self, factor: int) -> SurfaceMap:
        """The same map with ``factor`` times as many texels each way, interpolated smoothly.

        For large pictures, where the four nearest texels would show as facets.
        """
        height, width, _ = self.levels[0].shape
        margin = 8  # texels copied from the other side, so that the map still closes at 180 degrees
        wrapped = np.pad(self.levels[0], ((0, 0), (margin, margin), (0, 0)), mode="wrap")
        size = ((width + 2 * margin) * factor, height * factor)
        channels = [
            np.asarray(Image.fromarray(wrapped[..., i].astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
            for i in range(3)
        ]
        colours = np.stack(channels, axis=2)[:, margin * factor : -margin * factor]
        return SurfaceMap(np.clip(colours.astype(np.float64), 0, None))


def interpolate(table: Array, size: tuple[int, int], longitude: Array, latitude: Array) -> Array:
    """Values between the four nearest texels of a map.

    ``table`` holds k values for each texel of a map of ``size`` = (height, width), in the shape
    (k, height * width). ``longitude`` and ``latitude`` are in radians and of any shape; the answer has the
    shape (k, *longitude.shape). The map closes at 180 degrees and ends at the poles.
    """
    height, width = size
    column = (longitude / (2 * np.pi) + 0.5) * width - 0.5
    row = (0.5 - latitude / np.pi) * height - 0.5
    left, top = np.floor(column), np.floor(row)
    right_share, bottom_share = column - left, row - top
    left_share, top_share = 1 - right_share, 1 - bottom_share

    west = left.astype(np.int64) % width
    east = (west + 1) % width
    north = top.astype(np.int64)
    south = np.minimum(north + 1, height - 1) * width
    north = np.maximum(north, 0) * width

    values = table.take(north + west, axis=1) * (left_share * top_share)
    values += table.take(north + east, axis=1) * (right_share * top_share)
    values += table.take(south + west, axis=1) * (left_share * bottom_share)
    values += table.take(south + east, axis=1) * (right_share * bottom_share)
    return values


@cache
def load(name: str) -> SurfaceMap:
    """The committed map of the body ``name``."""
    path = FOLDER / f"{name}.jpg"
    try:
        with Image.open(path) as image:
            grey = np.asarray(image.convert("RGB"), np.float64) / 255
    except OSError as error:
        raise DatasetError(f"{path}: cannot read the map ({error}); restore it with git") from error
    return SurfaceMap(grey**GAMMA)
