"""Small guides for the tests: pages from their parts, done directly or by a pytest of their own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import psutil

from scripts.chapters import Guide
from scripts.runner.performer import Options, Performer
from scripts.runner.records import Record

CHECKOUT = Path(__file__).resolve().parents[2]
UV, PIP = (
    {"tool": tool, "os": "linux", "place": "laptop", "forge": "github", "cluster": "podman"} for tool in ("uv", "pip")
)


# ---------------------------------------------------------------- pages


def fence(info: str, body: str, directive: str = "") -> str:
    """A fenced block; ``directive`` is what stands after ``block:`` in the comment above it."""
    above = f"<!-- block: {directive} -->\n" if directive else ""
    return f"{above}```{info}\n{dedent(body).strip(chr(10))}\n```"


def sh(body: str, directive: str = "", title: str = "") -> str:
    return fence(f'sh title="{title}"' if title else "sh", body, directive)


def server(body: str, ready: str, timeout: float = 10) -> str:
    return sh(body, f"background ready={ready} timeout={timeout}")


def output(body: str, directive: str = "", language: str = "text") -> str:
    return fence(f'{language} title="Output"', body, directive)


def file(path: str, body: str, directive: str = "", language: str = "py") -> str:
    return fence(f'{language} title="{path}"', body, directive)


def cell(body: str) -> str:
    return fence("py", body, "notebook")


def hidden(role: str, body: str) -> str:
    return f"<!-- hidden: {role}\n{dedent(body).strip(chr(10))}\n-->"


def tabs(**parts: str) -> str:
    """One content tab per variant."""
    return "\n\n".join(f'=== "{title}"\n\n' + indented(part) for title, part in parts.items())


def indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))


def page(number: str, *parts: str, front: str = "") -> str:
    matter = f'---\nchapter: "{number}"\nproject: project\n{front}---\n'
    return f"{matter}# Chapter {number} - Sample\n\n" + "\n\nSome prose.\n\n".join(parts) + "\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---------------------------------------------------------------- doing pages directly


@dataclass
class Done:
    """What came of the blocks of a chapter."""

    records: list[Record]
    performer: Performer

    @property
    def last(self) -> Record:
        return self.records[-1]

    @property
    def outcomes(self) -> list[str]:
        return [record.outcome for record in self.records]


@dataclass
class Tiny:
    """A guide in a folder of its own, done without pytest."""

    root: Path
    performers: list[Performer] = field(default_factory=list)

    @property
    def cache(self) -> Path:
        return self.root / ".cache"

    def write(self, number: str, *parts: str, front: str = "") -> Path:
        """Write (again) the page of a chapter; the navigation is in the order of the numbers."""
        place = self.root / "docs" / f"{number}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(page(number, *parts, front=front), encoding="utf-8")
        pages = sorted(p.name for p in place.parent.glob("*.md"))
        (self.root / "mkdocs.yml").write_text("nav:\n" + "".join(f"  - {name}\n" for name in pages))
        return place

    def performer(self, variant: Mapping[str, str] = UV, **options: Any) -> Performer:
        performer = Performer(Guide.load(self.root), variant, self.root, self.cache, Options(**options))
        self.performers.append(performer)
        return performer

    def do(self, number: str = "1.1", performer: Performer | None = None, **options: Any) -> Done:
        """Do a chapter, and before it what it continues from."""
        performer = performer or self.performer(**options)
        performance = performer.performance(performer.guide.chapters[number])
        performance.complete()
        return Done(performance.done, performer)

    def perform(self, *parts: str, **options: Any) -> Done:
        """Do a guide of one chapter made of ``parts``."""
        self.write("1.1", *parts)
        return self.do(**options)

    def close(self) -> list[str]:
        """Close everything. Returns what had to be ended."""
        return [told for performer in self.performers for told in performer.close()]


# ---------------------------------------------------------------- doing pages with pytest


@dataclass
class Ended:
    """How a pytest ended, and what it told. ``outcomes`` are by item id."""

    status: int
    text: str
    outcomes: dict[str, str]
    lines: dict[str, str]

    @property
    def executed(self) -> list[str]:
        """Ids of the blocks that were executed or compared anew, as told."""
        return re.findall(r"^(?:ran|failed) +\S+ (\S+)", self.text, re.M)

    @property
    def counts(self) -> str:
        return next((line for line in self.text.splitlines() if line.startswith("blocks of the guide:")), "")


class Checkout(Tiny):
    """A guide with the tests of this checkout, done by a pytest process."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        (root / "tests").mkdir(parents=True)
        for source in (CHECKOUT / "tests").glob("*.py"):
            shutil.copy(source, root / "tests")
        for name in ("scripts", "requirements-reader.txt"):
            (root / name).symlink_to(CHECKOUT / name)
        shutil.copy(CHECKOUT / "pyproject.toml", root)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.root,
            env={**clean_environment(self.root), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def pytest(self, *arguments: str, typed: str = "", **env: str) -> Ended:
        """Run to the end; ``typed`` is what somebody types meanwhile."""
        report = self.root / f"junit-{time.monotonic_ns()}.xml"
        process = self.start(f"--junitxml={report}", "-o", "junit_family=xunit1", *arguments, **env)
        text, _ = process.communicate(typed, timeout=60)
        cases = list(xml.parse(report).iter("testcase")) if report.exists() else []
        return Ended(
            process.returncode,
            text,
            {name(case): outcome(case) for case in cases},
            {name(case): f"{case.get('file')}:{int(case.get('line') or 0) + 1}" for case in cases},
        )


def name(case: xml.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"


def outcome(case: xml.Element) -> str:
    return next((part.tag for part in case if part.tag in {"failure", "error", "skipped"}), "passed")


def clean_environment(root: Path) -> dict[str, str]:
    """This environment without what continuous integration and an outer pytest put there.

    All runs of a session share their compiled modules, which halves the time of each.
    """
    dropped = {"CI", "PYTHONDONTWRITEBYTECODE"}
    kept = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("PYTEST")}
    return {**kept, "PYTHONPYCACHEPREFIX": str(root.parents[1] / "compiled")}


# ---------------------------------------------------------------- looking


def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.01)


def alive(mark: str) -> bool:
    """Whether a process with ``mark`` in its command line lives."""
    for process in psutil.process_iter(["cmdline", "status"]):
        info = process.info
        if info["status"] != psutil.STATUS_ZOMBIE and any(mark in word for word in info["cmdline"] or ()):
            return True
    return False


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def ending(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is surely over afterwards."""
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
