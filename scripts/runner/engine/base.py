"""What engines have in common: commands of the reader that pass through a wrapper, and what they leave."""

from __future__ import annotations

import json
import os
import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..environment import find
from .caller import Caller

HERE = Path(__file__).parent
FOLDER = "engine"
"""Below the run directory. It outlives the run, so that the next one can clean up after it."""
CALLS = "calls"
BACKGROUND = "GUIDE_BACKGROUND"
"""Names the block that a server belongs to, so that its containers end with it."""
LABEL = "guide.background"
Snapshot = tuple[frozenset[str], frozenset[str], frozenset[str]]
"""The ids of containers, of pods, and of secrets for them."""


class Engine(ABC):
    """Gives the reader ``docker`` and ``podman``. Nothing but small files is made until somebody calls one.

    Meets the protocol StandIn. A wrapper in the run's ``bin`` hands each call on, with the settings of the run.
    """

    program: ClassVar[str]
    script: ClassVar[str]
    called: ClassVar[tuple[str, ...]]
    """What the reader's shell has as commands."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / FOLDER
        self.environment: Mapping[str, str] = {}

    @classmethod
    def was_used(cls, folder: Path) -> bool:
        return (folder / CALLS).exists() and (folder / cls.program).exists()

    @classmethod
    def of_dead_run(cls, root: Path) -> Engine:
        return cls(root)

    @property
    @abstractmethod
    def name(self) -> str:
        """How the results call it."""

    @property
    def used(self) -> bool:
        return (self.folder / CALLS).exists()

    @property
    def requests(self) -> int:
        return (self.folder / CALLS).stat().st_size if self.used else 0

    @property
    def problem(self) -> str:
        told = self.folder / "problem"
        return told.read_text().strip() if told.exists() else ""

    # ------------------------------------------------------------ a run

    def start(self) -> None:
        """Write the wrappers and what they read. Calls nothing."""
        self.folder.mkdir(exist_ok=True)
        for name in (CALLS, "ready", "problem"):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / self.program).touch()
        self.configure()
        for name in self.called:
            wrapper = self.root / "bin" / name
            wrapper.unlink(missing_ok=True)  # it may be a link to the program itself
            values = {**self.values(), "engine": self.folder, "called": name, "real": find(self.program) or name}
            lines = (f"{key}={shlex.quote(str(value))}" for key, value in values.items())
            wrapper.write_text("\n".join(["#!/bin/sh", *lines, f". {shlex.quote(str(HERE / self.script))}", ""]))
            wrapper.chmod(0o755)

    def stop(self) -> None:
        if self.used:
            self.clear()

    @abstractmethod
    def settle(self) -> None:
        """Bring to an end what a checkpoint must hold whole."""

    @abstractmethod
    def configure(self) -> None:
        """Write what the program reads."""

    def values(self) -> Mapping[str, object]:
        """Variables that the script of the wrapper reads."""
        return {"python": sys.executable, "guide": HERE.parents[2]}

    # ------------------------------------------------------------ what was left

    @abstractmethod
    def left(self) -> list[str]:
        """What a page has made and not removed: containers, pods and volumes."""

    @abstractmethod
    def clear(self) -> list[str]:
        """Remove every container, pod and volume of the run. Says what was left."""

    @abstractmethod
    def containers(self) -> list[str]:
        """The ids of the containers of the run, but for those that end with a background block."""

    def snapshot(self) -> Snapshot:
        """What is there now, for bring_back."""
        return frozenset(self.containers()), frozenset(), frozenset()

    def bring_back(self, snapshot: Snapshot) -> bool:
        """Remove what came after a snapshot. False when something of then is gone."""
        before, *_ = snapshot
        now = set(self.containers())
        if new := now - before:
            self.remove(sorted(new))
        return before <= now

    def end_background(self, name: str) -> None:
        """Remove the containers that a background block has started: its client may have ended before them."""
        if self.used and (left := self.ask("ps", "--all", "--quiet", "--filter", f"label={LABEL}={name}").split()):
            self.remove(left)

    def remove(self, containers: Sequence[str]) -> None:
        self.ask("rm", "--force", "--volumes", *containers)

    @property
    def call(self) -> Caller:
        """The program itself, with the settings of the run."""
        return Caller(find(self.program) or self.program, self.surroundings())

    def ask(self, *arguments: str) -> str:
        return self.call.says(*arguments)

    def list(self, *arguments: str) -> list[dict[str, Any]]:
        return json.loads(self.ask(*arguments, "--format", "json") or "null") or []

    def surroundings(self) -> dict[str, str]:
        """The environment for calls of the runner itself."""
        return dict(os.environ)
