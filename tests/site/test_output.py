"""The files of the built site: what readers must not see, links that lead somewhere, honest marks."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml

from tests.site.navigation import HOST, PAGES, ROOT, url_of

pytestmark = pytest.mark.xdist_group("site")

LINKS = {"a": "href", "area": "href", "img": "src", "script": "src", "source": "src", "iframe": "src", "link": "href"}


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if identity := attributes.get("id"):
            self.ids.append(identity)
        if link := attributes.get(LINKS.get(tag, ""), ""):
            self.links.append((tag, link))


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Page]:
    """Every page of the site by its address, "/" for the first."""
    return {
        "/" + path.relative_to(site).as_posix().removesuffix("index.html"): Page(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
        if "downloads" not in path.parts
    }


def test_every_page_is_there(pages: dict[str, Page]) -> None:
    assert {url_of(page) for page in PAGES} | {"/404.html", "/presentation/"} == set(pages)


def test_links_and_anchors_resolve(site: Path, pages: dict[str, Page]) -> None:
    broken = []
    for address, page in pages.items():
        for _, link in page.links:
            url = urlsplit(urljoin(HOST + address, link))
            if f"{url.scheme}://{url.netloc}" != HOST or url.scheme == "mailto":
                continue
            path, anchor = unquote(url.path), unquote(url.fragment)
            there = pages.get(path)
            if there is None and not (site / path.lstrip("/")).is_file():
                broken.append(f"{address}: {link} leads nowhere")
            elif there and anchor and anchor not in there.ids:
                broken.append(f"{address}: {link} has no such anchor")
    assert broken == []


def test_nothing_comes_from_another_host(pages: dict[str, Page]) -> None:
    for address, page in pages.items():
        assets = [link for tag, link in page.links if tag not in ("a", "area") and urlsplit(link).netloc]
        assert [a for a in assets if not a.startswith(HOST)] == [], address


def test_ids_are_unique(pages: dict[str, Page]) -> None:
    for address, page in pages.items():
        assert sorted({i for i in page.ids if page.ids.count(i) > 1}) == [], address


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
    assert len(entries) == len(re.findall(r"^- ", text, re.M)) == 28
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
