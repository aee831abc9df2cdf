"""The guide without JavaScript: all of it can be read, and every page is reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.site.navigation import url_of

pytestmark = pytest.mark.xdist_group("site")

FORMS = {"screen": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(params=FORMS)
def page(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    """Chapter 1.1."""
    context = browser.new_context(viewport=FORMS[request.param], java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(5000)
    page.goto(address + url_of("part-1/chapter-1.1.md"))
    yield page
    context.close()


def test_everything_can_be_read(page: Any) -> None:
    shown = "article :is(h1, h2, h3, p, li, pre):visible"
    assert page.locator(shown).count() > 100
    tabs = page.locator(".tabbed-set").first
    for title, command in (("pip", "python3 -m venv .venv"), ("uv", "uv venv")):
        tabs.locator(f"label >> text={title}").click()
        assert [code for code in tabs.locator("pre:visible").all_inner_texts() if command in code]
    assert not page.locator(".md-code__button:visible").count()  # it could not copy
    details = page.locator("details").first
    details.locator("summary").click()
    assert details.locator("p").first.is_visible()


def test_every_page_is_reached(page: Any) -> None:
    menu = page.locator("label.md-header__button[for=__drawer]")
    if menu.is_visible():
        menu.click()
        page.click(".md-nav--primary >> text=Chapter 1.2")
    else:
        page.click(".md-sidebar--primary >> text=Chapter 1.2")
    assert "Chapter 1.2" in page.inner_text("h1")
    page.click(".md-footer__link--next")
    assert "Chapter 1.3" in page.inner_text("h1")
