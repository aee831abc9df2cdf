"""Test the comparison on numbers that we make ourselves, so that we know what has changed."""

import numpy as np
import pytest

from calibrate import choose, clean_windows, draw
from drift import COLUMNS, p_values, place
from records import LOGGED, Records

MIDDLES = {"moon": 0.2, "saturn": 0.5, "venus": 0.8}  # bodies differ, much more than their pictures do


def pictures(counts: dict[str, int], seed: int, change: float = 0) -> Records:
    """Invent pictures: so many of each label, all numbers around the middle of the label, and changed."""
    random = np.random.default_rng(seed)
    labels = np.repeat(list(counts), list(counts.values()))
    middles = np.array([MIDDLES[label] for label in labels])[:, np.newaxis]
    return Records(
        labels,
        middles + random.normal(change, 0.05, (len(labels), len(LOGGED))),
        middles + random.normal(change, 0.05, (len(labels), 8)),
    )


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
    strange = Records(window.labels, window.numbers, 10 + window.embeddings)
    found = p_values(strange, REFERENCE)
    assert found["novelty"] < 1e-6
    assert min(found[column] for column in LOGGED) > 1e-4


def test_a_label_that_the_reference_lacks_is_compared_with_all():
    window = pictures(EVEN, seed=2)
    renamed = Records(np.full(len(window), "pluto"), window.numbers, window.embeddings)
    assert np.isfinite(place(renamed, REFERENCE)).all()


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
