"""A reader starts at any chapter: from what the tests left here, or from what the site offers."""

from __future__ import annotations

import functools
import http.server
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import start_from
from scripts.chapters import Guide
from scripts.chapters.extraction import extract
from scripts.runner.checkpoints import ARCHIVE
from scripts.runner.objects import FOLDER, SMALLEST
from scripts.runner.records import RAN
from scripts.site import checkpoints
from tests.runner.sample import CHECKOUT, Checkout, Tiny, file, output, sh


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
        sh(f"head -c {2 * SMALLEST} /dev/urandom >large; chmod 750 large; touch -d 2020-01-01 large; cp large ~/large"),
    )
    tiny.write("1.2", sh("cd project; echo two >b.txt"))
    assert tiny.do("1.2").last.outcome == RAN
    write_code(tiny)
    yield tiny
    tiny.close()


def write_code(tiny: Tiny) -> None:
    for name, text in extract(Guide.load(tiny.root), tiny.root).items():
        place = tiny.root / "code" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


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
        and (project / "large").stat().st_size == 2 * SMALLEST
        and stat.filemode((project / "large").stat().st_mode) == "-rwxr-x---"
    )


def large_of(tiny: Tiny) -> Path:
    """The object of the only large file."""
    (kept,) = (tiny.cache / "checkpoints" / FOLDER).glob("*/*")
    return kept


# ---------------------------------------------------------------- what the site offers


def test_the_reader_s_directory_and_nothing_else_is_packed(done: Tiny, downloads: Path) -> None:
    assert checkpoints.publish(downloads, done.root) == []
    names = sorted(path.name for path in (downloads / checkpoints.FOLDER).iterdir())
    assert names == [f"chapter-{n}.tar.xz{more}" for n in ("1.1", "1.2") for more in ("", ".sha256")]
    with tarfile.open(downloads / checkpoints.FOLDER / "chapter-1.1.tar.xz") as archive:
        found = set(archive.getnames())
    assert {"work/project/a.txt", "work/project/link", "work/project/.git/HEAD"} <= found
    assert {name for name in found if not name.startswith("work")} == {start_from.ENVIRONMENTS}
    assert not {name for name in found if ".venv" in name or "__pycache__" in name or ".dvc/tmp" in name}


def test_what_is_packed_is_whole(done: Tiny, downloads: Path) -> None:
    """Every tar can read it: no file of it is elsewhere."""
    assert checkpoints.publish(downloads, done.root) == []
    with tarfile.open(downloads / checkpoints.FOLDER / "chapter-1.1.tar.xz") as archive:
        member = archive.getmember("work/project/large")
        content = archive.extractfile(member)
        assert content is not None
        assert content.read() == large_of(done).read_bytes()
        assert (member.size, member.mode) == (2 * SMALLEST, 0o750)
        assert not [name for m in archive.getmembers() for name in m.pax_headers if name.startswith("GUIDE")]


def test_what_is_damaged_is_not_packed(done: Tiny, downloads: Path) -> None:
    large_of(done).write_bytes(bytes(2 * SMALLEST))
    assert checkpoints.publish(downloads, done.root) == ["chapter-1.1", "chapter-1.2"]
    assert sorted(path.name for path in (downloads / checkpoints.FOLDER).iterdir()) == []
    done.close()
    assert done.do("1.2").last.outcome == RAN
    assert checkpoints.publish(downloads, done.root) == []


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


def test_start_from_what_the_tests_left_as_a_script(done: Tiny, tmp_path: Path) -> None:
    """With a Python that has no packages, from any folder."""
    (done.root / "scripts").mkdir()
    shutil.copy(CHECKOUT / "scripts/start_from.py", done.root / "scripts")
    shutil.copytree(CHECKOUT / "scripts/runner", done.root / "scripts/runner")
    script = str(done.root / "scripts/start_from.py")
    command = [sys.executable, "-S", "-E", script, "1.2", "mine"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert is_end_of_first(tmp_path / "mine")
    assert (tmp_path / "mine/project/large").read_bytes() == large_of(done).read_bytes()


@pytest.mark.parametrize("lost", ["archive removed", "archive damaged", "object removed", "object damaged"])
def test_start_from_what_the_site_offers(done: Tiny, tmp_path: Path, downloads: Path, address: str, lost: str) -> None:
    checkpoints.publish(downloads, done.root)
    archives = (done.cache / "checkpoints").glob(f"*/{ARCHIVE}")
    for path in archives if "archive" in lost else [large_of(done)]:
        path.unlink() if "removed" in lost else path.write_bytes(b"damaged")
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


# ---------------------------------------------------------------- going on from there


def test_every_chapter_is_followed_from_what_is_published(tmp_path: Path, downloads: Path) -> None:
    """The environment of a tool is there again. What only the tests have, at home, is missed."""
    checkout = Checkout(tmp_path / "checkout")
    (checkout.root / "scripts").unlink()  # it finds the files of the guide beside itself
    shutil.copytree(CHECKOUT / "scripts", checkout.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    install = "uv venv -q tool/.venv; uv pip install -q --python tool/.venv iniconfig==2.1.0"
    see = "tool/.venv/bin/python -c 'import importlib.metadata as m; print(m.version(\"iniconfig\"))'"
    checkout.write("1.1", sh(f"mkdir project tool; {install}; echo 1 >~/own"))
    checkout.write("1.2", sh(see), output("2.1.0"), sh("echo one >project/a"))
    checkout.write("1.3", sh("cat ~/own"), output("1"))
    checkout.write("1.4", sh("cat project/a; cd project; git init -q"), output("one"))
    assert checkout.do("1.4").outcomes == [RAN]
    write_code(checkout)
    assert checkpoints.publish(downloads, checkout.root) == []
    checkout.close()
    kept = sorted((checkout.cache / "checkpoints").iterdir())
    done = checkout.pytest(f"--from-published={downloads / checkpoints.FOLDER}")
    blocks = {name: how for name, how in done.outcomes.items() if "shares" not in name}
    assert {name.split("::")[0] for name in blocks} == {"chapter-1.2", "chapter-1.3", "chapter-1.4"}
    assert {name.split("::")[0] for name, how in blocks.items() if how != "passed"} == {"chapter-1.3"}, done.text
    assert "cat: /home/reader/own: No such file or directory" in done.text
    assert sorted((checkout.cache / "checkpoints").iterdir()) == kept, "what was done so is no checkpoint"


def test_an_archive_that_is_not_there_fails_its_chapter(tmp_path: Path, downloads: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    checkout.write("1.1", sh("mkdir project"))
    checkout.write("1.2", sh("ls"))
    done = checkout.pytest(f"--from-published={downloads}")
    assert done.status == 1
    assert "the start of the chapter cannot be reached: start_from.py 1.2: " in done.text


def test_images_that_later_chapters_build_upon_are_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As chapter 3.7 says, and no others."""
    page = (CHECKOUT / "docs/part-3/chapter-3.7.md").read_text(encoding="utf-8")
    for recipe, words in start_from.BUILDS.items():
        assert f"docker {words}" in page
        (tmp_path / recipe).parent.mkdir()
        (tmp_path / recipe).touch()
        (tmp_path / "docker").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n')
        (tmp_path / "docker").chmod(0o755)
        (tmp_path / "base-image.txt").write_text("base\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    start_from.build_images(tmp_path)
    assert (tmp_path / "asked").read_text().splitlines() == [
        "build --file environment/Dockerfile --build-arg BASE=base --tag planets-environment .",
        "build --file runner/Dockerfile --tag planets-runner .",
    ]
