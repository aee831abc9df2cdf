"""The two commands, from a clean checkout on: what they make, repeat, repair, refuse and leave behind."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.setup.checkout import ROOT, Checkout, part_of_lock, read

pytestmark = pytest.mark.xdist_group("setup")
SCRIPT = ROOT / "scripts" / "guide.py"
NO_NETWORK = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_FIND_LINKS": "",
    "PIP_EXTRA_INDEX_URL": "",
    "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
}


def one_line(err: str) -> str:
    """The line that says what is wrong: the last one, and there is no traceback above it."""
    assert "Traceback" not in err
    *steps, line = err.splitlines()
    assert not any(step.startswith("guide.py:") for step in steps)
    assert line.startswith("guide.py: ")
    return line


def nothing_left(checkout: Checkout) -> None:
    assert sorted(path.name for path in checkout.root.glob(".venv*")) == []
    assert checkout.running() == []


# ---------------------------------------------------------------- from clean to ready


def test_the_first_run_tells_each_step_and_its_time(ready: Checkout) -> None:
    told = (ready.root / "first.txt").read_text()
    steps = ("make .venv with Python", "get uv", "install the locked packages")
    lines = ["setting up, once:", *(rf"  {step}.* \.\.\. \d+\.\d s" for step in steps), r"ready after \d+\.\d s"]
    assert re.fullmatch("".join(f"{line}\n" for line in lines), told)
    log = (ready.root / "first.log").read_text()
    assert f"--require-hashes {ready.lock}\n" in log, "uv did not install the packages"
    assert f"-r {ready.lock}\n" not in log, "pip had to help out"


def test_the_next_run_is_instant_and_touches_nothing(ready: Checkout) -> None:
    def state() -> dict[Path, int]:
        return {path: path.lstat().st_mtime_ns for path in ready.venv.rglob("*") if "__pycache__" not in path.parts}

    def fastest(*command: str) -> float:
        """Seconds of CPU, which other work on this machine does not change: the least of five."""
        before, seconds = os.times(), list[float]()
        for _ in range(5):
            subprocess.run(command, cwd=ready.root, env=ready.environment(), check=True, capture_output=True)
            after = os.times()
            seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
            before = after
        return min(seconds)

    before = state()
    plain = fastest(str(ready.venv / "bin" / "python"), "-m", "pytest", "--version")
    guide = fastest(str(ready.programs / "python3"), "scripts/guide.py", "test", "--version")
    assert guide - plain < 0.3
    assert ready.guide("test", "--version").stderr == ""
    assert state() == before


def test_pytest_gets_its_arguments_and_its_status_counts(ready: Checkout) -> None:
    good = ready.guide("test", "-k", "good", "-q")
    bad = ready.guide("test", "-q")
    assert (good.returncode, bad.returncode) == (0, 1)
    assert "1 passed, 1 deselected" in good.stdout
    assert "1 failed, 1 passed" in bad.stdout


def test_serve_builds_the_site_on_the_port(ready: Checkout) -> None:
    assert ready.guide("serve").stdout == f"{ready.root} --serve --port 8000\n"
    assert ready.guide("serve", "--port", "8123").stdout == f"{ready.root} --serve --port 8123\n"


@pytest.mark.parametrize("text", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(ready: Checkout, text: str) -> None:
    done = ready.guide("serve", "--port", text)
    assert done.returncode == 2
    assert f"invalid port value: '{text}'" in done.stderr


def test_without_a_command_it_tells_which_there_are(ready: Checkout) -> None:
    for arguments, status in (((), 2), (("fly",), 2), (("--help",), 0)):
        done = ready.guide(*arguments)
        assert done.returncode == status
        assert "guide.py serve" in done.stderr
        assert "guide.py test" in done.stderr


# ---------------------------------------------------------------- made again


def test_what_was_taken_away_comes_back(ready: Checkout, tmp_path: Path) -> None:
    """And an environment that was moved, or that uv cannot fill, is made all the same."""
    moved = Checkout(tmp_path / "checkout", ready.home)
    shutil.copytree(ready.venv, moved.venv, symlinks=True)
    moved.lock.write_text(part_of_lock("iniconfig", "packaging", "pluggy", "pygments", "pytest"))
    done = moved.guide("test", "--version")
    assert done.returncode == 0, done.stderr
    assert "remove the old .venv" in done.stderr
    assert str(moved.venv) in (moved.venv / "bin" / "pytest").read_text()
    assert not (moved.venv / "bin" / "uv").exists()

    package = next(moved.venv.glob("lib/python*/site-packages/pluggy"))
    assert moved.guide("test", "--version").stderr == ""
    package.rename(tmp_path / "taken")
    assert moved.stopped(signal.SIGINT).returncode == 130


def test_another_python_makes_its_own(ready: Checkout) -> None:
    stamp = json.loads(ready.stamp.read_text())
    ready.stamp.write_text(json.dumps({**stamp, "python": "3.11.0 (another one)"}))
    assert ready.stopped(signal.SIGINT).returncode == 130
    ready.stamp.write_text(json.dumps(stamp))
    assert ready.guide("test", "--version").stderr == ""


def test_what_an_interrupted_run_left_is_cleared_away(ready: Checkout) -> None:
    for name in (".venv.aside", ".venv.trash"):
        (ready.root / name / "lib").mkdir(parents=True)
    done = ready.guide("test", "--version")
    assert re.search(r"^  remove the old \.venv \.\.\. \d+\.\d s$", done.stderr, re.M)
    assert [path.name for path in ready.root.glob(".venv*")] == [".venv"]


def test_killed_in_the_middle_then_two_at_once(checkout: Checkout) -> None:
    checkout.stopped(signal.SIGKILL)
    assert read(checkout.stamp) == "{}"

    two = [checkout.start("test", "-q", "-k", "good") for _ in range(2)]
    told = [process.communicate(timeout=300) for process in two]
    assert [process.returncode for process in two] == [0, 0], told
    assert sum("make .venv" in err for _, err in told) == 1
    assert any("another run is setting up this checkout: waiting for it" in err for _, err in told)
    assert checkout.guide("test", "--version").stderr == ""
    assert [path.name for path in checkout.root.glob(".venv*")] == [".venv"]


# ---------------------------------------------------------------- stopped or refused


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_it_leaves_nothing(checkout: Checkout, sent: signal.Signals, status: int) -> None:
    done = checkout.stopped(sent)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    nothing_left(checkout)


def test_the_environment_of_somebody_else_is_not_touched(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    (checkout.venv / "mine").write_text("precious")
    done = checkout.guide("test")
    assert done.returncode == 1
    assert "was not made by this script: move it away, or delete it" in one_line(done.stderr)
    assert [path.name for path in checkout.venv.iterdir()] == ["mine"]


def test_without_network_the_old_environment_stays(ready: Checkout) -> None:
    lock = ready.lock.read_text()
    ready.lock.write_text(lock + "# newer\n")
    start = time.monotonic()
    done = ready.guide("test", "--version", **NO_NETWORK)
    assert time.monotonic() - start < 60
    assert done.returncode == 1
    assert "cannot reach the package index: check the network" in one_line(done.stderr)
    ready.lock.write_text(lock)
    assert ready.guide("test", "--version").stderr == ""


def test_a_package_with_another_hash_is_refused(checkout: Checkout) -> None:
    checkout.lock.write_text(re.sub(r"sha256:.{8}", "sha256:00000000", checkout.lock.read_text()))
    done = checkout.guide("test")
    assert done.returncode == 1
    assert "a package is not the one that requirements.txt names" in one_line(done.stderr)
    nothing_left(checkout)


@pytest.mark.parametrize("missing", ["git", "bash"])
def test_a_missing_program_is_named(checkout: Checkout, missing: str) -> None:
    (checkout.programs / missing).unlink()
    done = checkout.guide("test")
    assert done.returncode == 1
    assert one_line(done.stderr) == f"guide.py: {missing} is missing: install it, then run this again"


def test_a_missing_lock_is_named(checkout: Checkout) -> None:
    checkout.lock.unlink()
    done = checkout.guide("test")
    assert done.returncode == 1
    assert f"{checkout.lock}: No such file" in one_line(done.stderr)


def as_if(checkout: Checkout, change: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a Python that differs from this one."""
    start = "sys.argv = ['guide.py', 'test']; runpy.run_path('scripts/guide.py', {}, '__main__')"
    code = f"import runpy, sys; {change}; {start}"
    return subprocess.run(
        [str(checkout.programs / "python3"), "-c", code],
        cwd=checkout.root,
        env=checkout.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_is_too_old_says_so(checkout: Checkout) -> None:
    """Old ones stop at the first syntax that they do not know, so there is none that 3.6 does not."""
    done = as_if(checkout, "sys.version_info, sys.version = (3, 6, 15), '3.6.15 (old)'")
    assert done.returncode == 1
    assert one_line(done.stderr) == "guide.py: needs Python 3.11 or newer, and this is 3.6.15: install a newer one"
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_a_python_that_cannot_make_environments_names_the_package(checkout: Checkout) -> None:
    done = as_if(checkout, "sys.modules['ensurepip'] = None")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert done.returncode == 1
    assert f"sudo apt install python{version}-venv" in one_line(done.stderr)
    nothing_left(checkout)


# ---------------------------------------------------------------- disks


def test_a_checkout_that_cannot_be_written(small_disk: Callable[[int], Path], shared_home: Path) -> None:
    disk = small_disk(10)
    checkout = Checkout(disk / "checkout", shared_home)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    done = checkout.guide("test")
    assert done.returncode == 1
    assert ".cache: Read-only file system: use a whole checkout that you can write to" in one_line(done.stderr)


def test_a_disk_that_is_too_small(small_disk: Callable[[int], Path], shared_home: Path) -> None:
    checkout = Checkout(small_disk(10) / "checkout", shared_home)
    done = checkout.guide("test")
    assert done.returncode == 1
    assert re.search(r"has \d MB of free disk, and \d+ MB are needed", one_line(done.stderr))
    nothing_left(checkout)


def test_a_disk_that_fills_up_on_the_way(small_disk: Callable[[int], Path], shared_home: Path) -> None:
    checkout = Checkout(small_disk(5) / "checkout", shared_home)
    script = checkout.root / "scripts" / "guide.py"
    script.write_text(script.read_text().replace("ROOM = 700", "ROOM = 0"))
    done = checkout.guide("test")
    assert done.returncode == 1
    assert "the disk is full: free some space, then run this again" in one_line(done.stderr)
    nothing_left(checkout)


# ---------------------------------------------------------------- cleaning up


def test_clean_empties_the_cache_and_only_that(checkout: Checkout) -> None:
    kept = checkout.root / "kept.txt"
    kept.touch()
    locked = checkout.root / ".cache/runs/linux-uv/locked"
    locked.mkdir(parents=True)
    (locked / "file").write_text("x")
    (locked / "outside").symlink_to(checkout.root / "scripts")
    locked.chmod(0o555)
    ended = checkout.guide("clean")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.startswith(f"{checkout.root}/.cache is empty: ")
    assert not (checkout.root / ".cache").exists()
    assert kept.exists()
    assert (checkout.root / "scripts/guide.py").exists()
    assert checkout.guide("clean").returncode == 0  # with nothing to do


def test_clean_waits_for_nobody_and_harms_nobody(checkout: Checkout) -> None:
    lock = checkout.root / ".cache/runs/linux-uv.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ended = checkout.guide("clean")
    assert ended.returncode == 1
    assert "a run uses" in one_line(ended.stderr)
    assert lock.exists()
