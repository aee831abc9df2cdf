"""The pages of the guide: our blocks are the blocks that the site shows, says the site, and says Sybil."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Document
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from tests.chapters.oracle import read
from tests.unchanged import contents

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
COMPARED = ROOT / ".cache" / "pages.json"
BY = ("scripts/chapters", "scripts/site", "mkdocs.yml", "requirements.txt", "tests/chapters")


@pytest.fixture(scope="session")
def compared(pytestconfig: pytest.Config) -> Iterator[tuple[str, set[str]]]:
    """What pages are compared by, and those that agreed by it: an author waits for the others only."""
    by = contents(ROOT, BY)
    known = json.loads(COMPARED.read_text()) if COMPARED.exists() and not pytestconfig.getoption("--fresh") else {}
    agreed = set(known.get(by, ()))
    yield by, agreed
    with contextlib.suppress(OSError):  # without a memory, they are compared again
        COMPARED.parent.mkdir(exist_ok=True)
        part = COMPARED.with_suffix(".part")
        part.write_text(json.dumps({by: sorted(agreed)}))
        part.replace(COMPARED)


@pytest.mark.parametrize("page", PAGES)
def test_the_site_finds_the_same_blocks(
    request: pytest.FixtureRequest, compared: tuple[str, set[str]], page: str
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8-sig")
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest not in compared[1]:
        assert read(text) == request.getfixturevalue("oracle").blocks(text)
        compared[1].add(digest)


@pytest.mark.parametrize("page", PAGES)
def test_sybil_finds_the_same_fences(page: str) -> None:
    """A second oracle. It knows no containers and no comments, so it is asked about real pages only."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lexer, end = RawFencedCodeBlockLexer(info_pattern=re.compile(r"[^\n]*\n")), -1
    lines = list[int]()
    for region in sorted(lexer(Document(text, page)), key=lambda r: (r.start, -r.end)):
        if region.start >= end:  # not inside of a longer fence
            lines.append(text.count("\n", 0, region.start) + 1)
            end = region.end
    assert [block.line for block in read(text)] == lines
