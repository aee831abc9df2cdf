"""What is made of the outcomes of mutants: a score, and a verdict on it."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.mutate import WANTED, tell, totals


def survivor(**more: str) -> dict[str, str]:
    return {"place": "docs/1.1.md:9", "kind": "line dropped", "what": "line dropped: a = 1", **more}


def scored(mutants: int, *survivors: dict[str, str]) -> dict[str, Any]:
    killed = mutants - len(survivors)
    return {"mutants": mutants, "killed": killed, "at_the_line": killed - 1, "survivors": list(survivors)}


def test_totals_are_sums() -> None:
    data = totals({"1.1": scored(40, survivor()), "1.2": scored(60)})
    assert (data["mutants"], data["killed"], data["at_the_line"]) == (100, 99, 97)
    assert data["survivors"] == [survivor()]


@pytest.mark.parametrize(
    ("chapter", "status"),
    [
        (scored(100), 0),
        (scored(100, survivor(cause="it is a hint for readers")), 0),
        (scored(100, survivor()), 1),
        (scored(10, survivor(cause="it is a hint for readers")), 1),
    ],
    ids=("all killed", "a cause is known", "no cause is known", "fewer than 95 of 100"),
)
def test_the_score_decides(chapter: dict[str, Any], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(totals({"1.1": chapter}), WANTED) == status
    told = capsys.readouterr().out
    unexplained = any("cause" not in s for s in chapter["survivors"])
    assert ("docs/1.1.md:9: nobody noticed: line dropped: line dropped: a = 1" in told) == unexplained


def test_a_sample_is_too_small_for_a_share() -> None:
    assert tell(totals({"1.1": scored(3, survivor(cause="it is a hint for readers"))}), 0.0) == 0
    assert tell(totals({"1.1": scored(3, survivor())}), 0.0) == 1
