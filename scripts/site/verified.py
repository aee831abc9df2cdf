"""A Python-Markdown extension that says of each block of a chapter what came of it under test.

Reads results/verified.json and nothing else: a block is known by its fingerprint, so one that was
edited since is not taken for verified.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from scripts import results
from scripts.results import Fingerprints

ROOT = Path(__file__).parents[2]
TITLE = re.compile(r"^# (.+?)\s*$", re.M)
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


def runs_of(title: str, root: Path = ROOT) -> Runs:
    """The recorded runs of the page with this title, empty when there is none."""
    chapters: Mapping[str, Any] = results.load(root).get("chapters", {})
    return next((chapter["variants"] for chapter in chapters.values() if chapter["title"] == title), {})


def latest(runs: Runs) -> Mapping[str, Any]:
    return max(runs.values(), key=lambda run: str(run["date"]))


def ways(runs: Runs) -> list[str]:
    """Which tabs were followed: the tool, and the place and the forge where they are not the default."""
    told = {"cloud": " in the cloud", "gitlab": " with GitLab CI"}
    names = (name.split("-") for name in runs)
    return sorted(name[-1] + "".join(told.get(part, "") for part in name) for name in names)


def badge(runs: Runs, changed: int = 0) -> tuple[str, str]:
    """A state (verified, changed, failed, none) and a sentence for the top of a chapter.

    ``changed`` is the number of its blocks that are not the ones that were verified.
    """
    if not runs:
        return "none", "Not verified yet"
    run = latest(runs)
    failed = sum(b["outcome"] in {"failed", "blocked"} for r in runs.values() for b in r["blocks"].values())
    packages = ", ".join(f"{NAMES[n]} {v}" for n, v in run["packages"].items() if n in {"tensorflow", "dvc"})
    tools = " and ".join(ways(runs))
    where = f"on {run['date']} with {packages} on {run['system']} (commit {run['commit'] or 'unknown'}, {tools})"
    if failed:
        return "failed", f"{failed} blocks failed {where}"
    if changed:
        return (
            "changed",
            f"{changed} {'blocks have' if changed > 1 else 'block has'} changed since it was verified {where}",
        )
    shares = run["shares"]
    return "verified", f"{shares['executed']} of {shares['blocks']} blocks verified {where}"


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
        self.changed = 0
        """Blocks of the page so far that are not the ones that were verified."""
        self.is_chapter = False
        self.runs: Runs = {}
        self.fingerprints = Fingerprints()

    def run(self, lines: list[str]) -> list[str]:
        title = TITLE.search("\n".join(lines))
        self.runs = runs_of(title[1], self.root) if title else {}
        self.is_chapter = title is not None and title[1].startswith("Chapter ")
        self.fingerprints, self.changed = Fingerprints(), 0
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
            found = mark(self.runs, self.fingerprints.of(language or "", title, src))
            if language in DIAGRAMS or (found is None and not self.is_chapter):
                return html  # beside chapters, pages also have blocks that are only shown
            state, text = found or CHANGED
            self.changed += (state, text) == CHANGED
            return f'{html}\n<p class="block-mark block-mark--{state}">{escape(text)}</p>'

        return formatter


# ---------------------------------------------------------------- the totals

COLUMNS = ("Chapter", "Verified", "Executed", "Checked", "Not run", "Mutants")


def totals(*fence: Any, **rest: Any) -> str:
    """A superfences formatter: the figures of all chapters and parts, as they were recorded."""
    data, mutation = results.load(ROOT), results.load(ROOT, results.MUTATION)
    chapters: Mapping[str, Any] = data.get("chapters", {})
    if not chapters:
        return '<p class="verified-totals">Nothing was recorded yet: run <code>pytest --record</code>.</p>'
    scores: Mapping[str, Any] = mutation.get("chapters", {})
    parts: dict[str, list[str]] = {}
    for number in sorted(chapters, key=lambda n: order(chapters[n])):
        parts.setdefault(part_of(chapters[number]), []).append(number)
    bodies = "".join(
        f"<tbody>{''.join(row(chapters[n], scores.get(n)) for n in numbers)}"
        f"{sums(part, [chapters[n] for n in numbers], [scores[n] for n in numbers if n in scores])}</tbody>"
        for part, numbers in parts.items()
    )
    all_of_it = sums("The guide", list(chapters.values()), [scores[n] for n in chapters if n in scores])
    head = "".join(f'<th scope="col">{text}</th>' for text in COLUMNS)
    return (
        f'<div class="verified-totals" tabindex="0" role="region" aria-label="Figures of all chapters"><table>'
        f"<thead><tr>{head}</tr></thead>{bodies}<tbody>{all_of_it}</tbody></table></div>\n{survivors(mutation)}"
    )


def part_of(chapter: Mapping[str, Any]) -> str:
    """The folder of a page below docs/, as readers know it."""
    return Path(chapter["page"]).parts[1].replace("-", " ").capitalize()


def order(chapter: Mapping[str, Any]) -> tuple[object, ...]:
    """Pages in the order of the guide: the introduction, then parts, whose conclusion comes last."""
    page = Path(chapter["page"])
    numbers = tuple(int(n) for n in re.findall(r"\d+", page.stem))
    return part_of(chapter) != "Introduction", part_of(chapter), not numbers, numbers, page.stem


def row(chapter: Mapping[str, Any], score: Mapping[str, Any] | None) -> str:
    runs: Runs = chapter["variants"]
    run = latest(runs)
    reasons = sorted({b["problem"] for r in runs.values() for b in r["blocks"].values() if b["outcome"] == "skipped"})
    state, _ = badge(runs)
    tools = ", ".join(ways(runs))
    return cells(
        chapter["title"].removeprefix("Chapter "),
        f"{run['date']} ({tools})" + (" failed" if state == "failed" else ""),
        *figures([run["shares"]], [score] if score else []),
        not_run="; ".join(reasons) or "-",
        drawn_from=score.get("possible", 0) if score and score.get("possible", 0) > score["mutants"] else 0,
    )


def sums(name: str, chapters: Sequence[Mapping[str, Any]], scores: Sequence[Mapping[str, Any]]) -> str:
    """The row below the chapters of a part."""
    runs = [latest(chapter["variants"]) for chapter in chapters]
    skipped = sum(b["outcome"] == "skipped" for run in runs for b in run["blocks"].values())
    return cells(
        f"{name} in all",
        f"since {min(run['date'] for run in runs)}",
        *figures([run["shares"] for run in runs], scores, percent=True),
        not_run=str(skipped),
        total=True,
    )


def figures(
    shares: Sequence[Mapping[str, int]], scores: Sequence[Mapping[str, Any]], *, percent: bool = False
) -> tuple[str, str, str]:
    """What was executed, what was checked, and which mutants were noticed."""

    def of(few: int, many: int) -> str:
        return f"{few} of {many}" + (f" ({few / many:.1%})" if percent else "") if many else "-"

    return (
        of(sum(s["executed"] for s in shares), sum(s["blocks"] for s in shares)),
        of(sum(s["asserted"] for s in shares), sum(s["commands"] for s in shares)),
        of(sum(s["killed"] for s in scores), sum(s["mutants"] for s in scores)),
    )


def cells(
    name: str,
    date: str,
    executed: str,
    checked: str,
    mutants: str,
    *,
    not_run: str,
    drawn_from: int = 0,
    total: bool = False,
) -> str:
    mutants += f", drawn from {drawn_from}" if drawn_from else ""
    rest = "".join(f"<td>{escape(text)}</td>" for text in (date, executed, checked, not_run, mutants))
    kind = ' class="verified-total"' if total else ""
    return f'<tr{kind}><th scope="row">{escape(name)}</th>{rest}</tr>'


def survivors(mutation: Mapping[str, Any]) -> str:
    """The mistakes that nobody noticed, with their causes."""
    found = mutation.get("survivors", [])
    if not found:
        return ""
    items = "".join(
        f"<li><code>{escape(s['place'])}</code>: {escape(s['what'])} ({escape(s['kind'])}). "
        f"{escape(s.get('cause', 'The cause is not known yet.'))}</li>"
        for s in found
    )
    return f"<p>These mistakes were not noticed:</p><ul>{items}</ul>"


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
