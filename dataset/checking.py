"""Comparing pictures that somebody has with the committed manifests."""

from __future__ import annotations

import zipfile
from pathlib import Path

from dataset.archives import Checksums, differences, read_checksums, sha256
from dataset.building import manifest_path
from dataset.errors import DatasetError
from dataset.sets import SETS, PictureSet


def check(path: Path) -> dict[str, int]:
    """Compares an archive, a folder of archives, or an unpacked folder with the manifests.

    Returns the number of pictures of each set that was found. Raises ``DatasetError``, which names the first
    picture that is missing, different, or not part of the set.
    """
    if path.is_dir():
        archives = [archive for s in SETS.values() if (archive := path / f"{s.name}.zip").exists()]
        if archives:
            return {name: n for archive in archives for name, n in check(archive).items()}
        unpacked = [s for s in SETS.values() if (path / s.folder).is_dir()]
        if not unpacked:
            folders = ", ".join(f"{s.folder}/" for s in SETS.values())
            raise DatasetError(f"{path}: no archive of a set and no {folders} in this folder")
        return {s.name: _compare(s, _folder_checksums(path, s), path) for s in unpacked}
    s = SETS.get(path.stem)
    if s is None:
        raise DatasetError(f"{path}: an archive has the name of its set: {', '.join(f'{n}.zip' for n in SETS)}")
    return {s.name: _compare(s, _archive_checksums(path), path)}


def _compare(s: PictureSet, found: Checksums, path: Path) -> int:
    wrong = differences(found, read_checksums(manifest_path(s)))
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise DatasetError(f"{path}: {wrong[0]}{more}; get the {s.name} set again")
    return len(found)


def _folder_checksums(path: Path, s: PictureSet) -> Checksums:
    files = (file for file in (path / s.folder).rglob("*") if file.is_file())
    try:
        return {file.relative_to(path).as_posix(): sha256(file.read_bytes()) for file in files}
    except OSError as error:
        raise DatasetError(f"{error.filename}: {error.strerror}") from error


def _archive_checksums(path: Path) -> Checksums:
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: sha256(archive.read(name)) for name in archive.namelist() if not name.endswith("/")}
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}") from error
    except zipfile.BadZipFile as error:
        raise DatasetError(f"{path}: {error}; get the archive again") from error
