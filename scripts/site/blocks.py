"""A Python-Markdown extension that keeps directives and hidden blocks off the page.

A chapter says in HTML comments how its blocks are executed. Readers never see them:

    <!-- block: run timeout=300 -->        one line above a fence
    <!-- hidden: check                     commands up to the end of the comment
    test -s model.keras
    -->

They may stand in any container (tab, admonition, list item). What stands inside of a fence stays:
a page may show the grammar.
"""

from __future__ import annotations

import re
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

DIRECTIVE = re.compile(r"^[ \t]*<!--[ \t]*(?:block|hidden):.*?-->[ \t]*(?:\n|\Z)", re.M | re.S)

# Fences are put away at 25 and come back at the end, so that no pattern sees inside them; HTML is
# read at 20. In between, a comment is a comment.
PRIORITY = 22


class DropDirectives(Preprocessor):
    """Takes directives out of the text before Markdown looks for paragraphs, lists and HTML."""

    def run(self, lines: list[str]) -> list[str]:
        return DIRECTIVE.sub("", "\n".join(lines)).split("\n")


class BlocksExtension(Extension):
    """Registers DropDirectives."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.register(DropDirectives(md), "guide-blocks", PRIORITY)


def makeExtension(**options: Any) -> BlocksExtension:
    """The entry point that Python-Markdown looks for."""
    return BlocksExtension(**options)
