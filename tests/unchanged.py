"""Leaves out tests that passed before and whose inputs have not changed since.

The guide's own machinery is tested by slow tests with real servers and browsers. An author who
edits a page should not wait for them: they depend on code that the author did not touch.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

# Folder or file of tests → what they depend on beside themselves; the longest name decides.
COMMON = ("pyproject.toml", "requirements.txt", "tests/conftest.py", "tests/unchanged.py")
INPUTS = {
    "tests/chapters/": ("scripts/chapters", "scripts/extract.py"),
    "tests/chapters/test_oracle.py": ("scripts/chapters", "scripts/site", "mkdocs.yml", "tests/chapters"),
    # These two read the pages, and are quick.
    "tests/chapters/test_current.py": ("scripts/chapters", "scripts/extract.py", "docs/**/*.md", "code", "mkdocs.yml"),
    "tests/chapters/test_pages.py": (
        "scripts/chapters",
        "scripts/site",
        "docs/**/*.md",
        "mkdocs.yml",
        "tests/chapters",
    ),
    "tests/dataset/": ("dataset",),
    # These read the pages too.
    "tests/linters/": (
        *("docs/**/*.md", "mkdocs.yml", "code/*/run.sh", "scripts/chapters", "scripts/node.py"),
        *("scripts/runner/forge/actions", ".github", "CITATION.cff", "presentation/requirements.txt"),
    ),
    "tests/presentation/": (
        *("presentation", "scripts/deck", "scripts/node.py", "scripts/slides.py", "scripts/screenshots.py"),
        "scripts/results.py",
        *("scripts/site/bigpicture", "scripts/site/big_picture.yml", "scripts/site/verified.py", "results", "LICENSE"),
        *("docs/assets/fonts", "docs/assets/images/favicon.svg", "docs/assets/stylesheets/big-picture.css"),
        *("docs/introduction/syllabus.md", "mkdocs.yml", "tests/site/navigation.py"),
    ),
    "tests/runner/": ("scripts/chapters", "scripts/runner", "scripts/results.py", "scripts/mutate.py"),
    "tests/setup/": ("scripts/guide.py",),
    "tests/setup/test_quality.py": ("scripts", "dataset", "tests"),
    "tests/site/test_checkpoints.py": (
        *("scripts/chapters", "scripts/runner", "scripts/site/checkpoints.py", "scripts/start_from.py"),
        "scripts/published.py",
        "tests/runner/sample.py",
    ),
    # The frame of the site. What a page says is checked by the strict build, and whenever all is fresh.
    "tests/site/": (
        *("scripts/site", "scripts/build_site.py", "mkdocs.yml", "docs/assets", "docs/index.md", "docs/introduction"),
        "scripts/links.py",
        *(
            "scripts/results.py",
            "dataset",
            "code/chapter-1.1",
            "requirements-reader.txt",
            "requirements-label-studio.txt",
        ),
        *("presentation", "scripts/deck", "scripts/node.py"),
    ),
}
ALWAYS = ("tests/setup/test_repository.py", "tests/setup/test_community.py")


def contents(root: Path, names: Iterable[str], *more: str) -> str:
    """A digest of files and folders below ``root``: of names, patterns such as docs/**/*.md, and what is in them."""
    digest = hashlib.sha256(repr(more).encode())
    for name in names:
        path = root / name
        found = root.glob(name) if "*" in name else path.rglob("*") if path.is_dir() else [path]
        for file in sorted(found):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


class Unchanged:
    """Leaves out groups of tests by what they depend on. Whole sessions only: a selection is always run.

    Their files are not even imported: that alone takes seconds.
    """

    def __init__(self, root: Path, memory: Path, capabilities: tuple[str, ...]) -> None:
        self.root, self.memory, self.capabilities = root, memory, capabilities
        self.keys: dict[str, str] = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.left_out: dict[str, dict[str, int]] = {}

    def group(self, nodeid: str) -> str | None:
        if nodeid.startswith(ALWAYS):
            return None
        return max((name for name in INPUTS if nodeid.startswith(name)), key=len, default=None)

    def key(self, group: str) -> str:
        return contents(self.root, (*COMMON, group, *INPUTS[group]), sys.version, *self.capabilities)

    def whole(self, config: pytest.Config) -> bool:
        options = ("keyword", "markexpr", "start", "lf", "deselect")
        return config.args_source is not pytest.Config.ArgsSource.ARGS and not any(
            config.getoption(name, None) for name in options
        )

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.keys = {name: self.key(name) for name in INPUTS} if self.whole(session.config) else {}
        if self.keys and not session.config.getoption("--fresh"):
            known = self._known()
            passed = sorted(name for name, key in self.keys.items() if known.get(name, {}).get("key") == key)
            self.left_out = {name: known[name]["counts"] for name in passed}

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        if collection_path.suffix != ".py" or not collection_path.is_relative_to(self.root):
            return None
        return True if self.group(collection_path.relative_to(self.root).as_posix()) in self.left_out else None

    def _known(self) -> dict[str, Any]:
        return dict(json.loads(self.memory.read_text())) if self.memory.exists() else {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        group = self.group(report.nodeid)
        if group and (report.when == "call" or not report.passed):
            counts = self.counts.setdefault(group, {})
            counts[report.outcome] = counts.get(report.outcome, 0) + 1

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if hasattr(session.config, "workerinput") or not self.whole(session.config) or session.shouldstop:
            return
        known = self._known()
        for name, counts in self.counts.items():
            if exitstatus in {0, 1} and not counts.get("failed"):
                known[name] = {"key": self.keys[name], "counts": counts}
            else:
                known.pop(name, None)
        part = self.memory.with_suffix(".part")
        with contextlib.suppress(OSError):  # without a memory, all tests run next time
            self.memory.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(known, indent=1))
            part.replace(self.memory)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for name, counts in self.left_out.items():
            told = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
            terminalreporter.write_line(f"{name} unchanged since {told} (--fresh runs them again)")
