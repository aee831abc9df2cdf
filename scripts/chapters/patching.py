"""Applying the change that a diff block shows. Exact: what it removes must stand there, once."""

from __future__ import annotations

import re
from collections.abc import Iterator

HUNK = re.compile(r"^@@.*@@")


class PatchError(Exception):
    """The change does not fit the file."""


def hunks(diff: str) -> Iterator[tuple[list[str], list[str]]]:
    """For each hunk the lines before and after it. Headers of the file are not needed."""
    before, after = list[str](), list[str]()
    inside = False
    for line in lines_of(diff):
        if HUNK.match(line):
            if before or after:
                yield before, after
            before, after, inside = [], [], True
        elif inside and line[:1] in {" ", ""}:
            before.append(line[1:])
            after.append(line[1:])
        elif inside and line[0] == "-":
            before.append(line[1:])
        elif inside and line[0] == "+":
            after.append(line[1:])
    if not inside:
        raise PatchError("a change needs lines that start with @@, as git diff prints them")
    yield before, after


def apply(text: str, diff: str) -> str:
    """``text`` after the change. Raises PatchError when the change does not fit."""
    lines, start = lines_of(text), 0
    for before, after in hunks(diff):
        places = [i for i in range(start, len(lines) - len(before) + 1) if lines[i : i + len(before)] == before]
        if not places:
            shown = next((line for line in before if line.strip()), "")
            raise PatchError(f"these lines are not in the file, one after another: {shown.strip()!r} …")
        if len(places) > 1:
            raise PatchError(f"fits in {len(places)} places: show more lines around the change")
        lines[places[0] : places[0] + len(before)] = after
        start = places[0] + len(after)
    return "".join(line + "\n" for line in lines)


def lines_of(text: str) -> list[str]:
    """Only a line feed ends a line: a form feed, for example, is a part of one."""
    return text.removesuffix("\n").split("\n") if text else []
