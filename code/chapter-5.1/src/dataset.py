"""The data set on disk: the raw pictures, and the arrays made of them."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Split(NamedTuple):
    """Pictures that are used together, such as the training set."""

    x: np.ndarray  # float32 (number, height, width, channels), from 0 to 1
    y: np.ndarray  # int64 (number,), positions in the list of labels
    files: np.ndarray  # str (number,), the picture behind each row, below data/raw


def find_pictures(raw: Path) -> list[Path]:
    """List the pictures <raw>/<label>/<name>.jpg, in an order that never changes."""
    pictures = sorted(raw.glob("*/*.jpg"))
    if not pictures:
        raise FileNotFoundError(f"no pictures like {raw}/<label>/<name>.jpg")
    return pictures


def hash_file(path: Path) -> str:
    """Return the SHA-256 hash of a file: equal hashes mean equal contents."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_test_set(path: Path) -> dict[str, str]:
    """Read the frozen test set: names of pictures below data/raw, with their hashes."""
    pairs = (line.split(maxsplit=1) for line in path.read_text().splitlines())
    return {name: digest for digest, name in pairs}


def save_split(path: Path, split: Split) -> None:
    """Write a split as an .npz file. The same split always gives the same bytes."""
    np.savez(path, **split._asdict())


def load_split(path: Path) -> Split:
    """Read a split that save_split wrote."""
    with np.load(path) as arrays:
        return Split(**arrays)
