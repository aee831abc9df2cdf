"""A picture depends on its key and on nothing else, and looks like something."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from dataset.archives import read_checksums, sha256
from dataset.bodies import BODIES
from dataset.building import manifest_path
from dataset.pictures import jpeg
from dataset.sets import CLASSES, SETS, PictureSet

PLANETS = SETS["planets"]


def pixels(s: PictureSet, name: str, index: int) -> np.ndarray:
    with Image.open(io.BytesIO(jpeg(s.name, name, index, s.camera))) as image:
        assert (image.mode, image.size, image.format) == ("RGB", (96, 96), "JPEG")
        return np.asarray(image, np.float64) / 255


@pytest.mark.parametrize("s", SETS.values(), ids=SETS)
def test_first_and_last_picture_of_each_class_are_as_committed(s: PictureSet) -> None:
    expected = read_checksums(manifest_path(s))
    for name in s.classes:
        for index in (0, s.count - 1):
            assert sha256(jpeg(s.name, name, index, s.camera)) == expected[s.path(name, index)]


@pytest.mark.parametrize("s", SETS.values(), ids=SETS)
def test_manifest_lists_every_picture_once_in_order(s: PictureSet) -> None:
    lines = manifest_path(s).read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == list(s.paths())


def test_another_process_draws_the_same_bytes_in_another_order() -> None:
    keys = [("city", "earth", 7), ("probe", "saturn", 3), ("planets", "moon", 12)]
    here = [sha256(jpeg(s, name, index, SETS[s].camera)) for s, name, index in keys]
    code = (
        "from dataset.archives import sha256; from dataset.pictures import jpeg; from dataset.sets import SETS\n"
        f"for s, name, index in {keys[::-1]}: print(sha256(jpeg(s, name, index, SETS[s].camera)))"
    )
    # A linear algebra library and a seed for hashing that differ from this process's.
    environment = os.environ | {"PYTHONHASHSEED": "7", "OPENBLAS_CORETYPE": "Nehalem"}
    there = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert there.stdout.split() == here[::-1]


def test_sets_with_the_same_camera_have_no_picture_in_common() -> None:
    planets, control = (set(read_checksums(manifest_path(SETS[name])).values()) for name in ("planets", "control"))
    assert len(planets) == 1650
    assert len(control) == 660
    assert not planets & control


@pytest.mark.parametrize("s", SETS.values(), ids=SETS)
def test_every_picture_shows_a_body_on_a_dark_sky(s: PictureSet) -> None:
    for name in s.classes:
        for index in range(3):
            grey = pixels(s, name, index).mean(axis=2)
            corners = np.concatenate([grey[:4, :4], grey[:4, -4:], grey[-4:, :4], grey[-4:, -4:]])
            assert np.median(corners) < 0.35, f"{name} {index}: no sky"
            assert (grey > np.median(corners) + 0.15).mean() > 0.01, f"{name} {index}: nothing to see"


def test_classes_look_different_and_no_camera_gives_them_away() -> None:
    """The mean colour of the brighter half tells many classes apart, but not all: there is something to learn."""

    def colour(name: str, index: int) -> np.ndarray:
        picture = pixels(PLANETS, name, index).reshape(-1, 3)
        bright = picture[picture.mean(axis=1) > 0.3]
        return bright.mean(axis=0) / bright.mean()

    known = {name: np.mean([colour(name, i) for i in range(8)], axis=0) for name in CLASSES}

    def nearest(seen: np.ndarray) -> str:
        return min(known, key=lambda name: float(np.abs(known[name] - seen).sum()))

    hits = [nearest(colour(name, i)) == name for name in CLASSES for i in range(8, 16)]
    assert 0.3 < np.mean(hits) < 0.9


def test_every_class_has_a_body_and_a_map() -> None:
    for s in SETS.values():
        assert list(s.classes) == sorted(s.classes)
        assert set(s.classes) <= set(BODIES)
