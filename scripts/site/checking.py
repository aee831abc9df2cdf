"""What is wrong with a built site, in one line each: links that lead nowhere, Markdown that was left as it is.

It reads the pages as a browser gets them, so that it also sees raw HTML, and does not depend on what built them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

LINKS = {
    "a": "href",
    "area": "href",
    "audio": "src",
    "iframe": "src",
    "image": "href",
    "img": "src",
    "link": "href",
    "script": "src",
    "source": "src",
    "use": "href",
    "video": "src",
}
TO_FOLLOW = {"a", "area"}
"""What a reader may follow. All else is fetched with the page."""

OWN_MACHINE = {"127.0.0.1", "localhost"}
VERBATIM = {"code", "kbd", "pre", "samp", "script", "style", "svg", "textarea"}
"""What is shown as it is, or not at all, so that brackets mean nothing in it."""
INLINE = re.compile(r"a|abbr|b|br|del|em|i|img|ins|mark|q|s|small|span|strong|sub|sup")

LEFT = {
    re.compile(r"\[\^[^\]\s]+\]"): "has no footnote",
    re.compile(r"\[[^\[\]]+\] ?\[[^\[\]]*\]"): "refers to nothing",
    re.compile(r"```|~~~"): "is a fence that was not read as one",
}
"""Markdown that Python-Markdown leaves in the text when it finds nothing that it could mean."""

DOWNLOADS = "downloads"
"""The folder of files that are no pages, whatever their names."""


@dataclass(frozen=True)
class Link:
    """A link as it stands on a page."""

    tag: str
    url: str
    rel: str = ""


class Page(HTMLParser):
    """What can be wrong with a page: its links, its anchors, and its text, block by block."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[Link] = []
        self.ids: list[str] = []
        self.texts: list[str] = [""]
        self._verbatim: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if identity := attributes.get("id"):
            self.ids.append(identity)
        if url := attributes.get(LINKS.get(tag, "")):
            self.links.append(Link(tag, url, attributes.get("rel") or ""))
        if tag in VERBATIM:
            self._verbatim.append(tag)
        self._separate(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._verbatim and tag == self._verbatim[-1]:
            self._verbatim.pop()
            self.texts[-1] += "…"  # stands for what is not read
        self._separate(tag)

    def handle_data(self, data: str) -> None:
        if not self._verbatim:
            self.texts[-1] += data

    def _separate(self, tag: str) -> None:
        if not INLINE.fullmatch(tag) and tag not in VERBATIM and self.texts[-1]:
            self.texts.append("")


@dataclass(frozen=True)
class Site:
    """A built site: the folder ``root``, made from the pages in ``docs``, to be served at ``url``."""

    root: Path
    url: str
    docs: Path

    @cached_property
    def pages(self) -> Mapping[str, Page]:
        """Every page by its address, "/" for the first."""
        files = ((path, path.relative_to(self.root)) for path in sorted(self.root.rglob("*.html")))
        return {
            "/" + name.as_posix().removesuffix("index.html"): Page(path.read_text(encoding="utf-8"))
            for path, name in files
            if name.parts[0] != DOWNLOADS
        }

    def problems(self) -> list[str]:
        """One line for each thing that is wrong, with the page and, where it is found there, the line."""
        found: dict[str, None] = {}
        for address, page in self.pages.items():
            for what, why in (*self._broken_links(address, page), *_double_anchors(page), *_leftovers(page)):
                found[f"{self._place(address, what)}: {what} {why}"] = None
        return list(found)

    def external(self) -> Mapping[str, list[str]]:
        """The addresses on other hosts that readers may follow, each with the places that have it."""
        found: dict[str, dict[str, None]] = {}
        for address, page in self.pages.items():
            for link in page.links:
                url = urlsplit(link.url)
                elsewhere = url.scheme in {"http", "https"} and url.hostname not in OWN_MACHINE
                if link.tag in TO_FOLLOW and link.rel != "edit" and elsewhere and not self._is_ours(link.url):
                    place = self._place(address, link.url)
                    found.setdefault(url._replace(fragment="").geturl(), {})[place] = None
        return {url: list(found[url]) for url in sorted(found)}

    def _is_ours(self, url: str) -> bool:
        return f"{url}/".startswith(self.url)

    def _broken_links(self, address: str, page: Page) -> Iterator[tuple[str, str]]:
        for link in page.links:
            url = urljoin(urljoin(self.url, address), link.url)
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"}:
                continue
            if not self._is_ours(url):
                if link.tag not in TO_FOLLOW and link.rel != "canonical":  # a name, which nobody fetches
                    yield link.url, "comes from another host: keep a copy of it here"
                continue
            path, anchor = unquote(parts.path), unquote(parts.fragment)
            there = self.pages.get(path)
            if there is None and not (self.root / path.lstrip("/")).is_file():
                yield link.url, "leads nowhere"
            elif there and anchor.startswith("fnref:") and anchor not in there.ids:
                yield f"[^{anchor.removeprefix('fnref:')}]:", "is a footnote that nothing refers to"
            elif there and anchor and anchor not in there.ids:
                yield link.url, "leads to a part that its page does not have"

    def _place(self, address: str, what: str) -> str:
        """The source of a page and the line that has ``what``, as far as they can be told."""
        name = address.strip("/")
        for source in (self.docs / f"{name}.md", self.docs / name / "index.md"):
            if source.is_file():
                place = f"{self.docs.name}/{source.relative_to(self.docs).as_posix()}"
                lines = source.read_text(encoding="utf-8").splitlines()
                for key in _keys(what):
                    for number, line in enumerate(lines, 1):
                        if key in line:
                            return f"{place}:{number}"
                return place
        return address


def _keys(what: str) -> Iterator[str]:
    """What to look for in the source: builders turn ``page.md#part`` into ``../page/#part``, and emphasis into tags."""
    yield what
    path, _, anchor = what.partition("#")
    if anchor:
        yield f"#{anchor}"
    elif "/" in path:
        yield f"{path.strip('/').rpartition('/')[2]}.md"
    if reference := re.search(r"\] ?(\[[^\]]*\])$", what):
        yield f"]{reference[1]}"


def _double_anchors(page: Page) -> Iterator[tuple[str, str]]:
    for anchor in sorted({anchor for anchor in page.ids if page.ids.count(anchor) > 1}):
        yield f"#{anchor}", "is there more than once"


def _leftovers(page: Page) -> Iterator[tuple[str, str]]:
    for text in page.texts:
        for pattern, why in LEFT.items():
            for match in pattern.finditer(text):
                yield " ".join(match[0].split()), why
