"""The planets, moons and dwarf planets, as far as a picture needs to know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Body:
    """How one body looks, apart from its map."""

    surface: Literal["rock", "gas", "haze"]
    """Decides how it scatters light: see ``shading``."""
    relief: float = 0.0
    """Strength of the relief that is guessed from the map (0 = smooth)."""
    flattening: float = 0.0
    """(equatorial - polar radius) / equatorial radius."""
    latitude_sd: float = 25.0
    """How far from the equator the viewer stands: standard deviation in degrees."""
    any_pole: bool = False
    """The viewer may stand anywhere, as for Uranus, which lies on its side."""
    near_side: bool = False
    """Keeps one face towards the viewer, most of the time: our Moon."""
    rings: bool = False
    clouds: bool = False
    """Weather: each picture gets a cloud deck of its own."""
    rim: Colour | None = None
    """Colour of the atmosphere at the edge of the disc, linear RGB."""


BODIES = {
    "mercury": Body("rock", relief=1.0),
    "venus": Body("haze", rim=(1.0, 0.93, 0.75)),
    "earth": Body("haze", clouds=True, rim=(0.35, 0.6, 1.0)),
    "moon": Body("rock", relief=1.0, latitude_sd=6, near_side=True),
    "mars": Body("rock", relief=0.5, latitude_sd=18),
    "jupiter": Body("gas", flattening=0.065, latitude_sd=4),
    "saturn": Body("gas", flattening=0.098, latitude_sd=13, rings=True),
    "uranus": Body("gas", flattening=0.023, any_pole=True),
    "neptune": Body("gas", flattening=0.017, latitude_sd=25),
    "ganymede": Body("rock", relief=0.6, latitude_sd=10),
    "titan": Body("haze", rim=(0.75, 0.6, 0.35)),
    "pluto": Body("rock", relief=0.5, latitude_sd=35),
    "io": Body("rock", relief=0.3, latitude_sd=10),
    "europa": Body("rock", relief=0.3, latitude_sd=10),
    "ceres": Body("rock", relief=1.0),
    "rhea": Body("rock", relief=0.8),
}
