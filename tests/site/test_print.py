"""A page on paper, as a browser prints it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader

from tests.site.navigation import url_of

pytestmark = pytest.mark.xdist_group("site")

PAGE = "part-1/chapter-1.3.md"  # it has tabs, details, tables, changes of files, and a big picture
LINES = """() => [...document.querySelectorAll('article pre > code')].flatMap(code => code.textContent.split('\\n'))"""
FOLDED = """() => [...document.querySelectorAll('details:not([open]) p:not([class])')].map(p => p.textContent)"""
TABS = """() => [...document.querySelectorAll('.tabbed-set')].flatMap(set => {
    const labels = set.querySelectorAll(':scope > .tabbed-labels > label')
    return [...set.querySelectorAll(':scope > .tabbed-content > .tabbed-block')].map((block, index) =>
        [labels[index].textContent, JSON.parse(getComputedStyle(block, '::before').content), block.offsetHeight])
})"""
OVERFLOW = """() => [...document.querySelectorAll('article *')]
    .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 12)
    .map(e => e.outerHTML.slice(0, 80))"""


def squeezed(text: str) -> str:
    """What stands there, wherever a line is broken."""
    return "".join(text.split())


@pytest.mark.parametrize(("form", "script"), [("A4", True), ("Letter", False)], ids=["A4", "Letter without script"])
def test_nothing_is_lost_on_paper(browser: Any, address: str, form: str, script: bool) -> None:
    context = browser.new_context(java_script_enabled=script)
    view = context.new_page()
    view.goto(address + url_of(PAGE), wait_until="networkidle")
    lines, folded = view.evaluate(LINES), view.evaluate(FOLDED)
    view.emulate_media(media="print")
    tabs = view.evaluate(TABS)
    sheets = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(view.pdf(format=form))).pages]
    context.close()
    text = squeezed("".join(sheets))
    assert [line for line in lines if squeezed(line) not in text] == []
    assert folded
    assert [paragraph for paragraph in folded if squeezed(paragraph)[:40] not in text] == []
    assert {"uv", "pip"} <= {label for label, *_ in tabs}
    for label, title, height in tabs:
        assert title == label
        assert height > 20, "a tab that is not chosen on a screen is there too"
    for number, sheet in enumerate(sheets, start=1):
        assert f"{number} / {len(sheets)}" in sheet
    for frame in ("Skip to content", "Table of contents", "Made with", "Previous", "Copy to clipboard", "✓"):
        assert squeezed(frame) not in text


@pytest.mark.parametrize("page", [PAGE, "part-4/chapter-4.2.md", "introduction/verified.md"])
def test_paper_is_light_and_wide_enough(browser: Any, address: str, page: str) -> None:
    context = browser.new_context(viewport={"width": 657, "height": 900})  # A4 without its margins
    view = context.new_page()
    view.goto(address + url_of(page), wait_until="networkidle")
    view.evaluate("document.body.dataset.mdColorScheme = 'slate'")  # as a reader chooses it
    dark = view.evaluate("getComputedStyle(document.querySelector('article h2')).color")
    view.emulate_media(media="print")
    assert view.evaluate("document.documentElement.scrollWidth") <= 657  # or the browser shrinks all of it
    assert view.evaluate(OVERFLOW) == []
    ink = view.evaluate("getComputedStyle(document.querySelector('article h2')).color")
    assert (dark, ink) == ("rgb(230, 232, 244)", "rgb(23, 26, 43)")
    sizes = view.evaluate("[...document.querySelectorAll('.bp')].map(e => e.getBoundingClientRect().height)")
    assert all(size < 930 for size in sizes), "a drawing that is higher than a sheet is cut in two"
    context.close()
