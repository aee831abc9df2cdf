"""Keeps what was drawn, since finding the ways of arrows takes most of the time that a build of the site takes."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .model import DATA

PACKAGE = Path(__file__).parent
CACHE = PACKAGE.parents[2] / ".cache" / "big-picture"


def kept(name: str, draw: Callable[[], str]) -> str:
    """What ``draw`` made for this name from the same data with the same code, or makes now."""
    digest = hashlib.sha256()
    for file in (DATA, *sorted(PACKAGE.glob("*.py"))):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    folder = CACHE / digest.hexdigest()[:16]
    file = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.html"
    with suppress(OSError):
        return file.read_text(encoding="utf-8")
    drawn = draw()
    with suppress(OSError):  # it is drawn: a disk that is full is no reason to stop
        write(file, drawn)
    return drawn


def write(file: Path, text: str) -> None:
    """Write the file, whole or not at all, and remove what older data and code have drawn."""
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.parent.iterdir():
        if old != file.parent:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as fresh:
        fresh.write(text)
    Path(fresh.name).replace(file)
