"""Checkpoints: the state at the end of a chapter, and what came of its blocks.

A checkpoint is a folder named after its key. It is written beside its place and then moved there,
so a half-written one is never taken for whole; its parts are checked by hash when it is used.
tar and gzip, since every Python reads them: readers download checkpoints too. Large files are
kept once for all checkpoints, as objects.
"""

from __future__ import annotations

import fcntl
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

from . import objects, records
from .directory import RunDirectory, remove
from .objects import Archive, Objects, sum_of
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
        self.objects = Objects(folder)
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
            if lacking := self.objects.lacks(sums["objects"]):
                raise ValueError(f"of its large files, {len(lacking)} are missing")
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
        with self._alone():  # from its first object on: until it names them, others would remove them
            try:
                part.mkdir()
                self._write(part, run, done)
                remove(place)
                part.rename(place)
            finally:  # after an error too: on a disk that is full, no objects stay that nobody names
                remove(part)
                self.shrink(keep=place)

    def _write(self, part: Path, run: RunDirectory, done: Sequence[Record]) -> None:
        environments = list(find_environments(run.work))
        kept = pack(run.root, part / ARCHIVE, self.objects, leave_out=environments)
        for number, environment in enumerate(environments):
            link_tree(environment, part / VENVS / str(number))
        records.dump(done, part / RECORDS)
        sums = {
            RECORDS: sum_of(part / RECORDS),
            ARCHIVE: sum_of(part / ARCHIVE),
            "size": (part / ARCHIVE).stat().st_size,
            "own": (part / ARCHIVE).stat().st_size + own_size(part / VENVS),
            "objects": kept,
            "date": datetime.now(UTC).date().isoformat(),
            "root": str(run.root),
            "environments": [str(e.relative_to(run.root)) for e in environments],
        }
        (part / SUMS).write_text(json.dumps(sums, indent=1))

    def restore(self, key: str, run: RunDirectory) -> bool:
        """Bring a run directory into the state of a checkpoint. False when that is damaged."""
        with self._alone():
            return self._restore(key, run)

    def _restore(self, key: str, run: RunDirectory) -> bool:
        if not self._is_whole(key):
            return False
        # From here on the checkpoint is whole: what fails is the run directory, and says so itself.
        place = self.place(key)
        sums = json.loads((place / SUMS).read_text())
        run.empty()
        with Archive.open(place / ARCHIVE) as archive:
            # Our own, and its hash was checked. (Before Python 3.11.4 there are no filters.)
            archive.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
            archive.extractall(run.root)
        for number, name in enumerate(sums["environments"]):
            link_tree(place / VENVS / str(number), run.root / name)
            relocate(run.root / name, sums["root"], str(run.root))
        return True

    def is_whole(self, key: str) -> bool:
        """Whether all parts of a checkpoint are as they were written, by hash. One that is damaged is removed."""
        with self._alone():
            return self._is_whole(key)

    def _is_whole(self, key: str) -> bool:
        place = self.place(key)
        try:
            sums = json.loads((place / SUMS).read_text())
            if sum_of(place / ARCHIVE) != sums[ARCHIVE]:
                raise ValueError(f"{ARCHIVE} has changed")
            copies = [place / VENVS / str(number) for number in range(len(sums["environments"]))]
            if missing := next((copy for copy in copies if not (copy / "pyvenv.cfg").exists()), None):
                raise ValueError(f"{missing.name} of {VENVS} is missing")
            if damaged := self.objects.damaged(sums["objects"]):
                self.objects.remove(damaged)  # or they would be taken for whole when it is made anew
                raise ValueError(f"of its large files, {len(damaged)} have changed")
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._discard(place, str(error))
            return False
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
        """Remove what was not used for longest until the rest is below the limit, in bytes. An object counts once."""
        for part in self.folder.glob(".part-*"):
            if time.time() - part.stat().st_mtime > 3600:  # of a process that died
                remove(part)
        places = [p for p in self.folder.iterdir() if p.is_dir() and p.name[0] != "." and p.name != objects.FOLDER]
        total, used = 0, dict[str, int]()
        for place in sorted(places, key=lambda p: p.stat().st_mtime, reverse=True):
            sizes = dict[str, int]()
            with suppress(OSError, ValueError, KeyError, TypeError):  # a damaged one is told when it is used
                # Noted when it was saved: to walk through all environments again takes minutes on a slow disk.
                sums = json.loads((place / SUMS).read_text())
                total += sums["own"]
                sizes = sums["objects"]  # those of earlier versions have none, and count by what is their own
                total += sum(size for digest, size in sizes.items() if digest not in used)
            if total > limit and place != keep:
                remove(place)
            else:
                used |= sizes
        self.objects.remove_others(used)

    def clear(self) -> None:
        """Remove every checkpoint."""
        remove(self.folder)


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


def pack(root: Path, archive: Path, store: Objects, leave_out: Sequence[Path]) -> dict[str, int]:
    """Pack the state of a run directory. Returns the objects that it needs, with their sizes in bytes."""
    kept = dict[str, int]()

    def chosen(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if any(root / member.name == folder for folder in leave_out):
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        if member.isreg() and member.size >= objects.SMALLEST:
            digest, size = store.keep(root / member.name)
            objects.stand_in(member, digest, size)
            kept[digest] = size
        return member

    # The fastest level: it halves what is left, and a higher one saves hardly more.
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name in KEPT:
            tar.add(root / name, name, filter=chosen)
    return kept


def link_tree(source: Path, target: Path) -> None:
    """Copy an environment. Packages and programs are shared; what people edit or what names its place is not."""

    def link(a: str, b: str) -> None:
        if is_program(Path(a)) or ("site-packages" in a and not a.endswith((".pth", ".cfg"))):
            try:
                os.link(a, b, follow_symlinks=False)
                return
            except OSError:
                pass  # another file system
        shutil.copy2(a, b, follow_symlinks=False)

    shutil.copytree(source, target, symlinks=True, copy_function=link)


def is_program(file: Path) -> bool:
    """Whether it is one that a package brings compiled: a script is small, and names its environment."""
    return file.parent.name == "bin" and file.stat().st_size >= objects.SMALLEST


def relocate(environment: Path, old: str, new: str) -> None:
    """An environment names its own place in its scripts: make them fit another run directory."""
    if old == new:
        return
    for script in [environment / "pyvenv.cfg", *(environment / "bin").iterdir()]:
        if script.is_file() and not script.is_symlink() and not is_program(script):
            text = script.read_bytes()
            if old.encode() in text:
                script.write_bytes(text.replace(old.encode(), new.encode()))
