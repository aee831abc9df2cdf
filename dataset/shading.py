"""How much light a piece of surface throws at the viewer.

``towards_sun`` and ``towards_viewer`` are the cosines of the angles between the surface's normal and the
direction of the sun (usually called mu0) and of the viewer (mu). All arrays are of shape (n,), and light is
linear.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from dataset.bodies import Colour
from dataset.maps import Array

_TWILIGHT = {"rock": 0.0, "gas": 0.04, "haze": 0.12}
"""How far an atmosphere carries light beyond the terminator, as a cosine."""


def scattered_light(surface: Literal["rock", "gas", "haze"], towards_sun: Array, towards_viewer: Array) -> Array:
    """Brightness of a white surface."""
    twilight = _TWILIGHT[surface]
    sun = np.clip((towards_sun + twilight) / (1 + twilight), 0, 1)
    if surface == "rock":
        # Bodies without air: dust scatters by the law of Lommel and Seeliger, mu0 / (mu0 + mu), which gives
        # the full Moon its flat disc; a share of Lambert's law, mu0, keeps some roundness.
        lommel_seeliger = 2 * sun / (sun + towards_viewer + 1e-4)
        return 0.6 * 0.85 * lommel_seeliger + 0.4 * sun
    # Bodies with air: Minnaert's law, mu0^k mu^(k-1), a little darker at the limb.
    k = 0.95 if surface == "gas" else 0.8
    return np.minimum(sun**k * towards_viewer ** (k - 1 + 0.12), 1.2)


def atmosphere_rim(light: Array, rim: Colour, towards_sun: Array, towards_viewer: Array, white: float) -> Array:
    """Mixes the colour of the atmosphere into ``light``, of shape (3, n), where it is seen edge-on.

    ``white`` is the brightness of the brightest point.
    """
    share = (1 - towards_viewer) ** 3 * 0.35 * np.clip(towards_sun + 0.25, 0, 1)
    mixed: Array = light * (1 - share) + share * np.array(rim)[:, None] * white * 0.8
    return mixed
