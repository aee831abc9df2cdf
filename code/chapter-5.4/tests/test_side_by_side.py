"""Test that two models are compared on the same pictures, and what is a loss."""

import hashlib
import json
from pathlib import Path

import pytest

from dataset import hash_file, load_split, load_test_set
from params import load_params
from prove import PROOF, RAW, TEST_SET, sealed_sets
from side_by_side import losses, table

COMPARED = {"test set": (330, 0.91, 0.89), "city, sealed": (330, 0.5, 0.9)}


def test_a_loss_within_the_limit_is_none():
    assert losses(COMPARED, 0.03) == []
    (found,) = losses(COMPARED, 0.01)
    assert found.startswith("test set: accuracy falls by 0.020, from 0.910 to 0.890")


def test_the_table_has_a_line_for_each_set():
    assert table(COMPARED).splitlines()[2:] == ["| test set | 330 | 0.910 | 0.890 |", "| city, sealed | 330 | 0.500 | 0.900 |"]


@pytest.mark.skipif(not load_params("evaluate")["open_test_set"], reason="it is sealed")
def test_nobody_has_learned_from_what_proves():
    learned = [load_split(Path("data/prepared") / f"{name}.npz").files for name in ("train", "validation")]
    known = {hash_file(RAW / name) for names in learned for name in names}
    proof, sets = json.loads(PROOF.read_text()), sealed_sets()
    assert list(proof) == list(sets)
    for name, labelled in sets.items():
        assert proof[name]["pictures"] == len(labelled) > 0
        assert not known & hashes(labelled)
    assert hashes(sets["test set"]) == set(load_test_set(TEST_SET).values())


def hashes(labelled: list[tuple[str, bytes]]) -> set[str]:
    return {hashlib.sha256(picture).hexdigest() for _, picture in labelled}
