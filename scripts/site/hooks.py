"""What MkDocs calls while it builds: it keeps the slides up to date, shows no link to a PDF that is not there, and
checks what was built.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

from scripts.deck import building as deck
from scripts.deck.errors import DeckError
from scripts.site.checking import Site

PDF = f"presentation/{deck.FORMATS['pdf'].file}"
log = logging.getLogger("mkdocs.hooks")
ALSO = re.compile(rf", also \[[^\]]+\]\({re.escape(PDF)}\)")


def on_pre_build(config: Any) -> None:
    """Make the page of the slides again if they have changed. The PDF takes longer: it waits for the next start."""
    try:
        deck.make(("html",), Path(config.docs_dir) / "presentation")
    except DeckError as error:
        raise PluginError(str(error)) from error


def on_page_markdown(markdown: str, files: Any, **event: Any) -> str:
    """Without a browser, there is no PDF."""
    return markdown if files.get_file_from_path(PDF) else ALSO.sub("", markdown)


def on_post_build(config: Any) -> None:
    """Warn of what is wrong with the pages. ``strict`` makes an error of a warning."""
    for problem in Site(Path(config.site_dir), config.site_url, Path(config.docs_dir)).problems():
        log.warning(problem)
