"""The whole guide as one PDF: a cover, contents with page numbers, and all pages of the site as they print.

Chromium puts the pages of the built site into one document (``book/``) and prints it. It prints twice: where
the pages have come to lie, the contents say only the second time.
"""

from __future__ import annotations

import mimetypes
import re
import subprocess
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Error, Page, Route, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import Destination, Fit

from scripts.runner.capabilities import browser

ROOT = Path(__file__).parents[2]
BOOK = Path(__file__).parent / "book"
STYLES = ("assets/stylesheets/main.*.css", "assets/stylesheets/palette.*.css")
PLANETS = ("saturn", "earth", "mars", "moon")

Nav = Mapping[str, Sequence[str]]
"""The pages below each title of the navigation, as paths of a built site."""


class PdfError(Exception):
    """The guide cannot be printed. One line for people."""


def publish(site: Path, config: Any, target: Path) -> bool:
    """Print a site that was built for a disk. False when there is no browser to do so."""
    chrome = browser()
    if chrome is None:
        return False
    try:
        with sync_playwright() as playwright:
            window = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox", "--disable-gpu"])
            page = window.new_page()
            page.set_default_timeout(120_000)
            print_book(page, site, config, target)
            window.close()
    except Error as error:
        raise PdfError(f"the PDF is not printed: {error.message.splitlines()[0]}") from error
    return True


def print_book(page: Page, site: Path, config: Any, target: Path) -> None:
    """Write the PDF of the guide, with its outline and its facts."""
    nav = parts(config.nav)
    paths = [path for pages in nav.values() for path in pages]
    address = config.site_url.rstrip("/")
    open_book(page, site, address, frame(nav, site, config))
    titles = page.evaluate((BOOK / "book.js").read_text(encoding="utf-8"), paths)
    part = target.with_suffix(".part")
    numbers = places(PdfReader(printed(page, part)), paths)
    page.evaluate(
        "numbers => document.querySelectorAll('.book-contents b').forEach((b, i) => b.textContent = numbers[i])",
        numbers,
    )
    reader = PdfReader(printed(page, part, outline=True, tagged=True))
    if places(reader, paths) != numbers:
        raise PdfError("the contents take another number of pages with their numbers than without")
    writer = PdfWriter(part, incremental=True)
    arrange(writer, reader, nav, titles)
    facts = {"/Title": config.site_name, "/Author": "Swiss AI Center contributors", "/Subject": config.site_description}
    writer.add_metadata({**facts, "/Creator": config.site_url})
    writer.write(part)
    part.replace(target)


def parts(nav: Sequence[Any]) -> Nav:
    """The navigation of mkdocs.yml but for the landing page: the cover takes its place."""
    return {
        title: [path.removesuffix(".md") + ".html" for page in pages for path in page.values()]
        for entry in nav
        for title, pages in entry.items()
        if not isinstance(pages, str)
    }


def frame(nav: Nav, site: Path, config: Any) -> str:
    """The document before the pages are in it: its styles, the cover, and the contents without numbers."""
    found = [path.relative_to(site).as_posix() for pattern in STYLES for path in site.glob(pattern)]
    styles = "".join(f'<link rel="stylesheet" href="/{path}">' for path in [*found, *config.extra_css])
    own = (BOOK / "book.css").read_text(encoding="utf-8")
    planets = "".join(f'<img src="/assets/images/{name}.webp" alt="">' for name in PLANETS)
    contents = "".join(
        "<li>"
        + ("" if has_index(pages) else f'<p class="book-part">{escape(title)}</p>')
        + "<ol>"
        + "".join(f'<li><a href="#{name(path)}"><span></span><b>000</b></a></li>' for path in pages)
        + "</ol></li>"
        for title, pages in nav.items()
    )
    return (
        f'<!doctype html><html lang="{config.theme["language"]}"><meta charset="utf-8">'
        f"<title>{escape(config.site_name)}</title>{styles}<style>{own}</style>"
        '<body dir="ltr" data-md-color-scheme="default" data-md-color-primary="custom"><article class="md-typeset">'
        f'<div class="book-cover"><h1>{escape(config.site_name)}</h1><p>{escape(config.site_description)}</p>{planets}'
        f'<footer>{edition()}The guide of today: <a href="{config.site_url}">{config.site_url}</a><br>'
        f"{config.copyright}</footer></div>"
        f'<section class="book-contents"><h1>Contents</h1><ol>{contents}</ol></section></article>'
    )


def edition() -> str:
    """Which state of the guide this is, where Git knows."""
    command = ["git", "log", "-1", "--format=As of %cs (commit %h).<br>"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def open_book(page: Page, site: Path, address: str, text: str) -> None:
    """Show ``text`` at the site's address, with the files of the site and nothing else."""
    host = urlsplit(address).netloc

    def answer(route: Route) -> None:
        url = urlsplit(route.request.url)
        file = site / unquote(url.path).lstrip("/")
        if url.path == "/book.html":
            route.fulfill(body=text, content_type="text/html")
        elif url.netloc == host and file.suffix == ".css":
            styles = re.sub(r"font-display: ?\w+", "font-display: block", file.read_text(encoding="utf-8"))
            route.fulfill(body=styles, content_type="text/css")  # paper waits for its fonts
        elif url.netloc == host and file.is_file():
            route.fulfill(path=file, content_type=mimetypes.guess_type(file)[0] or "application/octet-stream")
        else:
            route.abort()

    page.route("**/*", answer)
    page.goto(f"{address}/book.html")


def printed(page: Page, part: Path, **options: Any) -> Path:
    page.pdf(path=part, prefer_css_page_size=True, print_background=True, **options)
    return part


def places(reader: PdfReader, paths: Sequence[str]) -> list[int]:
    """The number of the sheet on which each page of the site begins."""
    names = reader.named_destinations
    return [(reader.get_destination_page_number(names[f"/{name(path)}"]) or 0) + 1 for path in paths]


def has_index(pages: Sequence[str]) -> bool:
    """Whether a part of the navigation begins with a page about it."""
    return pages[0].endswith("/index.html")


def name(path: str) -> str:
    """What the section of a page is called in the document, as book.js calls it."""
    return path.removesuffix(".html")


# ---------------------------------------------------------------- the outline

Entry = tuple[Destination, list[Any]]
"""A heading, and the entries below it."""


def entries(items: Sequence[Any]) -> list[Entry]:
    """An outline as pypdf reads it: a list in a list stands behind the entry that it belongs to."""
    found = list[Entry]()
    for item in items:
        if isinstance(item, Destination):
            found.append((item, []))
        else:
            found[-1][1].extend(entries(item))
    return found


def arrange(writer: PdfWriter, reader: PdfReader, nav: Nav, titles: Sequence[str]) -> None:
    """Put the outline of Chromium in the order of the navigation: pages below their part.

    A heading that takes two lines has lost the space between them, so ``titles`` has all of them as they are written.
    """
    whole = {squeezed(title): title for title in titles}
    writer.root_object.pop("/Outlines")

    def add(entry: Entry, parent: Any, title: str = "") -> Any:
        place, below = entry
        title = title or whole.get(squeezed(str(place.title)), str(place.title))
        sheet = reader.get_destination_page_number(place)
        item = writer.add_outline_item(
            title=title, page_number=sheet, parent=parent, is_open=False, fit=Fit.xyz(place.left, place.top)
        )
        for inner in below:
            add(inner, item)
        return item

    cover, contents, *pages = entries(reader.outline)
    add(cover, None)
    add(contents, None)
    rest = iter(pages)
    for part, paths in nav.items():
        mine = [next(rest) for _ in paths]
        above = add(mine.pop(0), None) if has_index(paths) else add((mine[0][0], []), None, part)
        for entry in mine:
            add(entry, above)


def squeezed(title: str) -> str:
    return "".join(title.split())
