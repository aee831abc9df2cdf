"""Checkpoints: the state at the end of a chapter, and what came of its blocks.

A checkpoint is a folder named after its key. It is written beside its place and then moved there,
so a half-written one is never taken for whole; its parts are checked by hash when it is used.
tar and gzip, since every Python reads them: readers download checkpoints too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tarfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from . import records
from .directory import RunDirectory, remove
from .records import Record

INDEX = "chapters.json"
ARCHIVE, RECORDS, SUMS, VENVS = "state.tar.gz", "records.json", "sums.json", "environments"
KEPT = ("work", "home", "remotes")
LIMIT = 20 * 1024**3
"""Bytes that all checkpoints together may take; the ones not used for longest go first."""


class Checkpoints:
    """All checkpoints below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        """What somebody should know: damage that was found, a state that could not be kept."""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other run changes the checkpoints meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def place(self, key: str) -> Path:
        return self.folder / key[:24]

    def records(self, key: str) -> list[Record] | None:
        """What came of a chapter's blocks, or None when there is no whole checkpoint for it."""
        if not self.folder.is_dir():
            return None
        with self._alone():
            return self._records(key)

    def _records(self, key: str) -> list[Record] | None:
        place = self.place(key)
        if not place.is_dir():
            return None
        try:
            sums = json.loads((place / SUMS).read_text())
            if sums[RECORDS] != sum_of(place / RECORDS) or not (place / ARCHIVE).stat().st_size == sums["size"]:
                raise ValueError("its parts have changed")
            os.utime(place)
            return records.load(place / RECORDS)
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._discard(place, str(error))
            return None

    def date(self, key: str) -> str:
        """When the state of a whole checkpoint was reached."""
        return str(json.loads((self.place(key) / SUMS).read_text())["date"])

    def save(self, key: str, run: RunDirectory, done: Sequence[Record]) -> None:
        """Keep the state of a run directory. The last to finish wins; none sees a part of it."""
        place = self.place(key)
        part = self.folder / f".part-{uuid.uuid4().hex}"
        part.mkdir(parents=True)
        try:
            environments = list(find_environments(run.work))
            pack(run.root, part / ARCHIVE, leave_out=environments)
            for number, environment in enumerate(environments):
                link_tree(environment, part / VENVS / str(number))
            records.dump(done, part / RECORDS)
            sums = {
                RECORDS: sum_of(part / RECORDS),
                ARCHIVE: sum_of(part / ARCHIVE),
                "size": (part / ARCHIVE).stat().st_size,
                "own": (part / ARCHIVE).stat().st_size + own_size(part / VENVS),
                "date": datetime.now(UTC).date().isoformat(),
                "root": str(run.root),
                "environments": [str(e.relative_to(run.root)) for e in environments],
            }
            (part / SUMS).write_text(json.dumps(sums, indent=1))
            with self._alone():
                remove(place)
                part.rename(place)
        finally:
            remove(part)
        with self._alone():
            self.shrink(keep=place)

    def restore(self, key: str, run: RunDirectory) -> bool:
        """Bring a run directory into the state of a checkpoint. False when that is damaged."""
        with self._alone():
            return self._restore(key, run)

    def _restore(self, key: str, run: RunDirectory) -> bool:
        place = self.place(key)
        try:
            sums = json.loads((place / SUMS).read_text())
            if sum_of(place / ARCHIVE) != sums[ARCHIVE]:
                raise ValueError(f"{ARCHIVE} has changed")
            environments = {run.root / name: place / VENVS / str(n) for n, name in enumerate(sums["environments"])}
            if missing := next((copy for copy in environments.values() if not (copy / "pyvenv.cfg").exists()), None):
                raise ValueError(f"{missing.name} of {VENVS} is missing")
        except (OSError, ValueError, KeyError) as error:
            self._discard(place, str(error))
            return False
        # From here on the checkpoint is whole: what fails is the run directory, and says so itself.
        run.empty()
        with tarfile.open(place / ARCHIVE) as archive:
            # Our own, and its hash was checked. (Before Python 3.11.4 there are no filters.)
            archive.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
            archive.extractall(run.root)
        for environment, copy in environments.items():
            link_tree(copy, environment)
            relocate(environment, sums["root"], str(run.root))
        return True

    def note(self, number: str, variant: str, key: str) -> None:
        """Note which checkpoint is the end of a chapter now, for those who look for it by number."""
        index = self.folder / INDEX
        try:
            known = json.loads(index.read_text())
        except (OSError, ValueError):
            known = {}
        if known.get(number, {}).get(variant) != self.place(key).name:
            known.setdefault(number, {})[variant] = self.place(key).name
            part = index.with_suffix(f".{uuid.uuid4().hex}")
            part.write_text(json.dumps(known, indent=1))
            part.replace(index)

    def _discard(self, place: Path, why: str) -> None:
        self.told.append(f"checkpoint {place.name} is damaged ({why}): made anew")
        remove(place)

    def shrink(self, keep: Path | None = None, limit: int = LIMIT) -> None:
        """Remove what was not used for longest until the rest is below the limit."""
        for part in self.folder.glob(".part-*"):
            if time.time() - part.stat().st_mtime > 3600:  # of a process that died
                remove(part)
        places = [p for p in self.folder.iterdir() if p.is_dir() and p.name[0] != "."]
        total = 0
        for place in sorted(places, key=lambda p: p.stat().st_mtime, reverse=True):
            with suppress(OSError, ValueError, KeyError):  # a damaged one is told when it is used
                # Noted when it was saved: to walk through all environments again takes minutes on a slow disk.
                total += json.loads((place / SUMS).read_text())["own"]
            if total > limit and place != keep:
                remove(place)

    def clear(self) -> None:
        """Remove every checkpoint."""
        remove(self.folder)


def sum_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def own_size(folder: Path) -> int:
    """Bytes of the files below a folder that are nowhere else but in the run directory that they were linked from."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            status = os.stat(os.path.join(parent, name), follow_symlinks=False)  # noqa: PTH116, PTH118  (many files)
            if status.st_nlink <= 2:
                total += status.st_size
    return total


def find_environments(work: Path) -> Iterator[Path]:
    """Python environments that the reader made: big, and full of files that are elsewhere too."""
    for folder, names, files in os.walk(work):
        if "pyvenv.cfg" in files:
            names.clear()
            yield Path(folder)
        names[:] = [n for n in names if n not in {".git", ".dvc", "data"}]


def pack(root: Path, archive: Path, leave_out: Sequence[Path]) -> None:
    def chosen(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if any(root / member.name == folder for folder in leave_out):
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    # Not compressed: most of it is pictures and layers, and that took longer than many a chapter.
    with tarfile.open(archive, "w:gz", compresslevel=0) as tar:
        for name in KEPT:
            tar.add(root / name, name, filter=chosen)


def link_tree(source: Path, target: Path) -> None:
    """A copy of an environment that shares the files of packages, and no file that people edit."""

    def link(a: str, b: str) -> None:
        if "site-packages" in a and not a.endswith((".pth", ".cfg")):
            try:
                os.link(a, b, follow_symlinks=False)
                return
            except OSError:
                pass  # another file system
        shutil.copy2(a, b, follow_symlinks=False)

    shutil.copytree(source, target, symlinks=True, copy_function=link)


def relocate(environment: Path, old: str, new: str) -> None:
    """An environment names its own place in its scripts: make them fit another run directory."""
    if old == new:
        return
    for script in [environment / "pyvenv.cfg", *(environment / "bin").iterdir()]:
        if script.is_file() and not script.is_symlink():
            text = script.read_bytes()
            if old.encode() in text:
                script.write_bytes(text.replace(old.encode(), new.encode()))
