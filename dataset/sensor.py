"""From light to a picture: exposure, colour, stars, optics, sky and noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.random import RandomState

from dataset.cameras import Camera
from dataset.maps import GAMMA, Array
from dataset.streams import uniform

_MOST_STARS = 40
_GREY = np.ones(3)


def brightest(light: Array, coverage: Array) -> float:
    """The mean of red, green and blue that 97 % of the body stay below. Shapes: (3, h, w) and (h, w)."""
    means = light.mean(axis=0)[coverage > 0.5]
    return float(np.sort(means)[int(0.97 * len(means))]) if len(means) else 1.0


def photograph(light: Array, coverage: Array, camera: Camera, random: RandomState) -> npt.NDArray[np.uint8]:
    """What the camera makes of ``light``, of shape (3, size, size). ``coverage`` is of shape (size, size).

    Returns grey values of shape (size, size, 3). The order of the draws is part of the data set: another
    order makes other pictures.
    """
    size = camera.size
    light = light * (uniform(random, camera.exposure) ** GAMMA / (brightest(light, coverage) + 1e-4))

    monochrome = bool(random.random_sample() < camera.monochrome)
    saturation = uniform(random, camera.saturation)
    white_balance = np.exp(random.standard_normal(3) * camera.white_balance_sd) * np.array(camera.cast)
    light = saturate(light, 0.0 if monochrome else saturation)

    _add_stars(light, coverage, camera, monochrome, random)
    light = blur(light, uniform(random, camera.blur) * size / 96)

    glow = uniform(random, camera.sky)
    slope_x, slope_y = random.random_sample(2) - 0.5
    place = np.arange(size) / size - 0.5
    sky = glow * (1 + slope_x * place[None, :] + slope_y * place[:, None])
    sky_colour, balance = (_GREY, _GREY) if monochrome else (np.array(camera.sky_colour), white_balance)
    light = (light + sky * sky_colour[:, None, None]) * balance[:, None, None]

    grey = np.clip(light, 0, 1) ** (1 / GAMMA)
    read_noise = uniform(random, camera.read_noise)
    noise = random.standard_normal((size, size, 1 if monochrome else 3)).transpose(2, 0, 1)
    grey = grey + noise * (read_noise + camera.shot_noise * np.sqrt(grey.mean(axis=0)))
    return to_bytes(grey)


def saturate(light: Array, saturation: float) -> Array:
    """Moves light of shape (3, h, w) away from grey (above 1) or towards it (below 1)."""
    red, green, blue = light
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    saturated: Array = np.clip(luma + (light - luma) * saturation, 0, None)
    return saturated


def blur(light: Array, sigma: float) -> Array:
    """A Gaussian point spread of ``sigma`` pixels on light of shape (channels, height, width)."""
    if sigma < 0.15:
        return light
    reach = max(1, int(3 * sigma + 0.5))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    _, height, width = light.shape
    padded = np.pad(light, ((0, 0), (reach, reach), (0, 0)), mode="edge")
    light = sum((w * padded[:, i : i + height] for i, w in enumerate(weights)), start=np.zeros_like(light))
    padded = np.pad(light, ((0, 0), (0, 0), (reach, reach)), mode="edge")
    return sum((w * padded[:, :, i : i + width] for i, w in enumerate(weights)), start=np.zeros_like(light))


def to_bytes(grey: Array) -> npt.NDArray[np.uint8]:
    """Grey values from 0 to 1, of shape (channels, h, w), as the bytes (h, w, channels) of a file."""
    return (np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)


def _add_stars(light: Array, coverage: Array, camera: Camera, monochrome: bool, random: RandomState) -> None:
    """Adds stars to the sky of ``light``, in place."""
    starry = random.random_sample() < camera.starry
    count = min(random.poisson(camera.stars), _MOST_STARS)
    places = (random.random_sample((_MOST_STARS, 2)) * camera.size).astype(np.int64)
    brightness = random.exponential(0.12, _MOST_STARS)
    tints = random.standard_normal((_MOST_STARS, 3)) * (0.0 if monochrome else 0.06)
    if not starry:
        return
    for (row, column), bright, tint in zip(places[:count], brightness, tints, strict=False):
        if coverage[row, column] < 0.02:
            light[:, row, column] += bright * (1 + tint)
