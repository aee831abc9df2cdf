"""Rewriting the expected output of pages from what the commands really printed.

Sticky: a line that already matches keeps its text, and ``...`` goes on standing for what it stood
for, so that only what has changed shows up in the diff.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.chapters import Place

from .matching import ELLIPSIS, missing_line, normalise, same_json, same_line


@dataclass(frozen=True)
class Correction:
    """The new body of one block of a page, and the lines of it to highlight (None: as they are)."""

    place: Place
    body: str
    highlighted: str | None = None


def merge(shown: str, got: str, *, tol: float | None = None) -> str:
    """The text to show in place of ``shown``, so that it fits ``got`` with the fewest changes."""
    old, new = shown.strip("\n").splitlines(), got.strip("\n").splitlines()
    old_normal, new_normal = normalise("\n".join(old)), normalise("\n".join(new))
    # cost[i][j]: the fewest changed lines that turn old[i:] into new[j:]
    rows, columns = len(old), len(new)
    cost = [[0] * (columns + 1) for _ in range(rows + 1)]
    step: dict[tuple[int, int], tuple[int, int, str | None]] = {}
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            choices = list[tuple[int, tuple[int, int, str | None]]]()
            if i < rows and j < columns and same_line(old_normal[i], new_normal[j], tol):
                choices.append((cost[i + 1][j + 1], (1, 1, old[i])))
            elif i < rows and j < columns and old[i].strip() != ELLIPSIS:
                choices.append((cost[i + 1][j + 1] + 2, (1, 1, new[j].rstrip())))
            if i < rows and old[i].strip() == ELLIPSIS:
                choices.append((cost[i + 1][j], (1, 0, old[i])))
                if j < columns:
                    choices.append((cost[i][j + 1], (0, 1, None)))
            elif i < rows:
                # Dearer than replacing it: a changed line must not disappear into an ellipsis beside it.
                choices.append((cost[i + 1][j] + 3, (1, 0, None)))
            if j < columns:
                choices.append((cost[i][j + 1] + 2, (0, 1, new[j].rstrip())))
            if choices:
                cost[i][j], step[i, j] = min(choices, key=lambda choice: choice[0])
    lines, i, j = list[str](), 0, 0
    while (i, j) != (rows, columns):
        down, right, text = step[i, j]
        if text is not None:
            lines.append(text)
        i, j = i + down, j + right
    return "\n".join(lines) + "\n"


def merge_contains(shown: str, got: str, *, tol: float | None = None) -> str:
    """Keeps the lines that are in the output; a line that is not there becomes the most similar one."""
    have = got.strip("\n").splitlines()
    lines = list[str]()
    for line in shown.strip("\n").splitlines():
        if missing_line(normalise(line), normalise(got), tol) is None:
            lines.append(line)
        else:
            lines += difflib.get_close_matches(line, have, n=1, cutoff=0.0)
    return "\n".join(lines) + "\n"


def merge_json(shown: str, got: str, *, tol: float | None = None) -> str:
    """By value: what fits keeps its text, also ``"..."``."""

    def choose(old: Any, new: Any) -> Any:
        if same_json(old, new, tol):
            return old
        if isinstance(old, dict) and isinstance(new, dict):
            return {key: choose(old[key], value) if key in old else value for key, value in new.items()}
        if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            return [choose(a, b) for a, b in zip(old, new, strict=True)]
        return new

    try:
        merged = choose(json.loads(shown), json.loads(got))
    except ValueError:
        return got
    return json.dumps(merged, indent=2, ensure_ascii=False) + "\n"


def highlight(fence: str, numbers: str) -> str:
    """The first line of a block with these lines highlighted."""
    plain = re.sub(r'\s+hl_lines="[^"]*"', "", fence)
    end = re.search(r"\s*\}?\s*$", plain)
    assert end is not None
    return f'{plain[: end.start()]} hl_lines="{numbers}"{end[0]}' if numbers else plain


def is_block(lines: list[str]) -> bool:
    """Whether a fenced block begins with the first of these lines and ends with the last."""
    fence = re.match(r"\s*(`{3,}|~{3,})", lines[0]) if lines else None
    return fence is not None and lines[-1].strip() == fence[1]


def apply(root: Path, corrections: Iterable[Correction]) -> str:
    """Write corrections into their pages, from the last line up. Returns the diff of the pages."""
    told = list[str]()
    pages: dict[str, list[Correction]] = {}
    for correction in corrections:
        pages.setdefault(correction.place.page, []).append(correction)
    for page, wanted in sorted(pages.items()):
        path = root / page
        before = path.read_text(encoding="utf-8").split("\n")
        if moved := [c.place for c in wanted if not is_block(before[c.place.line - 1 : c.place.end])]:
            told.append(f"{moved[0]}: the page was edited while its blocks were done: nothing blessed, do it again")
            continue
        after = list(before)
        for correction in sorted(wanted, key=lambda c: -c.place.line):
            indent = " " * correction.place.indent
            body = [f"{indent}{line}" if line else "" for line in correction.body.rstrip("\n").split("\n")]
            after[correction.place.line : correction.place.end - 1] = body
            if correction.highlighted is not None:
                after[correction.place.line - 1] = highlight(after[correction.place.line - 1], correction.highlighted)
        path.write_text("\n".join(after), encoding="utf-8")
        told += difflib.unified_diff(before, after, page, page, lineterm="", n=1)
    return "\n".join(told)
