"""Building the archives, and leaving alone what is built already."""

from __future__ import annotations

import fcntl
import functools
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL

from dataset.archives import (
    differences,
    format_checksums,
    pack,
    read_checksums,
    sha256,
    write_whole,
)
from dataset.errors import DatasetError
from dataset.rendering import render
from dataset.sets import PictureSet, chosen

_PACKAGE = Path(__file__).parent
MANIFESTS = _PACKAGE / "manifests"
"""One checksum file for the pictures of each set, and one for the archives."""


@dataclass(frozen=True)
class Built:
    """An archive that is there and complete."""

    name: str
    archive: Path
    unchanged: bool
    """It was there already."""


def build(out: Path, names: Sequence[str] | None = None, jobs: int | None = None, progress: bool = True) -> list[Built]:
    """Builds ``out/<name>.zip`` and ``out/<name>.zip.sha256`` for these sets, or for all of them.

    An archive whose inputs have not changed stays as it is. Every picture is compared with the committed
    manifest before anything is written. Raises ``DatasetError`` if a picture differs, a set does not exist,
    or the folder cannot be written.
    """
    sets = chosen(names)
    out = Path(out)
    stale = [s for s in sets if not _is_current(s, out)]
    if stale:
        with _lock(out):
            # Somebody else may have built them while this process waited for the lock.
            stale = [s for s in stale if not _is_current(s, out)]
            with closing(render(stale, jobs, progress)) as rendered:
                for s, files in rendered:
                    content = pack(files)
                    _verify(s, files, content)
                    with _writing_to(out):
                        _write(s, out, content)
    return [Built(s.name, _archive(s, out), unchanged=s not in stale) for s in sets]


def write_manifests(jobs: int | None = None, progress: bool = True) -> list[Path]:
    """Renders everything and rewrites the committed manifests. Returns the files that changed."""
    texts, archives = {}, {}
    for s, files in render(chosen(None), jobs, progress):
        texts[manifest_path(s)] = format_checksums({path: sha256(content) for path, content in files.items()})
        archives[f"{s.name}.zip"] = sha256(pack(files))
    texts[MANIFESTS / "zips.sha256"] = format_checksums(archives)
    changed = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    with _writing_to(MANIFESTS):
        for path in changed:
            write_whole(path, texts[path].encode())
    return changed


def manifest_path(s: PictureSet) -> Path:
    """The committed manifest of a set."""
    return MANIFESTS / f"{s.name}.sha256"


def _archive(s: PictureSet, out: Path) -> Path:
    return out / f"{s.name}.zip"


def _checksum(s: PictureSet, out: Path) -> Path:
    return out / f"{s.name}.zip.sha256"


def _record(s: PictureSet, out: Path) -> Path:
    """Remembers what an archive was built from. Written last, so an archive with its record is complete."""
    return out / f".{s.name}.inputs"


@functools.cache
def _renderer() -> str:
    """A checksum of what draws the pictures: this package, its maps, and the libraries that it uses."""
    files = sorted([*_PACKAGE.glob("*.py"), *_PACKAGE.glob("maps/*.jpg")])
    checksums = {path.relative_to(_PACKAGE).as_posix(): sha256(path.read_bytes()) for path in files}
    versions = f"numpy {np.__version__}, pillow {PIL.__version__}\n"
    return sha256((versions + format_checksums(checksums)).encode())


def _inputs(s: PictureSet) -> str:
    """A checksum of all that an archive is made from and compared with."""
    manifest = manifest_path(s)
    return sha256((_renderer() + repr(s) + (manifest.read_text() if manifest.exists() else "")).encode())


def _is_current(s: PictureSet, out: Path) -> bool:
    """Is the archive complete, undamaged, and built from what is here now?"""
    try:
        archive = _archive(s, out).read_bytes()
        checksum = _checksum(s, out).read_text()
        record = _record(s, out).read_text()
    except OSError:
        return False
    return record == _inputs(s) and checksum == format_checksums({_archive(s, out).name: sha256(archive)})


def _verify(s: PictureSet, files: dict[str, bytes], archive: bytes) -> None:
    manifest = manifest_path(s)
    wrong = differences({path: sha256(content) for path, content in files.items()}, read_checksums(manifest))
    if wrong:
        raise DatasetError(
            f"{s.name}: {wrong[0]} from {manifest} ({len(wrong)} of {len(files)} pictures). If you changed "
            "the renderer, look at the pictures and run `python3 -m dataset manifest`; if not, install the "
            f"versions of requirements.txt (these are numpy {np.__version__}, pillow {PIL.__version__})"
        )
    zips = MANIFESTS / "zips.sha256"
    name = f"{s.name}.zip"
    if read_checksums(zips).get(name) != sha256(archive):
        raise DatasetError(f"{name}: the archive differs from {zips}; run `python3 -m dataset manifest`")


def _write(s: PictureSet, out: Path, content: bytes) -> None:
    _record(s, out).unlink(missing_ok=True)
    archive = _archive(s, out)
    write_whole(archive, content)
    write_whole(_checksum(s, out), format_checksums({archive.name: sha256(content)}).encode())
    write_whole(_record(s, out), _inputs(s).encode())


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Turns the errors of the operating system into one line for people."""
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise DatasetError(f"{place}: {error.strerror}; make room or choose another folder") from error


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Lets one process at a time build into a folder. However that process ends, the lock goes with it."""
    with _writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
