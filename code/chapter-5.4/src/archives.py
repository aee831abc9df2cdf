"""The archives with pictures that came in later."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

SETS = Path("data/sets")


def pictures_of(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the pictures in a zip file."""
    with ZipFile(archive) as opened:
        for name in sorted(opened.namelist()):
            if name.endswith(".jpg"):
                yield name, opened.read(name)


def number_of(name: str) -> int:
    """Return the number in a name such as city/moon/moon_0007.jpg."""
    return int(PurePosixPath(name).stem.split("_")[-1])
