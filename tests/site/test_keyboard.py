"""The site without a mouse: everything is reached, the focus is seen wherever it is, and controls do what they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.site.navigation import url_of

pytestmark = pytest.mark.xdist_group("site")

CHAPTER = url_of("part-1/chapter-1.1.md")
FORMS = {"screen": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}

# Some boxes are not shown: what is shown in their place has the ring, and takes the clicks.
WATCH = """() => {
    window.visited = new Set()
    const ring = element =>
        element.matches('.md-option') ? element.nextElementSibling
        : element.matches('.tabbed-set > input') ? element.parentElement.querySelector(':scope > .tabbed-labels')
        : element
    window.name_of = element => `${element.localName}.${element.className}: ${element.innerText?.slice(0, 40)}`
    window.isNew = () => {
        const element = document.activeElement
        if (element == document.body || visited.has(element)) return false
        return visited.add(element)
    }
    window.faults = () => {
        const element = document.activeElement
        const shown = ring(element), style = getComputedStyle(shown), box = shown.getBoundingClientRect()
        const x = Math.min(Math.max(box.x + box.width / 2, 0), innerWidth - 1)
        const y = Math.min(Math.max(box.y + box.height / 2, 0), innerHeight - 1)
        const top = document.elementFromPoint(x, y)
        const faults = {
            'has no ring': style.outlineStyle == 'none' || parseFloat(style.outlineWidth) < 2,
            'is not shown': !shown.checkVisibility({visibilityProperty: true, opacityProperty: true})
                || !box.width || !box.height,
            'is beside the screen': box.right <= 0 || box.left >= innerWidth
                || box.bottom <= 0 || box.top >= innerHeight,
            'is covered': top == null || !(shown.contains(top) || top.contains(shown)),
        }
        return Object.keys(faults).filter(fault => faults[fault]).map(fault => `${name_of(element)} ${fault}`)
    }
    const controls = 'a[href], button, input, summary, [tabindex="0"]'
    window.forgotten = () => [...document.querySelectorAll(controls)]
        .filter(element => ring(element)?.checkVisibility({visibilityProperty: true}) && !element.disabled)
        .filter(element => element.tabIndex >= 0 && !(element.type == 'radio' && !element.checked))
        .filter(element => !visited.has(element) && !element.closest('.md-search__output, [inert]'))
        .map(name_of)
}"""


@contextmanager
def opened(browser: Any, url: str, form: str = "screen") -> Iterator[Any]:
    """A page whose scripts have done their work, and which moves nothing."""
    context = browser.new_context(viewport=FORMS[form], reduced_motion="reduce")
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("document.readyState == 'complete' && document.fonts.status == 'loaded'", polling=100)
    page.wait_for_function("!!window.component$", polling=100)  # the theme listens from here on
    page.wait_for_timeout(200)  # what accessibility.js does after that
    try:
        yield page
    finally:
        context.close()


def focus(page: Any) -> str:
    """What has the focus, as readers know it."""
    return page.evaluate("(e => (e.ariaLabel || e.innerText || e.title || '').trim())(document.activeElement)")


def press_until(page: Any, key: str, selector: str) -> None:
    for _ in range(200):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{key} never reaches {selector}")


@pytest.mark.parametrize(("form", "page"), [("screen", "/"), ("screen", CHAPTER), ("phone", "/")])
def test_everything_is_reached_and_seen(browser: Any, address: str, form: str, page: str) -> None:
    with opened(browser, address + page, form) as view:
        view.evaluate(WATCH)
        faults = []
        view.keyboard.press("Tab")
        assert focus(view) == "Skip to content"
        while view.evaluate("!!isNew()"):
            for _ in range(20):  # some things open when they have the focus, and take a moment
                if not (found := view.evaluate("faults()")):
                    break
                view.wait_for_timeout(50)
            faults += found
            view.keyboard.press("Tab")
        assert faults == []
        assert view.evaluate("forgotten()") == []


def test_skip_link_leads_to_the_text(browser: Any, address: str) -> None:
    with opened(browser, address + CHAPTER) as view:
        view.keyboard.press("Tab")
        view.keyboard.press("Enter")
        view.wait_for_function("location.hash")
        view.wait_for_timeout(300)  # the theme goes there, too
        view.keyboard.press("Tab")
        assert view.evaluate("!!document.activeElement.closest('article')")


def test_controls_work(browser: Any, address: str) -> None:
    with opened(browser, address + CHAPTER) as view:
        press_until(view, "Tab", ".md-option")
        for _ in range(2):  # from the system's preference to light to dark
            view.keyboard.press("Enter")
        assert view.get_attribute("body", "data-md-color-scheme") == "slate"

        press_until(view, "Tab", "button.md-code__button")
        view.keyboard.press("Enter")
        view.wait_for_selector(".md-dialog--active >> text=Copied to clipboard")

        press_until(view, "Tab", ".tabbed-set > input")
        assert not view.is_visible("text=python3 -m venv .venv")
        view.keyboard.press("ArrowRight")
        assert view.is_visible("text=python3 -m venv .venv")

        press_until(view, "Tab", "summary")
        view.keyboard.press("Enter")
        assert view.evaluate("document.activeElement.parentElement.open")

        view.keyboard.press("s")
        view.keyboard.type("checkpoint")
        view.wait_for_selector(".md-search-result__item")
        view.keyboard.press("ArrowDown")
        view.keyboard.press("Enter")
        view.wait_for_url("**h=checkpoint*")


def test_menu_of_a_phone(browser: Any, address: str) -> None:
    with opened(browser, address + CHAPTER, "phone") as view:

        def press(*keys: str) -> str:
            for key in keys:
                view.keyboard.press(key)
            return focus(view)

        assert press("Tab", "Tab") == "Menu"
        assert press("Enter") == "Part 1", "the level that has this page, whose title leads up"
        assert press("Space") == "Part 1", "the entry in the level above"
        assert view.is_visible(".md-nav--primary >> text=Part 3")
        assert press("Escape") == "Menu"
        assert not view.is_visible(".md-nav--primary")
        press("Enter")
        assert any(press("Tab") == "Part 3" for _ in range(20))
        view.keyboard.press("Enter")
        view.wait_for_url("**/part-3/")
