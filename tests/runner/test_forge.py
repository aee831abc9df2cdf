"""The stand-in for a forge: Git's own protocol at the real address, out of bare repositories."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.chapters import DEFAULT
from scripts.runner import processes
from scripts.runner.directory import RunDirectory, claim
from scripts.runner.forge import HOST, Forge
from scripts.runner.records import RAN
from scripts.runner.standins import stand_ins
from tests.runner.sample import UV, Tiny, sh

SITE = f"https://{HOST}"
PROJECT = "git init --quiet --initial-branch=main project\ncd project\ngit commit --quiet --allow-empty -m first"
REMOTE = f"git remote add origin {SITE}/reader/planets.git"
PUSH = f"{PROJECT}\n{REMOTE}\ngit push --set-upstream origin main"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    directory = claim(tmp_path / "runs", "uv")
    directory.empty()
    yield directory
    directory.close()


@pytest.fixture
def forge(run: RunDirectory) -> Iterator[Forge]:
    forge = Forge(run.remotes, run.state)
    forge.start()
    yield forge
    forge.stop()


def bash(run: RunDirectory, commands: str) -> tuple[int | None, str]:
    """Status and output of commands, as a reader gives them."""
    ended = processes.run(["bash", "-ec", commands], cwd=run.work, env=run.environment(), log=run.log / "x", timeout=30)
    return ended.status, ended.output


def head(repository: Path) -> str:
    return subprocess.run(
        ["git", "-C", repository, "log", "--format=%s", "main"], capture_output=True, text=True, check=True
    ).stdout


def test_a_push_prints_what_a_forge_makes_git_print(run: RunDirectory, forge: Forge) -> None:
    assert bash(run, PUSH) == (
        0,
        f"To {SITE}/reader/planets.git\n"
        " * [new branch]      main -> main\n"
        "branch 'main' set up to track 'origin/main'.\n",
    )
    assert head(run.remotes / "reader/planets.git") == "first\n"
    assert forge.requests > 0
    assert forge.problem == ""


def test_addresses_stay_as_they_are_written(run: RunDirectory, forge: Forge) -> None:
    bash(run, PUSH)
    assert bash(run, "cd project; git remote get-url origin") == (0, f"{SITE}/reader/planets.git\n")
    assert bash(run, f"git clone {SITE}/reader/planets; git -C planets log --format=%s") == (
        0,
        "Cloning into 'planets'...\nfirst\n",
    )


def test_a_large_push_comes_in_chunks(run: RunDirectory, forge: Forge) -> None:
    commands = "head -c 3000000 /dev/urandom >big\ngit add big\ngit commit --quiet -m big"
    assert bash(run, f"{PROJECT}\n{REMOTE}\n{commands}\ngit push --quiet origin main") == (0, "")
    assert bash(run, f"git clone --quiet {SITE}/reader/planets.git other; cmp project/big other/big") == (0, "")


def test_a_push_that_is_behind_is_rejected(run: RunDirectory, forge: Forge) -> None:
    bash(run, PUSH)
    other = "git commit --quiet --allow-empty -m second; git push --quiet"
    assert bash(run, f"git clone --quiet {SITE}/reader/planets.git other; cd other; {other}") == (0, "")
    status, told = bash(run, f"cd project; {other.replace('second', 'third')}")
    assert status == 1
    assert " ! [rejected]        main -> main (fetch first)\n" in told
    assert bash(run, "cd project; git pull --quiet --rebase; git push --quiet") == (0, "")
    assert head(run.remotes / "reader/planets.git") == "third\nsecond\nfirst\n"


@pytest.mark.parametrize("address", ["reader/planet.git", "somebody/planets.git", "reader"])
def test_what_is_not_there(run: RunDirectory, forge: Forge, address: str) -> None:
    bash(run, PUSH)
    before = sorted(run.remotes.rglob("HEAD"))
    status, told = bash(run, f"git ls-remote {SITE}/{address}")
    assert status == 128
    assert "not found" in told
    assert sorted(run.remotes.rglob("HEAD")) == before


def test_other_hosts_are_not_led_here(run: RunDirectory, forge: Forge) -> None:
    status, _ = bash(run, "git ls-remote https://127.0.0.1:9/reader/planets.git")
    assert status == 128
    assert forge.requests == 0
    proxy = (run.state / "forge.gitconfig").read_text().split("proxy = ")[1].split()[0]
    assert "502" in bash(run, f"curl -sS --proxy {proxy} https://example.com || true")[1]


def test_its_certificate_is_checked(run: RunDirectory, forge: Forge) -> None:
    config = run.state / "forge.gitconfig"
    config.write_text("".join(line for line in config.read_text().splitlines(True) if "sslCAInfo" not in line))
    status, told = bash(run, f"git ls-remote {SITE}/reader/planets.git")
    assert status == 128
    assert "certificate" in told


def test_without_it_git_goes_its_own_way(run: RunDirectory) -> None:
    """The reader's settings name a file that only the stand-in writes."""
    assert bash(run, "git config user.name; git config --get-regexp '^http' || echo no proxy") == (
        0,
        "Reader\nno proxy\n",
    )


def test_what_keeps_it_from_answering_is_told(run: RunDirectory, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    bash(run, PUSH)
    (run.remotes / "reader/planets.git/config").write_text("[broken\n")
    status, _ = bash(run, f"git ls-remote {SITE}/reader/planets.git")
    assert status == 128
    assert "config" in forge.problem


def test_a_client_that_says_nothing_holds_up_nobody(run: RunDirectory, forge: Forge) -> None:
    port = int((run.state / "forge.gitconfig").read_text().split("127.0.0.1:")[1].split()[0])
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
    silent[1].sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
    assert bash(run, PUSH)[0] == 0
    for client in silent:
        client.close()


# ---------------------------------------------------------------- in a chapter


@pytest.fixture
def cloud(tmp_path: Path) -> Callable[..., dict[str, object]]:
    """Options of a performance in the cloud variant."""

    def options(accounts: frozenset[str] = frozenset()) -> dict[str, object]:
        variant = {**UV, "place": "cloud"}
        return {"variant": variant, "asked_for": accounts, "standins": stand_ins(tmp_path, variant, accounts)}

    return options


def test_what_was_pushed_is_there_after_a_checkpoint(tiny: Tiny, cloud: Callable[..., dict[str, object]]) -> None:
    tiny.write("1.1", sh(PUSH))
    tiny.write("1.2", sh(f"git clone --quiet {SITE}/reader/planets.git other\ngit -C other log --format=%s"))
    first = tiny.do("1.1", **cloud())
    assert [(r.outcome, list(r.standins)) for r in first.records] == [(RAN, [Forge.name])]
    tiny.close()
    second = tiny.do("1.2", **cloud())
    assert second.last.output == "first\n"
    assert list(second.last.standins) == [Forge.name]


def test_it_is_there_for_the_cloud_without_an_account(run: RunDirectory, tmp_path: Path) -> None:
    def names(place: str, *accounts: str) -> set[str]:
        variant = {**DEFAULT, "place": place}
        return {standin.name for standin in stand_ins(tmp_path, variant, frozenset(accounts))(run)}

    assert Forge.name in names("cloud")
    assert Forge.name not in names("laptop")
    assert Forge.name not in names("cloud", "github")
