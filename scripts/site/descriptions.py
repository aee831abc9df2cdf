"""What a page is about, for search engines: its first paragraph."""

from __future__ import annotations

import re
from html import escape, unescape

PARAGRAPH = re.compile(r"</h1>.*?<p>(.*?)</p>", re.S)


def description(html: str) -> str:
    """The text for a page, ready for an attribute; empty when the page has no paragraph."""
    found = PARAGRAPH.search(html)
    text = unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""
    return escape(shortened(" ".join(text.split())))


def shortened(text: str, length: int = 160) -> str:
    """As many sentences as fit, or else as many words."""
    if len(text) <= length:
        return text
    sentences, words = text[:length].rpartition(". ")[0], text[:length].rpartition(" ")[0]
    return f"{sentences}." if len(sentences) > length / 3 else f"{words} …"
