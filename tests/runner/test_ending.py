"""The files at the end of a chapter are those of code/: each way in which they can differ, for real."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.runner import capabilities
from scripts.runner.mutation import Trials, mutants
from scripts.runner.records import FAILED, RAN
from tests.runner.sample import PIP, UV, Done, Tiny, file, output, sh, tabs

BEGIN = sh("mkdir project\ncd project\ngit init --quiet\ngit config core.autocrlf false")
COMMIT = sh("git add .\ngit commit --quiet --message x")
A = file("src/a.py", "a = 1\nb = 2\nc = 3\n")
CHANGE = "@@ -1,3 +1,3 @@\n a = 1\n-b = 2\n+b = 9\n c = 3\n"
TRIAL = file("src/a.py", CHANGE, "file kept=no", language="diff")
IS_OTHER = "code/chapter-1.1/src/a.py is not what the reader has at the end of the chapter: "


def problem(done: Done) -> str:
    """What the last block says, which is red alone."""
    assert done.outcomes == [*[RAN] * (len(done.records) - 1), FAILED], done.records
    assert len(done.last.problem.splitlines()) == 1
    return done.last.problem


def green(done: Done) -> bool:
    return {record.outcome for record in done.records} == {RAN}


OTHERWISE = {
    "a change that nobody declared": (
        (A, sh("sed 's/b = 2/b = 3/' src/a.py > new\nmv new src/a.py")),
        f"{IS_OTHER}line 2 is 'b = 2' in code/, and 'b = 3' for the reader (",
    ),
    "a line more": ((A, sh("echo 'd = 4' >> src/a.py")), f"{IS_OTHER}line 4 is missing in code/, and 'd = 4' for"),
    "a line less": ((A, sh("echo 'a = 1' > src/a.py")), f"{IS_OTHER}line 2 is 'b = 2' in code/, and missing for"),
    "no line feed": ((A, sh("printf 'a = 1\\nb = 2\\nc = 3' > src/a.py")), f"{IS_OTHER}the line feed at the end ("),
    "other ends of lines": (
        (A, sh("printf 'a = 1\\r\\nb = 2\\r\\nc = 3\\r\\n' > src/a.py")),
        f"{IS_OTHER}line 1 is 'a = 1' in code/, and 'a = 1\\r' for",
    ),
    "no text": ((A, sh("printf '\\377' > src/a.py")), f"{IS_OTHER}line 1 is 'a = 1' in code/, and '\ufffd' for"),
    "removed": ((A, sh("rm src/a.py")), f"{IS_OTHER}the reader has no such file ("),
    "a folder in its place": ((A, sh("rm src/a.py\nmkdir src/a.py")), f"{IS_OTHER}the reader has no such file ("),
    "moved": ((A, sh("mv src/a.py b.py")), f"{IS_OTHER}the reader has no such file ("),
    "a trial that was taken back, undeclared": (
        (A, COMMIT, file("src/a.py", CHANGE, language="diff"), sh("git restore src/a.py")),
        f"{IS_OTHER}line 2 is 'b = 9' in code/, and 'b = 2' for the reader (",
    ),
    "a trial that is still there": (
        (A, COMMIT, TRIAL, sh("true")),
        f"{IS_OTHER}line 2 is 'b = 2' in code/, and 'b = 9' for the reader (",
    ),
    "a trial of a new file that is still there": (
        (file("src/a.py", "x\n", "file kept=no"), sh("true")),
        f"{IS_OTHER}only the reader has this file (",
    ),
    "declared as gone, and still there": (
        (A, sh("true", "run gone=src/a.py")),
        f"{IS_OTHER}only the reader has this file (",
    ),
    "changed after a tool wrote it": (
        (sh("mkdir src\necho one > src/a.py"), file("src/a.py", "one", "file mode=state"), sh("echo two > src/a.py")),
        f"{IS_OTHER}line 1 is 'one' in code/, and 'two' for the reader (",
    ),
    "a file that only commands know is changed": (
        (sh("mkdir src\nseq 9 > src/a.py"), file("src/a.py", "@@ @@\n-9\n+0\n", language="diff"), sh("true")),
        "code/chapter-1.1/ cannot be made: docs/1.1.md:",
    ),
}


@pytest.mark.parametrize(("parts", "told"), OTHERWISE.values(), ids=OTHERWISE)
def test_another_file_makes_the_last_block_red(tiny: Tiny, parts: tuple[str, ...], told: str) -> None:
    assert problem(tiny.perform(BEGIN, *parts)).startswith(told)


ALIKE = {
    "written, appended and changed": (
        A,
        file("src/a.py", "d = 4\n", "file mode=append"),
        file("src/a.py", CHANGE, language="diff"),
    ),
    "what a tool wrote, shown": (A, sh("echo x > src/a.py"), file("src/a.py", "x", "file mode=state")),
    "what a tool wrote, shown in parts": (
        sh("printf 'at 12:00:01\\nlong\\nend\\n' > a.txt"),
        file("a.txt", "at 12:00:07\n...\nend", "file mode=state", language="text"),
    ),
    "a trial that was taken back": (A, COMMIT, TRIAL, sh("git restore src/a.py")),
    "two of them": (A, COMMIT, *[TRIAL, sh("git restore src/a.py")] * 2),
    "a trial of a new file": (file("new/b.py", "x\n", "file kept=no"), sh("rm -r new")),
    "removed": (A, COMMIT, sh("git rm --quiet src/a.py", "run gone=src/a.py")),
    "moved, and then changed": (
        *(A, COMMIT, sh("git mv src/a.py b.py", "run gone=src/a.py:b.py")),
        file("b.py", CHANGE, language="diff"),
    ),
    "an excerpt of what only commands know": (
        sh("seq 9 > n.txt"),
        file("n.txt", "2\n3", "file mode=excerpt", language="text"),
    ),
    "not done, since it is only shown": (sh("true"), file("src/a.py", "x\n", "skip reason=reminder")),
}


@pytest.mark.parametrize("parts", ALIKE.values(), ids=ALIKE)
def test_what_is_declared_is_green(tiny: Tiny, parts: tuple[str, ...]) -> None:
    done = tiny.perform(BEGIN, *parts)
    assert FAILED not in done.outcomes, done.records


def test_files_of_earlier_chapters_count(tiny: Tiny) -> None:
    tiny.write("1.1", BEGIN, A)
    tiny.write("1.2", sh("rm project/src/a.py"))
    assert problem(tiny.do("1.2")).startswith("code/chapter-1.2/src/a.py is not what the reader has")


def test_files_of_another_project_do_not(tiny: Tiny) -> None:
    tiny.write("1.1", BEGIN, A)
    tiny.write("1.2", sh("rm project/src/a.py\nmkdir other")).write_text(
        (tiny.root / "docs/1.2.md").read_text().replace("project: project", "project: other")
    )
    assert green(tiny.do("1.2"))


def test_files_of_another_variant_do_not(tiny: Tiny) -> None:
    tiny.write("1.1", BEGIN, tabs(uv=file("a.txt", "uv\n"), pip=file("b.txt", "pip\n")), sh("ls"))
    for variant in (UV, PIP):
        assert green(tiny.do(performer=tiny.performer(variant)))


def test_a_file_that_needs_what_is_absent_does_not(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capabilities, "has", lambda name: False)
    done = tiny.perform(BEGIN, file("a.py", "x\n", "requires docker"), sh("true"))
    assert FAILED not in done.outcomes


def test_with_an_account_names_are_others(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capabilities, "has", lambda name: True)
    named, other = file(".env", "OWNER=reader\n"), "echo OWNER=me > .env"
    assert FAILED in tiny.perform(BEGIN, named, sh(other)).outcomes
    assert green(tiny.perform(BEGIN, named, sh(other, "requires github"), asked_for=frozenset({"github"})))


def test_nothing_is_kept_of_such_an_end(tiny: Tiny) -> None:
    """So the next run sees it again; and that it is declared now makes another key."""
    parts = (BEGIN, A, COMMIT, TRIAL.replace(" kept=no", ""), sh("git restore src/a.py"))
    assert FAILED in tiny.perform(*parts).outcomes
    assert FAILED in tiny.perform(*parts).outcomes
    tiny.write("1.1", *(part.replace("block: file", "block: file kept=no") for part in parts))
    assert green(tiny.do())
    tiny.write("1.1", *parts)
    assert FAILED in tiny.do().outcomes


def test_a_failure_is_told_alone(tiny: Tiny) -> None:
    done = tiny.perform(BEGIN, A, sh("rm src/a.py\nfalse"))
    assert done.last.problem == "ended with status 1, not 0"


def test_a_mutant_that_forgets_to_take_a_trial_back_is_caught(tiny: Tiny) -> None:
    place = tiny.write("1.1", BEGIN, A, COMMIT, TRIAL, sh("git restore src/a.py"), sh("echo end"), output("end"))
    performer = tiny.performer(keep=False)
    chapter = performer.guide.chapters["1.1"]
    chosen = [
        mutant
        for mutant in mutants(chapter, Path(place).read_text(), UV)
        if mutant.kind == "block deleted" and "git restore" in mutant.block.body
    ]
    (outcome,) = Trials(performer.guide, chapter, performer).run(chosen)
    assert IS_OTHER in outcome.problem
