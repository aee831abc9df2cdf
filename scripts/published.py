"""Does each chapter as a reader does who begins with it: from the published archive, in an empty directory.

The tests do so with --from-published; else, a chapter begins with the checkpoint of the tests, which holds more.
"""

from __future__ import annotations

from dataclasses import dataclass

from scripts import start_from
from scripts.chapters import Chapter, Guide
from scripts.runner import processes
from scripts.runner.directory import RunDirectory, RunError, claim
from scripts.runner.performer import Performer
from scripts.runner.records import Record

LIMIT = 1800.0
"""Seconds that it may take to have a chapter's beginning."""


def can_start(chapter: Chapter, guide: Guide) -> bool:
    """Whether a reader can begin with this chapter: one that continues from another."""
    return chapter.slug.startswith("chapter-") and chapter.after in guide.chapters


@dataclass
class FromPublished(Performer):
    """``archives`` is where they are published. Its run directory is not the one in which they were made."""

    archives: str = start_from.PUBLISHED

    @property
    def run(self) -> RunDirectory:
        if self._run is None:
            self._run = claim(self.cache / "runs", f"{self.name}-published")
        return self._run

    def reach(self, chapter: Chapter) -> Record | None:
        if not can_start(chapter, self.guide):
            return super().reach(chapter)
        self._restart()
        script = str(self.root / "scripts" / "start_from.py")
        ended = processes.run(
            ["python3", script, chapter.number, ".", "--published", self.archives],
            cwd=self.run.work,
            env=self.environment(),
            log=self.run.log / f"{chapter.slug}-start.txt",
            timeout=LIMIT,
        )
        if ended.status != 0:
            told = (ended.output.strip() or f"it took more than {LIMIT:.0f} s").splitlines()[-1]
            raise RunError(f"start_from.py {chapter.number}: {told}")
        self._new_terminals()
        return None
