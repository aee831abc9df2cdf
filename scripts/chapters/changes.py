"""How a page shows that a file changes: worked out from the file before and after, never typed.

A change is a unified diff with three lines of context. Where a page shows a file again in whole, the
lines that are new since it was last shown are highlighted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from .model import Chapter, PageError, Variant
from .project import steps

CONTEXT = 3


@dataclass(frozen=True)
class Look:
    """What a file block has to show: its text, and the numbers of the lines that are highlighted."""

    body: str
    highlighted: str = ""


def looks(line: Iterable[Chapter], variant: Variant) -> dict[tuple[str, str], Look]:
    """How each file block of a line of chapters has to look, by chapter and block.

    Ends at a change that does not fit: whoever does the block says so.
    """
    found = dict[tuple[str, str], Look]()
    try:
        for step in steps(line, variant):
            block, path = step.block, str(step.block.path)
            before, after = step.before.get(path), step.after.get(path, "")
            look = Look(block.body)
            if block.mode == "patch" and before is not None:
                look = Look(diff(before, after))
            elif block.mode in {"write", "state"} and before is not None:
                look = Look(block.body, new_lines(before, after))
            found[step.chapter.number, block.id] = look
    except PageError:
        pass
    return found


def diff(before: str, after: str) -> str:
    """The hunks of a unified diff. A blank line of context is left blank: editors trim the space."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=CONTEXT)
    return "".join(f"{line.rstrip() if line[:1] == ' ' else line}\n" for line in list(lines)[2:])


def new_lines(before: str, after: str) -> str:
    """Numbers of the lines of ``after`` that are not in ``before``, as in "2 5-7"; "" when all or none are."""
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    spans = [(a + 1, b) for tag, _, _, a, b in matcher.get_opcodes() if tag in {"insert", "replace"}]
    if sum(b - a + 1 for a, b in spans) == len(new):
        return ""
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
