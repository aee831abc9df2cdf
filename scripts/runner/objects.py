"""The large files of checkpoints, each kept once: from chapter to chapter, nearly all of them are the same.

An object is a file named after the SHA-256 of its content. In an archive, a member without content stands
for it, with the hash and the size in its pax headers. Readers' scripts import this too: standard library only.
"""

from __future__ import annotations

import copy
import hashlib
import shutil
import tarfile
import uuid
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import IO

FOLDER = "objects"
SMALLEST = 64 * 1024
"""Bytes from which on a file is an object: fewer would make many of them, and save little."""
SHA256, SIZE = "GUIDE.sha256", "GUIDE.size"


class Objects:
    """All objects of the checkpoints below one folder. Who changes them has the lock of the checkpoints."""

    def __init__(self, checkpoints: Path) -> None:
        self.folder = checkpoints / FOLDER

    def place(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def keep(self, source: Path) -> tuple[str, int]:
        """Keep the content of a file. Returns its hash, and its size in bytes."""
        digest, size = sum_of(source), source.stat().st_size
        if self.lacks({digest: size}):
            place = self.place(digest)
            part = place.with_name(f".part-{uuid.uuid4().hex}")
            part.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(source, part)
                part.replace(place)
            finally:
                part.unlink(missing_ok=True)
        return digest, size

    def lacks(self, sizes: Mapping[str, int]) -> list[str]:
        """Which of these hashes have no object of that size in bytes. Content is not looked at, to be quick."""
        return [digest for digest, size in sizes.items() if size_of(self.place(digest)) != size]

    def damaged(self, digests: Iterable[str]) -> list[str]:
        """Which of these hashes have no object with that content."""
        places = {digest: self.place(digest) for digest in digests}
        return [digest for digest, place in places.items() if not place.exists() or sum_of(place) != digest]

    def remove(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self.place(digest).unlink(missing_ok=True)

    def remove_others(self, used: Container[str]) -> None:
        """Remove all objects but these, and what a process that died has left of one."""
        for path in list(self.folder.glob("*/*")):
            if path.name not in used:
                path.unlink()
        for folder in [*self.folder.glob("*"), self.folder]:
            with suppress(OSError):  # not empty
                folder.rmdir()


class Archive(tarfile.TarFile):
    """An archive to read, with objects of the folder above its own in place of members that stand for one.

    Any other archive is read as it is.
    """

    def object_of(self, member: tarfile.TarInfo) -> Path | None:
        digest = member.pax_headers.get(SHA256)
        return Objects(Path(str(self.name)).parent.parent).place(digest) if digest else None

    def makefile(self, tarinfo: tarfile.TarInfo, targetpath: str | bytes | PathLike[str] | PathLike[bytes]) -> None:
        """What tarfile calls for the content of a file. A copy: what edits the file leaves the object alone."""
        if place := self.object_of(tarinfo):
            shutil.copyfile(place, targetpath)
        else:
            super().makefile(tarinfo, targetpath)

    def whole(self, member: tarfile.TarInfo) -> tuple[tarfile.TarInfo, IO[bytes] | None]:
        """A member as it is in an archive without objects, and its content if it is a file."""
        if place := self.object_of(member):
            full = copy.copy(member)
            full.pax_headers = {name: value for name, value in member.pax_headers.items() if name != SHA256}
            full.size = int(full.pax_headers.pop(SIZE))
            return full, place.open("rb")
        return member, self.extractfile(member) if member.isfile() else None


def stand_in(member: tarfile.TarInfo, digest: str, size: int) -> None:
    """Make a member stand for the object of that hash and size in bytes."""
    member.pax_headers = {SHA256: digest, SIZE: str(size)}
    member.size = 0


def sum_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def size_of(path: Path) -> int | None:
    """Bytes of a file, or None when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
