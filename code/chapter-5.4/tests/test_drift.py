"""Test the comparison on numbers that we make ourselves, so that we know what has changed."""

from dataclasses import replace

import numpy as np
import pytest

from calibrate import choose, clean_windows, draw, draw_night
from drift import COLUMNS, match, p_values, place, recognise
from records import LOGGED, Records

MIDDLES = {"moon": 0.2, "saturn": 0.5, "venus": 0.8}  # bodies differ, much more than their pictures do


def pictures(counts: dict[str, int], seed: int, change: float = 0, camera: str = "first") -> Records:
    """Invent pictures: so many of each label, all numbers around the middle of the label, and changed."""
    random = np.random.default_rng(seed)
    labels = np.repeat(list(counts), list(counts.values()))
    middles = np.array([MIDDLES[label] for label in labels])[:, np.newaxis]
    return Records(
        labels,
        middles + random.normal(change, 0.05, (len(labels), len(LOGGED))),
        middles + random.normal(change, 0.05, (len(labels), 8)),
        np.full(len(labels), camera),
    )


def together(*parts: Records) -> Records:
    """Make one of several."""
    return Records(*(np.concatenate([getattr(part, name) for part in parts]) for name in Records.__annotations__))


REFERENCE = pictures({"moon": 200, "saturn": 200, "venus": 200}, seed=1)
EVEN, MOONS = {"moon": 34, "saturn": 33, "venus": 33}, {"moon": 90, "saturn": 5, "venus": 5}


def test_places_of_the_reference_are_spread_evenly():
    places = np.sort(place(REFERENCE, REFERENCE), axis=0)
    even = (np.arange(len(REFERENCE)) + 0.5) / len(REFERENCE)
    assert places.shape == (600, len(COLUMNS))
    assert np.abs(places - even[:, np.newaxis]).max() < 0.01


@pytest.mark.parametrize("counts", [EVEN, MOONS])
def test_the_same_camera_is_no_drift_whatever_it_looks_at(counts):
    for seed in range(2, 12):
        assert min(p_values(pictures(counts, seed), REFERENCE).values()) > 1e-4


@pytest.mark.parametrize("counts", [EVEN, MOONS])
def test_a_small_change_within_each_label_is_drift(counts):
    """Over all labels together it would be hidden: they are ten times as far apart."""
    found = p_values(pictures(counts, seed=2, change=0.05), REFERENCE)
    assert all(found[column] < 1e-6 for column in LOGGED)


def test_something_unknown_is_far_from_all_that_is_known():
    window = pictures(EVEN, seed=2)
    strange = replace(window, embeddings=10 + window.embeddings)
    found = p_values(strange, REFERENCE)
    assert found["novelty"] < 1e-6
    assert min(found[column] for column in LOGGED) > 1e-4


def test_a_label_that_the_reference_lacks_is_compared_with_all():
    window = pictures(EVEN, seed=2)
    renamed = replace(window, labels=np.full(len(window), "pluto"))
    assert np.isfinite(place(renamed, REFERENCE)).all()


CITY = pictures({"moon": 60, "saturn": 60, "venus": 60}, seed=3, change=1, camera="city")
BOTH = together(REFERENCE, CITY)


def test_a_picture_is_of_the_camera_that_has_taken_what_is_most_like_it():
    window = together(pictures(EVEN, seed=4), pictures(EVEN, seed=5, change=1, camera="city"))
    assert (recognise(window, BOTH) == window.cameras).all()


@pytest.mark.parametrize("city", [0, 10, 50, 90, 100])
def test_two_known_cameras_are_no_drift_whatever_their_mix(city):
    first, other = pictures(EVEN, seed=4), pictures(EVEN, seed=5, change=1, camera="city")
    random = np.random.default_rng(6)
    chosen = [part.take(random.choice(100, size, replace=False)) for part, size in ((first, 100 - city), (other, city))]
    window = together(*chosen)
    assert min(p_values(window, BOTH).values()) > 1e-4
    share = (BOTH.cameras[match(window, BOTH)] == "city").mean()
    assert share == pytest.approx(city / 100, abs=0.01)


def test_a_third_camera_is_drift():
    found = p_values(pictures(EVEN, seed=4, change=0.3), BOTH)
    assert found["novelty"] < 1e-6


def test_a_night_has_no_picture_twice_and_a_share_of_each_camera_of_its_own():
    random = np.random.default_rng(1)
    nights = [draw_night(BOTH, 100, random) for _ in range(20)]
    assert all(len(set(night)) == 100 for night in nights)
    shares = [(BOTH.cameras[night] == "city").mean() for night in nights]
    assert min(shares) < 0.2
    assert max(shares) > 0.8


def test_a_window_has_no_picture_twice_and_a_mix_of_its_own():
    random = np.random.default_rng(1)
    windows = [draw(REFERENCE.labels, 100, random) for _ in range(20)]
    assert all(len(set(window)) == 100 for window in windows)
    moons = [(REFERENCE.labels[window] == "moon").mean() for window in windows]
    assert min(moons) < 0.1
    assert max(moons) > 0.6


def test_no_window_shares_a_picture_with_its_reference(monkeypatch):
    pairs = []
    monkeypatch.setattr("calibrate.p_values", lambda *pair: pairs.append(pair) or {"sky": 0.5})
    clean_windows(REFERENCE, size=400, window=50, windows=5, seed=1)
    for window, reference in pairs:
        assert (len(window), len(reference)) == (50, 400)
        assert not set(map(tuple, window.numbers)) & set(map(tuple, reference.numbers))


def test_the_threshold_is_the_largest_that_is_quiet_enough():
    rates = {0.1: 0.6, 0.01: 0.1, 0.001: 0.004, 0.0001: 0.0}
    assert choose(rates, 0.005) == 0.001
    with pytest.raises(ValueError):
        choose({0.1: 0.6}, 0.005)
