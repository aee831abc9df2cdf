"""The end of a chapter: has the reader the files that code/ says the chapter leaves?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from scripts.chapters import Chapter, PageError, Variant
from scripts.chapters.patching import lines_of
from scripts.chapters.project import steps

from . import matching

WAY_OUT = "what a command changes is shown with mode=state or declared with gone=, a trial with kept=no"


def difference(line: Sequence[Chapter], variant: Variant, work: Path) -> str | None:
    """The first file of the last chapter's project that is another one in ``work``, or None."""
    chapter, projects = line[-1], dict[str, dict[str, str]]()
    modes, unsure = dict[str, str](), set[str]()
    try:
        for step in steps(line, variant, projects):
            block, path = step.block, str(step.block.path)
            if step.chapter.project != chapter.project or block.mode == "excerpt":
                continue
            if block.requires:  # maybe nobody has done it
                unsure.add(path)
            if block.kept and block.mode in {"write", "state"}:
                modes[path] = block.mode
            modes.setdefault(path, block.mode)
    except PageError as error:
        return f"code/{chapter.slug}/ cannot be made: {error}"
    files = projects[chapter.project]
    for path in sorted({*files, *modes} - unsure):
        # Of what a tool wrote, a page may leave out what differs from run to run.
        about = compare(files.get(path), read(work / chapter.project / path), by_tool=modes.get(path) == "state")
        if about:
            told = f"code/{chapter.slug}/{path} is not what the reader has at the end of the chapter"
            return f"{told}: {about} ({WAY_OUT})"
    return None


def compare(made: str | None, got: str | None, *, by_tool: bool) -> str | None:
    """How a file of code/ differs from the reader's; None stands for a file that is not there."""
    if made == got or (by_tool and made and got and matching.difference(made, got) is None):
        return None
    if made is None:
        return "only the reader has this file"
    if got is None:
        return "the reader has no such file"
    pairs = enumerate(zip_longest(lines_of(made), lines_of(got)), 1)
    number, (old, new) = next((pair for pair in pairs if pair[1][0] != pair[1][1]), (0, ("", "")))
    if not number:
        return "the line feed at the end"
    return f"line {number} is {shown(old)} in code/, and {shown(new)} for the reader"


def shown(line: str | None) -> str:
    return "missing" if line is None else repr(line)


def read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return None
