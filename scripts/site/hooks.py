"""What MkDocs calls while it builds.

It keeps the slides up to date, draws the cards, shows no link to what is not there, and tells the theme when a page was
changed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

from scripts.deck import building as deck
from scripts.deck.errors import DeckError
from scripts.site import cards, offline
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


def on_nav(nav: Any, config: Any, **event: Any) -> None:
    """A card for each page, where cards are asked for. MkDocs has emptied the site's folder by now."""
    if config.extra.get("cards"):
        what_it_is = config.site_description.partition(". ")[0]
        titles = {page.file.src_uri: what_it_is if page.is_homepage else page.title for page in nav.pages}
        cards.publish(titles, Path(config.site_dir))


def on_page_markdown(markdown: str, files: Any, **event: Any) -> str:
    """Without a browser, there is no PDF. The guide to take along is made only when it is asked for."""
    markdown = markdown if files.get_file_from_path(PDF) else ALSO.sub("", markdown)
    return offline.offer(markdown, files)


def on_env(env: Any, config: Any, files: Any) -> None:
    """For overrides/partials/source-file.html."""
    changes = last_changes(Path(config.docs_dir).parent)
    for file in files.documentation_pages():
        if file.page and (date := changes.get(file.src_uri)):
            file.page.meta.setdefault("changed", day(date))
