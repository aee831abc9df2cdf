"""What executes a chapter anew, and what does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.runner import capabilities, environment, keys
from tests.runner.sample import PIP, Tiny, file, hidden, output, server, sh, tabs

SECOND_TERMINAL = "Second terminal"
FIRST = (sh("echo first"), sh("echo second"), output("second"))
SECOND = (
    sh("echo third"),
    file("a.py", "one\n"),
    file("a.py", "one\n", "file mode=state"),
    server("serve", "tcp://127.0.0.1:9"),
    hidden("check", "true"),
    sh("exit 1", "run exit=1"),
    sh("here", title=SECOND_TERMINAL),
)


@pytest.fixture
def guide(tiny: Tiny) -> Tiny:
    tiny.write("1.1", *FIRST)
    tiny.write("1.2", *SECOND)
    return tiny


def of(guide: Tiny, number: str = "1.2", **options: Any) -> str:
    performer = guide.performer(**options)
    return performer.key(performer.guide.chapters[number])


def changed(parts: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    assert any(old in part for part in parts)
    return tuple(part.replace(old, new) for part in parts)


SAME: dict[str, Callable[[Tiny], object]] = {
    "nothing": lambda guide: None,
    "prose": lambda guide: edit(guide, "1.2", "Some prose.", "Other words."),
    "title": lambda guide: edit(guide, "1.2", "- Sample", "- Another title"),
    "line numbers": lambda guide: edit(guide, "1.1", "# Chapter", "\n\n\n# Chapter"),
    "expected output": lambda guide: guide.write("1.1", *changed(FIRST, "\nsecond\n```", "\nother\n```")),
    "a compared file": lambda guide: guide.write(
        "1.2", *(p.replace("one", "two") if "state" in p else p for p in SECOND)
    ),
    "no expected output": lambda guide: guide.write("1.1", *FIRST[:2]),
    "timeout": lambda guide: guide.write("1.2", *changed(SECOND, "timeout=10", "timeout=20")),
    "a diagram": lambda guide: guide.write("1.2", *SECOND, "```mermaid\ngraph LR\n```"),
    "a later chapter": lambda guide: guide.write("1.3", sh("echo more")),
    "the time it takes": lambda guide: edit(guide, "1.2", "project: project\n", "project: project\ntime: 5\n"),
}
OTHER: dict[str, Callable[[Tiny], object]] = {
    "a command": lambda guide: guide.write("1.2", *changed(SECOND, "echo third", "echo  third")),
    "an earlier chapter": lambda guide: guide.write("1.1", *changed(FIRST, "echo first", "echo 1")),
    "a file": lambda guide: guide.write("1.2", *changed(SECOND, "one\n", "two\n")),
    "where a file is": lambda guide: guide.write("1.2", *changed(SECOND, "a.py", "b.py")),
    "how a file is written": lambda guide: guide.write("1.2", SECOND[0], file("a.py", "one\n", "file mode=append")),
    "a file that is only a trial": lambda guide: guide.write(
        "1.2", *changed(SECOND[:2], "```py", "<!-- block: file kept=no -->\n```py"), *SECOND[2:]
    ),
    "a file that is gone": lambda guide: guide.write("1.2", *SECOND[:-1], sh("here", "run gone=a.py", SECOND_TERMINAL)),
    "a hidden check": lambda guide: guide.write("1.2", *changed(SECOND, "\ntrue\n", "\ntrue 1\n")),
    "a server": lambda guide: guide.write("1.2", *changed(SECOND, "serve", "serve -v")),
    "when a server is ready": lambda guide: guide.write("1.2", *changed(SECOND, "127.0.0.1:9", "127.0.0.1:10")),
    "the wanted status": lambda guide: guide.write("1.2", *changed(SECOND, "exit=1", "exit=2")),
    "the terminal": lambda guide: guide.write("1.2", *changed(SECOND, "Second", "Third")),
    "the order": lambda guide: guide.write("1.2", *reversed(SECOND)),
    "the order in an earlier chapter": lambda guide: guide.write("1.1", FIRST[1], FIRST[0], FIRST[2]),
    "a block less": lambda guide: guide.write("1.2", *SECOND[1:]),
    "a block that is skipped": lambda guide: guide.write("1.2", sh("echo third", "skip reason=reminder"), *SECOND[1:]),
    "what a block needs": lambda guide: guide.write("1.2", sh("echo third", "requires curl"), *SECOND[1:]),
    "the folder of the project": lambda guide: edit(guide, "1.2", "project: project", "project: other"),
    "what it continues from": lambda guide: edit(guide, "1.2", "project:", "after: null\nproject:"),
    "the lock of the reader's packages": lambda guide: (guide.root / "requirements-reader.txt").write_text("dvc==3\n"),
    "the data": lambda guide: manifest(guide).write_text("0a  planets.zip\n"),
}


def edit(guide: Tiny, number: str, old: str, new: str) -> None:
    place = guide.root / f"docs/{number}.md"
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))


def manifest(guide: Tiny) -> Path:
    place = guide.root / "dataset/manifests/zips.sha256"
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_executes_nothing(guide: Tiny, change: Callable[[Tiny], object]) -> None:
    before = of(guide)
    change(guide)
    forget_machine()
    assert of(guide) == before


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_executes_anew(guide: Tiny, change: Callable[[Tiny], object]) -> None:
    before = of(guide)
    change(guide)
    forget_machine()
    assert of(guide) != before


def forget_machine() -> None:
    keys.of_machine.cache_clear()


def test_a_later_chapter_does_not_execute_an_earlier_one(guide: Tiny) -> None:
    before = of(guide, "1.1")
    guide.write("1.2", sh("echo other"))
    assert of(guide, "1.1") == before


def test_variants_are_apart_from_their_first_tab_on(guide: Tiny) -> None:
    assert of(guide) == of(guide, variant=PIP)
    guide.write("1.2", tabs(uv=sh("echo uv"), pip=sh("echo pip")))
    before, other = of(guide), of(guide, variant=PIP)
    guide.write("1.2", tabs(uv=sh("echo uv"), pip=sh("echo 'other pip'")))
    assert of(guide) == before != other
    assert of(guide, variant=PIP) != other


def test_a_capability_that_comes_executes_anew(guide: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    guide.write("1.1", sh("docker run", "requires docker"))
    found = list[str]()
    for present in (False, True):
        monkeypatch.setattr(capabilities, "has", lambda name, present=present: present)
        found.append(of(guide))
    assert found[0] != found[1]


@pytest.mark.parametrize("tool", ["bash", "curl", "git", "uv"])
def test_another_version_of_a_tool(guide: Tiny, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    before = of(guide)
    version = environment.version
    monkeypatch.setattr(environment, "version", lambda name: "99.0" if name == tool else version(name))
    forget_machine()
    assert of(guide) != before


def test_the_code_of_the_runner(guide: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All that executes counts; what only compares or tells does not."""
    code = tmp_path / "runner"
    shutil.copytree(keys.HERE, code, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(keys, "HERE", code)
    monkeypatch.setattr(environment, "version", lambda tool: tool)
    before = of(guide)
    counts = set[str]()
    for path in (found for found in code.rglob("*") if found.is_file()):
        text = path.read_bytes()
        path.write_bytes(text + b"\n# changed\n")
        forget_machine()
        if of(guide) != before:
            counts.add(path.name)
        path.write_bytes(text)
    assert {"performer.py", "terminal.sh", "environment.py", "services.py", "files.py", "standins.py"} <= counts
    assert not {"matching.py", "judging.py", "bless.py"} & counts


def test_keys_are_the_same_in_every_process(guide: Tiny) -> None:
    assert of(guide) == of(guide)
    assert len(of(guide)) == 64
