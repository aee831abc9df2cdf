"""What carries from one block to the next, as in a terminal that stays open."""

from __future__ import annotations

import pytest

from scripts.runner.records import FAILED, RAN
from tests.runner.sample import Tiny, sh

CARRIES = {
    "folder": ("mkdir -p a/b\ncd a/b", "basename $PWD", "b\n"),
    "folder with a space": ("mkdir 'a b'\ncd 'a b'", 'basename "$PWD"', "a b\n"),
    "folder before": ("mkdir a b\ncd a\ncd ../b", "cd - >/dev/null; basename $PWD", "a\n"),
    "plain variable": ("x=1", "echo $x; env | grep -c '^x=' || true", "1\n0\n"),
    "exported variable": ("export x=1", "env | grep '^x='", "x=1\n"),
    "variable called name": ("name=planets status=done", "echo $name $status", "planets done\n"),
    "variable removed": ("export x=1\nunset x", "echo ${x-gone}", "gone\n"),
    "lines and quotes": ('x=\'a\n "b" $c `d` \\e\'"\'"', "printf '%s' \"$x\"", 'a\n "b" $c `d` \\e\''),
    "array": ("x=(1 'two words' 3)", 'echo "${#x[@]} ${x[1]}"', "3 two words\n"),
    "table": ("declare -A x=([k]=v)", "echo ${x[k]}", "v\n"),
    "read-only variable": ("readonly x=1", "echo $x", "1\n"),
    "field separator": ("IFS=,\nx=1", 'y="a,b"; set -- $y; echo $# $x', "2 1\n"),
    "function": ("greet() {\n  cat <<END\nhi $1\nEND\n}", "greet you", "hi you\n"),
    "exported function": ("greet() { echo hi; }\nexport -f greet", "bash -c greet", "hi\n"),
    "alias": ("alias greet='echo hi'", "greet", "hi\n"),
    "alias removed": ("alias ls='echo hi'\nunalias ls", "ls -d .", ".\n"),
    "shopt": ("shopt -s nullglob", "echo *.nothing end", "end\n"),
    "set -u": ("set -u", 'echo "${-//[^u]/}"', "u\n"),
    "set -f": ("touch a\nset -f", "echo *", "*\n"),
    "umask": ("umask 077", "umask", "0077\n"),
    "path": ("export PATH=/opt/mine:$PATH", "echo ${PATH%%:*}", "/opt/mine\n"),
    "unset of what the run gives": ("unset NO_COLOR", "echo ${NO_COLOR-gone}", "gone\n"),
    "after a trap on exit": ("trap 'echo bye' EXIT\nx=1", "echo $x", "1\n"),
    "after a status that was wanted": ("x=1", "echo $x", "1\n"),
}


@pytest.mark.parametrize(("first", "second", "printed"), CARRIES.values(), ids=CARRIES)
def test_carries_to_the_next_block(tiny: Tiny, first: str, second: str, printed: str) -> None:
    done = tiny.perform(sh(first), sh(second))
    assert done.outcomes == [RAN, RAN], done.last.problem
    assert done.last.output == printed


def test_carries_out_of_a_block_that_ends_with_the_wanted_status(tiny: Tiny) -> None:
    done = tiny.perform(sh("x=1\nmkdir a\ncd a\nfalse\nx=2", "run exit=1"), sh("echo $x; basename $PWD"))
    assert done.last.output == "1\na\n"


def test_carries_out_of_a_block_that_calls_exit(tiny: Tiny) -> None:
    done = tiny.perform(sh("x=1\nexit 7", "run exit=7"), sh("echo $x"))
    assert done.last.output == "1\n"


def test_an_environment_stays_active_and_can_be_left(tiny: Tiny) -> None:
    done = tiny.perform(
        sh("python3 -m venv --without-pip .venv"),
        sh("source .venv/bin/activate\nhash -r"),
        sh("which python; python -c 'import sys; print(sys.prefix)'; echo $VIRTUAL_ENV"),
        sh("deactivate"),
        sh("which python3; echo ${VIRTUAL_ENV-none}"),
    )
    assert done.outcomes == [RAN] * 5
    assert done.records[2].output == (
        "/home/reader/.venv/bin/python\n/home/reader/.venv\n/home/reader/.venv\n"
    )  # fmt: skip
    assert ".venv" not in done.last.output
    assert done.last.output.endswith("none\n")


def test_the_second_terminal_is_another_one(tiny: Tiny) -> None:
    done = tiny.perform(
        sh("mkdir a\ncd a\nx=1"),
        sh('basename "$PWD"; echo ${x-unset}; y=2', title="Second terminal"),
        sh("basename $PWD; echo ${y-unset}"),
        sh("echo $y", title="Second terminal"),
    )
    assert [r.output for r in done.records[1:]] == ["work\nunset\n", "a\nunset\n", "2\n"]


def test_a_new_chapter_is_a_new_terminal_in_the_same_files(tiny: Tiny) -> None:
    tiny.write("1.1", sh("mkdir a\ncd a\nx=1\ntouch file"))
    tiny.write("1.2", sh("basename $PWD; echo ${x-unset}; ls a"))
    assert tiny.do("1.2").last.output == "work\nunset\nfile\n"


@pytest.mark.parametrize(
    "body", ["false | cat\necho on", "false\necho on", "ls /nowhere | sort\necho on", "x=$(false)\necho on"]
)
def test_a_command_that_fails_in_the_middle_ends_the_block(tiny: Tiny, body: str) -> None:
    done = tiny.perform(sh(body))
    assert done.outcomes == [FAILED]
    assert "on\n" not in done.last.output


def test_a_function_that_an_earlier_block_made_stops_at_a_failure_too(tiny: Tiny) -> None:
    done = tiny.perform(sh("steps() { false; echo on; }"), sh("steps"))
    assert done.outcomes == [RAN, FAILED]


def test_a_syntax_error_is_a_failure_that_bash_explains(tiny: Tiny) -> None:
    done = tiny.perform(sh("echo 'never closed"))
    assert done.last.problem == "ended with status 2, not 0"
    assert "unexpected EOF" in done.last.output


@pytest.mark.parametrize(("status", "wanted", "outcome"), [(3, 3, RAN), (3, 2, FAILED), (0, 3, FAILED), (3, 0, FAILED)])
def test_the_wanted_status(tiny: Tiny, status: int, wanted: int, outcome: str) -> None:
    done = tiny.perform(sh(f"exit {status}", f"run exit={wanted}"))
    assert done.outcomes == [outcome]
    if outcome == FAILED:
        assert done.last.problem == f"ended with status {status}, not {wanted}"


def test_the_runner_leaves_no_names_of_its_own(tiny: Tiny) -> None:
    done = tiny.perform(sh("set | grep -i guide || true; compgen -A function"), sh("compgen -A function", "run exit=0"))
    assert "guide_commands" not in done.records[1].output
