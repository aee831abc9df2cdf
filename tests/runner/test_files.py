"""File blocks: written, changed, compared."""

from __future__ import annotations

import pytest

from scripts.runner.judging import Verdict, judge
from scripts.runner.records import BLOCKED, FAILED, RAN
from tests.runner.sample import Tiny, fence, file, sh


def verdict(tiny: Tiny, *parts: str) -> Verdict:
    """The verdict on the last block of a chapter."""
    tiny.write("1.1", *parts)
    performer = tiny.performer()
    chapter = performer.guide.chapters["1.1"]
    return judge(chapter.blocks[-1], performer.performance(chapter))


def test_a_file_is_written_to_the_byte(tiny: Tiny) -> None:
    body = "é = '$x `y` \\\\'\n\n\tif True:\n\t\tpass"
    done = tiny.perform(fence('py title="a/b c.py"'.replace(" c", "-c"), body))
    assert (done.performer.run.work / "project/a/b-c.py").read_bytes() == (body + "\n").encode()


def test_appending_and_patching(tiny: Tiny) -> None:
    done = tiny.perform(
        file("a.py", "one\ntwo\nthree\n"),
        file("a.py", "four\n", "file mode=append"),
        file("a.py", "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n", language="diff"),
        sh("cat project/a.py"),
    )
    assert done.last.output == "one\n2\nthree\nfour\n"


def test_a_program_that_was_written_keeps_its_mode(tiny: Tiny) -> None:
    done = tiny.perform(
        file("a.sh", "echo one\n"), sh("chmod +x project/a.sh"), file("a.sh", "echo two\n"), sh("project/a.sh")
    )  # fmt: skip
    assert done.last.output == "two\n"


def test_a_file_that_a_tool_wrote_is_compared(tiny: Tiny) -> None:
    wrote = sh("mkdir -p project\nprintf 'loss: 0.354\\nsize: 3\\n' >project/m.yaml")
    state = "file mode=state"
    assert verdict(tiny, wrote, file("m.yaml", "loss: 0.35\nsize: 3", state)).outcome == RAN
    wrong = verdict(tiny, wrote, file("m.yaml", "loss: 0.36\nsize: 3", state))
    assert (wrong.outcome, wrong.got) == (FAILED, "loss: 0.354\nsize: 3\n")
    assert "-loss: 0.36" in wrong.detail
    assert "+loss: 0.354" in wrong.detail


@pytest.mark.parametrize(
    ("shown", "outcome"),
    [("b = 2\nc = 3", RAN), ("b = 2\nd = 4", FAILED), ("= 2\nc", FAILED), ("c = 3\nb = 2", FAILED)],
)
def test_an_excerpt_is_whole_lines_of_the_file(tiny: Tiny, shown: str, outcome: str) -> None:
    whole = file("a.py", "a = 1\nb = 2\nc = 3\nd = 4")
    assert verdict(tiny, whole, file("a.py", shown, "file mode=excerpt")).outcome == outcome


FAULTS = {
    "no such file to append to": ((), file("a.py", "x\n", "file mode=append"), "there is no file a.py"),
    "no such file to show": ((), file("a.py", "x\n", "file mode=excerpt"), "there is no file a.py"),
    "no such file to change": ((), file("a.py", "@@ -1 +1 @@\n-x\n+y\n", language="diff"), "there is no file a.py"),
    "a change that does not fit": (
        (file("a.py", "z\n"),),
        file("a.py", "@@ -1 +1 @@\n-x\n+y\n", language="diff"),
        "does not fit a.py",
    ),
    "a folder in its place": ((sh("mkdir -p project/a.py"),), file("a.py", "x\n"), "/home/reader/project/a.py"),
    "a file in place of its folder": ((file("a", "x\n"),), file("a/b.py", "x\n"), "/home/reader/project/a"),
    "not utf-8": (
        (sh(r"mkdir project; printf 'a\xff\n' >project/a.py"),),
        file("a.py", "x\n", "file mode=state"),
        "UTF-8",
    ),
}


@pytest.mark.parametrize(("before", "block", "problem"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_done_is_a_failure_that_says_why(
    tiny: Tiny, before: tuple[str, ...], block: str, problem: str
) -> None:
    done = tiny.perform(*before, block, sh("echo after"))
    assert done.outcomes == [*[RAN] * len(before), FAILED, BLOCKED]
    failed = done.records[-2].problem
    assert problem in failed
    assert len(failed.splitlines()) == 1
    assert str(tiny.root) not in failed


def test_the_end_of_a_log_is_told_when_its_command_fails(tiny: Tiny) -> None:
    failing = "cd project\n(seq 100 && echo why && exit 3) > ../made.log 2>&1"
    wrong = verdict(tiny, sh("mkdir project"), sh(failing, "run"))
    assert (wrong.outcome, wrong.problem) == (FAILED, "ended with status 3, not 0")
    assert wrong.detail.startswith("the end of ../made.log:\n    82\n")
    assert wrong.detail.endswith("\n    why")
