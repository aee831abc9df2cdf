"""One style sheet out of many: the first paint of a page waits for each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

FOLDER = "assets/stylesheets"


def bundle(sheets: Iterable[str]) -> tuple[str, str]:
    """The path and the text of the one. Its name changes with what is in it, so that no browser keeps an old one."""
    text = "".join(f"{sheet}\n" for sheet in sheets)
    return f"{FOLDER}/guide.{hashlib.sha256(text.encode()).hexdigest()[:8]}.css", text
