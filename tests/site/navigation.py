"""The pages that the site promises to have, from its navigation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).parents[2]
HOST = "https://mlops.swiss-ai-center.ch"


class _Nav(yaml.SafeLoader):
    """mkdocs.yml without its Python tags."""


_Nav.add_multi_constructor("", lambda loader, suffix, node: None)


def nav_titles() -> dict[str, str]:
    """The pages of the navigation, as paths below docs/, with their titles."""

    def walk(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        for entry in entries:
            for title, value in entry.items():
                yield from [(value, title)] if isinstance(value, str) else walk(value)

    config = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Nav)
    return dict(walk(config["nav"]))


def url_of(page: str) -> str:
    """Where a page of docs/ is on the site."""
    path = page.removesuffix(".md")
    return "/" if path == "index" else f"/{path.removesuffix('/index')}/"


def at_home(context: Any, site: Path) -> None:
    """Let a browser find the built site under the name that it is published with."""

    def serve(route: Any) -> None:
        file = site / urlsplit(route.request.url).path.lstrip("/")
        route.fulfill(path=file / "index.html" if file.is_dir() else file)

    context.route("**/*", serve)


PAGES = nav_titles()
