"""When each page was last changed, from Git, in one call. Nothing where Git cannot know."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path


def last_changes(root: Path) -> dict[str, date]:
    """Path of a page below docs/ → day.

    Empty without Git, outside of a repository, and in a shallow clone, whose oldest commit seems to have
    written everything.
    """
    if git(root, "rev-parse", "--is-shallow-repository").strip() != "false":
        return {}
    # From the folder of the pages, with paths relative to it: a checkout may be a part of another repository.
    log = git(root / "docs", "-c", "core.quotePath=off", "log", "--format=@%cs", "--name-only", "--relative", "--", ".")
    changes, day = dict[str, date](), date.min
    for line in filter(None, log.splitlines()):  # the newest first
        if line.startswith("@"):
            day = date.fromisoformat(line[1:])
        else:
            changes.setdefault(line, day)
    return changes


def git(folder: Path, *arguments: str) -> str:
    """What Git answers, or nothing."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, encoding="utf-8")
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
