"""A Python-Markdown extension that leaves the copy button to what one types: what a tool printed has none.

Superfences puts a block away as HTML before there is a tree, so the class is added to the page as text.
"""

from __future__ import annotations

import re
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

OUTPUT = re.compile(r'(<div class="[^"]*\bhighlight)("[^>]*><span class="filename">Output</span>)')
PRIORITY = 5
"""After the blocks that were put away are back (30, 25)."""


class Outputs(Postprocessor):
    """Marks the output of a tool with the class that the theme knows."""

    def run(self, text: str) -> str:
        return OUTPUT.sub(r"\1 no-copy\2", text)


class OutputsExtension(Extension):
    """Registers Outputs."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.postprocessors.register(Outputs(md), "guide-outputs", PRIORITY)


def makeExtension(**options: Any) -> OutputsExtension:
    """The entry point that Python-Markdown looks for."""
    return OutputsExtension(**options)
