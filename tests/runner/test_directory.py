"""Run directories: one run at a time in each, and nothing left of one that died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from scripts.runner import directory, processes
from scripts.runner.directory import RunError, claim, clean_up, remove
from tests.runner.sample import CHECKOUT, alive, until

DIES = """\
import os, pathlib, signal, subprocess, sys
from scripts.runner.directory import claim
run = claim(pathlib.Path(sys.argv[1]), "uv")
run.empty()
quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
daemon = subprocess.Popen(["sleep", sys.argv[2]], env=run.environment(), start_new_session=True, **quiet)
print(run.root.name, flush=True)
if sys.argv[3] == "dies":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
run.close()
daemon.wait()
"""


def another_run(runs: Path, nap: str, ends: str) -> subprocess.Popen[str]:
    """A process with a run directory and a daemon in it; ``ends`` is dies, or lives."""
    command = [sys.executable, "-c", DIES, str(runs), nap, ends]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until(lambda: sleeps(nap) or process.poll() not in (None, -signal.SIGKILL))
    return process


def sleeps(nap: str) -> bool:
    """Whether the daemon has begun: before, it is only a copy of the process that starts it."""
    return any(process.info["cmdline"] == ["sleep", nap] for process in psutil.process_iter(["cmdline"]))


def test_runs_at_once_have_places_of_their_own(tmp_path: Path) -> None:
    first, second = claim(tmp_path, "uv"), claim(tmp_path, "uv")
    assert [first.root.name, second.root.name] == ["uv", "uv.2"]
    assert first.token != second.token
    first.close()
    third = claim(tmp_path, "uv")
    assert third.root == first.root  # so that what tools keep by path stays valid
    assert third.token != first.token
    second.close()
    third.close()


def test_too_many_runs_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "SLOTS", 2)
    runs = [claim(tmp_path, "uv") for _ in range(2)]
    with pytest.raises(RunError, match=r"2 runs are under way in .*: wait for one to end"):
        claim(tmp_path, "uv")
    for run in runs:
        run.close()


def test_what_a_dead_run_left_is_ended_and_named(tmp_path: Path, nap: str) -> None:
    another_run(tmp_path, nap, "dies").communicate()
    assert alive(nap)
    (told,) = clean_up(tmp_path)
    assert told.startswith(f"sleep {nap} (process ")
    assert not alive(nap)
    assert clean_up(tmp_path) == []


def test_what_a_dead_run_left_in_another_place_is_ended_too(tmp_path: Path, nap: str) -> None:
    first = claim(tmp_path, "uv")
    dead = another_run(tmp_path, nap, "dies")
    assert dead.communicate()[0] == "uv.2\n"
    first.close()
    assert len(clean_up(tmp_path)) == 1
    assert not alive(nap)


def test_who_takes_the_place_of_a_dead_run_ends_what_it_left(tmp_path: Path, nap: str) -> None:
    another_run(tmp_path, nap, "dies").communicate()
    claim(tmp_path, "uv").close()
    assert not alive(nap)


def test_a_run_that_lives_is_left_alone(tmp_path: Path, nap: str) -> None:
    living = another_run(tmp_path, nap, "lives")
    assert clean_up(tmp_path) == []
    assert alive(nap)
    living.communicate("")  # closes its run, and so ends its daemon
    assert not alive(nap)


def test_an_owner_that_was_written_by_half(tmp_path: Path) -> None:
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv/owner.json").write_text('{"process": 1, "tok')
    assert clean_up(tmp_path) == []
    claim(tmp_path, "uv").close()


def test_closing_ends_what_is_left_and_says_what(tmp_path: Path, nap: str) -> None:
    run = claim(tmp_path, "uv")
    child = subprocess.Popen(["sleep", nap], env={**os.environ, processes.TOKEN: run.token}, start_new_session=True)
    (told,) = run.close()
    assert nap in told
    child.wait(2)
    assert not (run.root / "owner.json").exists()


def test_the_beginning_is_empty_whatever_was_there(tmp_path: Path) -> None:
    run = claim(tmp_path, "uv")
    run.empty()
    (run.work / "a").mkdir()
    (run.work / "a/file").write_text("x")
    (run.work / "a/file").chmod(0o444)
    (run.work / "a").chmod(0o555)
    (run.work / "link").symlink_to(tmp_path)
    (run.home / ".gitconfig").write_text("changed")
    run.empty()
    assert not list(run.work.iterdir())
    assert "Reader" in (run.home / ".gitconfig").read_text()
    assert tmp_path.exists()
    run.close()


def test_removing_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    remove(tmp_path / "link")
    remove(tmp_path / "nothing")
    assert (tmp_path / "real/file").exists()


def test_the_readers_tools_are_links_to_those_of_this_machine(tmp_path: Path) -> None:
    run = claim(tmp_path, "uv")
    run.empty()
    links = {path.name: path.resolve() for path in (run.root / "bin").iterdir()}
    assert {"bash", "curl", "git", "python3", "uv"} <= links.keys()
    assert all(target.exists() for target in links.values())
    run.close()
