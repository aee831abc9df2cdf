"""Run directories: one per variant at a fixed place, used by one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import engine, environment, processes

FOLDERS = ("work", "home", "remotes", "state", "log", "bin", "tmp")
OWNER = "owner.json"
SLOTS = 8
READER = "/home/reader"
"""The reader's directory, as pages show it."""


class RunError(Exception):
    """A run that can't go on. Says why and the way out."""


@dataclass
class RunDirectory:
    """Where a chain of chapters is done: ``work/`` is what the reader sees.

    Its place does not change from run to run, so that what tools cache by path stays valid; the
    token does, so that each process can be told to which run it belongs.
    """

    root: Path
    token: str
    lock: IO[str]

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def remotes(self) -> Path:
        """What stand-ins keep for the reader: repositories of a forge, objects of a store."""
        return self.root / "remotes"

    @property
    def home(self) -> Path:
        return self.root / "home"

    def as_reader(self, text: str) -> str:
        """What a reader sees in place of this directory: pages and records hold for every run."""
        for path, shown in ((self.work, READER), (self.home, READER), (self.root / "tmp", "/tmp")):
            text = text.replace(str(path), shown)
        for secret in environment.credentials():
            text = text.replace(secret, "***")
        return text

    def environment(self) -> dict[str, str]:
        return environment.build(self.root, processes.TOKEN, self.token)

    def empty(self) -> None:
        """Back to the beginning: nothing of an earlier run is left."""
        for name in FOLDERS:
            remove(self.root / name)
            (self.root / name).mkdir(parents=True)
        environment.prepare(self.home, self.root / "bin")

    def close(self) -> list[str]:
        """End what is left of this run, and give the directory free. Says what had to be ended."""
        left = processes.end_all(self.token)
        (self.root / OWNER).unlink(missing_ok=True)
        self.lock.close()
        return left


def remove(path: Path) -> None:
    """Remove a folder, also one with parts that were made read-only."""

    def writable(function: object, name: str, error: object) -> None:
        Path(name).parent.chmod(0o700)
        Path(name).chmod(0o700)
        shutil.rmtree(name) if Path(name).is_dir() else Path(name).unlink()

    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path, onerror=writable)


def claim(runs: Path, name: str) -> RunDirectory:
    """Take a free directory below ``runs`` for this process. Raises RunError when there is none."""
    for slot in range(1, SLOTS + 1):
        root = runs / (name if slot == 1 else f"{name}.{slot}")
        if (lock := try_lock(root)) is None:
            continue
        try:
            root.mkdir(exist_ok=True)
            if (root / OWNER).exists():
                end_dead_run(root)
            directory = RunDirectory(root, uuid.uuid4().hex, lock)
            (root / OWNER).write_text(json.dumps({"process": os.getpid(), "token": directory.token}))
        except OSError:
            lock.close()
            raise
        return directory
    raise RunError(f"{SLOTS} runs are under way in {runs}: wait for one to end")


def try_lock(root: Path) -> IO[str] | None:
    """The lock of a run directory, or None while another process has it.

    It is the kernel's: free as soon as its holder has ended, however it ended.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    lock = (root.parent / f"{root.name}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def clean_up(runs: Path) -> list[str]:
    """End what runs that died have left running, in whichever directory. Says what that was."""
    cleaned = list[str]()
    for owner in sorted(runs.glob(f"*/{OWNER}")):
        if (lock := try_lock(owner.parent)) is None:
            continue  # its process lives
        with lock:
            if owner.exists():
                cleaned += end_dead_run(owner.parent)
                owner.unlink()
    return cleaned


def end_dead_run(root: Path) -> list[str]:
    """End the processes of a run that died, then its containers: nobody may start another one meanwhile."""
    return processes.end_all(read_token(root / OWNER)) + engine.clean(root)


def read_token(owner: Path) -> str:
    try:
        return str(json.loads(owner.read_text())["token"])
    except (ValueError, KeyError):
        return "written by half"  # the process died while it wrote, before it started anything
