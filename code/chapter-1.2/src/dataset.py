"""The data set on disk: the raw pictures, and the arrays made of them."""

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


def save_split(path: Path, split: Split) -> None:
    """Write a split as an .npz file. The same split always gives the same bytes."""
    np.savez(path, **split._asdict())


def load_split(path: Path) -> Split:
    """Read a split that save_split wrote."""
    with np.load(path) as arrays:
        return Split(**arrays)
