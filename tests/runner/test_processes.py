"""Blocks that hang, and processes that outlive them."""

from __future__ import annotations

import subprocess
import time

import pytest

from scripts.runner import performer, processes
from scripts.runner.records import BLOCKED, FAILED, RAN
from tests.runner.sample import Tiny, alive, sh, until

# Leaves the process group and the parent, as daemons do.
DAEMON = "setsid sleep {} </dev/null >/dev/null 2>&1 &"


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.5)


def test_a_command_that_hangs_is_ended_at_its_timeout(tiny: Tiny, nap: str) -> None:
    started = time.monotonic()
    done = tiny.perform(sh(f"echo before\nsleep {nap}", "run timeout=0.4"), sh("echo after"))
    assert time.monotonic() - started < 20
    assert done.outcomes == [FAILED, BLOCKED]
    assert "did not end within" in done.records[0].problem
    assert done.records[0].output.startswith("before\n")
    assert not alive(nap)


def test_a_command_that_ignores_being_asked_is_ended_too(tiny: Tiny, nap: str) -> None:
    done = tiny.perform(sh(f"trap '' TERM\nsleep {nap} &\nwait\nsleep {nap}", "run timeout=0.4"))
    assert done.outcomes == [FAILED]
    assert not alive(nap)


def test_a_command_that_prints_without_end_is_stopped(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performer, "PRINTED", 100_000)
    done = tiny.perform(sh("echo before\nyes", "run timeout=60"), sh("echo after"))
    assert done.outcomes == [FAILED, BLOCKED]
    assert "printed more than" in done.records[0].problem
    assert done.records[0].seconds < 20


def test_a_pipeline_that_hangs_leaves_nothing(tiny: Tiny, nap: str) -> None:
    tiny.perform(sh(f"(sleep {nap}; echo) | (cat; sleep {nap}) | cat", "run timeout=0.4"))
    assert not alive(nap)


def test_a_child_in_the_background_must_be_declared(tiny: Tiny, nap: str) -> None:
    done = tiny.perform(sh(f"echo started\nsleep {nap} &"), sh("echo after"))
    assert done.outcomes == [FAILED, BLOCKED]
    assert "declare it as background" in done.records[0].problem
    assert done.records[0].output == "started\n"
    assert done.last.problem.startswith("after the failure at docs/1.1.md:")
    assert not alive(nap)


def test_a_child_that_holds_the_output_open_does_not_hold_up_the_block(tiny: Tiny, nap: str) -> None:
    done = tiny.perform(sh(f"nohup sleep {nap} 2>&1 &\ndisown"))
    assert done.last.seconds < 20
    assert "declare it as background" in done.last.problem


def test_a_child_that_is_about_to_end_is_no_failure(tiny: Tiny) -> None:
    done = tiny.perform(sh("echo one > >(sleep 0.2; cat)"))  # bash waits for no process substitution
    assert done.outcomes == [RAN], done.last.problem
    assert done.last.output == "one\n"


def test_a_daemon_is_found_at_the_end_of_the_chapter_and_named(tiny: Tiny, nap: str) -> None:
    done = tiny.perform(sh(DAEMON.format(nap)), sh("echo after"))
    assert done.outcomes == [RAN, FAILED]
    assert done.last.problem.startswith("still running at the end of the chapter: ")
    assert f"sleep {nap} (process " in done.last.problem
    assert done.last.output == "after\n"
    assert not alive(nap)


def test_a_chapter_that_leaves_a_daemon_is_no_start_for_the_next(tiny: Tiny, nap: str) -> None:
    tiny.write("1.1", sh(DAEMON.format(nap)))
    tiny.write("1.2", sh("echo next"))
    assert tiny.do("1.2").outcomes == [BLOCKED]


def test_a_daemon_after_a_failure_is_ended_with_the_run(tiny: Tiny, nap: str) -> None:
    tiny.perform(sh(DAEMON.format(nap) + "\nfalse"))
    assert any(nap in told for told in tiny.close())
    assert not alive(nap)


def test_a_daemon_that_ends_by_itself_is_no_failure(tiny: Tiny) -> None:
    done = tiny.perform(sh("setsid true &\nwait"))
    assert done.outcomes == [RAN]


def test_what_somebody_else_runs_is_left_alone(tiny: Tiny, nap: str) -> None:
    done = tiny.perform(sh("echo here"))
    other = subprocess.Popen(["sleep", nap], env={processes.TOKEN: "another run"})
    try:
        assert processes.end_all(done.performer.run.token) == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_finished_child_that_nobody_waits_for_is_no_leftover(tiny: Tiny) -> None:
    """A group whose members have all ended, but are still in the process table."""
    done = tiny.perform(sh("python3 -c 'import os; os.fork() or os._exit(0)'\ntrue"))
    assert done.outcomes == [RAN]


def test_an_interruption_ends_the_block(tiny: Tiny, nap: str) -> None:
    def interrupt() -> None:
        until(lambda: alive(nap))
        raise KeyboardInterrupt

    run = tiny.perform(sh("true")).performer.run
    with pytest.raises(KeyboardInterrupt):
        processes.run(
            ["sleep", nap], cwd=run.work, env=run.environment(), log=run.log / "x", timeout=9, while_waiting=interrupt
        )
    assert not alive(nap)
