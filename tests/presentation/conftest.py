"""The deck, made once and served to a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts.deck.building import make


@pytest.fixture(scope="session")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the page of the deck, and what it loads."""
    out = tmp_path_factory.mktemp("deck")
    make(("html",), out)
    return out


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def address(deck: Path) -> Iterator[str]:
    """Where the deck is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(deck))) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The deck on its first slide, in a window of the size of a slide; what it asked for in ``requests``."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    view = context.new_page()
    view.answers, view.errors = {}, []
    view.on("response", lambda response: view.answers.update({response.url: response.status}))
    view.on("pageerror", lambda error: view.errors.append(str(error)))
    view.goto(address, wait_until="networkidle")
    view.evaluate("document.fonts.ready")
    yield view
    context.close()
