"""What MkDocs calls while it builds: it keeps the slides up to date, and shows no link to a PDF that is not there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

from scripts.deck import building as deck
from scripts.deck.errors import DeckError
from scripts.site import offline

PDF = f"presentation/{deck.FORMATS['pdf'].file}"
ALSO = re.compile(rf", also \[[^\]]+\]\({re.escape(PDF)}\)")


def on_pre_build(config: Any) -> None:
    """Make the page of the slides again if they have changed. The PDF takes longer: it waits for the next start."""
    try:
        deck.make(("html",), Path(config.docs_dir) / "presentation")
    except DeckError as error:
        raise PluginError(str(error)) from error


def on_page_markdown(markdown: str, files: Any, **event: Any) -> str:
    """Without a browser, there is no PDF. The guide to take along is made only when it is asked for."""
    markdown = markdown if files.get_file_from_path(PDF) else ALSO.sub("", markdown)
    return offline.offer(markdown, files)
