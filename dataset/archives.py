"""How pictures are packed, and how anybody can tell that they are the right ones.

All checksum files are in the format of ``sha256sum``, so that ``sha256sum --check`` reads them.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from dataset.errors import DatasetError

_DATE = (2026, 1, 1, 0, 0, 0)
"""Of every file in an archive: a real date would change the archive's checksum from build to build."""

Checksums = dict[str, str]
"""SHA-256 in hexadecimal, by path."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip archive that depends on nothing but ``files``: sorted, without compression (JPEG has its own)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _DATE)
            entry.create_system = 3  # Unix, whatever machine packs it
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[path])
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    """The checksum of ``content``, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def format_checksums(checksums: Mapping[str, str]) -> str:
    """The text of a checksum file, sorted by path."""
    return "".join(f"{checksums[path]}  {path}\n" for path in sorted(checksums))


def read_checksums(file: Path) -> Checksums:
    """What a checksum file says."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DatasetError(f"{file}: {error.strerror}; restore it with git") from error
    checksums = {}
    for number, line in enumerate(lines, start=1):
        digest, separator, path = line.partition("  ")
        if not separator or len(digest) != 64:
            raise DatasetError(f"{file}:{number}: not a line of sha256sum; restore the file with git")
        checksums[path] = digest
    return checksums


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file that is never seen half-written: under another name first, then renamed."""
    partial = path.with_name(f".{path.name}.part")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def differences(found: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """What is wrong with ``found``, one line for each file, in the order of the paths."""
    lines = []
    for path in sorted(found.keys() | expected.keys()):
        if path not in found:
            lines.append(f"{path} is missing")
        elif path not in expected:
            lines.append(f"{path} is not part of the set")
        elif found[path] != expected[path]:
            lines.append(f"{path} differs")
    return lines
