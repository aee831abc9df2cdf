"""From Markdown to files: what is filled in, what is kept, and one clear line when something is missing."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from scripts.deck import building
from scripts.deck.building import FORMATS, make, publish
from scripts.deck.errors import DeckError
from scripts.site import bigpicture
from tests.presentation.sample import DECK, sample
from tests.site.navigation import ROOT

pytestmark = pytest.mark.xdist_group("presentation")

SLIDES = len((Path(__file__).parent / "outline.txt").read_text(encoding="utf-8").splitlines())


def no_browser() -> None:
    return None


def test_page_needs_no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "browser", no_browser)
    assert publish(tmp_path / "out", sample(tmp_path / "root")) is False
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert page.count("<section id=") == 2
    assert "28 chapters" in page
    assert (tmp_path / "out/fonts/inter-latin-wght-normal.woff2").is_file()
    assert not list((tmp_path / "out").glob("*.pdf"))


def test_other_forms_say_that_they_need_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "browser", no_browser)
    with pytest.raises(DeckError, match=r"^no browser: a-guide-to-mlops\.pdf needs one: install Chromium"):
        make(("pdf",), tmp_path / "out", sample(tmp_path / "root"))


def test_what_has_not_changed_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, out = sample(tmp_path / "root"), tmp_path / "out"
    make(("html",), out, root)
    before = (out / "index.html").stat().st_mtime_ns

    def refuse(*arguments: Any, **options: Any) -> None:
        raise AssertionError("Marp is not needed")

    with monkeypatch.context() as patched:
        patched.setattr(building, "run", refuse)
        make(("html",), out, root)
    assert (out / "index.html").stat().st_mtime_ns == before
    deck = root / "presentation/deck.md"
    deck.write_text(deck.read_text(encoding="utf-8").replace("Two", "Three"), encoding="utf-8")
    make(("html",), out, root)
    assert "Three" in (out / "index.html").read_text(encoding="utf-8")
    assert len(list((root / ".cache/deck").glob("slides-*"))) == 1


def test_what_is_no_longer_published_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "browser", no_browser)
    root, out = sample(tmp_path / "root"), tmp_path / "out"
    out.mkdir()
    (out / FORMATS["pdf"].file).write_text("old")
    publish(out, root)
    assert not (out / FORMATS["pdf"].file).exists()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{{ chapers }}", r"^presentation/deck\.md:8: nothing is called 'chapers'$"),
        ("{{ icon nothing-like-it }}", r"^presentation/deck\.md:8: .*no icon 'nothing-like-it'"),
        ("{{ chapters-of 9.9 }}", r"^presentation/deck\.md:8: the syllabus has no chapter 9\.9$"),
        ("{{ sketch nowhere }}", r"^presentation/deck\.md:8: nothing is called 'nowhere'$"),
    ],
)
def test_what_cannot_be_filled_in_is_named_with_its_line(tmp_path: Path, written: str, told: str) -> None:
    root = sample(tmp_path / "root", DECK.replace("{{ chapters }} chapters", written))
    with pytest.raises(DeckError, match=told):
        make(("html",), tmp_path / "out", root)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("icon: laptop", "icon: lap", "no icon 'lap'"),
        ("tone: bad", "tone: ugly", "codebase-now: tone 'ugly' is none of plain, good, bad"),
        ("{start: ada, end: a}", "{start: ada, end: z}", "codebase-now: no box or key 'z'"),
        ("at: [0, 0]", "on: [0, 0]", "codebase-now: no box or key 'at'"),
    ],
)
def test_a_sketch_that_cannot_be_drawn_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    root = sample(tmp_path / "root", "{{ sketch storage-now }}")
    sketches = root / "presentation/sketches.yml"
    text = sketches.read_text(encoding="utf-8")
    assert old in text
    sketches.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DeckError, match=re.escape(told)):
        make(("html",), tmp_path / "out", root)


def test_nothing_recorded(tmp_path: Path) -> None:
    root = sample(tmp_path / "root")
    (root / "results/verified.json").write_text("{}")
    with pytest.raises(DeckError, match=r"guide\.py test --record"):
        make(("html",), tmp_path / "out", root)


# ---------------------------------------------------------------- the command and its formats


def slides(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts/slides.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd="/", check=False)


def pages(pdf: bytes) -> int:
    """The pages of a PDF whose objects are packed."""
    streams = re.finditer(rb"/Type\s*/ObjStm.*?stream\r?\n(.*?)endstream", pdf, re.S)
    return sum(len(re.findall(rb"/Type\s*/Page\b", zlib.decompress(stream[1]))) for stream in streams)


def test_every_form_has_every_slide(chrome: str, tmp_path: Path) -> None:
    done = slides("--pdf", "--pptx", "--png", "--notes", "-o", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert pages((tmp_path / "a-guide-to-mlops.pdf").read_bytes()) == SLIDES
    names = zipfile.ZipFile(tmp_path / "a-guide-to-mlops.pptx").namelist()
    assert len([name for name in names if re.match(r"ppt/slides/slide\d+\.xml$", name)]) == SLIDES
    assert len(list(tmp_path.glob("*.png"))) == SLIDES
    assert len((tmp_path / "a-guide-to-mlops.txt").read_text(encoding="utf-8").split("\n---\n")) == SLIDES


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = slides("-o", str(tmp_path / "file"))
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"slides: \S+: .+: the deck is not written\n", done.stderr)


# ---------------------------------------------------------------- pictures


def test_pictures_are_used_and_light() -> None:
    images = {path.name: path.stat().st_size for path in (ROOT / "presentation/images").iterdir()}
    deck = (ROOT / "presentation/deck.md").read_text(encoding="utf-8")
    assert set(images) == set(re.findall(r"\(images/([\w.-]+)\)", deck))
    assert len([name for name in images if name.startswith("tour-")]) == 18
    assert sum(images.values()) < 2_500_000


def test_pictures_of_pages_are_made_by_the_script() -> None:
    from scripts.screenshots import PICTURES

    made = {Path(picture.file).name for picture in PICTURES if picture.file.startswith("presentation/")}
    here = {path.name for path in (ROOT / "presentation/images").iterdir()}
    assert made == {name for name in here if name.startswith("tour-") or name == "proposal.webp"}


def test_the_big_picture_can_be_shown_at_any_chapter() -> None:
    system = bigpicture.load()
    for chapter in sorted({part.since for part in system.parts}):
        name = "{}.{}".format(*chapter)
        drawing = bigpicture.whole(name, system)
        assert f"at the end of chapter {name}" in drawing
        assert "bp-tag" not in drawing, "nothing is new"
        assert "New in this chapter" not in drawing
