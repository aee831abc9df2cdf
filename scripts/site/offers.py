"""A Python-Markdown extension that shows no link to what was not made.

A PDF needs a browser, and the guide to take along is made only when it is asked for.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from scripts.deck import building as deck
from scripts.site.chapter import DOCS
from scripts.site.offline import PDF, ZIP

SLIDES = f"presentation/{deck.FORMATS['pdf'].file}"
ALSO = re.compile(rf", also \[[^\]]+\]\({re.escape(SLIDES)}\)")
ITEM = re.compile(rf"^(- \[.+?\]\(\S*downloads/({re.escape(ZIP)}|{re.escape(PDF)})\))(.*\n?(?:  .*\n?)*)", re.M)
"""An item of a list that begins with a link to one of the files."""
PRIORITY = 22
"""Fences are put away at 25, so that code stays as it is; HTML is read at 20."""


def offered(text: str, docs: Path) -> str:
    """A page without links to what is not below ``docs``; each item says how large its file is."""

    def complete(item: re.Match[str]) -> str:
        file = docs / "downloads" / item[2]
        return f"{item[1]} ({file.stat().st_size / 1e6:.0f} MB){item[3]}" if file.exists() else ""

    text = text if (docs / SLIDES).exists() else ALSO.sub("", text)
    return ITEM.sub(complete, text)


class Offers(Preprocessor):
    """Leaves out what is not there."""

    def __init__(self, md: Markdown, docs: Path) -> None:
        super().__init__(md)
        self.docs = docs

    def run(self, lines: list[str]) -> list[str]:
        return offered("\n".join(lines), self.docs).split("\n")


class OffersExtension(Extension):
    """Registers Offers. ``docs`` is the folder of the pages."""

    def __init__(self, **options: Any) -> None:
        self.config = {"docs": [str(DOCS), "the folder of the pages"]}
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.register(Offers(md, Path(self.getConfig("docs"))), "guide-offers", PRIORITY)


def makeExtension(**options: Any) -> OffersExtension:
    """The entry point that Python-Markdown looks for."""
    return OffersExtension(**options)
