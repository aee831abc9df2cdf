"""The reader's environment: fixed, and out of reach of the user's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.runner.directory import FOLDERS
from scripts.runner.records import RAN
from tests.runner.sample import UV, Tiny, file, sh

COMMIT = (
    sh("mkdir project\ncd project\ngit init --quiet -b main"),
    file("a.txt", "one\n", language="text"),
    sh("git add a.txt\ngit commit --quiet -m First"),
    sh("echo two >b.txt\ngit add b.txt\ngit commit --quiet -m Second\ngit log --format='%H %an %ae %aI'"),
)


def test_no_variable_of_the_user_gets_in(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MY_SECRET", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "leaked-value")
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere")
    done = tiny.perform(sh("env; set; echo end"))
    assert done.last.output.endswith("end\n")
    assert "leaked-value" not in done.last.output
    assert "VIRTUAL_ENV" not in done.last.output


def test_what_reaches_the_package_index_gets_in(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert tiny.perform(sh("echo $HTTPS_PROXY")).last.output == "http://proxy.example:3128\n"


def test_home_is_the_readers(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    done = tiny.perform(sh("touch ~/mine; echo ~ $HOME $XDG_CONFIG_HOME"))
    assert done.last.output == "/home/reader /home/reader /home/reader/.config\n"
    assert not list(tmp_path.glob("mine"))
    assert (done.performer.run.home / "mine").exists()


def test_git_is_configured_as_the_reader(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Somebody Else\n\temail = else@example.org\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    assert "Reader reader@example.com 2026-01-01T" in tiny.perform(*COMMIT).last.output


def test_commits_are_the_same_in_every_run(tiny: Tiny) -> None:
    first = tiny.perform(*COMMIT)
    again = tiny.do(fresh=True)  # in another directory: the first run still holds its own
    assert again.performer.run.root != first.performer.run.root
    first.performer.close()
    third = tiny.do(fresh=True)
    assert third.performer.run.root == first.performer.run.root
    assert first.outcomes == [RAN] * 4
    assert first.last.output == again.last.output == third.last.output
    assert len(set(first.last.output.split())) > 4  # each commit has its own hash and date


def test_commits_of_two_chapters_follow_one_another(tiny: Tiny) -> None:
    tiny.write("1.1", *COMMIT)
    tiny.write("1.2", sh("cd project\ngit commit --quiet --allow-empty -m Third\ngit log --format=%at"))
    dates = [int(date) for date in tiny.do("1.2").last.output.split()]
    assert dates == sorted(set(dates), reverse=True)


def test_output_that_is_not_utf8_hides_nothing(tiny: Tiny) -> None:
    done = tiny.perform(sh(r"printf 'before \xff\xfe after é\n'"))
    assert done.last.output == "before \\xff\\xfe after é\n"


def test_a_nul_in_the_output_hides_nothing(tiny: Tiny) -> None:
    done = tiny.perform(sh(r"printf 'a\0b\n'; exit 3"))
    assert done.last.problem == "ended with status 3, not 0"
    assert done.last.output == "a\0b\n"


def test_output_and_errors_come_in_order(tiny: Tiny) -> None:
    done = tiny.perform(sh("for n in 1 2 3; do echo out $n; echo err $n >&2; done"))
    assert done.last.output == "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"


def test_very_long_output_is_kept_whole(tiny: Tiny) -> None:
    done = tiny.perform(sh("seq 400000; printf '%1000000s\\n' end"))
    assert done.outcomes == [RAN]
    assert len(done.last.output) == sum(len(str(n)) + 1 for n in range(1, 400001)) + 1_000_001


def test_it_is_no_terminal(tiny: Tiny) -> None:
    done = tiny.perform(sh("test -t 1 || echo no\nread -r x || echo end\necho $COLUMNS $NO_COLOR $TERM $TZ"))
    assert done.last.output == "no\nend\n80 1 dumb UTC\n"


def test_paths_of_the_run_are_shown_as_the_readers(tiny: Tiny) -> None:
    done = tiny.perform(sh("mkdir a\ncd a\npwd; cd ~; pwd; mktemp -d; ls nothing", "run exit=2"))
    assert str(tiny.root) not in done.last.output
    assert done.last.output.startswith("/home/reader/a\n/home/reader\n/tmp/")


def test_a_problem_too_is_told_without_paths_of_the_run(tiny: Tiny) -> None:
    done = tiny.perform(file("missing.txt", "x\n", "file mode=state", language="text"))
    assert "/home/reader/project" in done.last.problem
    assert str(tiny.root) not in done.last.problem


def test_the_readers_python_belongs_to_no_environment(tiny: Tiny) -> None:
    done = tiny.perform(sh("python3 -c 'import sys; print(sys.prefix == sys.base_prefix)'"))
    assert done.last.output == "True\n"


def test_only_the_folders_of_the_run_are_written(tiny: Tiny) -> None:
    run = tiny.perform(*COMMIT).performer.run
    assert {p.name for p in tiny.root.iterdir()} == {"docs", "mkdocs.yml", ".cache"}
    assert {p.name for p in run.root.iterdir()} == {*FOLDERS, "owner.json"}
    status = subprocess.run(["git", "status", "--short"], cwd=run.work / "project", capture_output=True, text=True)
    assert status.stdout == ""
    assert UV["tool"] in run.root.name
