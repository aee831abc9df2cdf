"""A headless browser for hidden checks: what a page tells the reader to do with the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from .capabilities import browser


@contextmanager
def page_of(address: str) -> Iterator[Page]:
    """A page of Chromium at ``address``. Raises TimeoutError when what is waited for does not come in 20 s."""
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox", "--disable-gpu"])
        try:
            page = window.new_page()
            page.set_default_timeout(20_000)
            page.goto(address)
            yield page
        finally:
            window.close()
