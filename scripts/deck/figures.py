"""The figures that slides show: how far the guide is, and what was verified. Counted, never typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import results
from scripts.site.verified import latest

from .errors import DeckError

ENTRY = re.compile(r"^- (?:\[(?P<there>\d+\.\d+) [^\]]+\]\([^)]+\)|(?P<coming>\d+\.\d+) )", re.M)


@dataclass(frozen=True)
class Chapters:
    """The chapters of the syllabus by number, in its order: whether each is written."""

    written: Mapping[str, bool]

    @property
    def last(self) -> str:
        """The last chapter that is written."""
        return [number for number, there in self.written.items() if there][-1]

    def named(self, text: str) -> str:
        """Chapters for a sentence ("1.2, 1.3"), linked when they are there and marked when they are not."""
        numbers = re.split(r",\s*", text)
        if unknown := [number for number in numbers if number not in self.written]:
            raise DeckError(f"the syllabus has no chapter {unknown[0]}")
        if not any(self.written[number] for number in numbers):
            return f"{', '.join(numbers)}&nbsp;(coming)"
        return ", ".join(f"[{n}]({address(n)})" if self.written[n] else f"{n}&nbsp;(coming)" for n in numbers)


def address(chapter: str) -> str:
    return f"https://mlops.swiss-ai-center.ch/part-{chapter.split('.')[0]}/chapter-{chapter}/"


def chapters(root: Path) -> Chapters:
    syllabus = (root / "docs/introduction/syllabus.md").read_text(encoding="utf-8")
    return Chapters({(e["there"] or e["coming"]): e["there"] is not None for e in ENTRY.finditer(syllabus)})


def figures(root: Path) -> dict[str, str]:
    """Name → figure, as text for a slide. Raises DeckError when nothing was recorded."""
    known = chapters(root)
    recorded = results.load(root).get("chapters", {})
    if not recorded:
        raise DeckError("results/verified.json has no chapter: run python3 scripts/guide.py test --record")
    runs = [latest(page["variants"]) for page in recorded.values()]
    variants = [run for page in recorded.values() for run in page["variants"].values()]
    failed = sum(block["outcome"] in {"failed", "blocked"} for run in variants for block in run["blocks"].values())
    counts = {name: sum(run["shares"][name] for run in runs) for name in runs[0]["shares"]}
    newest = max(runs, key=lambda run: str(run["date"]))
    return {
        "chapters": str(len(known.written)),
        "written-last": known.last,
        "written": str(sum(known.written.values())),
        "verified": str(sum(number in recorded for number in known.written)),
        "blocks": f"{counts['blocks']:,}",
        "executed": f"{counts['executed']:,}",
        "commands": f"{counts['commands']:,}",
        "asserted": f"{counts['asserted']:,}",
        "failed": str(failed),
        "date": str(newest["date"]),
        "system": str(newest["system"]),
        "mutants": mutants(results.load(root, results.MUTATION)),
        "year": year(root),
    }


def mutants(mutation: Mapping[str, Any]) -> str:
    """How many deliberate mistakes were noticed, as a column of counts; nothing as long as nobody has tried."""
    if not mutation:
        return ""
    told = f"of {mutation['mutants']:,} deliberate mistakes turned a page red"
    return f'<div class="count">\n\n{mutation["killed"]:,}\n\n{told}\n\n</div>'


def year(root: Path) -> str:
    """The year, or the years, of the copyright: LICENSE says it once for everything."""
    found = re.search(r"^Copyright \(c\) ([\d-]+) ", (root / "LICENSE").read_text(encoding="utf-8"), re.M)
    if found is None:
        raise DeckError("LICENSE: no line Copyright (c) YEAR: restore it with git")
    return found[1]
