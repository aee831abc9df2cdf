"""Test how the trained model behaves. Needs the results of "dvc repro"."""

from pathlib import Path

import numpy as np
import pytest

import model
from dataset import load_split

# A change of the pictures that leaves the right answer the same, and the share of the
# answers that must not change with it.
HARMLESS = {
    "mirrored": (lambda x: x[:, :, ::-1], 0.8),
    "shifted by a pixel": (lambda x: np.roll(x, 1, axis=2), 0.9),
    "darker": (lambda x: 0.9 * x, 0.9),
    "brighter": (lambda x: np.minimum(1.1 * x, 1), 0.9),
}


@pytest.fixture(scope="module")
def trained():
    """The trained model and its labels."""
    model.make_reproducible()
    network, metadata = model.load(Path("model"))
    return network, metadata["labels"]


@pytest.fixture(scope="module")
def validation():
    """The validation set: the test set stays sealed in tests, too."""
    return load_split(Path("data/prepared/validation.npz"))


@pytest.mark.parametrize("change", HARMLESS)
def test_harmless_changes(trained, validation, change):
    alter, least = HARMLESS[change]
    before = model.predict(trained[0], validation.x).argmax(axis=1)
    after = model.predict(trained[0], alter(validation.x)).argmax(axis=1)
    same = (before == after).mean()
    assert same >= least


def test_the_easy_one(trained, validation):
    network, labels = trained
    pictures = validation.x[validation.y == labels.index("saturn")]
    answers = model.predict(network, pictures).argmax(axis=1)
    found = (answers == labels.index("saturn")).mean()
    assert found >= 0.9
