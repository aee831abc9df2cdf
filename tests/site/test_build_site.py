"""The command that builds the site: one clear line when it cannot."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.navigation import ROOT

pytestmark = pytest.mark.xdist_group("site")


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts/build_site.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the site is made from, with the pictures and slides that are made already."""
    for name in ("mkdocs.yml", "requirements-reader.txt", "requirements-label-studio.txt", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    ignore = shutil.ignore_patterns("__pycache__", "downloads")
    for name in ("docs", "scripts", "dataset", "code", "presentation", "results"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    (tmp_path / ".cache").mkdir()
    if (ROOT / ".cache/deck").is_dir():
        (tmp_path / ".cache/deck").symlink_to(ROOT / ".cache/deck")
    if (ROOT / ".cache/dataset").is_dir():
        shutil.copytree(ROOT / ".cache/dataset", tmp_path / ".cache/dataset")
    return tmp_path


def test_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = run(ROOT, "--serve", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"port {port} is in use or not allowed: choose another one with --port\n"


def test_broken_link_stops_the_build(site: Path, checkout: Path) -> None:
    page = checkout / "docs/introduction/syllabus.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(f"{text}\n[Nowhere](nowhere.md)\n[Nothing][nothing]\n", encoding="utf-8")
    done = run(checkout)
    assert done.returncode == 1
    line = len(text.splitlines()) + 2
    assert done.stderr.splitlines() == [
        f"WARNING  docs/introduction/syllabus.md:{line}: nowhere.md leads nowhere",
        f"WARNING  docs/introduction/syllabus.md:{line + 1}: [Nothing][nothing] refers to nothing",
        "the site is not built: Aborted with 2 warnings in strict mode!",
    ]
    assert "Traceback" not in done.stderr


def test_wrong_big_picture_stops_the_build(site: Path, checkout: Path) -> None:
    page = checkout / "docs/introduction/syllabus.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n```big-picture\n9.9\n```\n", encoding="utf-8")
    done = run(checkout)
    assert done.returncode == 1
    assert "Error reading page 'introduction/syllabus.md'" in done.stderr
    assert "big-picture: no chapter 9.9" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_picture_of_another_host_stops_the_build(site: Path, checkout: Path) -> None:
    page = checkout / "docs/introduction/syllabus.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n![A](https://example.org/a.png)\n", encoding="utf-8")
    done = run(checkout)
    assert done.returncode == 1
    assert "https://example.org/a.png" in done.stderr


def test_missing_file(checkout: Path) -> None:
    (checkout / "requirements-reader.txt").unlink()
    done = run(checkout)
    assert (done.returncode, done.stderr) == (1, "requirements-reader.txt is missing: restore it with git\n")
