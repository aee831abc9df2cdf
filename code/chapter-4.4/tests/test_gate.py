"""Test that the gate stops what is worse, and lets through what is not."""

import pytest

from gate import problems

LIMITS = {"accuracy_floor": 0.8, "accuracy_drop": 0.02}


@pytest.mark.parametrize(("before", "now"), [(0.9, 0.95), (0.9, 0.9), (0.9, 0.885), (0.8, 0.8)])
def test_good_enough(before, now):
    assert problems({"accuracy": before}, {"accuracy": now}, LIMITS) == []


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [(0.9, 0.87, "falls by 0.030"), (0.79, 0.79, "must be 0.8"), (0.81, 0.795, "must be 0.8")],
)
def test_worse(before, now, told):
    (found,) = problems({"accuracy": before}, {"accuracy": now}, LIMITS)
    assert told in found
