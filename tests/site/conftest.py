"""The site, built once and served to a real browser."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.site.hosting import hosted
from scripts.site.measuring import programs


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    from scripts.site.building import build

    out = tmp_path_factory.mktemp("site")
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    build(out)
    return out


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with hosted(site) as where:
        yield where


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that finds what bars readers."""
    return programs.axe()
