"""Check the raw pictures before anything is made of them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from dataset import find_pictures, hash_file, load_test_set
from params import load_params
from preprocessing import preprocess

RAW = Path("data/raw")
TEST_SET = Path("data/test-set.sha256")
PROFILE = Path("data/profile.json")


def check_files(names: list[str], size: int) -> Iterator[str]:
    """Report what is not a picture, or a picture of another size."""
    for name in names:
        try:
            with Image.open(RAW / name) as picture:
                picture.load()  # open() reads no more than the beginning
        except OSError:
            yield f"{name}: cannot be read as a picture"
        else:
            if picture.size != (size, size):
                width, height = picture.size
                yield f"{name}: {width}x{height} pixels, not {size}x{size}"


def check_classes(counts: dict[str, int], minimum: int) -> Iterator[str]:
    """Report classes that have lost their pictures, or never had enough."""
    for label, count in counts.items():
        if count < minimum:
            yield f"{label}: {count} pictures, at least {minimum} are needed"


def check_duplicates(hashes: dict[str, str]) -> Iterator[str]:
    """Report files that are there twice, under another name or label."""
    first: dict[str, str] = {}
    for name, digest in hashes.items():
        if first.setdefault(digest, name) != name:
            yield f"{name}: the same file as {first[digest]}"


def check_test_set(hashes: dict[str, str], frozen: dict[str, str]) -> Iterator[str]:
    """Report if the test set is not what it was when it was frozen."""
    lost = [name for name, digest in frozen.items() if hashes.get(name) != digest]
    if lost:
        yield f"{lost[0]}: gone or changed, one of {len(lost)} of the test set"


def check_leaks(names: list[str], test: list[str], minimum: float) -> Iterator[str]:
    """Report pictures outside of the test set that show what one in it shows."""
    # Made small and gray, two versions of one picture are equal but for a trace.
    small = {name: preprocess(RAW / name, size=16, grayscale=True) for name in names}
    known = np.stack([small.pop(name) for name in test])
    for name, picture in small.items():
        difference = np.sqrt(((known - picture) ** 2).mean(axis=(1, 2, 3)))
        if difference.min() < minimum:
            yield f"{name}: looks like {test[difference.argmin()]} of the test set"


def main() -> None:
    params = load_params("validate")
    frozen = load_test_set(TEST_SET)
    names = [path.relative_to(RAW).as_posix() for path in find_pictures(RAW)]
    hashes = {name: hash_file(RAW / name) for name in names}
    labels = sorted({name.split("/")[0] for name in (*names, *frozen)})
    counts = {label: sum(n.startswith(label + "/") for n in names) for label in labels}

    problems = [
        *check_files(names, params["picture_size"]),
        *check_classes(counts, params["min_pictures"]),
        *check_duplicates(hashes),
        *check_test_set(hashes, frozen),
    ]
    if not problems:  # only whole pictures can be compared
        problems += check_leaks(names, list(frozen), params["min_difference"])
    if problems:
        sys.exit("\n".join(problems))

    profile = {"pictures": len(names), "test_set": len(frozen), "classes": counts}
    PROFILE.write_text(json.dumps(profile, indent=2) + "\n")
    print(f"{len(names)} pictures of {len(labels)} classes: no problem found")


if __name__ == "__main__":
    main()
