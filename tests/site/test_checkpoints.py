"""A reader starts at any chapter: from what the tests left here, or from what the site offers."""

from __future__ import annotations

import functools
import http.server
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import start_from
from scripts.chapters import Guide
from scripts.chapters.extraction import extract
from scripts.runner.checkpoints import ARCHIVE
from scripts.runner.records import RAN
from scripts.site import checkpoints
from tests.runner.sample import Tiny, file, sh


@pytest.fixture
def done(tmp_path: Path) -> Iterator[Tiny]:
    """A guide of two chapters that was done, with its files in code/."""
    tiny = Tiny(tmp_path / "guide")
    tiny.write(
        "1.1",
        sh("mkdir -p project/.dvc/tmp project/__pycache__ && cd project && git init -q -b main"),
        file("a.txt", "one\n", language="text"),
        sh("touch .dvc/tmp/lock __pycache__/a.pyc; ln -s a.txt link; echo mine >~/mine"),
        sh("python3 -m venv --without-pip .venv"),
    )
    tiny.write("1.2", sh("cd project; echo two >b.txt"))
    assert tiny.do("1.2").last.outcome == RAN
    for name, text in extract(Guide.load(tiny.root), tiny.root).items():
        place = tiny.root / "code" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    yield tiny
    tiny.close()


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(downloads: Path) -> Iterator[str]:
    """Where the downloads are served."""
    downloads.mkdir(exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(downloads)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/{checkpoints.FOLDER}"
    server.shutdown()
    server.server_close()


def start(tiny: Tiny, *arguments: str, base: str = "http://127.0.0.1:9/none") -> int:
    return start_from.main(arguments, tiny.root, base)


def is_end_of_first(target: Path) -> bool:
    project = target / "project"
    return (
        (project / "a.txt").read_text() == "one\n"
        and (project / ".git/HEAD").exists()
        and (project / "link").is_symlink()
    )


# ---------------------------------------------------------------- what the site offers


def test_the_reader_s_directory_and_nothing_else_is_packed(done: Tiny, downloads: Path) -> None:
    assert checkpoints.publish(downloads, done.root) == []
    names = sorted(path.name for path in (downloads / checkpoints.FOLDER).iterdir())
    assert names == [f"chapter-{n}.tar.xz{more}" for n in ("1.1", "1.2") for more in ("", ".sha256")]
    with tarfile.open(downloads / checkpoints.FOLDER / "chapter-1.1.tar.xz") as archive:
        found = set(archive.getnames())
    assert {"work/project/a.txt", "work/project/link", "work/project/.git/HEAD"} <= found
    assert not {name for name in found if not name.startswith("work")}
    assert not {name for name in found if ".venv" in name or "__pycache__" in name or ".dvc/tmp" in name}


def test_what_is_packed_is_packed_once(done: Tiny, downloads: Path) -> None:
    checkpoints.publish(downloads, done.root)
    archive = downloads / checkpoints.FOLDER / "chapter-1.2.tar.xz"
    before = archive.stat()
    checkpoints.publish(downloads, done.root)
    assert archive.stat() == before


def test_an_archive_that_does_not_fit_its_page_goes(done: Tiny, downloads: Path) -> None:
    checkpoints.publish(downloads, done.root)
    done.write("1.2", sh("cd project; echo other >b.txt"))
    assert checkpoints.publish(downloads, done.root) == ["chapter-1.2"]
    names = [path.name for path in (downloads / checkpoints.FOLDER).iterdir()]
    assert sorted(names) == ["chapter-1.1.tar.xz", "chapter-1.1.tar.xz.sha256"]


# ---------------------------------------------------------------- starting


def test_start_from_what_the_tests_left(done: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "mine"
    assert start(done, "1.2", str(target)) == 0
    assert is_end_of_first(target)
    assert f"{target} is as chapter 1.2 finds it" in capsys.readouterr().out


@pytest.mark.parametrize("lost", ["removed", "damaged"])
def test_start_from_what_the_site_offers(done: Tiny, tmp_path: Path, downloads: Path, address: str, lost: str) -> None:
    checkpoints.publish(downloads, done.root)
    for archive in (done.cache / "checkpoints").glob(f"*/{ARCHIVE}"):
        archive.unlink() if lost == "removed" else archive.write_bytes(b"damaged")
    assert start(done, "1.2", str(tmp_path / "mine"), base=address) == 0
    assert is_end_of_first(tmp_path / "mine")


def test_what_is_damaged_on_its_way_is_not_unpacked(
    done: Tiny, tmp_path: Path, downloads: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints.publish(downloads, done.root)
    (downloads / checkpoints.FOLDER / "chapter-1.1.tar.xz").write_bytes(b"damaged")
    for archive in (done.cache / "checkpoints").glob(f"*/{ARCHIVE}"):
        archive.unlink()
    assert start(done, "1.2", str(tmp_path / "mine"), base=address) == 1
    assert capsys.readouterr().err.startswith("start_from: the checkpoint from http://127.0.0.1:")
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("1.1",), "chapter 1.1 begins with nothing: start it in an empty folder"),
        (("9.9",), "there is no chapter 9.9 (there are 1.1, 1.2)"),
        (("1.2", "full"), "full is not empty: name another folder"),
    ],
)
def test_what_cannot_be_started_is_told(
    done: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...], told: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    assert start(done, *arguments) == 1
    assert capsys.readouterr().err == f"start_from: {told}\n"


def test_without_a_checkpoint_the_way_to_make_it_is_told(
    done: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for archive in (done.cache / "checkpoints").glob(f"*/{ARCHIVE}"):
        archive.unlink()
    assert start(done, "1.2", str(tmp_path / "mine")) == 1
    told = capsys.readouterr().err
    assert told.startswith(
        "start_from: no checkpoint of chapter 1.1 here, and none to be had from http://127.0.0.1:9/none"
    )
    assert told.endswith("make it with python3 scripts/guide.py test -k chapter-1.1\n")
