"""Saturn's rings: a flat disc of ice around the planet."""

from __future__ import annotations

import numpy as np

from dataset.maps import Array
from dataset.scene import Scene

# Distance from the planet's middle in its radii, opacity, brightness: the C ring (1.24 - 1.52), the B ring
# (to 1.95), the Cassini division, and the A ring (2.03 - 2.27) with Encke's gap (2.21).
_PROFILE = np.array(
    [
        (1.100, 0.00, 0.20),
        (1.235, 0.05, 0.25),
        (1.520, 0.18, 0.35),
        (1.526, 0.75, 0.75),
        (1.700, 0.92, 0.95),
        (1.940, 0.95, 0.90),
        (1.951, 0.06, 0.20),
        (2.020, 0.10, 0.25),
        (2.027, 0.62, 0.70),
        (2.200, 0.58, 0.66),
        (2.214, 0.10, 0.30),
        (2.222, 0.55, 0.60),
        (2.268, 0.50, 0.55),
        (2.272, 0.00, 0.20),
    ]
)
RINGS_REACH = 2.272
"""Radius of the outermost ring, in radii of the planet."""
_COLOUR = 0.9 * np.array((0.80, 0.70, 0.55))
_EDGE_ON = 0.02
"""Rings that are seen at less than this sine are too thin to see."""


def add_rings(scene: Scene, x: Array, y: Array, depth: Array, light: Array, coverage: Array) -> None:
    """Adds the rings to ``light`` (3, rows, columns) and ``coverage`` (rows, columns), in place.

    ``x``, of shape (1, columns), and ``y``, of shape (rows, 1), place each ray; ``depth`` is the height of
    the planet's surface above the plane of the picture, minus infinity beside the planet.
    """
    m = scene.to_body
    sun = m @ scene.sun
    opening = m[1, 2]
    if abs(opening) <= _EDGE_ON:
        return

    # Where each ray meets the plane of the equator.
    z = -(x * m[1, 0] + y * m[1, 1]) / opening
    distance = np.sqrt(x * x + y * y + z * z)
    opacity = np.interp(distance, _PROFILE[:, 0], _PROFILE[:, 1]) * min(1.0, 0.5 + 1.2 * abs(opening))
    brightness = np.interp(distance, _PROFILE[:, 0], _PROFILE[:, 2])
    lit_from_our_side = sun[1] * opening > 0
    brightness *= 0.25 + 0.75 * min(1.0, abs(sun[1]) * 6) if lit_from_our_side else 0.18

    # The planet's shadow: points behind it, less than a radius from the axis of the shadow.
    plane_x = x * m[0, 0] + y * m[0, 1] + z * m[0, 2]
    plane_z = x * m[2, 0] + y * m[2, 1] + z * m[2, 2]
    sunward = plane_x * sun[0] + plane_z * sun[2]
    off_axis = plane_x * plane_x + plane_z * plane_z - sunward**2 / (sun[0] ** 2 + sun[2] ** 2 + 1e-6)
    brightness[(sunward < 0) & (off_axis < 1)] *= 0.08

    opacity[z <= depth] = 0  # behind the planet
    light *= 1 - opacity
    light += brightness * _COLOUR[:, None, None] * opacity
    np.maximum(coverage, opacity, out=coverage)
