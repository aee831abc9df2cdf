"""What MkDocs calls while it builds.

It keeps the slides up to date, shows no link to a PDF that is not there, and tells the theme when a page was changed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

from scripts.deck import building as deck
from scripts.deck.errors import DeckError
from scripts.site.figures import day
from scripts.site.history import last_changes

PDF = f"presentation/{deck.FORMATS['pdf'].file}"
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


def on_env(env: Any, config: Any, files: Any) -> None:
    """For overrides/partials/source-file.html."""
    changes = last_changes(Path(config.docs_dir).parent)
    for file in files.documentation_pages():
        if file.page and (date := changes.get(file.src_uri)):
            file.page.meta.setdefault("changed", day(date))
