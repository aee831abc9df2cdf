"""A checkout of its own for each test of the two commands, on a machine that has next to nothing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("iniconfig", "packaging", "pluggy", "pygments", "pytest", "uv")
TESTS = "def test_good():\n    pass\n\n\ndef test_bad():\n    raise AssertionError\n"
SITE = "import os, sys\nprint(os.getcwd(), *sys.argv[1:])\n"
SETTINGS = re.compile(r"(PIP|UV|SSL)_|\w+_proxy$", re.I)


def part_of_lock(*names: str) -> str:
    """The entries of the real lock for these packages, hashes included."""
    entries = re.split(r"^(?=\w)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), flags=re.M)
    return "".join(entry for entry in entries if re.split("[ =]", entry)[0] in names)


class Checkout:
    """The files that the two commands need, with a small lock.

    ``programs`` is all of its PATH, ``home`` its HOME. Package index, proxy and certificates are the user's.
    """

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home, self.programs = root, home, root.parent / f"{root.name}-bin"
        self.lock, self.venv = root / "requirements.txt", root / ".venv"
        self.stamp, self.log = self.venv / "guide.json", root / ".cache" / "setup.log"
        (root / "scripts").mkdir(parents=True)
        (root / "tests").mkdir()
        shutil.copy(ROOT / "scripts" / "guide.py", root / "scripts")
        (root / "scripts" / "build_site.py").write_text(SITE)
        (root / "tests" / "test_sample.py").write_text(TESTS)
        self.lock.write_text(part_of_lock(*PACKAGES))
        self.programs.mkdir(exist_ok=True)
        for name in ("git", "bash", "sh"):
            self.offer(name, shutil.which(name) or name)
        self.offer("python3", getattr(sys, "_base_executable", sys.executable))

    def offer(self, name: str, program: str) -> None:
        (self.programs / name).symlink_to(program)

    def environment(self, **changes: str) -> dict[str, str]:
        settings = {name: value for name, value in os.environ.items() if SETTINGS.match(name)}
        return {"PATH": str(self.programs), "HOME": str(self.home), **settings, **changes}

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        """Start the script, in a process group of its own as a terminal does it."""
        return subprocess.Popen(
            [str(self.programs / "python3"), "scripts/guide.py", *arguments],
            cwd=self.root,
            env=self.environment(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def guide(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the script to its end."""
        with self.start(*arguments, **changes) as process:
            out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def stopped(self, sent: signal.Signals) -> subprocess.CompletedProcess[str]:
        """Run the tests, and send a signal to the script when a new .venv is half-made."""
        with self.start("test", "--version") as process:
            end = time.monotonic() + 60
            while not (self.venv / "bin").exists() or read(self.stamp) != "{}":
                assert process.poll() is None, "the setup ended before it could be stopped"
                assert time.monotonic() < end, "the setup does not begin"
                time.sleep(0.01)
            process.send_signal(sent)
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess("test", process.returncode, out, err)

    def running(self) -> list[str]:
        """The processes that work in this checkout."""
        commands = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
        return [" ".join(words) for words in commands if any(str(self.root) in word for word in words)]


def read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
