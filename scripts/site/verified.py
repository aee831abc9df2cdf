"""A Python-Markdown extension that says of each block of a chapter what came of it under test.

Reads results/verified.json and nothing else: a block is known by its fingerprint, so one that was
edited since is not taken for verified.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from scripts import results
from scripts.results import Fingerprints

ROOT = Path(__file__).parents[2]
TITLE = re.compile(r"^# Chapter (\d+\.\d+) - ", re.M)
ARM = 40
"""Before superfences (31 and 25), which by then is loaded, and has seen no fence yet."""

RAN = {
    "run": "ran",
    "background": "ran, and answered",
    "notebook": "ran",
    "file": "used as shown",
    "expect": "printed under test",
}
CHANGED = ("changed", "changed since it was verified")
DIAGRAMS = {"mermaid", "big-picture"}
NAMES = {"tensorflow": "TensorFlow", "keras": "Keras", "dvc": "DVC", "bentoml": "BentoML", "evidently": "Evidently"}

Runs = Mapping[str, Mapping[str, Any]]
"""What was recorded of one chapter: variant → date, versions, blocks."""


def runs_of(chapter: str, root: Path = ROOT) -> Runs:
    """The recorded runs of a chapter, empty when there is none."""
    known: Runs = results.load(root).get("chapters", {}).get(chapter, {}).get("variants", {})
    return known


def latest(runs: Runs) -> Mapping[str, Any]:
    return max(runs.values(), key=lambda run: str(run["date"]))


def badge(runs: Runs) -> tuple[str, str]:
    """A state (verified, failed, none) and a sentence for the top of a chapter."""
    if not runs:
        return "none", "Not verified yet"
    run = latest(runs)
    failed = sum(b["outcome"] in {"failed", "blocked"} for r in runs.values() for b in r["blocks"].values())
    packages = ", ".join(f"{NAMES[n]} {v}" for n, v in run["packages"].items() if n in {"tensorflow", "dvc"})
    tools = " and ".join(sorted(name.rpartition("-")[2] for name in runs))
    where = f"on {run['date']} with {packages} on {run['system']} (commit {run['commit'] or 'unknown'}, {tools})"
    if failed:
        return "failed", f"{failed} blocks failed {where}"
    return "verified", f"Every block verified {where}"


def mark(runs: Runs, fingerprint: str) -> tuple[str, str] | None:
    """A state and a text for one block, or None for a block that nothing is to be said of."""
    found = [run["blocks"][fingerprint] for run in runs.values() if fingerprint in run["blocks"]]
    if not found:
        return None
    order = ("failed", "blocked", "ran", "absent", "skipped", "other")
    block = min(found, key=lambda b: order.index(b["outcome"]))
    outcome, problem = block["outcome"], block.get("problem", "")
    if outcome == "ran":
        text = RAN[block["kind"]]
        if stand_ins := block.get("stand_ins"):
            text += f" against a stand-in ({'; '.join(stand_ins)})"
        return "ran", text
    if outcome in {"failed", "blocked"}:
        return "failed", f"{outcome} on {latest(runs)['date']}: {problem}"
    return "not-run", f"not run: {problem}" if outcome != "other" else f"{problem}: not followed in the recorded run"


class Marks(Preprocessor):
    """Wraps the formatters of superfences, so that each block of a chapter carries its mark."""

    def __init__(self, md: Markdown, root: Path) -> None:
        super().__init__(md)
        self.md, self.root, self.armed = md, root, False
        self.runs: Runs = {}
        self.fingerprints = Fingerprints()

    def run(self, lines: list[str]) -> list[str]:
        title = TITLE.search("\n".join(lines))
        self.runs = runs_of(title[1], self.root) if title else {}
        self.fingerprints = Fingerprints()
        if not self.armed:
            self.armed = True
            fences: Any = self.md.preprocessors["fenced_code_block"]
            for entry in fences.extension.superfences:
                entry["formatter"] = self.marking(entry["formatter"])
        return lines

    def marking(self, inner: Callable[..., str]) -> Callable[..., str]:
        def formatter(src: str = "", language: str = "", options: Any = None, **rest: Any) -> str:
            title = (options or {}).get("title", "")
            html = inner(src=src, language=language, options=options, **rest)
            if not self.runs:
                return html
            state, text = mark(self.runs, self.fingerprints.of(language or "", title, src)) or CHANGED
            if language in DIAGRAMS:
                return html
            return f'{html}\n<p class="block-mark block-mark--{state}">{escape(text)}</p>'

        return formatter


# ---------------------------------------------------------------- the totals


def totals(*fence: Any, **rest: Any) -> str:
    """A superfences formatter: the figures of all parts, as they were recorded."""
    data, mutation = results.load(ROOT), results.load(ROOT, results.MUTATION)
    chapters: Mapping[str, Any] = data.get("chapters", {})
    if not chapters:
        return '<p class="verified-totals">Nothing was recorded yet: run <code>pytest --record</code>.</p>'
    rows = "".join(row(number, chapters[number], mutation) for number in sorted(chapters, key=numeric))
    head = "".join(f"<th>{text}</th>" for text in ("Chapter", "Verified", "Executed", "Checked", "Not run", "Mutants"))
    return (
        f'<div class="verified-totals"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>\n'
        + "".join(f"<p>{escape(text)}</p>" for text in sentences(chapters, mutation))
    )


def numeric(number: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else -1 for part in number.split("."))


def row(number: str, chapter: Mapping[str, Any], mutation: Mapping[str, Any]) -> str:
    runs: Runs = chapter["variants"]
    run = latest(runs)
    shares = run["shares"]
    reasons = sorted({b["problem"] for r in runs.values() for b in r["blocks"].values() if b["outcome"] == "skipped"})
    killed = mutation.get("chapters", {}).get(number)
    state, _ = badge(runs)
    cells = (
        chapter["title"].removeprefix("Chapter "),
        f"{run['date']} ({', '.join(sorted(name.rpartition('-')[2] for name in runs))})"
        + (" failed" if state == "failed" else ""),
        f"{shares['executed']} of {shares['blocks']}",
        f"{shares['asserted']} of {shares['commands']}",
        "; ".join(reasons) or "-",
        f"{killed['killed']} of {killed['mutants']}" if killed else "-",
    )
    return "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in cells) + "</tr>"


def sentences(chapters: Mapping[str, Any], mutation: Mapping[str, Any]) -> Iterator[str]:
    shares = [latest(chapter["variants"])["shares"] for chapter in chapters.values()]
    blocks, executed, commands, asserted = (
        sum(s[name] for s in shares) for name in ("blocks", "executed", "commands", "asserted")
    )
    yield (
        f"In all, {executed} of {blocks} blocks are executed ({executed / blocks:.0%}), and "
        f"{asserted} of {commands} commands are checked ({asserted / commands:.0%})."
    )
    if mutation:
        yield (
            f"Of {mutation['mutants']} deliberate mistakes, {mutation['killed']} turned a page red "
            f"({mutation['killed'] / mutation['mutants']:.1%})."
        )


class VerifiedExtension(Extension):
    """Registers Marks. ``root`` is the folder that holds results/."""

    def __init__(self, **options: Any) -> None:
        self.config = {"root": [str(ROOT), "the folder that holds results/"]}
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.register(Marks(md, Path(self.getConfig("root"))), "guide-verified", ARM)


def makeExtension(**options: Any) -> VerifiedExtension:
    """The entry point that Python-Markdown looks for."""
    return VerifiedExtension(**options)
