"""The script of a chapter, executed: it leaves behind what code/ shows."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import extract as command
from scripts.chapters import Guide
from scripts.chapters.extraction import extract
from tests.chapters.samples import below, write

ONE = '---\nchapter: "1.1"\nproject: my app\n---\n# Chapter 1.1\n\n'
TWO = ONE.replace("1.1", "1.2")

# Runs the script of a chapter in the work directory, which it returns.
Perform = Callable[..., Path]


@pytest.fixture
def perform(tmp_path: Path) -> Perform:
    def run_chapter(*samples: str, status: int = 0, says: str = "", **variables: str) -> Path:
        heads = (ONE, TWO)[: len(samples)]
        texts = [below(sample, head) for sample, head in zip(samples, heads, strict=True)]
        root = write(tmp_path, {f"docs/{number}.md": text for number, text in enumerate(texts)})
        command.write(extract(Guide.load(root), root), root / "code")
        work = root / "work"
        work.mkdir(exist_ok=True)
        for script in (root / "code").glob("*/run.sh"):
            subprocess.run(["bash", "-n", script], check=True)
        done = subprocess.run(
            ["bash", root / f"code/chapter-1.{len(samples)}/run.sh"],
            cwd=work,
            env={"PATH": os.environ["PATH"], "HOME": str(root), "TMPDIR": str(root), **variables},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == status, done.stderr
        assert done.stderr == says
        assert not list(root.glob("tmp.*")), "its temporary folder is still there"
        return work

    return run_chapter


def same_as_code(work: Path, number: str, project: str = "my app") -> bool:
    """Whether the project has the files that code/ has for a chapter, byte for byte."""
    authored = contents(work.parent / f"code/chapter-{number}")
    return contents(work / project) == {n: text for n, text in authored.items() if n not in {"run.sh", "chapter.json"}}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


# ---------------------------------------------------------------- files

AWKWARD = """
    <!-- block: file -->
    ```text title="it's/a $HOME `b`.txt"
    It's "quoted" $HOME ${x:-y} `date` $(date) \\n \\\\ !! # %s
    END
    END_
      indented\twith a tab, trailing spaces \x20
    naïve 日本 🪐

    EOF
    ```

    ```text title="empty.txt"
    ```

    ```text title="lines.txt"


    ```
    """


def test_awkward_contents(perform: Perform) -> None:
    work = perform(AWKWARD)
    assert same_as_code(work, "1.1")
    assert b"END_\n" in (work / "my app/it's/a $HOME `b`.txt").read_bytes()


def test_the_second_chapter_does_the_first_one_first(perform: Perform) -> None:
    first = """
        ```text title="a.txt"
        one
        two
        ```

        ```sh
        cd 'my app'
        echo first >> ../log.txt
        ```
        """
    second = """
        ```sh
        cd 'my app'
        cat a.txt >> ../log.txt
        ```

        ```diff title="a.txt"
        @@ @@
         one
        -two
        +2
        ```

        <!-- block: file mode=append -->
        ```text title="deep/down/b.txt"
        b
        ```

        <!-- block: file mode=append -->
        ```text title="a.txt"
        three
        ```
        """
    work = perform(first, second)
    assert same_as_code(work, "1.2")
    assert (work / "my app/a.txt").read_text() == "one\n2\nthree\n"
    assert (work / "log.txt").read_text() == "first\none\ntwo\n"
    # Once done, a chapter is not done again.
    perform(first, second)
    assert (work / "log.txt").read_text() == "first\none\ntwo\none\n2\nthree\n"


TABS = """
    === "uv"

        ```text title="lock.txt"
        name
        by uv
        ```

        ```sh
        echo uv >> log.txt
        ```

    === "pip"

        ```text title="lock.txt"
        name
        by pip
        ```

        ```sh
        echo pip >> log.txt
        ```

    ```diff title="lock.txt"
    @@ @@
    -name
    +version
    ```

    <!-- block: file mode=append -->
    ```text title="lock.txt"
    end
    ```
    """


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_tabs(perform: Perform, tool: str) -> None:
    work = perform(TABS, "```sh\necho two >> log.txt\n```\n", TOOL=tool)
    assert (work / "my app/lock.txt").read_text() == f"version\nby {tool}\nend\n"
    assert (work / "log.txt").read_text() == f"{tool}\ntwo\n"
    assert same_as_code(work, "1.1") == (tool == "uv")


PLACES = """
    === "Laptop"

        ```sh
        echo laptop >> log.txt
        ```

    === "GitHub"

        <!-- block: skip reason=browser -->
        ```sh
        gh auth login
        ```

        ```sh
        echo cloud >> log.txt
        ```
    """


@pytest.mark.parametrize("place", ["laptop", "cloud"])
def test_places(perform: Perform, place: str) -> None:
    """Also of the chapter before. What a tab has that is not done leaves its script whole."""
    work = perform(PLACES, "```sh\necho two >> log.txt\n```\n", PLACE=place)
    assert (work / "log.txt").read_text() == f"{place}\ntwo\n"


# ---------------------------------------------------------------- commands


def test_a_block_that_fails_ends_the_script(perform: Perform) -> None:
    work = perform("```sh\necho one > one\nfalse | true\necho two > two\n```\n", status=1)
    assert sorted(contents(work)) == ["one"]


def test_an_expected_status(perform: Perform) -> None:
    work = perform("<!-- block: run exit=3 -->\n```sh\n(exit 3)\necho no > no\n```\n\n```sh\necho yes > yes\n```\n")
    assert "yes" in contents(work)
    assert "no" not in contents(work)


def test_another_status_than_expected(perform: Perform) -> None:
    perform(
        "<!-- block: run exit=3 -->\n```sh\ntrue\n```\n",
        status=1,
        says="010-true: ended with status 0, not 3\n",
    )


def test_a_second_terminal_keeps_its_own_state(perform: Perform) -> None:
    sample = """
        ```sh
        mkdir a b
        cd a
        x=first
        ```

        ```sh title="Second terminal"
        cd b
        x='second, with "quotes"
        and lines'
        list=(1 "2 3")
        greet() { echo "$x ${list[1]}"; }
        ```

        <!-- block: run exit=1 -->
        ```sh title="Second terminal"
        test -e nothing
        ```

        ```sh title="Second terminal"
        greet > out.txt
        ```

        ```sh
        echo "$x" > out.txt
        ```

        ```sh title="Third terminal"
        pwd > c.txt
        ```
        """
    work = perform(sample)
    assert (work / "a/out.txt").read_text() == "first\n"
    assert (work / "b/out.txt").read_text() == 'second, with "quotes"\nand lines 2 3\n'
    assert (work / "c.txt").read_text() == f"{work}\n"


def test_hidden_and_skipped_blocks(perform: Perform) -> None:
    sample = """
        <!-- hidden: setup
        echo setup > setup
        -->

        <!-- block: skip reason=costs-money note="a cluster" -->
        ```sh
        echo no > no
        ```

        <!-- block: skip reason=costs-money note="a cluster" -->
        ```text title="Output"
        no
        ```
        """
    assert sorted(contents(perform(sample))) == [".guide-1.1", "setup"]


# ---------------------------------------------------------------- servers


@pytest.mark.parametrize("ready", ["http://127.0.0.1:{port}/page.txt", "tcp://127.0.0.1:{port}"])
def test_a_server_is_awaited_and_stopped_with_its_processes(perform: Perform, ready: str) -> None:
    port = free_port()
    sample = f"""
        ```sh title="Second terminal"
        mkdir served
        cd served
        echo hello > page.txt
        ```

        <!-- block: background ready={ready.format(port=port)} -->
        ```sh title="Second terminal"
        sleep 0.3
        python3 -m http.server {port} --bind 127.0.0.1 2> /dev/null
        true
        ```

        ```sh
        curl -fsS http://127.0.0.1:{port}/page.txt > got.txt
        ```
        """
    work = perform(sample)
    assert (work / "got.txt").read_text() == "hello\n"
    end = time.monotonic() + 5
    while answers(port) and time.monotonic() < end:
        time.sleep(0.05)
    assert not answers(port)


def test_a_server_that_ends_ends_the_script(perform: Perform) -> None:
    perform(
        f"<!-- block: background ready=tcp://127.0.0.1:{free_port()} -->\n```sh\ntrue\n```\n",
        status=1,
        says="010-true: the server ended before it was ready\n",
    )
