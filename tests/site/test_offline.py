"""The whole guide to take along: a zip that opens from a disk, and a PDF. Tried with a guide of three pages."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import Destination

from scripts.deck.building import NAME
from scripts.site import offline, pdf
from scripts.site.offers import SLIDES, offered
from tests.site.navigation import HOST, ROOT

pytestmark = pytest.mark.xdist_group("site")

LONG = "A title of the guide that is so long that it takes two lines on paper, and loses no space"
PAGES = {
    "index.md": "# Home\n\n[Orbits](part-1/orbits.md), [slides](presentation/index.html)\n",
    "part-1/index.md": (
        f"# {LONG}\n\n## Rings\n\nSee [the rings of the last page](../end.md#rings).\n\n"
        "[The project](../downloads/checkpoints/orbits.tar.xz), [its files](../downloads/orbits.zip)\n"
    ),
    "part-1/orbits.md": '# Orbits\n\nAndromeda.\n\n??? note "Folded"\n\n    Perihelion.\n\n<https://example.org/>\n',
    "end.md": "# The end\n\n## Rings\n\nBack to [the rings of the part](part-1/index.md#rings).\n",
}
NAV = [
    {"Home": "index.md"},
    {"Part 1": [{LONG: "part-1/index.md"}, {"Orbits": "part-1/orbits.md"}]},
    {"End": [{"The end": "end.md"}]},
]


@pytest.fixture(scope="module")
def tiny(site: Path, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A site for a disk, and its settings. (The big site comes first, because it makes the slides.)"""
    from scripts.site import building

    docs, out = tmp_path_factory.mktemp("docs"), tmp_path_factory.mktemp("offline")
    shutil.copytree(ROOT / "docs/assets", docs / "assets")
    for name in ("downloads/checkpoints/orbits.tar.xz", "downloads/orbits.zip"):
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_bytes(b"packed")
    for name, text in PAGES.items():
        (docs / name).parent.mkdir(exist_ok=True)
        (docs / name).write_text(text)

    def adapt(config: Any) -> None:
        offline.adapt(config)
        config.docs_dir, config.nav = str(docs), NAV

    config = building.render(out, adapt)
    offline.add_worker(out)
    return SimpleNamespace(site=out, config=config)


# ---------------------------------------------------------------- the zip


@pytest.fixture(scope="module")
def unpacked(tiny: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    offline.pack(tiny.site, folder / offline.ZIP, f"{HOST}/")
    with zipfile.ZipFile(folder / offline.ZIP) as archive:
        archive.extractall(folder)
    return folder / NAME


def test_guide_works_from_a_disk(browser: Any, unpacked: Path) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    view = context.new_page()
    asked, wrong = list[str](), list[str]()
    view.on("request", lambda request: asked.append(request.url))
    view.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    view.on("pageerror", lambda error: wrong.append(str(error)))
    view.goto((unpacked / "index.html").as_uri())
    view.click("article >> text=Orbits")
    view.wait_for_url("**/part-1/orbits.html")
    view.click(".md-search__input")
    view.keyboard.type("Perihelion")
    view.click(".md-search-result__link")
    view.wait_for_url("**/part-1/orbits.html?h=perihelion*")
    view.goto((unpacked / "index.html").as_uri())
    view.click("article >> text=slides")
    view.wait_for_selector("svg[data-marpit-svg]")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert wrong == []
    context.close()


def test_links_in_the_zip_lead_to_a_file_or_to_the_site(unpacked: Path) -> None:
    links = {
        (page, link)
        for page in unpacked.rglob("*.html")
        if "presentation" not in page.parts
        for link in re.findall(
            r'<(?:a|link|script|img)\b[^>]*? (?:href|src)="([^"#]+)', page.read_text(encoding="utf-8")
        )
    }
    assert {link for _, link in links if "orbits.tar" in link} == {f"{HOST}/downloads/checkpoints/orbits.tar.xz"}
    assert [link for page, link in links if ":" not in link and not (page.parent / link).is_file()] == []
    assert (unpacked / "downloads/orbits.zip").read_bytes() == b"packed"
    assert not (unpacked / "downloads/checkpoints").exists()


def test_same_site_is_the_same_zip(tiny: SimpleNamespace, unpacked: Path, tmp_path: Path) -> None:
    offline.pack(tiny.site, tmp_path / "again.zip", f"{HOST}/")
    assert (tmp_path / "again.zip").read_bytes() == (unpacked.parent / offline.ZIP).read_bytes()


# ---------------------------------------------------------------- the PDF


@pytest.fixture(scope="module")
def book(chrome: str, tiny: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory, browser: Any) -> PdfReader:
    target = tmp_path_factory.mktemp("pdf") / offline.PDF
    page = browser.new_page()
    pdf.print_book(page, tiny.site, tiny.config, target)
    page.close()
    assert [file.name for file in target.parent.iterdir()] == [offline.PDF]
    return PdfReader(target)


def sheet_of(book: PdfReader, name: str) -> int:
    return (book.get_destination_page_number(book.named_destinations[name]) or 0) + 1


def test_contents_give_the_pages(book: PdfReader) -> None:
    assert len(book.pages) == 5
    contents = "".join(book.pages[1].extract_text().split())
    for title, number in ((LONG, 3), ("Orbits", 4), ("End", ""), ("The end", 5)):
        assert f"{title}{number}".replace(" ", "") in contents
    assert "Orbits" in book.pages[3].extract_text().splitlines()[0], "on top of the sheet stands the title of its page"
    assert "Perihelion" in book.pages[3].extract_text(), "what is folded on a screen is open"
    assert book.pages[3].extract_text().count("https://example.org/") == 1, "an address in the text is enough"


def test_links_stay_inside(book: PdfReader) -> None:
    links = [note.get_object() for sheet in book.pages for note in sheet.get("/Annots", [])]
    inside = [link["/Dest"] for link in links if "/Dest" in link]
    anchors = {name: sheet_of(book, name) for name in inside if name.endswith(":rings")}
    assert anchors == {"/end:rings": 5, "/part-1/index:rings": 3}
    assert {f"/{page}" for page in ("part-1/index", "part-1/orbits", "end")} <= set(inside)
    outside = {link["/A"]["/URI"] for link in links if "/A" in link}
    assert f"{HOST}/downloads/orbits.zip" in outside
    assert not [address for address in outside if address.startswith(HOST) and address.endswith(".html")]


def test_outline_follows_the_navigation(book: PdfReader) -> None:
    def told(items: list[Any]) -> list[Any]:
        return [item.title if isinstance(item, Destination) else told(item) for item in items]

    assert told(book.outline) == [
        "A guide to MLOps",
        "Contents",
        LONG,
        ["Rings", "Orbits"],
        "End",
        ["The end", ["Rings"]],
    ]
    assert book.metadata
    assert (book.metadata.title, book.metadata.author) == ("A guide to MLOps", "Swiss AI Center contributors")
    assert book.root_object["/Lang"] == "en"
    assert "/StructTreeRoot" in book.root_object, "readers of screens need the structure"


def test_without_a_browser_there_is_no_pdf(
    tiny: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "browser", lambda: None)
    assert not pdf.publish(tiny.site, tiny.config, tmp_path / offline.PDF)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- the links to them


def test_links_are_there_only_with_what_they_lead_to(tmp_path: Path) -> None:
    text = (ROOT / "docs/introduction/syllabus.md").read_text(encoding="utf-8")
    assert text.count(f"downloads/{NAME}.") == 2
    without = offered(text, tmp_path)
    assert f"downloads/{NAME}." not in without
    assert without.endswith("the tabs stand below one another.\n")
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / offline.ZIP).write_bytes(bytes(3_200_000))
    with_one = offered(text, tmp_path)
    assert offline.PDF not in with_one
    assert f"[The whole guide as a zip](../downloads/{offline.ZIP}) (3 MB) for a place" in with_one


def test_so_are_the_slides_as_a_pdf(tmp_path: Path) -> None:
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert SLIDES in text
    assert "[slides with speaker notes](presentation/index.html)." in offered(text, tmp_path)
    assert SLIDES not in offered(text, tmp_path)
    (tmp_path / SLIDES).parent.mkdir()
    (tmp_path / SLIDES).touch()
    assert offered(text, tmp_path) == text


def test_a_site_without_them_offers_none_that_were_made_before(tmp_path: Path) -> None:
    for name in (offline.ZIP, offline.PDF, "planets.zip"):
        (tmp_path / name).touch()
    offline.clear(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["planets.zip"]
