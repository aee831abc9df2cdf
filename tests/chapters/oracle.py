"""What the site makes of the fences of a page: the reader is compared with it.

Does not read Markdown itself: it listens to pymdownx.superfences, which decides what is a fence, and
looks in the finished HTML for where each block ended up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from markdown import Markdown

from scripts.chapters.grammar import read_info
from scripts.chapters.markdown import Fence, Page

MARK = "data-block"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(frozen=True)
class Seen:
    """A block on a page. ``path``: the tabs (with their titles), admonitions and list items around it."""

    line: int
    language: str
    body: str
    path: tuple[str, ...]


def read(text: str) -> list[Seen]:
    """The blocks as the reader finds them. Raises PageError."""
    page, blocks = Page("page.md", text), list[Seen]()
    for item in page.items:
        if isinstance(item, Fence):
            language, _ = read_info(page, item)
            path = tuple(f"tab {c.title}" if c.kind == "tab" else c.kind for c in item.place.containers)
            blocks.append(Seen(item.place.line, language, item.body, path))
    return blocks


class Oracle:
    """The site's Markdown. ``extensions`` and ``configs`` as in mkdocs.yml."""

    def __init__(self, extensions: list[Any], configs: Mapping[str, dict[str, Any]]) -> None:
        self._markdown = Markdown(extensions=extensions, extension_configs=configs)
        self._places: list[tuple[int, bool]] = []  # line, and whether nothing is between it and the end
        self._found: list[tuple[str, str]] = []
        self._listen()

    def blocks(self, text: str) -> list[Seen]:
        """The blocks that readers see. ``text`` may start with front matter."""
        front = re.match(r"---\n.*?\n---\n", text, re.S)
        start = front.end() if front else 0
        self._places.clear()
        self._found.clear()
        self._markdown.reset()
        finder = Finder()
        finder.feed(self._markdown.convert(text[start:]))
        above = text.count("\n", 0, start)
        return [
            Seen(line + above, language, "" if empty else body, finder.paths[number])
            for number, ((line, empty), (language, body)) in enumerate(zip(self._places, self._found, strict=True))
            if number in finder.paths
        ]

    def _listen(self) -> None:
        processors: Any = self._markdown.preprocessors
        # To keep tabs, superfences goes over the page twice. Only the first time all lines are there.
        first = processors["fenced_raw_block" if "fenced_raw_block" in processors else "fenced_code_block"]
        process = first.process_nested_block

        def process_nested_block(ws: str, content: str, start: int, end: int) -> None:
            self._places.append((start + 1, not first.code))
            process(ws, content, start, end)

        first.process_nested_block = process_nested_block
        for entry in first.extension.superfences:
            entry["formatter"] = self._marking(entry["formatter"])

    def _marking(self, formatter: Callable[..., str]) -> Callable[..., str]:
        def marked(src: str, language: str | None, **rest: Any) -> str:
            html = formatter(src=src, language=language, **rest)
            self._found.append((language or "", src + "\n"))
            return re.sub(r"<\w+", rf'\g<0> {MARK}="{len(self._found) - 1}"', html, count=1)

        return marked


@dataclass
class Element:
    tag: str
    step: str = ""
    labels: list[str] = field(default_factory=list)
    tabs: int = 0


class Finder(HTMLParser):
    """Notes the path of each marked element."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: dict[int, tuple[str, ...]] = {}
        self._open = [Element("body")]
        self._sets: list[Element] = []
        self._in_label = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        classes = (attributes.get("class") or "").split()
        if (number := attributes.get(MARK)) is not None:
            self.paths[int(number)] = tuple(e.step for e in self._open if e.step)
        element = Element(tag)
        if "tabbed-set" in classes:
            self._sets.append(element)
        elif "tabbed-block" in classes:
            element.step = f"tab {self._sets[-1].labels[self._sets[-1].tabs]}"
            self._sets[-1].tabs += 1
        elif "admonition" in classes or tag == "details":
            element.step = "admonition"
        elif tag == "li":
            element.step = "item"
        elif tag == "label" and self._sets:
            self._sets[-1].labels.append("")
            self._in_label = True
        if tag not in VOID:
            self._open.append(element)

    def handle_data(self, data: str) -> None:
        if self._in_label:
            self._sets[-1].labels[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._in_label = self._in_label and tag != "label"
        if any(e.tag == tag for e in self._open):
            while (closed := self._open.pop()).tag != tag:
                pass
            if self._sets and closed is self._sets[-1]:
                self._sets.pop()
