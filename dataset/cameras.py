"""The cameras: what separates one set of pictures from another.

A pair ``(low, high)`` is the range of a uniform draw, one draw for each picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dataset.bodies import Colour
from dataset.streams import Range


@dataclass(frozen=True)
class Camera:
    """Where it stands, how it is pointed, and what it does to the light."""

    size: int = 96
    """Width and height of a picture, in pixels."""
    supersampling: int = 2
    """Rays for each pixel, along each axis."""

    # Where it stands
    radius: Range = (0.28, 0.44)
    """Radius of the disc / width of the picture."""
    offset: float = 0.35
    """How much of the free margin the disc may wander over (0 = always in the middle)."""
    roll: float = 30.0
    """Greatest angle between the body's north and the picture's top, in degrees."""
    phase_sd: float = 24.0
    """Angle between sun and viewer, in degrees: the spread of a half-normal distribution ..."""
    phase: Range = (0.0, 78.0)
    """... and its limits. 0 = full disc, 90 = half, 180 = new."""
    near_side: float = 0.95
    """Share of the Moon's pictures that show the side which the Earth sees."""

    # What it does to the light
    exposure: Range = (0.60, 1.05)
    """Grey value of the brightest parts of the body (1 = white)."""
    white_balance_sd: float = 0.03
    """Error for each channel, log-normal."""
    cast: Colour = (1.0, 1.0, 1.0)
    """Colour cast that all pictures share."""
    saturation: Range = (0.7, 1.15)
    monochrome: float = 0.03
    """Share of pictures without colour, taken through a clear filter."""
    blur: Range = (0.35, 1.0)
    """Standard deviation of the point spread, in pixels of a 96-pixel picture."""
    sky: Range = (0.0, 0.015)
    """Brightness of the sky, linear light."""
    sky_colour: Colour = (1.0, 1.0, 1.0)
    read_noise: Range = (0.003, 0.014)
    """Standard deviation of the noise of a black picture, in grey values."""
    shot_noise: float = 0.02
    """Noise that grows with the square root of the grey value."""
    stars: float = 10.0
    """Mean number of stars, in the pictures that have any."""
    starry: float = 0.5
    """Share of pictures with stars."""
    jpeg_quality: int = 88


OBSERVATORY = Camera()
"""A small telescope under a dark sky. The guide's model learns from its pictures."""

CITY = replace(
    OBSERVATORY,
    exposure=(0.40, 0.80),
    cast=(1.12, 1.0, 0.80),
    saturation=(0.55, 1.0),
    blur=(1.1, 2.4),
    sky=(0.015, 0.07),
    sky_colour=(1.0, 0.78, 0.5),
    read_noise=(0.02, 0.05),
    stars=3.0,
    jpeg_quality=60,
)
"""Another telescope, below the orange sky of a city: soft, noisy, warm."""

PROBE = replace(OBSERVATORY, radius=(0.24, 0.44), offset=0.7, roll=180.0, phase=(75.0, 135.0))
"""A probe that looks back: half discs and crescents at any angle."""

MILD = replace(OBSERVATORY, exposure=(0.5, 0.9), cast=(1.06, 1.0, 0.9), blur=(0.7, 1.6), read_noise=(0.008, 0.025))
"""The first telescope after a year without care: a little softer, warmer, darker."""
