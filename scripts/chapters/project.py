"""The reader's project as the pages author it: which files it has, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from . import patching
from .model import Chapter, File, PageError, Run, Variant


@dataclass(frozen=True)
class Step:
    """What one file block does to the files (path → text) of its chapter's project."""

    chapter: Chapter
    block: File
    before: Mapping[str, str]
    after: Mapping[str, str]


def steps(
    line: Iterable[Chapter], variant: Variant, projects: dict[str, dict[str, str]] | None = None
) -> Iterator[Step]:
    """What each file block of a line of chapters does. A trial is not there any more for the next one.

    ``projects`` gets the files of each project as they are so far. Raises PageError for a change that
    does not fit the file as earlier blocks left it.
    """
    projects = {} if projects is None else projects
    for chapter in line:
        files = projects.setdefault(chapter.project, {})
        for block in chapter.executable(variant):
            if block.skip:
                continue
            if isinstance(block, Run):
                take_away(files, block)
            elif isinstance(block, File):
                before, after = dict(files), dict(files)
                change(after, block)
                if block.kept:
                    files |= after
                yield Step(chapter, block, before, after)


def take_away(files: dict[str, str], block: Run) -> None:
    """Remove from ``files``, or move in them, what a command takes away."""
    for old, new in block.gone.items():
        if old not in files:
            raise PageError(block.place.page, block.place.line, f"takes {old} away, which no block before it shows")
        text = files.pop(old)
        if new:
            files[new] = text


def change(files: dict[str, str], block: File) -> None:
    """Do to ``files`` what one block says."""
    path = str(block.path)
    if block.mode in {"write", "state"}:
        files[path] = block.body
    elif block.mode == "append":
        files[path] = files.get(path, "") + block.body
    elif block.mode == "patch":
        if path not in files:
            raise PageError(
                block.place.page, block.place.line, f"changes {path}, which no block before it shows in whole"
            )
        try:
            files[path] = patching.apply(files[path], block.body)
        except patching.PatchError as error:
            raise PageError(block.place.page, block.place.line, f"does not fit {path}: {error}") from None


def files_of(line: Iterable[Chapter], variant: Variant) -> dict[str, str]:
    """The files of the last chapter's project at its end."""
    chapters, projects = list(line), dict[str, dict[str, str]]()
    for _ in steps(chapters, variant, projects):
        pass
    return projects[chapters[-1].project]
