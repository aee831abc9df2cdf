"""Test how pictures are shared out, and the arrays that the pipeline has made of them."""

import json

import numpy as np
import pytest

from dataset import hash_file, load_split, load_test_set
from prepare import PREPARED, RAW, TEST_SET, split_indices
from preprocessing import preprocess

Y = np.arange(150) % 3  # an invented data set of three classes
IN_TEST_SET = np.arange(150) < 30


@pytest.fixture
def splits() -> dict[str, np.ndarray]:
    return split_indices(Y, IN_TEST_SET, validation_share=0.25, seed=77)


def test_each_picture_is_in_one_split(splits):
    assert sorted(np.concatenate(list(splits.values()))) == list(range(150))


def test_splits_have_the_same_mix_of_classes(splits):
    counts = {name: np.bincount(Y[chosen]).tolist() for name, chosen in splits.items()}
    assert counts == {"train": [30] * 3, "validation": [10] * 3, "test": [10] * 3}


def test_what_is_in_the_test_set_stays_there(splits):
    assert np.array_equal(splits["test"], np.flatnonzero(IN_TEST_SET))


def test_the_test_set_is_the_frozen_one():
    files = load_split(PREPARED / "test.npz").files
    assert {name: hash_file(RAW / name) for name in files} == load_test_set(TEST_SET)


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_arrays_are_what_a_service_would_make(name):
    metadata = json.loads((PREPARED / "metadata.json").read_text())
    for x, y, file in zip(*load_split(PREPARED / f"{name}.npz")):
        received = (RAW / file).read_bytes()
        assert np.array_equal(x, preprocess(received, **metadata["image"])), file
        assert metadata["labels"][y] == file.split("/")[0]
