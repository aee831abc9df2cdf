"""Test that the comparison lets small differences pass, and no others."""

import pytest

from compare import differences

CLAIMED = {"accuracy": 0.9, "macro_f1": 0.89, "loss": 0.4}


@pytest.mark.parametrize("change", [0, 0.02, -0.02])
def test_small_differences_are_noise(change):
    measured = {name: value + change for name, value in CLAIMED.items()}
    assert differences(CLAIMED, measured, tolerance=0.03) == []


@pytest.mark.parametrize("change", [0.04, -0.04])
def test_large_ones_are_told_even_when_they_are_better(change):
    found = differences(CLAIMED, {**CLAIMED, "accuracy": 0.9 + change}, tolerance=0.03)
    assert len(found) == 1
    assert found[0].startswith("accuracy: the commit claims 0.900")
