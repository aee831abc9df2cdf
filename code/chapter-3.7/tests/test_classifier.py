"""Test that whoever uses the model gets the answers of the pipeline."""

from pathlib import Path

import numpy as np
import pytest

import model
from classifier import Classifier
from dataset import load_split

RAW = Path("data/raw")


@pytest.fixture(scope="module")
def classifier():
    model.make_reproducible()
    return Classifier(Path("serving"))


def test_same_answers_as_the_pipeline(classifier):
    validation = load_split(Path("data/prepared/validation.npz"))
    network, _ = model.load(Path("model"))
    expected = model.predict(network, validation.x)
    answers = [classifier.classify((RAW / name).read_bytes()) for name in validation.files]
    probabilities = np.array([[answer[label] for label in classifier.labels] for answer in answers])
    assert np.abs(probabilities - expected).max() < 1e-5


def test_refuses_what_is_no_picture(classifier):
    with pytest.raises(OSError, match="cannot identify"):
        classifier.classify(b"not a picture")
