"""Every page in a real browser, on a screen and on a phone, light and dark: whole, calm, light, open to everyone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from scripts.site.hosting import transferred
from scripts.site.measuring.reading import HEAVIEST
from tests.site.navigation import HOST, PAGES, at_home, url_of

pytestmark = pytest.mark.xdist_group("site")

FORMS = {"screen": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}

# The theme's script puts tables into a frame that scrolls, some time after the page is there.
WRAPPED = """() => [...document.querySelectorAll('article table:not([class])')]
    .every(table => table.closest('.md-typeset__scrollwrap'))"""


@contextmanager
def opened(browser: Any, url: str, form: str = "screen", scheme: str = "light") -> Iterator[Any]:
    """A page that has settled, with what it asked for and complained about in ``requests`` and ``errors``."""
    phone = form == "phone"
    context = browser.new_context(viewport=FORMS[form], color_scheme=scheme, is_mobile=phone, has_touch=phone)
    page = context.new_page()
    page.requests, page.errors = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("console", lambda message: message.type in ("error", "warning") and page.errors.append(message.text))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(url)
    page.wait_for_function("document.readyState == 'complete' && document.fonts.status == 'loaded'")
    page.wait_for_function(WRAPPED)
    try:
        yield page
    finally:
        context.close()


OVERFLOW = """() => [...document.querySelectorAll('article *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .filter(e => !e.closest('pre, .md-typeset__scrollwrap, .sky, .tabbed-labels'))
    .map(e => e.outerHTML.slice(0, 80))"""


SHIFTS = """() => new Promise(resolve => {
    new PerformanceObserver(list => resolve(list.getEntries().map(shift => [shift.value, ...shift.sources.map(
        ({node}) => (node?.outerHTML ?? node?.textContent ?? '').slice(0, 80))])))
        .observe({type: 'layout-shift', buffered: true})
    setTimeout(() => resolve([]), 100)  // nobody tells that there is none
})"""
VIOLATIONS = """async () => (await axe.run({
    resultTypes: ['violations'],
})).violations
    .flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 120)}`))"""


def barriers(view: Any, axe: str) -> list[str]:
    """What keeps some readers from the page as it looks now."""
    view.evaluate(axe)
    found: list[str] = view.evaluate(VIOLATIONS)
    return found


def weight(site: Path, requests: list[str]) -> int:
    """The bytes that travel for a first visit, pictures apart."""
    files = {site / unquote(urlsplit(url).path).lstrip("/") for url in requests if url.startswith("http")}
    pages = (file / "index.html" if file.is_dir() else file for file in files)
    return sum(transferred(file) for file in pages if file.suffix not in {".png", ".svg", ".webp"})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("page", [*PAGES, "not-there.md"])
def test_page(browser: Any, site: Path, address: str, axe: str, page: str, form: str) -> None:
    missing = page not in PAGES
    with opened(browser, address + url_of(page), form) as view:
        if view.evaluate(SHIFTS):  # on a busy machine, a font may come between two frames, once
            with opened(browser, address + url_of(page), form) as again:
                assert again.evaluate(SHIFTS) == []
        if "chapter-" in page:
            assert weight(site, view.requests) <= HEAVIEST
        for scheme in ("light", "dark"):
            view.emulate_media(color_scheme=scheme)
            name = {"light": "default", "dark": "slate"}[scheme]
            view.wait_for_function(f"document.body.dataset.mdColorScheme == '{name}'")
            assert view.evaluate("document.documentElement.scrollWidth") <= FORMS[form]["width"]
            assert view.evaluate(OVERFLOW) == []
            if (form, scheme) in {("screen", "light"), ("phone", "dark")}:  # colours are the same in both forms
                assert barriers(view, axe) == []
        broken = "[...document.images].filter(i => i.loading != 'lazy' && !i.naturalWidth).map(i => i.src)"
        assert view.evaluate(broken) == []
        assert [url for url in view.requests if not url.startswith((address, "data:", "blob:"))] == []
        assert [e for e in view.errors if not (missing and "404" in e)] == []
        text = "h => [...h.childNodes].filter(n => n.className != 'headerlink').map(n => n.textContent).join('')"
        (title,) = view.evaluate(f"[...document.querySelectorAll('h1')].map({text})")
        if page == "index.md":  # "Home" in the navigation; the page itself says what the guide is about
            assert "notebook" in title
        else:
            assert title == PAGES.get(page, "This page is not there")


def test_pictures_of_the_landing_page_are_there(browser: Any, address: str) -> None:
    with opened(browser, address) as view:
        for image in view.query_selector_all("article img"):
            image.scroll_into_view_if_needed()
            view.wait_for_function("i => i.complete && i.naturalWidth > 0", arg=image)
            assert image.get_attribute("width")
            assert image.get_attribute("height")


def test_landing_page_needs_no_script(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.is_visible("h1")
    assert page.is_visible("text=No account, no credit card")
    page.click("text=Start with chapter 1.1")
    assert "Chapter 1.1" in page.inner_text("h1")
    context.close()


def test_search_finds_dvc(browser: Any, address: str) -> None:
    with opened(browser, address) as view:
        view.click(".md-search__input")
        view.keyboard.type("DVC")
        view.wait_for_selector(".md-search-result__item")
        assert "DVC" in view.inner_text(".md-search-result__list")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_focus_of_the_keyboard_is_visible(browser: Any, address: str, scheme: str) -> None:
    with opened(browser, address, scheme=scheme) as view:
        for _ in range(30):
            view.keyboard.press("Tab")
            if "Start with" in view.evaluate("document.activeElement.innerText || ''"):
                break
        style = view.evaluate("(s => [s.outlineStyle, s.outlineWidth])(getComputedStyle(document.activeElement))")
        assert style == ["solid", "3px"]
        view.keyboard.press("Enter")
        view.wait_for_url("**/part-1/chapter-1.1/")


def test_scheme_that_the_reader_chooses_stays(browser: Any, address: str) -> None:
    with opened(browser, address) as view:
        for _ in range(2):  # from the system's preference to light to dark
            view.click("[data-md-component=palette] label:not([hidden])")
        view.goto(address + url_of("introduction/syllabus.md"))
        assert view.get_attribute("body", "data-md-color-scheme") == "slate"


def test_pages_work_when_they_are_swapped_without_loading(browser: Any, site: Path) -> None:
    """The theme does so only at the address of mkdocs.yml, so the files are served under that name."""
    context = browser.new_context()
    at_home(context, site)
    view = context.new_page()
    errors: list[str] = []
    view.on("pageerror", lambda error: errors.append(str(error)))
    view.goto(HOST + url_of("introduction/syllabus.md"), wait_until="networkidle")  # the theme has its list of pages
    view.evaluate("window.stayed = true")
    view.click("article >> text=1.2 Adapt and move")
    view.wait_for_selector("h1 >> text=Chapter 1.2")
    assert view.evaluate("window.stayed")
    assert view.locator(".bp--wide").is_visible()
    view.locator(".tabbed-labels >> text=pip").first.click()
    chosen = "[...document.querySelectorAll('.tabbed-set > input:checked')]"
    view.wait_for_function(f"{chosen}.every(input => document.querySelector(`[for=${{input.id}}]`).innerText == 'pip')")
    view.wait_for_function("!document.querySelector('.task-list-item input:not([aria-label])')")
    assert errors == []
    context.close()


def test_big_picture_fits_its_page(browser: Any, address: str) -> None:
    for form, shown in (("screen", "wide"), ("phone", "tall")):
        with opened(browser, address + url_of("part-1/chapter-1.2.md"), form) as view:
            boxes = {shape: view.locator(f".bp--{shape}").first.bounding_box() for shape in ("wide", "tall")}
            assert [shape for shape, box in boxes.items() if box] == [shown]
            width = view.locator(f".bp--{shown}").first.get_attribute("width")
            assert boxes[shown]["width"] == pytest.approx(float(width), abs=0.5), "never scaled: text stays readable"
