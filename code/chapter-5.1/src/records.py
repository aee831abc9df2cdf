"""What is kept of pictures: lines of JSON, and the arrays made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LOGGED = ["brightness", "contrast", "sharpness", "sky", "red", "blue", "confidence"]


@dataclass(frozen=True)
class Records:
    """What is kept of pictures that are looked at together."""

    labels: np.ndarray  # str (pictures,), what the model says
    numbers: np.ndarray  # float64 (pictures, LOGGED)
    embeddings: np.ndarray  # float64 (pictures, units)

    @classmethod
    def of(cls, entries: list[dict]) -> Records:
        """Make arrays of entries of the journal."""
        return cls(
            np.array([entry["label"] for entry in entries]),
            np.array([[entry[name] for name in LOGGED] for entry in entries]),
            np.array([entry["embedding"] for entry in entries]),
        )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Records:
        """Return some of the pictures, by position or by a mask."""
        return Records(self.labels[rows], self.numbers[rows], self.embeddings[rows])


def load_entries(*files: Path) -> tuple[list[dict], int]:
    """Return the entries of files of JSON lines, and how many lines can't be read."""
    entries, broken = [], 0
    for file in files:
        for line in file.read_text(errors="replace").splitlines():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                broken += 1
    return entries, broken


def save_entries(file: Path, entries: Iterable[dict]) -> None:
    """Write entries as JSON lines. Equal entries give equal bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
