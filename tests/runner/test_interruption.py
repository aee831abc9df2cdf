"""Runs that are interrupted, that meet one another, or that have no room."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runner.sample import Checkout, Ended, alive, ending, free_port, listens, server, sh, until


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def hanging(checkout: Checkout, port: int, nap: str) -> Checkout:
    """A chapter with a server, a daemon and a block that does not end by itself."""
    checkout.write(
        "1.1",
        server(f"python3 -m http.server {port} --bind 127.0.0.1", f"http://127.0.0.1:{port}/"),
        sh(f"setsid sleep {nap} >/dev/null 2>&1 &"),
        sh(f"if [ ! -e ~/again ]; then touch ~/again; sleep {nap}; fi"),
    )
    return checkout


def interrupted(checkout: Checkout, port: int, nap: str, number: int) -> tuple[int, str]:
    """Start pytest, and send it a signal in the middle of the last block."""
    with ending(checkout.start()) as process:
        until(lambda: next((checkout.cache / "runs").glob("*/home/again"), None), 20)
        assert listens(port)
        assert alive(nap)
        process.send_signal(number)
        text, _ = process.communicate(timeout=20)
        return process.returncode, text


def test_an_interruption_by_hand_leaves_nothing(hanging: Checkout, port: int, nap: str) -> None:
    status, text = interrupted(hanging, port, nap, signal.SIGINT)
    assert status == 2
    assert "KeyboardInterrupt" in text
    assert not alive(nap)
    assert not listens(port)
    assert not list(hanging.cache.glob("runs/*/owner.json"))
    assert not list(hanging.cache.glob("checkpoints/*"))


def test_the_next_start_cleans_up_after_one_that_was_killed(hanging: Checkout, port: int, nap: str) -> None:
    status, _ = interrupted(hanging, port, nap, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert alive(nap)
    assert listens(port)
    hanging.write(
        "1.1",
        server(f"python3 -m http.server {port} --bind 127.0.0.1", f"http://127.0.0.1:{port}/"),
        sh("echo works again"),
    )
    ended = hanging.pytest()
    assert ended.status == 0, ended.text
    assert f"ended, left over from a run that died: sleep {nap} (process " in ended.text
    assert f"ended, left over from a run that died: python3 -m http.server {port}" in ended.text
    assert not alive(nap)
    assert not listens(port)
    assert not list(hanging.cache.glob("runs/*/owner.json"))


def test_two_runs_at_once_both_succeed(checkout: Checkout, port: int) -> None:
    """They take directories of their own, and have a port one after the other."""
    checkout.write("1.1", sh("echo one >one; pwd -P >&2"), sh("until [ -e ../../../both ]; do sleep 0.05; done"))
    checkout.write(
        "1.2",
        server(f"python3 -m http.server {port} --bind 127.0.0.1", f"http://127.0.0.1:{port}/"),
        sh(f"curl -s http://127.0.0.1:{port}/one; sleep 0.2"),
    )
    with ending(checkout.start("--fresh")) as first, ending(checkout.start("--fresh")) as second:
        until(lambda: len(list(checkout.cache.glob("runs/*/work/one"))) == 2, 20)
        (checkout.cache / "both").touch()
        ended = [process.communicate(timeout=30)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), ended
    places = [path for path in checkout.cache.glob("checkpoints/*") if path.is_dir()]
    assert len(places) == 2
    again = checkout.pytest()
    assert (again.status, again.executed) == (0, [])


# ---------------------------------------------------------------- room


def told_in_short(ended: Ended, *parts: str) -> None:
    """The parts are told, and no traceback."""
    assert ended.status != 3
    assert "Traceback" not in ended.text, ended.text
    assert "INTERNALERROR" not in ended.text, ended.text
    for part in parts:
        assert part in ended.text, ended.text


def one_failure(ended: Ended, *parts: str) -> None:
    """The first block is red and says why; what is below it is blocked."""
    told_in_short(ended, *parts)
    assert ended.status == 1
    blocks = [outcome for name, outcome in ended.outcomes.items() if "::shares" not in name]
    assert next(outcome for outcome in blocks if outcome != "passed") == "failure"
    assert blocks.count("failure") == 1, ended.text


def test_a_cache_that_is_no_folder_is_told(checkout: Checkout) -> None:
    checkout.write("1.1", sh("true"), sh("true"))
    checkout.cache.write_text("a file")
    ended = checkout.pytest()
    one_failure(ended, str(checkout.cache))


@pytest.fixture
def mount(checkout: Checkout) -> Iterator[Callable[[str], None]]:
    """Put the cache on a file system of its own; call it again to change its options."""
    if os.geteuid() != 0:
        pytest.skip("capability root: a small file system can't be mounted")
    checkout.cache.mkdir()

    def do(options: str) -> None:
        again = ["-o", f"remount,{options}"] if os.path.ismount(checkout.cache) else ["-o", options]
        made = subprocess.run(["mount", "-t", "tmpfs", *again, "tmpfs", checkout.cache], capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"capability root: a small file system can't be mounted: {made.stderr}")

    yield do
    subprocess.run(["umount", "-l", checkout.cache], check=False)


def test_a_cache_that_cannot_be_written_is_told(checkout: Checkout, mount: Callable[[str], None]) -> None:
    checkout.write("1.1", sh("true"), sh("true"))
    mount("ro")
    ended = checkout.pytest()
    one_failure(ended, "Read-only file system")


def test_a_disk_that_gets_full_fails_once_and_works_again(checkout: Checkout, mount: Callable[[str], None]) -> None:
    checkout.write("1.1", sh("head -c 700000 /dev/urandom >big; echo did it"))
    checkout.write("1.2", sh("wc -c <big"))
    mount("size=1m")
    full = checkout.pytest()  # the block has room; its checkpoint has none
    told_in_short(full, "No space left on device")
    assert not [path for path in checkout.cache.glob("checkpoints/*") if path.is_dir()]
    assert not list(checkout.cache.glob("checkpoints/.part-*"))
    mount("size=20m")
    again = checkout.pytest()
    assert again.status == 0, again.text
    assert len(list(checkout.cache.glob("checkpoints/*/records.json"))) == 2
    assert json.loads((checkout.cache / "checkpoints/chapters.json").read_text()).keys() == {"1.1", "1.2"}


def test_a_disk_that_is_full_in_a_block_fails_that_block(checkout: Checkout, mount: Callable[[str], None]) -> None:
    checkout.write("1.1", sh("true"), sh("head -c 5000000 /dev/urandom >big"), sh("echo after"))
    mount("size=1m")
    ended = checkout.pytest()
    one_failure(ended, "No space left on device")
    assert ended.outcomes["chapter-1.1::010-true[uv]"] == "passed"
    assert ended.outcomes["chapter-1.1::020-head-c-5000000-dev-urandom-big[uv]"] == "failure"
    assert ended.outcomes["chapter-1.1::030-echo-after[uv]"] == "skipped"


@pytest.mark.parametrize(("kept", "told"), [("300M", True), ("3M", False)])
def test_a_disk_that_was_full_meanwhile_is_told(
    checkout: Checkout, mount: Callable[[str], None], kept: str, told: bool
) -> None:
    checkout.write("1.1", sh(f"head -c {kept} /dev/zero >big; sleep 0.6; rm big; false"))
    mount("size=400m")
    ended = checkout.pytest()
    one_failure(ended, "ended with status 1, not 0")
    assert ("meanwhile, less than 256 MB of disk were free" in ended.text) == told


def test_a_full_disk_loses_no_checkpoint(checkout: Checkout, mount: Callable[[str], None]) -> None:
    checkout.write("1.1", sh("head -c 400000 /dev/urandom >big"))
    checkout.write("1.2", sh("wc -c <big"))
    mount("size=2m")
    assert checkout.pytest().status == 0
    for path in checkout.cache.glob("runs/*/work/big"):
        path.unlink()
    filler = fill(checkout.cache)
    checkout.write("1.2", sh("wc -c big"), sh("echo after"))
    full = checkout.pytest()
    one_failure(full, "No space left on device")
    filler.unlink()
    again = checkout.pytest()
    assert again.status == 0, again.text
    assert "damaged" not in again.text
    assert again.executed == ["010-wc-c-big[uv]", "020-echo-after[uv]"]


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while stream.write(bytes(4096)) == 4096:
            pass
    return filler
