"""What readers download, made again and again."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import dataset
from scripts.site.downloads import DownloadError, constraints, publish

LOCK = """\
# a comment
absl-py==2.5.1 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via
    #   keras
appnope==1.0.0 ; sys_platform == 'darwin' \\
    --hash=sha256:cccc
    # via ipykernel
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository, whose data set is one tiny archive."""

    def build(out: Path, names: Sequence[str] | None = None) -> dict[str, Path]:
        out.mkdir(parents=True, exist_ok=True)
        archive = out / "planets.zip"
        archive.write_bytes(b"pictures")
        archive.with_name("planets.zip.sha256").write_text(f"{hashlib.sha256(b'pictures').hexdigest()}  planets.zip\n")
        return {"planets": archive}

    monkeypatch.setattr(dataset, "build", build)
    folder = tmp_path / "guide"
    (folder / "code/chapter-1.1").mkdir(parents=True)
    (folder / "code/chapter-1.1/notebook.ipynb").write_text(json.dumps({"cells": []}))
    (folder / "code/chapter-1.1/requirements.txt").write_text("keras\n")
    (folder / "code/chapter-1.1/run.sh").write_text("true\n")
    (folder / "requirements-reader.txt").write_text(LOCK)
    (folder / "requirements-label-studio.txt").write_text(LOCK)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def test_everything_is_published(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "downloads"
    publish(out, root)
    assert set(contents(out)) == {
        *("planets.zip", "planets.zip.sha256", "constraints.txt", "label-studio.txt", "notebook.zip"),
        *("plots-template.html", "chapter-1.1.zip"),
    }
    with zipfile.ZipFile(out / "chapter-1.1.zip") as archive:
        assert "chapter-1.1/run.sh" in archive.namelist()
    with zipfile.ZipFile(out / "notebook.zip") as archive:
        assert archive.namelist() == ["notebook.ipynb", "requirements.txt"]
        assert archive.read("requirements.txt") == b"keras\n"


def test_made_twice_it_is_the_same(root: Path, tmp_path: Path) -> None:
    publish(tmp_path / "one", root)
    publish(tmp_path / "two", root)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_two_at_once_publish_the_same(root: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: publish(tmp_path / "out", root), range(32)))
    publish(tmp_path / "alone", root)
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")


def test_what_is_there_is_brought_up_to_date_and_otherwise_left_alone(root: Path, tmp_path: Path) -> None:
    publish(tmp_path, root)
    (tmp_path / "planets.zip").unlink()
    (tmp_path / "planets.zip").write_bytes(b"half a pic")
    (root / "requirements-reader.txt").write_text("keras==3.15.1\n")
    notebook = (tmp_path / "notebook.zip").stat().st_mtime_ns
    publish(tmp_path, root)
    assert (tmp_path / "planets.zip").read_bytes() == b"pictures"
    assert (tmp_path / "constraints.txt").read_text() == "keras==3.15.1\n"
    assert (tmp_path / "notebook.zip").stat().st_mtime_ns == notebook


def test_frame_of_reports_loads_nothing(root: Path, tmp_path: Path) -> None:
    publish(tmp_path, root)
    frame = (tmp_path / "plots-template.html").read_text()
    assert "vegaEmbed" in frame
    assert "{plot_divs}" in frame
    assert "src=" not in frame.partition("<script>")[0] + frame.rpartition("</script>")[2]


def test_constraints_are_versions_only() -> None:
    assert constraints(LOCK) == "absl-py==2.5.1\nappnope==1.0.0 ; sys_platform == 'darwin'\n"


def test_missing_lock(root: Path, tmp_path: Path) -> None:
    (root / "requirements-reader.txt").unlink()
    with pytest.raises(DownloadError, match=r"^requirements-reader\.txt is missing: restore it with git$"):
        publish(tmp_path / "out", root)


def test_missing_notebook(root: Path, tmp_path: Path) -> None:
    (root / "code/chapter-1.1/notebook.ipynb").unlink()
    way_out = "run python3 scripts/extract.py"
    with pytest.raises(DownloadError, match=f"^code/chapter-1.1/notebook.ipynb is missing: {way_out}$"):
        publish(tmp_path / "out", root)


def test_data_set_that_cannot_be_made(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(out: Path) -> None:
        raise dataset.DatasetError("planets: a picture differs")

    monkeypatch.setattr(dataset, "build", build)
    with pytest.raises(DownloadError, match="planets: a picture differs"):
        publish(tmp_path / "out", root)


def test_folder_that_cannot_be_written(root: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    with pytest.raises(DownloadError, match="out: File exists: the downloads of the site are not complete"):
        publish(tmp_path / "out", root)
