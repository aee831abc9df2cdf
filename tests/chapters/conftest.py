"""What the tests of the reader share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chapters.oracle import Oracle

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """The extensions of the site, as mkdocs.yml sets them up."""
    from mkdocs.config import load_config  # half a second, so only where it is asked for

    config = load_config(str(ROOT / "mkdocs.yml"))
    return Oracle(config["markdown_extensions"], config["mdx_configs"])
