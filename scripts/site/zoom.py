"""A Python-Markdown extension that makes a picture a link to itself, so that it can be seen in full size.

Works without a script; with assets/javascripts/zoom.js it opens over the page. Meant for pictures that stand alone in a
paragraph: one without a text in its place is decoration, and one in a figure is part of how a page looks.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

PRIORITY = 5
"""After the attributes that a picture has in braces (8); before links are resolved (0)."""


class Zoom(Treeprocessor):
    """Wraps pictures into links."""

    def run(self, root: Element) -> None:
        for around in root.iter():
            for paragraph in around.findall("p"):
                if around.tag != "figure" and (picture := alone(paragraph)) is not None and picture.get("alt"):
                    link = Element("a", {"class": "zoom", "href": picture.get("src", "")})
                    paragraph.remove(picture)
                    link.append(picture)
                    paragraph.append(link)


def alone(paragraph: Element) -> Element | None:
    """The picture that is all of a paragraph."""
    if len(paragraph) != 1 or paragraph[0].tag != "img":
        return None
    text = (paragraph.text or "") + (paragraph[0].tail or "")
    return None if text.strip() else paragraph[0]


class ZoomExtension(Extension):
    """Registers Zoom."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(Zoom(md), "guide-zoom", PRIORITY)


def makeExtension(**options: Any) -> ZoomExtension:
    """The entry point that Python-Markdown looks for."""
    return ZoomExtension(**options)
