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


def test_one_pass_gives_the_answer_and_the_embedding(classifier, monkeypatch):
    network, passes = classifier.network, []

    def counted(**inputs):
        passes.append(inputs)
        return network(**inputs)

    monkeypatch.setattr(classifier, "network", counted)
    validation = load_split(Path("data/prepared/validation.npz"))
    embeddings = [classifier.predict((RAW / name).read_bytes()).embedding for name in validation.files]
    assert len(passes) == len(validation.files)

    expected = validation.x
    for layer in model.load(Path("model"))[0].layers[:-1]:
        expected = layer(expected)
    assert np.abs(np.array(embeddings) - expected).max() < 1e-4


def test_refuses_what_is_no_picture(classifier):
    with pytest.raises(OSError, match="cannot identify"):
        classifier.classify(b"not a picture")
