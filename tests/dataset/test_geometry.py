"""What the renderer draws, against what geometry says."""

from __future__ import annotations

import numpy as np
import pytest

from dataset.bodies import Body
from dataset.maps import SurfaceMap, interpolate
from dataset.scene import Scene, orientation, sun_direction
from dataset.sensor import blur
from dataset.tracing import trace

WHITE = SurfaceMap(np.ones((64, 128, 3)))


def scene(longitude: float = 0, latitude: float = 0, roll: float = 0, phase: float = 0, side: float = 0) -> Scene:
    return Scene(
        radius=0.4,
        centre=(0.5, 0.5),
        to_body=orientation(*np.radians([longitude, latitude, roll])),
        sun=sun_direction(np.radians(phase), np.radians(side)),
    )


def test_the_viewer_looks_down_on_the_point_of_the_map_that_was_asked_for() -> None:
    rows, columns = np.mgrid[0:256, 0:512]
    longitude, latitude = (columns + 0.5) / 512 * 360 - 180, 90 - (rows + 0.5) / 256 * 180
    # Colours that say where they are, from 0 to 1.
    atlas = SurfaceMap(np.stack([longitude / 360 + 0.5, latitude / 180 + 0.5, np.zeros_like(longitude)], axis=2))
    light, _ = trace(Body("rock"), atlas, scene(longitude=40, latitude=20), size=101, supersampling=1)
    centre, above, right = light[:, 50, 50], light[:, 40, 50], light[:, 50, 60]
    where = centre / (0.6 * 0.85 + 0.4)  # what a rock sends back when sun and viewer are overhead
    assert where[0] * 360 - 180 == pytest.approx(40, abs=1)
    assert where[1] * 180 - 90 == pytest.approx(20, abs=1)
    assert above[1] > centre[1], "north is up"
    assert right[0] > centre[0], "east is to the right"


@pytest.mark.parametrize("flattening", [0.0, 0.1])
def test_a_disc_covers_the_area_of_its_ellipse(flattening: float) -> None:
    _, coverage = trace(Body("gas", flattening=flattening), WHITE, scene(), size=128, supersampling=4)
    assert coverage.mean() == pytest.approx(np.pi * 0.4**2 * (1 - flattening), rel=2e-3)
    assert 0 <= coverage.min() < coverage.max() <= 1


@pytest.mark.parametrize("phase", [0, 60, 90, 120])
def test_the_sun_lights_the_share_of_the_disc_that_the_phase_says(phase: float) -> None:
    light, coverage = trace(Body("rock"), WHITE, scene(phase=phase, side=30), size=256, supersampling=1)
    lit = (light[0] > 0).sum() / (coverage > 0).sum()
    assert lit == pytest.approx((1 + np.cos(np.radians(phase))) / 2, abs=0.01)


def test_rings_hide_behind_the_planet_and_lie_in_its_shadow() -> None:
    saturn = Body("gas", rings=True)
    small = Scene(0.2, (0.5, 0.5), orientation(0, np.radians(20), 0), sun_direction(np.radians(50), np.pi))
    light, coverage = trace(saturn, WHITE, small, size=200, supersampling=2)
    left, right = coverage[100, 99 - 70], coverage[100, 100 + 70]
    assert left == pytest.approx(right)  # the same ring on both sides ...
    assert left > 0.5
    behind, in_front = light[:, 100 - 25, 100], light[:, 100 + 25, 100]
    assert np.ptp(behind) == pytest.approx(0)  # white planet
    assert np.ptp(in_front) > 0.05  # the rings' own colour
    far_side = light[0, 60:100, 100:190]
    covered = coverage[60:100, 100:190] > 0.5
    assert far_side[covered].min() < 0.1 * far_side[covered].max()  # ... in shadow away from the sun


def test_a_picture_of_rings_seen_edge_on_has_none() -> None:
    light, coverage = trace(Body("gas", rings=True), WHITE, scene(), size=64, supersampling=1)
    assert coverage.mean() == pytest.approx(np.pi * 0.4**2, rel=0.02)
    assert light.max() > 0.5


def test_a_map_closes_at_the_date_line_and_ends_at_the_poles() -> None:
    table = np.arange(32.0).reshape(1, -1)  # 4 x 8 texels
    edges = interpolate(table, (4, 8), np.array([-np.pi, np.pi]), np.array([0.0, 0.0]))
    assert edges[0, 0] == edges[0, 1]
    poles = interpolate(table, (4, 8), np.array([0.0, 0.0]), np.array([np.pi / 2, -np.pi / 2]))
    assert poles[0] == pytest.approx([3.5, 27.5])


def test_an_enlarged_map_is_the_same_map() -> None:
    random = np.random.default_rng(1)
    small = SurfaceMap(np.repeat(np.repeat(random.random((8, 16, 3)), 8, axis=0), 8, axis=1))
    large = small.enlarged(4)
    assert large.levels[0].shape == (256, 512, 3)
    assert np.abs(large.levels[2] - small.levels[0]).mean() < 0.02


def test_blur_keeps_the_light_and_spreads_it_as_told() -> None:
    light = np.zeros((1, 41, 41))
    light[0, 20, 20] = 1
    spread = blur(light, 2.0)
    offsets = np.arange(41) - 20
    assert spread.sum() == pytest.approx(1)
    assert np.sqrt((spread[0].sum(axis=0) * offsets**2).sum()) == pytest.approx(2.0, rel=0.02)
