"""The reader's project as the pages author it: which files it has, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import patching
from .model import Chapter, File, PageError, Variant


def after_each(line: Iterable[Chapter], variant: Variant) -> Iterator[tuple[Chapter, File, dict[str, str]]]:
    """The files (path → text) of a chapter's project after each of its file blocks.

    Raises PageError for a change that does not fit the file as earlier blocks left it.
    """
    projects: dict[str, dict[str, str]] = {}
    for chapter in line:
        files = projects.setdefault(chapter.project, {})
        for block in chapter.executable(variant):
            if isinstance(block, File) and not block.skip:
                change(files, block)
                yield chapter, block, dict(files)


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
    chapters = list(line)
    files: dict[str, str] = {}
    for chapter, _, now in after_each(chapters, variant):
        if chapter.project == chapters[-1].project:
            files = now
    return files
