"""What the forge keeps of a repository beside its commits: one JSON file, so that a checkpoint brings it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KINDS = ("issues", "comments", "runs", "rulesets")
"""Lists of things with an ``id``. A pull request is an issue that has ``pull``: they share their numbers."""

Thing = dict[str, Any]


class Store:
    """Issues, pull requests, comments, runs, rulesets and variables. Used by whoever has the forge's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "state.json"

    def read(self) -> dict[str, Any]:
        known = json.loads(self._file.read_text()) if self._file.exists() else {}
        return {**{kind: [] for kind in KINDS}, "variables": {}, **known}

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """The state, written back at the end: in whole, or not at all after an error."""
        state = self.read()
        yield state
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(state, indent=1))
        part.replace(self._file)

    def add(self, kind: str, **content: Any) -> Thing:
        with self.change() as state:
            thing = {"id": max((one["id"] for one in state[kind]), default=0) + 1, **content, "created_at": now()}
            thing["updated_at"] = thing["created_at"]
            state[kind].append(thing)
        return thing

    def all(self, kind: str) -> list[Thing]:
        return list(self.read()[kind])

    def get(self, kind: str, number: int) -> Thing | None:
        return next((one for one in self.read()[kind] if one["id"] == number), None)

    def update(self, kind: str, number: int, **content: Any) -> Thing:
        with self.change() as state:
            thing: Thing = next(one for one in state[kind] if one["id"] == number)
            thing |= {**content, "updated_at": now()}
        return thing

    def secrets(self) -> dict[str, str]:
        """Secrets of the repository, from a file beside the state: the API takes only encrypted ones."""
        place = self.folder / "secrets.json"
        return {str(k): str(v) for k, v in json.loads(place.read_text()).items()} if place.exists() else {}

    def of_run(self, number: int) -> Path:
        """The folder for a run's log, summary and artifacts."""
        return self.folder / "runs" / str(number)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
