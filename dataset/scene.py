"""Where body, viewer and sun stand in one picture.

Directions are in the frame of the view: x to the right, y up, z towards the viewer. The body has a frame of
its own: y towards its north pole, z towards longitude 0. Lengths are in equatorial radii of the body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import RandomState

from dataset.bodies import Body
from dataset.cameras import Camera
from dataset.maps import Array
from dataset.streams import uniform

_RINGED_DISC = 0.58
"""Saturn's disc is drawn this much smaller, so that its rings fit into the picture."""
_RINGED_REACH = 1.9
"""How far rings reach into the picture, in radii of the disc, when the disc wanders off the middle."""


@dataclass(frozen=True)
class Scene:
    """One body as one viewer sees it."""

    radius: float
    """Radius of the disc / width of the picture."""
    centre: tuple[float, float]
    """Middle of the disc / width of the picture, from the left and from the top."""
    to_body: Array
    """Turns a direction of the view into one of the body: a rotation of shape (3, 3)."""
    sun: Array
    """Direction of the sun in the view, of length 1 and shape (3,)."""


def orientation(longitude: float, latitude: float, roll: float) -> Array:
    """The rotation from view to body for a viewer above this point of the body. Angles in radians."""
    return _rotation("y", longitude) @ _rotation("x", -latitude) @ _rotation("z", roll)


def sun_direction(phase: float, position: float) -> Array:
    """Where the sun is, ``phase`` away from the viewer, towards ``position`` on the sky (0 = right)."""
    return np.array([np.sin(phase) * np.cos(position), np.sin(phase) * np.sin(position), np.cos(phase)])


def _rotation(axis: str, angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    rows = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.array(rows[axis], np.float64)


def draw_scene(body: Body, camera: Camera, random: RandomState) -> Scene:
    """A random scene.

    No draw depends on another, so that every body uses up the same part of the stream.
    """
    radius = uniform(random, camera.radius)
    shift_x, shift_y = random.random_sample(2) * 2 - 1
    roll = uniform(random, (-1.0, 1.0)) * np.radians(camera.roll)
    longitude = uniform(random, (np.pi, -np.pi))
    latitude_normal, latitude_uniform = random.standard_normal(), random.random_sample()
    shows_near_side = random.random_sample() < camera.near_side
    libration = random.standard_normal(2) * np.radians((-5, 5))
    phase, phase_again = abs(random.standard_normal()) * camera.phase_sd, random.random_sample()
    sun_position = uniform(random, (-np.pi, np.pi))

    lowest, highest = camera.phase
    if not lowest <= phase <= highest:
        phase = lowest + phase_again * (highest - lowest)
    if body.near_side and shows_near_side:
        longitude, latitude = libration
    elif body.any_pole:
        latitude = np.arcsin(2 * latitude_uniform - 1)
    else:
        latitude = np.radians(np.clip(latitude_normal * body.latitude_sd, -80, 80))

    reach = 1.0
    if body.rings:
        radius, reach = radius * _RINGED_DISC, _RINGED_REACH
    margin = max(0.02, 0.5 - radius * reach) * camera.offset
    return Scene(
        radius=radius,
        centre=(0.5 + shift_x * margin, 0.5 + shift_y * margin),
        to_body=orientation(longitude, latitude, roll),
        sun=sun_direction(np.radians(phase), sun_position),
    )
