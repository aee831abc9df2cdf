"""The same mkdocs.yml under other builders: Zensical, which succeeds the theme, and ProperDocs, a fork of MkDocs.

Whoever maintains the guide can move to one of them on the day that MkDocs no longer works.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scripts.site.checking import Site
from tests.site.navigation import HOST, PAGES, ROOT

pytestmark = pytest.mark.xdist_group("site")

BUILDERS = {
    "zensical": ("zensical", "build"),
    "properdocs": ("properdocs", "build", "--quiet", "--site-dir", "properdocs"),
}
FOLDERS = {"zensical": "site", "properdocs": "properdocs"}


@dataclass
class Article(HTMLParser):
    """What a page says: its words, its blocks of code and its drawings, and its anchors."""

    html: str
    words: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    drawings: int = 0
    anchors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        article = self.html[self.html.index("<article") : self.html.rindex("</article>")]
        self.feed(re.sub(r'<p class="page-changed">.*?</p>', "", article))  # a hook of MkDocs knows it

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        anchor = dict(attrs).get("id") or ""
        if anchor and anchor != "__skip":  # of the builder
            self.anchors.append(anchor)
        if tag == "pre":
            self.open.append(tag)
            self.blocks.append("")
        self.drawings += tag == "figure"

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words += data.replace("¶", "").split()  # a sign of the theme: anchors are compared by themselves
        if self.open:
            self.blocks[-1] += data


@pytest.fixture(scope="module")
def others(chrome: str, site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The site as the other builders make it from a copy, both at once, without any change of mkdocs.yml.

    Zensical knows no hooks: it does not say when a page was changed.
    """
    copy = tmp_path_factory.mktemp("copy")
    for name in ("mkdocs.yml", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("code", "dataset", "docs", "presentation", "results", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".lock"))
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", *command], cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name, command in BUILDERS.items()
    }
    try:
        for name, process in running.items():
            printed, _ = process.communicate(timeout=300)
            assert process.returncode == 0, f"{name}: {printed}"
    finally:
        for process in running.values():
            process.kill()
    return {name: copy / folder for name, folder in FOLDERS.items()}


@pytest.mark.parametrize("builder", BUILDERS)
def test_every_page_is_the_same(site: Path, others: dict[str, Path], builder: str) -> None:
    ours, theirs = (Site(root, f"{HOST}/", ROOT / "docs") for root in (site, others[builder]))
    assert set(theirs.pages) == set(ours.pages)
    blocks = 0
    for page in PAGES:
        file = Path(page).with_suffix("") / "index.html" if Path(page).stem != "index" else page.replace(".md", ".html")
        one, other = (Article((root / file).read_text(encoding="utf-8")) for root in (site, others[builder]))
        assert other.blocks == one.blocks, page
        assert other.anchors == one.anchors, page
        assert other.drawings == one.drawings, page
        assert other.words == one.words, page
        blocks += len(one.blocks)
    assert blocks > 500
    assert theirs.problems() == []
