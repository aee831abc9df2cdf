"""A Python-Markdown extension that tells each tab its title, so that paper can show it above the tab's content.

pymdownx.tabbed writes all titles of a set in one row. On paper the tabs stand below one another, and
``assets/stylesheets/print.css`` writes ``data-title`` above each.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor


class Titles(Treeprocessor):
    """Copies the text of each label to the block that it belongs to."""

    def run(self, root: Element) -> None:
        for tabs in root.iter("div"):
            if "tabbed-set" in tabs.get("class", "").split():
                labels, content = tabs.findall("div")
                for label, block in zip(labels, content, strict=True):
                    block.set("data-title", "".join(label.itertext()))


class TabsExtension(Extension):
    """Registers Titles."""

    def extendMarkdown(self, md: Markdown) -> None:
        # After inline Markdown (20), so that a title is plain text.
        md.treeprocessors.register(Titles(md), "guide-tabs", 15)


def makeExtension(**options: Any) -> TabsExtension:
    """The entry point that Python-Markdown looks for."""
    return TabsExtension(**options)
