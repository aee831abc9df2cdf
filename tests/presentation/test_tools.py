"""Node and Marp: found, brought or told to be missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import node
from scripts.deck import tools
from scripts.deck.errors import DeckError
from tests.site.navigation import ROOT

PRESENTATION = ROOT / "presentation"
Offer = Callable[[str, str], None]


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Makes a program of a few shell commands, on a PATH with nothing but the shell's own tools."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "mkdir", "touch"):
        (programs / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(programs))

    def add(name: str, commands: str) -> None:
        (programs / name).write_text(f"#!{programs / 'sh'}\n{commands}\n")
        (programs / name).chmod(0o755)

    return add


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def test_node_of_this_machine_is_taken(offer: Offer, cache: Path) -> None:
    offer("node", "echo v18.0.0")
    offer("npm", "mkdir -p node_modules/@marp-team/marp-cli")
    program, script = tools.marp(PRESENTATION, cache)
    assert Path(program).name == "node"
    assert Path(script).parent.is_dir(), "named where it is in the end"
    (cache / "marp-older").mkdir()
    offer("npm", "exit 1")
    assert tools.marp(PRESENTATION, cache) == (program, script), "installed once"


@pytest.mark.parametrize("told", ["echo v16.20.0", "exit 1", "echo nothing"])
def test_node_that_does_not_do_is_not_taken(
    offer: Offer, cache: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    offer("node", told)
    offer("npm", "exit 0")
    commands = []
    monkeypatch.setattr(node, "run", lambda doing, command, *rest, **options: commands.append(command))
    found = node.find_node(tools.package(PRESENTATION), cache)
    assert found.node.startswith(str(cache / "node-"))
    assert found.npm[0] == found.node
    assert commands[0][-1] == str(PRESENTATION / "requirements.txt")
    assert "--require-hashes" in commands[0]


NPM = {
    "no network": ("npm error code ENOTFOUND", "its registry cannot be reached: check the network and the proxy"),
    "anything else": ("npm error the disk is full", "npm error the disk is full: see what it printed"),
    "nothing": ("", "it printed nothing"),
}


@pytest.mark.parametrize("name", NPM)
def test_npm_that_fails(offer: Offer, cache: Path, name: str) -> None:
    printed, told = NPM[name]
    offer("node", "echo v20.1.0")
    offer("npm", f"echo '{printed}'; touch half; exit 1")
    with pytest.raises(DeckError) as caught:
        tools.marp(PRESENTATION, cache)
    assert str(caught.value).startswith(f"the deck is not made: cannot install marp-cli with npm: {told}")
    assert "\n" not in str(caught.value)
    assert [path.name for path in cache.iterdir()] == ["npm.log"], "nothing is left half-made"


def test_no_node_and_no_way_to_get_one(offer: Offer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(cache / "uv"))
    with pytest.raises(DeckError) as caught:
        tools.marp(PRESENTATION, cache)
    assert "cannot bring Node, which this machine lacks, as a Python package" in str(caught.value)
    assert "check the network and the proxy, or install Node 18 or newer with npm" in str(caught.value)


def test_older_folders_go(cache: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("1")
    first = node.kept(cache, "thing", [lock], lambda folder: (folder / "file").touch())
    assert (first / "file").exists()
    lock.write_text("2")
    second = node.kept(cache, "thing", [lock], lambda folder: None)
    assert list(cache.iterdir()) == [second]
