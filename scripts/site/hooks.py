"""What MkDocs calls while it builds. Other builders know nothing of it: their site is heavier, and says the same."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from mkdocs.utils import clean_directory

from scripts.deck import building as deck
from scripts.deck.errors import DeckError
from scripts.site import cards, styles
from scripts.site.checking import Site
from scripts.site.descriptions import description
from scripts.site.figures import day
from scripts.site.history import last_changes

log = logging.getLogger("mkdocs.hooks")
ROOT = Path(__file__).parents[2]

_built_from: set[tuple[str, int]] = set()
"""What all pages of the last build were made from."""


def on_pre_build(config: Any) -> None:
    """Make the page of the slides again if they have changed. The PDF takes longer: it waits for the next start.

    While the site is served, only pages that changed are built again, unless something has changed that all of them
    are made from: then nothing is left of the last build.
    """
    made_from = set(inputs(Path(config.docs_dir)))
    if made_from != _built_from:
        clean_directory(config.site_dir)
        _built_from.clear()
        _built_from.update(made_from)
    try:
        deck.make(("html",), Path(config.docs_dir) / "presentation")
    except DeckError as error:
        raise PluginError(str(error)) from error


def inputs(docs: Path) -> Iterator[tuple[str, int]]:
    """What each page is made from beside its text: which pages there are, and files with the time of their change."""
    yield from ((str(path), 0) for path in docs.rglob("*"))
    for folder in (ROOT / "scripts" / "site", ROOT / "results"):
        yield from ((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.suffix != ".pyc")
    for file in (ROOT / "mkdocs.yml", *docs.glob(f"{styles.FOLDER}/*")):
        yield str(file), file.stat().st_mtime_ns


def on_files(files: Any, config: Any) -> Any:
    """One style sheet instead of many."""
    sheets = [file for path in config.extra_css if (file := files.get_file_from_path(str(path)))]
    name, text = styles.bundle(file.content_string for file in sheets)
    for file in sheets:
        files.remove(file)
    files.append(File.generated(config, name, content=text))
    config.extra_css = [name]
    return files


def on_nav(nav: Any, config: Any, **event: Any) -> None:
    """A card for each page, where cards are asked for. MkDocs has emptied the site's folder by now."""
    if config.extra.get("cards"):
        what_it_is = config.site_description.partition(". ")[0]
        titles = {page.file.src_uri: what_it_is if page.is_homepage else page.title for page in nav.pages}
        cards.publish(titles, Path(config.site_dir))


def on_page_content(html: str, page: Any, **event: Any) -> str:
    """Search engines show what a page is about."""
    if text := description(html):
        page.meta.setdefault("description", text)
    return html


def on_env(env: Any, config: Any, files: Any) -> None:
    """For overrides/partials/source-file.html."""
    changes = last_changes(Path(config.docs_dir).parent)
    for file in files.documentation_pages():
        if file.page and (date := changes.get(file.src_uri)):
            file.page.meta.setdefault("changed", day(date))


def on_post_build(config: Any) -> None:
    """Warn of what is wrong with the pages. ``strict`` makes an error of a warning."""
    if config.plugins["material/offline"].config.enabled:  # the same pages once more, without what comes with the zip
        return
    for problem in Site(Path(config.site_dir), config.site_url, Path(config.docs_dir)).problems():
        log.warning(problem)
