"""Test that the network can learn, and that saving it loses nothing. Needs no data."""

import numpy as np
import pytest

import model


@pytest.fixture(scope="module")
def batch() -> tuple[np.ndarray, np.ndarray]:
    """One batch of noise: there is nothing in it to learn, but by heart."""
    random = np.random.default_rng(77)
    return random.random((32, 32, 32, 3), dtype=np.float32), np.arange(32) % 11


@pytest.fixture(scope="module")
def network(batch):
    """A network that has seen this batch fifty times."""
    x, y = batch
    model.make_reproducible(seed=77)
    network = model.build(x.shape[1:], 11, 32, 64, learning_rate=0.001)
    network.fit(x, y, epochs=50, batch_size=32, verbose=0)
    return network


def test_learns_one_batch_by_heart(network, batch):
    x, y = batch
    accuracy = (model.predict(network, x).argmax(axis=1) == y).mean()
    assert accuracy == 1


def test_answers_with_probabilities(network, batch):
    probabilities = model.predict(network, batch[0])
    assert probabilities.shape == (32, 11)
    assert probabilities.min() >= 0
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_saved_model_gives_equal_answers(network, batch, tmp_path):
    x, saved = batch[0], {"labels": ["earth", "mars"]}
    model.save(network, saved, tmp_path)
    loaded, metadata = model.load(tmp_path)
    assert np.array_equal(model.predict(loaded, x), model.predict(network, x))
    assert metadata == saved
