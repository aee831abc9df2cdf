"""How much of a chapter is executed, and how much of that is checked."""

from __future__ import annotations

import pytest

from scripts.runner import capabilities, shares
from scripts.runner.shares import Shares
from tests.runner.sample import UV, Tiny, file, hidden, output, server, sh

ASSERTED = {
    "nothing": ((), 0),
    "its output": ((output("x"),), 1),
    "an output that is skipped": ((output("x", "skip reason=reminder"),), 0),
    "a file that a tool wrote": ((file("a.yaml", "x", "file mode=state"),), 1),
    "a file that is written": ((file("a.yaml", "x"),), 0),
    "a hidden check": ((hidden("check", "test -e a"),), 1),
    "the output of another command": ((sh("second"), output("x")), 1),
}


@pytest.mark.parametrize(("below", "asserted"), ASSERTED.values(), ids=ASSERTED)
def test_what_checks_a_command(tiny: Tiny, below: tuple[str, ...], asserted: int) -> None:
    assert of(tiny, sh("first"), *below).asserted == asserted


def test_a_status_that_is_wanted_checks_a_command(tiny: Tiny) -> None:
    assert of(tiny, sh("false", "run exit=1")) == Shares(blocks=1, executed=1, commands=1, asserted=1, outputs=0)


def test_outputs_are_what_is_compared(tiny: Tiny) -> None:
    shown = (
        output("x"),
        output("y", "skip reason=reminder"),
        file("a.yaml", "x", "file mode=state"),
        file("b.py", "x"),
    )
    assert of(tiny, sh("first"), *shown).outputs == 2


def test_what_is_skipped_is_not_executed(tiny: Tiny) -> None:
    found = of(tiny, sh("a", "skip reason=browser"), server("b", "tcp://127.0.0.1:9"), file("c.py", "x"), sh("d"))
    assert found == Shares(blocks=4, executed=3, commands=1, asserted=0, outputs=0)
    assert found.executed_share == 0.75


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (Shares(10, 8, 5, 4, 3), None),
        (Shares(20, 18, 8, 7, 4), None),
        (Shares(10, 7, 5, 4, 3), "7 of 10 blocks are executed; it was 8 of 10"),
        (Shares(10, 8, 5, 3, 3), "3 of 5 commands are checked; it was 4 of 5"),
        (Shares(10, 8, 6, 4, 3), "4 of 6 commands are checked; it was 4 of 5"),
        (Shares(10, 8, 5, 4, 2), "2 outputs are compared; it was 3"),
    ],
)
def test_a_share_that_falls_is_told(now: Shares, told: str | None) -> None:
    assert shares.fallen(now, Shares(10, 8, 5, 4, 3).as_dict()) == told


def of(tiny: Tiny, *parts: str) -> Shares:
    tiny.write("1.1", *parts)
    return shares.of(tiny.performer().guide.chapters["1.1"], UV)


# ---------------------------------------------------------------- capabilities


def test_an_account_is_used_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capabilities, "has", lambda name: True)
    assert capabilities.absent(("docker", "kubernetes")) is None
    told = capabilities.absent(("docker", "github"))
    assert told is not None
    assert told.startswith("github: ")
    assert "--with github" in told
    assert capabilities.absent(("github",), frozenset({"github"})) is None


def test_what_is_missing_is_told_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capabilities, "has", lambda name: False)
    assert capabilities.absent(("docker",)) == "docker: install Docker or Podman"


def test_a_tool_that_does_not_work_is_not_there() -> None:
    assert capabilities.works("bash", "-c", "exit 0")
    assert not capabilities.works("bash", "-c", "exit 1")
    assert not capabilities.works("no-such-tool-on-any-machine")
