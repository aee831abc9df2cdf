"""What MkDocs calls while it builds.

It keeps the slides up to date, shows no link to a PDF that is not there, says what each page is about, and puts the
style sheets into one. Without it, the site is heavier, and says the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from mkdocs.utils import clean_directory

from scripts.deck import building as deck
from scripts.deck.errors import DeckError

PDF = f"presentation/{deck.FORMATS['pdf'].file}"
ALSO = re.compile(rf", also \[[^\]]+\]\({re.escape(PDF)}\)")
ROOT = Path(__file__).parents[2]
STYLES = "assets/stylesheets"
PARAGRAPH = re.compile(r"</h1>.*?<p>(.*?)</p>", re.S)

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


def on_page_markdown(markdown: str, files: Any, **event: Any) -> str:
    """Without a browser, there is no PDF."""
    return markdown if files.get_file_from_path(PDF) else ALSO.sub("", markdown)


def inputs(docs: Path) -> Iterator[tuple[str, int]]:
    """What each page is made from beside its text: which pages there are, and files with the time of their change."""
    yield from ((str(path), 0) for path in docs.rglob("*"))
    for folder in (ROOT / "scripts" / "site", ROOT / "results"):
        yield from ((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.suffix != ".pyc")
    for file in (ROOT / "mkdocs.yml", *docs.glob(f"{STYLES}/*")):
        yield str(file), file.stat().st_mtime_ns


def on_files(files: Any, config: Any) -> Any:
    """One style sheet instead of many: the first paint waits for each. Its name changes with what is in it."""
    sheets = [file for path in config.extra_css if (file := files.get_file_from_path(str(path)))]
    text = "".join(f"{file.content_string}\n" for file in sheets)
    name = f"{STYLES}/guide.{hashlib.sha256(text.encode()).hexdigest()[:8]}.css"
    for file in sheets:
        files.remove(file)
    files.append(File.generated(config, name, content=text))
    config.extra_css = [name]
    return files


def on_page_content(html: str, page: Any, **event: Any) -> str:
    """Search engines show what a page is about: its first paragraph, if the page says nothing else."""
    if found := PARAGRAPH.search(html):
        text = unescape(re.sub(r"<[^>]+>", "", found[1]))
        page.meta.setdefault("description", escape(shortened(" ".join(text.split()))))
    return html


def shortened(text: str, length: int = 160) -> str:
    """As many sentences as fit, or else as many words."""
    if len(text) <= length:
        return text
    sentences, words = text[:length].rpartition(". ")[0], text[:length].rpartition(" ")[0]
    return f"{sentences}." if len(sentences) > length / 3 else f"{words} …"
