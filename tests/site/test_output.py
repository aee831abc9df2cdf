"""The files of the built site: valid pages, what readers must not see, honest marks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from scripts.site.checking import Site
from tests.site.html.validator import invalid
from tests.site.navigation import HOST, PAGES, ROOT, url_of

pytestmark = pytest.mark.xdist_group("site")


@pytest.fixture(scope="module")
def built(site: Path) -> Site:
    return Site(site, f"{HOST}/", ROOT / "docs")


def test_every_page_is_there(built: Site) -> None:
    assert {url_of(page) for page in PAGES} | {"/404.html", "/presentation/"} == set(built.pages)


def test_every_page_is_valid(site: Path, built: Site) -> None:
    files = [site / address.lstrip("/") for address in built.pages]
    assert invalid([file / "index.html" if file.is_dir() else file for file in files]) == []


def test_invalid_page_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html>\n<html lang='en'><title>A</title>\n<body><ul><p>B</p></ul></body></html>\n")
    (told,) = invalid([page])
    assert told.startswith(f"{page}:3: ")


def test_readers_see_no_directive(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert not re.search(r"<!--\s*(block|hidden)\b", path.read_text(encoding="utf-8")), path
    assert not re.search(r"<!--\s*(block|hidden)\b", (site / "search/search_index.json").read_text(encoding="utf-8"))


def test_chapter_says_what_its_front_matter_says() -> None:
    for page, title in PAGES.items():
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        if match := re.match(r"---\n(.*?)\n---\n", text, re.S):
            data = yaml.safe_load(match[1])
            if data.get("chapter", "")[:1].isdigit():  # Clean up continues from the last chapter, and is none
                assert title.startswith(f"Chapter {data['chapter']} - ")
                assert Path(page).stem == f"chapter-{data['chapter']}"
                assert f"```big-picture\n{data['chapter']}\n```" in text


ENTRY = re.compile(
    r"^- (?:\[(?P<linked>\d+\.\d+ [^\]]+)\]\((?P<to>\S+)\)|(?P<plain>\d+\.\d+ .+?))"
    r" \*(?P<time>\d+) min\*\{ \.time \}(?P<coming> \*Coming\*\{ \.coming \})?$",
    re.M,
)


def test_syllabus_is_complete_and_honest() -> None:
    text = (ROOT / "docs/introduction/syllabus.md").read_text(encoding="utf-8")
    entries = list(ENTRY.finditer(text))
    assert len(entries) == len(re.findall(r"^- ", text.partition("## Take it along")[0], re.M)) == 28
    numbers = [tuple(map(int, (e["linked"] or e["plain"]).split()[0].split("."))) for e in entries]
    assert numbers == sorted(set(numbers))
    there = {title.removeprefix("Chapter ").replace(" - ", " ", 1): page for page, title in PAGES.items()}
    chapters = {title: page for title, page in there.items() if "chapter-" in page}
    assert {e["linked"]: e["to"].removeprefix("../") for e in entries if e["linked"]} == chapters
    for entry in entries:
        assert bool(entry["coming"]) == (entry["linked"] is None), "what is not there is marked, and nothing else"
        if entry["linked"]:
            front = (ROOT / "docs" / chapters[entry["linked"]]).read_text(encoding="utf-8").split("---\n")[1]
            assert int(entry["time"]) == yaml.safe_load(front)["time"]
