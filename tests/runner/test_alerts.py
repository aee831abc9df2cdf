"""The reader's program that tells people about drift, in jobs at the forge: one issue for each incident."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.runner.directory import claim
from scripts.runner.forge import Forge
from tests.runner.forging import CHECKOUT, Reader, workflow

ROOT = Path(__file__).parents[2]
CHAPTER = ROOT / "code/chapter-4.4"
TELL = """\
- env: {GH_TOKEN: '${{ github.token }}'}
  run: python3 src/alert.py verdict.json --github "$GITHUB_REPOSITORY"
"""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    run = claim(tmp_path / "runs", "uv")
    run.empty()
    forge = Forge(run.remotes, run.state, token=run.token)
    forge.start()
    yield Reader(run, forge)
    forge.stop()
    assert forge.problem == ""
    assert run.close() == []


def verdict(said: str, hour: int) -> str:
    """What the monitor writes."""
    return json.dumps(
        {
            "verdict": said,
            "drifted": ["sky"] if said == "drift" else [],
            "p_values": {"sky": 1e-9 if said == "drift" else 0.5},
            "label_mix": {"changed": False, "p_value": 0.5},
            "model": "planets:0123456789ab",
            "pictures": 3 if said == "too few" else 100,
            "window": {"from": f"2026-01-01T{hour:02}:00:00Z", "to": f"2026-01-01T{hour:02}:30:00Z"},
        }
    )


def test_an_incident_is_one_issue_and_a_quiet_day_none(reader: Reader) -> None:
    asked = workflow(CHECKOUT, TELL, top="permissions: {contents: read, issues: write}")
    reader.begin()
    reader.bash(f"mkdir src && cp {shlex.quote(str(CHAPTER / 'src/alert.py'))} src")
    told = []
    days = ["quiet", "too few", "drift", "drift", "too few", "quiet", "quiet", "drift"]
    for number, said in enumerate(days, 1):
        write = f"printf %s {shlex.quote(verdict(said, number))} > verdict.json"
        reader.push(f"day {number}", commands=write, monitor=asked)
        told += [line for line in reader.said(number) if line.startswith(("issue ", "no issue"))]
    assert told == [
        "no issue: all is quiet",
        "no issue: 3 pictures are too few to say anything",
        "issue 1: opened",
        "issue 1: goes on",
        "no issue: 3 pictures are too few to say anything",
        "issue 1: closed",
        "no issue: all is quiet",
        "issue 2: opened",
    ]
    assert reader.conclusions() == [("push", "success")] * len(days)
    assert [one["number"] for one in reader.get("/issues?labels=drift")] == [2]
    first = reader.get("/issues/1")
    assert (first["state"], first["user"]["login"]) == ("closed", "github-actions[bot]")
    assert [one["body"].split(":")[0] for one in reader.get("/issues/1/comments")] == ["**Seen", "**Over"]


def test_without_the_right_it_fails_and_says_nothing(reader: Reader) -> None:
    reader.begin()
    reader.bash(f"mkdir src && cp {shlex.quote(str(CHAPTER / 'src/alert.py'))} src")
    write = f"printf %s {shlex.quote(verdict('drift', 1))} > verdict.json"
    reader.push("day", commands=write, monitor=workflow(CHECKOUT, TELL, top="permissions: {contents: read}"))
    reader.said(1)
    assert reader.conclusions() == [("push", "failure")]
    assert reader.get("/issues") == []
