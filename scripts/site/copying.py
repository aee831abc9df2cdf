"""A Python-Markdown extension that gives what one types a copy button: what a tool printed has none.

The theme's own buttons come with a script when their block is seen, so the keyboard could jump over them. These
are in the page; the theme's script copies when one is pressed.
Superfences puts a block away as HTML before there is a tree, so they are added to the page as text.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

BLOCK = re.compile(
    r'(<div class="[^"]*\bhighlight"[^>]*>(?:<span class="filename">(.*?)</span>)?<pre><span></span>)<code>'
)
OUTPUT = "Output"
PRIORITY = 5
"""After the blocks that were put away are back (30, 25)."""


class CopyButtons(Postprocessor):
    """Adds a button to each block of code whose title is not Output."""

    def run(self, text: str) -> str:
        numbers = count(1)

        def with_button(match: re.Match[str]) -> str:
            if match[2] == OUTPUT:
                return match[0]
            block = f"code-{next(numbers)}"
            button = (
                f'<button type="button" class="md-code__button" data-md-type="copy" title="Copy"'
                f' data-clipboard-target="#{block}"></button>'
            )
            return f'{match[1]}<span class="md-code__nav">{button}</span><code id="{block}">'

        return BLOCK.sub(with_button, text)


class CopyButtonsExtension(Extension):
    """Registers CopyButtons."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.postprocessors.register(CopyButtons(md), "guide-copy-buttons", PRIORITY)


def makeExtension(**options: Any) -> CopyButtonsExtension:
    """The entry point that Python-Markdown looks for."""
    return CopyButtonsExtension(**options)
