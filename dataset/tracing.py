"""From a scene to light: one ray for each point of a grid, against an ellipsoid and its rings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset.bodies import Body
from dataset.maps import Array, SurfaceMap
from dataset.rings import RINGS_REACH, add_rings
from dataset.scene import Scene
from dataset.shading import atmosphere_rim, scattered_light


@dataclass(frozen=True)
class Window:
    """The part of the picture that a body can reach, as ranges of rays."""

    rows: slice
    columns: slice
    x: Array
    """Horizontal place of each column of rays in body radii, of shape (columns,)."""
    y: Array
    """Vertical place of each row of rays, up, of shape (rows,)."""


def _window(scene: Scene, rays: int, reach: float, step: int) -> Window:
    """What lies within ``reach`` radii of the disc's middle, widened to whole pixels of ``step`` rays."""

    def bounds(middle: float) -> slice:
        first = int(np.floor((middle - reach * scene.radius) * rays / step)) * step
        last = int(np.ceil((middle + reach * scene.radius) * rays / step)) * step
        return slice(max(first, 0), min(last, rays))

    radius = scene.radius * rays
    centre_x, centre_y = scene.centre
    columns, rows = bounds(centre_x), bounds(centre_y)
    places: Array = np.arange(rays, dtype=np.float64) + 0.5
    return Window(
        rows,
        columns,
        (places[columns] - centre_x * rays) / radius,
        -(places[rows] - centre_y * rays) / radius,
    )


def trace(body: Body, surface: SurfaceMap, scene: Scene, size: int, supersampling: int) -> tuple[Array, Array]:
    """The light that reaches a picture of ``size`` x ``size`` pixels, and how much of each pixel it covers.

    Returns linear light of shape (3, size, size), already multiplied by the coverage, and the coverage, of
    shape (size, size) and between 0 (sky) and 1 (body). ``supersampling`` is the number of rays for each
    pixel along each axis.
    """
    rays = size * supersampling
    window = _window(scene, rays, RINGS_REACH if body.rings else 1.0, supersampling)
    x, y = window.x[None, :], window.y[:, None]

    # A ray (x, y, z) meets the ellipsoid where |stretch @ to_body @ (x, y, z)| = 1: a quadratic equation in
    # z. The stretch turns the flattened body into a sphere.
    stretch = 1 / (1 - body.flattening)
    squash = scene.to_body.copy()
    squash[1] *= stretch
    along_x, along_y, along_z = squash.T
    a = along_z @ along_z
    b = x * (along_x @ along_z) + y * (along_y @ along_z)
    c = x * x * (along_x @ along_x) + 2 * x * y * (along_x @ along_y) + y * y * (along_y @ along_y) - 1
    discriminant = b * b - a * c
    row, column = np.nonzero(discriminant > 0)
    z = (-b[row, column] + np.sqrt(discriminant[row, column])) / a

    grid = np.zeros((4, *discriminant.shape))
    light, coverage = grid[:3], grid[3]
    light[:, row, column] = _surface_light(
        body, surface, scene, window.x[column], window.y[row], z, stretch, radius=scene.radius * rays
    )
    coverage[row, column] = 1
    if body.rings:
        depth = np.full(discriminant.shape, -np.inf)
        depth[row, column] = z
        add_rings(scene, x, y, depth, light, coverage)

    picture = np.zeros((4, size, size))
    rows, columns = (slice(s.start // supersampling, s.stop // supersampling) for s in (window.rows, window.columns))
    picture[:, rows, columns] = _shrink(grid, supersampling)
    return picture[:3], picture[3]


def _surface_light(
    body: Body, surface: SurfaceMap, scene: Scene, x: Array, y: Array, z: Array, stretch: float, radius: float
) -> Array:
    """Linear light of shape (3, n) from n points of the body, given in the frame of the view.

    ``radius`` is that of the disc in rays.
    """
    m = scene.to_body
    sun = m @ scene.sun
    east_west, north_south, front_back = (m[i, 0] * x + m[i, 1] * y + m[i, 2] * z for i in range(3))
    longitude = np.arctan2(east_west, front_back)
    latitude = np.arcsin(np.clip(north_south * stretch, -1, 1))

    # The normal of an ellipsoid: each coordinate divided by the square of its axis.
    normal_y = north_south * (stretch * stretch)
    length = np.sqrt(east_west * east_west + normal_y * normal_y + front_back * front_back)
    normal_x, normal_y, normal_z = east_west / length, normal_y / length, front_back / length
    towards_viewer = np.clip(normal_x * m[0, 2] + normal_y * m[1, 2] + normal_z * m[2, 2], 1e-3, 1)
    towards_sun = normal_x * sun[0] + normal_y * sun[1] + normal_z * sun[2]

    texels_per_ray = surface.levels[0].shape[1] / (2 * np.pi * radius)
    texels = surface.sample(longitude, latitude, texels_per_ray, relief=body.relief > 0)
    colour = texels[:3]
    if body.relief:
        # A slope turns its face to the sun or away from it. It matters less where the ground is seen edge-on.
        east_x, east_z = np.cos(longitude), -np.sin(longitude)
        east_to_sun = east_x * sun[0] + east_z * sun[2]
        north_to_sun = (
            normal_y * east_z * sun[0] + (normal_z * east_x - normal_x * east_z) * sun[1] - normal_y * east_x * sun[2]
        )
        tilt = texels[3] * east_to_sun - texels[4] * north_to_sun
        towards_sun_here = towards_sun - body.relief * 0.45 * tilt * np.clip(towards_viewer, 0.1, 1)
    else:
        towards_sun_here = towards_sun
    brightness = scattered_light(body.surface, towards_sun_here, towards_viewer)
    light = colour * brightness
    if body.rim is not None:
        light = atmosphere_rim(light, body.rim, towards_sun_here, towards_viewer, brightness.max())
    return light


def _shrink(grid: Array, step: int) -> Array:
    """The mean of each block of ``step`` x ``step``: from (k, h * step, w * step) to (k, h, w)."""
    total = grid[:, ::step, ::step].copy()
    for i in range(step):
        for j in range(step):
            if i or j:
                total += grid[:, i::step, j::step]
    return total / step**2
