"""The guide as a whole: which pages there are, in what order, and how chapters follow one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from .grammar import CAPABILITIES, read_blocks
from .markdown import Page
from .model import Chapter, PageError

# What a chapter says for the runner, and what builders of sites read.
FRONT_MATTER = (
    *("chapter", "after", "project", "time", "needs"),
    *("title", "description", "icon", "hide", "search", "status", "tags", "template"),
)


class _Nav(yaml.SafeLoader):
    """mkdocs.yml without its Python and environment tags: only the navigation matters here."""


_Nav.add_multi_constructor("", lambda loader, suffix, node: None)


def nav_pages(config: Path) -> list[str]:
    """Pages of the navigation in mkdocs.yml, in order, relative to docs/."""

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        elif isinstance(node, Mapping):
            for child in node.values():
                yield from walk(child)
        elif isinstance(node, list):
            for child in node:
                yield from walk(child)

    if not config.is_file():
        raise PageError(config.name, 1, "does not exist: it says in which order pages are read")
    data = read_yaml(config.name, 1, read_text(config, config.name), _Nav)
    return [page for page in walk(data.get("nav", [])) if page.endswith(".md")]


def read_yaml(page: str, first: int, text: str, loader: type[yaml.SafeLoader]) -> dict[str, Any]:
    """YAML that starts on line ``first`` of a page."""
    try:
        data = yaml.load(text, loader) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise PageError(page, first + (mark.line if mark else 0), f"this is not YAML: {problem}") from None
    if not isinstance(data, dict):
        raise PageError(page, first, "this is not a list of key: value lines")
    return data


def read_chapter(name: str, text: str, *, before: str | None = None) -> Chapter | None:
    """The chapter that a page holds, or None for a page with nothing to execute.

    ``before`` is the number of the chapter that stands before it in the navigation.
    """
    page = Page(name, text)
    data = read_yaml(name, 2, "\n".join(page.front_matter()), yaml.SafeLoader)
    title = next((text[2:].strip() for text in page.headings.values() if text.startswith("# ")), "")
    blocks = read_blocks(page, chapter="chapter" in data)
    if "chapter" not in data:
        if not any(b.kind != "shown" for b in blocks):
            return None
        number = "-".join(Path(name).with_suffix("").parts[1:]) or Path(name).stem  # below docs/
        return Chapter(number, title, name, ".", None, (), 0, blocks)
    if unknown := sorted(map(str, set(data) - set(FRONT_MATTER))):
        raise page.error(1, f"unknown key {unknown[0]!r} in the front matter: it is one of {', '.join(FRONT_MATTER)}")
    number, project, after = data["chapter"], data.get("project", "."), data.get("after", before)
    for key, value in (("chapter", number), ("project", project), ("after", after or "")):
        if not isinstance(value, str):
            raise page.error(1, f'{key} is text: write {key}: "{value}", with quotes')
    if not title:
        raise page.error(1, "a chapter needs a title: # Chapter X.Y - …")
    needs, minutes = data.get("needs", []), data.get("time", 0)
    if not isinstance(needs, list) or set(map(str, needs)) - set(CAPABILITIES):
        raise page.error(1, f"needs is a list out of {', '.join(CAPABILITIES)}")
    if not isinstance(minutes, int):
        raise page.error(1, f"time is a number of minutes, not {minutes!r}")
    return Chapter(number, title, name, project, after or None, tuple(needs), minutes, blocks)


class Guide:
    """All chapters, in the order of the navigation."""

    def __init__(self, chapters: Iterator[Chapter]) -> None:
        self.chapters: dict[str, Chapter] = {}
        for chapter in chapters:
            if twin := self.chapters.get(chapter.number):
                raise PageError(chapter.page, 1, f"chapter {chapter.number} is already in {twin.page}")
            if chapter.after is not None and chapter.after not in self.chapters:
                raise PageError(chapter.page, 1, f"continues from chapter {chapter.after}, which is not before it")
            self.chapters[chapter.number] = chapter

    @classmethod
    def load(cls, root: Path) -> Guide:
        """Read every page below ``root/docs``. Raises PageError for the first that cannot stand."""
        return cls(cls._chapters(root))

    @staticmethod
    def _chapters(root: Path) -> Iterator[Chapter]:
        order = nav_pages(root / "mkdocs.yml")
        docs = root / "docs"
        # Pages outside of the navigation come last: a chapter among them is an error.
        pages = [*order, *sorted({p.relative_to(docs).as_posix() for p in docs.rglob("*.md")} - set(order))]
        before: str | None = None
        for name in pages:
            path = docs / name
            shown = path.relative_to(root).as_posix()
            if not path.is_file():
                raise PageError("mkdocs.yml", 1, f"the navigation names {shown}, which does not exist")
            chapter = read_chapter(shown, read_text(path, shown), before=before)
            if chapter is None:
                continue
            if name not in order:
                raise PageError(shown, 1, "has blocks to execute but is not in the navigation of mkdocs.yml")
            if chapter.slug.startswith("chapter-"):
                before = chapter.number
            yield chapter

    def line(self, chapter: Chapter) -> list[Chapter]:
        """The chapters to do one after another to reach the end of ``chapter``, itself the last."""
        chain = [chapter]
        while chain[0].after is not None:
            chain.insert(0, self.chapters[chain[0].after])
        return chain


def read_text(path: Path, shown: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise PageError(shown, line, "is not UTF-8: save the page as UTF-8") from None
