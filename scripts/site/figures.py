"""A Python-Markdown extension that counts, so that nobody types a figure that then grows old.

``{{ guide chapters }}`` or ``{{ part 2 time }}`` in the text of a page become what the front matter of the
chapters and results/verified.json say. A name that is not known stops the build.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from scripts import results
from scripts.site import verified
from scripts.site.chapter import DOCS, chapter_pages, front_matter

FIGURE = re.compile(r"\{\{ (?:(guide)|part (\d+)) (\w+) \}\}")
PRIORITY = 22
"""Fences are put away at 25, so that code stays as it is; HTML is read at 20."""


@dataclass(frozen=True)
class Chapters:
    """Some chapters of the guide: numbers and minutes, in order."""

    numbers: Sequence[str]
    minutes: Sequence[int]

    def chapters(self) -> str:
        return f"{len(self.numbers)} chapters"

    def time(self) -> str:
        return f"about {hours(sum(self.minutes))}"

    def sittings(self) -> str:
        return f"{min(self.minutes)} to {max(self.minutes)} minutes"

    def progress(self) -> str:
        """How many the reader has done: assets/javascripts/progress.js fills it in."""
        return progress(self.numbers)


def progress(numbers: Sequence[str]) -> str:
    return f'<span class="progress" data-chapters="{escape(" ".join(numbers))}" hidden></span>'


def hours(minutes: int) -> str:
    """To half an hour."""
    whole, half = divmod((minutes + 15) // 30, 2)
    return f"{whole or ''}{'½' if half else ''} hours" if (whole, half) > (1, 0) else f"{'½' if half else 1} hour"


def chapters(docs: Path, part: int | None) -> Chapters:
    """All chapters of the guide, or those of a part."""
    found = {number: page for number, page in chapter_pages(docs).items() if part in (None, number[0])}
    return Chapters(
        ["{}.{}".format(*number) for number in found], [int(front_matter(p).get("time", 0)) for p in found.values()]
    )


@dataclass(frozen=True)
class Executed:
    """What came of the chapters when they were last done as a reader does them who follows the first tabs."""

    dates: Sequence[date]
    systems: Sequence[str]
    blocks: int
    executed: int
    failed: int
    missing: int

    def executed_blocks(self) -> str:
        if not self.dates:
            return "nothing is recorded yet"
        text = f"{self.executed:,} of {self.blocks:,} commands, files and outputs"
        problems = [f"{self.failed} failed"] if self.failed else []
        problems += [f"{self.missing} chapter{'s' * (self.missing > 1)} not yet"] if self.missing else []
        return f"{text} ({', '.join(problems)})" if problems else text

    def when(self) -> str:
        """One day, or the first and the last: never only the newest."""
        if not self.dates:
            return "not yet"
        first, last = min(self.dates), max(self.dates)
        return f"on {day(first)}" if first == last else f"between {day(first)} and {day(last)}"

    def system(self) -> str:
        return " and ".join(self.systems) or "no system yet"


def day(of: date) -> str:
    return f"{of.day} {of:%B %Y}"


def executed(root: Path) -> Executed:
    known = results.load(root).get("chapters", {})
    numbers = chapters(root / "docs", None).numbers
    runs = [
        run
        for number in numbers
        for name, run in known.get(number, {}).get("variants", {}).items()
        if verified.ways({name: run}) == ["uv"]
    ]
    return Executed(
        [date.fromisoformat(run["date"]) for run in runs],
        sorted({run["system"] for run in runs}),
        sum(run["shares"]["blocks"] for run in runs),
        sum(run["shares"]["executed"] for run in runs),
        sum(b["outcome"] in {"failed", "blocked"} for run in runs for b in run["blocks"].values()),
        len(numbers) - len(runs),
    )


class Figures(Preprocessor):
    """Puts figures where their names are."""

    def __init__(self, md: Markdown, docs: Path) -> None:
        super().__init__(md)
        self.docs = docs

    def run(self, lines: list[str]) -> list[str]:
        return FIGURE.sub(self.figure, "\n".join(lines)).split("\n")

    def figure(self, match: re.Match[str]) -> str:
        some = chapters(self.docs, int(match[2]) if match[2] else None)
        known: dict[str, Callable[[], str]] = {
            name: getattr(some, name) for name in ("chapters", "time", "sittings", "progress")
        }
        if match[1]:
            done = executed(self.docs.parent)
            known |= {"executed": done.executed_blocks, "when": done.when, "system": done.system}
        if match[3] not in known or not some.numbers:
            raise ValueError(f"{match[0]}: there is no such figure: it is one of {', '.join(known)}")
        return known[match[3]]()


class FiguresExtension(Extension):
    """Registers Figures. ``docs`` is the folder of the pages."""

    def __init__(self, **options: Any) -> None:
        self.config = {"docs": [str(DOCS), "the folder of the pages"]}
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.register(Figures(md, Path(self.getConfig("docs"))), "guide-figures", PRIORITY)


def makeExtension(**options: Any) -> FiguresExtension:
    """The entry point that Python-Markdown looks for."""
    return FiguresExtension(**options)
