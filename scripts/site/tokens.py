"""A Python-Markdown extension that leaves out the marks of highlighted code that no colour comes from.

Names, spaces and punctuation have the colour of plain code. They are half of the elements of a long chapter, which
a phone has to style and lay out again each time that the theme's script touches the page.
"""

from __future__ import annotations

import re
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

PLAIN = re.compile(r'<span class="(?:n|p|w)">([^<]*)</span>')


class DropPlainTokens(Postprocessor):
    """Keeps the text of a token, and takes away its mark."""

    def run(self, text: str) -> str:
        return PLAIN.sub(r"\1", text)


class TokensExtension(Extension):
    """Registers DropPlainTokens."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.postprocessors.register(DropPlainTokens(md), "guide-tokens", -10)  # when the code is back in the page


def makeExtension(**options: Any) -> TokensExtension:
    """The entry point that Python-Markdown looks for."""
    return TokensExtension(**options)
