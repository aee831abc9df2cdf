"""The link to the slides as a PDF, which is there only where there is a browser to make it."""

from __future__ import annotations

from typing import Any

from scripts.site import hooks
from tests.site.navigation import ROOT


class Files:
    """The files of a site, of which only the paths matter."""

    def __init__(self, *paths: str) -> None:
        self.paths = paths

    def get_file_from_path(self, path: str) -> Any:
        return path if path in self.paths else None


def test_link_to_a_pdf_that_is_not_there_is_left_out() -> None:
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert hooks.on_page_markdown(text, Files(hooks.PDF), page=None, config=None) == text
    without = hooks.on_page_markdown(text, Files(), page=None, config=None)
    assert "[slides with speaker notes](presentation/index.html)." in without
    assert hooks.PDF in text
    assert hooks.PDF not in without
