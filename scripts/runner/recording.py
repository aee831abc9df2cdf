"""Verdicts → results/verified.json."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts import results
from scripts.chapters import Chapter, Guide, Hidden, Shown
from scripts.results import Fingerprints

from . import environment, shares
from .judging import Verdict
from .performer import Performance

SHOWN_VERSIONS = ("tensorflow", "keras", "dvc", "bentoml", "evidently")
"""Packages of the reader that a badge names, when the chapter's lock has them."""


def system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = f"{platform.system()} {platform.release()}"
    return f"{name}, {platform.machine()}"


def commit(root: Path) -> str:
    """The commit that was verified; ``+`` when the files were not those of that commit."""
    git = ["git", "-C", str(root)]
    head = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=False)
    if head.returncode:
        return ""
    changed = subprocess.run([*git, "status", "--porcelain", "--", "docs", "dataset", "scripts"], capture_output=True)
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def locked(root: Path) -> dict[str, str]:
    lock = (root / "requirements-reader.txt").read_text(encoding="utf-8")
    return {name: version for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.M) if name in SHOWN_VERSIONS}


def of_chapter(performance: Performance, verdicts: Mapping[str, Verdict], root: Path) -> dict[str, Any]:
    """What came of one chapter in one variant. ``verdicts`` are by block id."""
    chapter, fingerprints, blocks = performance.chapter, Fingerprints(), dict[str, Any]()
    for block in chapter.blocks:
        # The site knows a fence by its content; a hidden block is only counted.
        hidden = isinstance(block, Hidden)
        mark = block.id if hidden else fingerprints.of(block.language, block.title, block.body)
        if isinstance(block, Shown):
            continue
        if not block.chosen(performance.variant):
            blocks[mark] = {"outcome": "other", "kind": block.kind, "line": block.place.line}
            blocks[mark]["problem"] = f"for {' and '.join(block.variant.values())}"
            continue
        verdict = verdicts[block.id]
        known: dict[str, Any] = {"outcome": verdict.outcome, "kind": block.kind, "line": block.place.line}
        if verdict.problem:
            known["problem"] = verdict.problem
        if verdict.record and verdict.record.standins:
            known["stand_ins"] = list(verdict.record.standins)
        blocks[mark] = known
    return {
        "date": performance.executed_on,
        "commit": commit(root),
        "system": system(),
        "python": platform.python_version(),
        "tools": {tool: environment.version(tool) for tool in ("git", "uv")},
        "packages": locked(root),
        "shares": shares.of(chapter, performance.variant).as_dict(),
        "blocks": blocks,
    }


def record(
    root: Path, chapters: Mapping[tuple[str, str], tuple[Performance, Mapping[str, Verdict]]], guide: Guide
) -> list[str]:
    """Put the chapters that were verified whole into the results, and leave out those that are no more. Says which."""
    data = results.load(root)
    data["chapters"] = {n: entry for n, entry in data.get("chapters", {}).items() if n in guide.chapters}
    told = list[str]()
    for (number, variant), (performance, verdicts) in chapters.items():
        if not whole(performance.chapter, performance.variant, verdicts):
            continue
        entry = data["chapters"].setdefault(number, {"variants": {}})
        entry["page"], entry["title"] = performance.chapter.page, performance.chapter.title
        entry["variants"][variant] = of_chapter(performance, verdicts, root)
        told.append(f"{number} [{variant}]")
    results.save(root, data)
    return told


def whole(chapter: Chapter, variant: Mapping[str, str], verdicts: Mapping[str, Verdict]) -> bool:
    return all(block.id in verdicts for block in chapter.executable(variant))
