"""Pages → code/: what is written, what is left alone, and what ``--check`` says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from scripts import extract as command
from scripts.chapters import Guide
from scripts.chapters.extraction import extract
from tests.chapters.samples import below, write

Command = Callable[..., tuple[int, str, str]]

FIRST = '---\nchapter: "1.1"\nproject: app\n---\n# Chapter 1.1\n\n'
SECOND = FIRST.replace("1.1", "1.2")
TWO = """\
```py title="src/a.py"
a = 1
```

```sh
python3 src/a.py
```

```text title="Output"
1
```
"""


def made(root: Path, first: str, second: str | None = None) -> dict[str, str]:
    """What is extracted from one chapter, or from two."""
    pages: dict[str, str | bytes] = {"docs/one.md": below(first, FIRST)}
    if second is not None:
        pages["docs/two.md"] = below(second, SECOND)
    return extract(Guide.load(write(root, pages)), root)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs scripts/extract.py for the guide in tmp_path: its status, and what it prints."""

    def extract_py(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["extract.py", *arguments])
        status = command.main(tmp_path)
        return status, *capsys.readouterr()

    write(tmp_path, {"docs/one.md": below(TWO, FIRST), "docs/two.md": below(TWO, SECOND)})
    return extract_py


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# ---------------------------------------------------------------- files


def test_a_chapter_has_the_files_of_those_before_it(tmp_path: Path) -> None:
    files = made(tmp_path, TWO, '```text title="b.txt"\nb\n```\n\n```py title="src/a.py"\na = 2\n```\n')
    assert sorted(files) == [
        *("chapter-1.1/chapter.json", "chapter-1.1/run.sh", "chapter-1.1/src/a.py"),
        *("chapter-1.2/b.txt", "chapter-1.2/chapter.json", "chapter-1.2/run.sh", "chapter-1.2/src/a.py"),
    ]
    assert (files["chapter-1.1/src/a.py"], files["chapter-1.2/src/a.py"]) == ("a = 1\n", "a = 2\n")


def test_modes(tmp_path: Path) -> None:
    sample = """
        ```text title="a.txt"
        one
        two
        ```

        <!-- block: file mode=append -->
        ```text title="a.txt"
        three
        ```

        ```diff title="a.txt"
        @@ @@
         two
        +and
         three
        ```

        <!-- block: file mode=excerpt -->
        ```text title="a.txt"
        and
        ```

        <!-- block: file mode=append -->
        ```text title="b.txt"
        new
        ```

        <!-- block: file mode=state -->
        ```text title="lock.txt"
        locked
        ```

        <!-- block: skip reason=reminder -->
        ```text title="a.txt"
        not this
        ```
        """
    files = made(tmp_path, sample)
    assert files["chapter-1.1/a.txt"] == "one\ntwo\nand\nthree\n"
    assert files["chapter-1.1/b.txt"] == "new\n"
    assert files["chapter-1.1/lock.txt"] == "locked\n"


def test_a_trial_is_written_by_the_script_and_not_kept(tmp_path: Path) -> None:
    trial = """
        <!-- block: file kept=no -->
        ```diff title="src/a.py"
        @@ @@
        -a = 1
        +a = 2
        ```

        <!-- block: file kept=no -->
        ```text title="b.txt"
        b
        ```

        ```sh
        git restore src/a.py
        rm b.txt
        ```
        """
    later = """
        ```diff title="src/a.py"
        @@ @@
         a = 1
        +c = 3
        ```
        """
    files = made(tmp_path, TWO + below(trial, ""), later)
    assert files["chapter-1.1/src/a.py"] == "a = 1\n"
    assert "chapter-1.1/b.txt" not in files
    assert "\na = 2\n" in files["chapter-1.1/run.sh"]
    assert "\nb\n" in files["chapter-1.1/run.sh"]
    assert files["chapter-1.2/src/a.py"] == "a = 1\nc = 3\n"
    assert "\na = 1\nc = 3\n" in files["chapter-1.2/run.sh"]


def test_what_a_command_takes_away_is_gone(tmp_path: Path) -> None:
    taking = """
        ```text title="b.txt"
        b
        ```

        <!-- block: run gone=src/a.py:lib/c.py,b.txt -->
        ```sh
        git mv src/a.py lib/c.py
        git rm b.txt
        ```

        === "pip"

            <!-- block: run gone=lib/c.py -->
            ```sh
            git rm lib/c.py
            ```
        """
    files = made(tmp_path, TWO, taking)
    assert [name for name in files if name.startswith("chapter-1.2/") and name.endswith((".py", ".txt"))] == [
        "chapter-1.2/lib/c.py"
    ]
    assert files["chapter-1.2/lib/c.py"] == files["chapter-1.1/src/a.py"] == "a = 1\n"


def test_the_first_tab_counts(tmp_path: Path) -> None:
    tabs = "".join(f'=== "{tool}"\n\n    ```text title="a.txt"\n    {tool}\n    ```\n\n' for tool in ("pip", "uv"))
    assert made(tmp_path, tabs)["chapter-1.1/a.txt"] == "uv\n"


def test_another_project_starts_empty(tmp_path: Path) -> None:
    pages: dict[str, str | bytes] = {
        "docs/one.md": below(TWO, FIRST),
        "docs/two.md": below("Text\n", SECOND.replace("app", "other")),
        "docs/three.md": below("Text\n", FIRST.replace("1.1", "1.3")),
    }
    files = extract(Guide.load(write(tmp_path, pages)), tmp_path)
    assert "chapter-1.2/src/a.py" not in files
    assert files["chapter-1.3/src/a.py"] == "a = 1\n"


def test_the_list_of_blocks(tmp_path: Path) -> None:
    sample = f'{TWO}\n=== "pip"\n\n    ```sh\n    true\n    ```\n\n```mermaid\nx\n```\n'
    assert json.loads(made(tmp_path, TWO, sample)["chapter-1.2/chapter.json"]) == {
        "chapter": "1.2",
        "page": "docs/two.md",
        "project": "app",
        "after": "1.1",
        "blocks": [
            {"id": "010-src-a.py", "kind": "file", "line": 7},
            {"id": "020-python3-src-a.py", "kind": "run", "line": 11},
            {"id": "030-output", "kind": "expect", "line": 15},
            {"id": "040-true", "kind": "run", "line": 21, "variant": {"tool": "pip"}},
        ],
    }


def test_the_notebook(tmp_path: Path) -> None:
    cells = """
        ## Prepare

        <!-- block: notebook -->
        ```py
        # no heading
        a = 1

        ```

        <!-- block: notebook -->
        ```py
        print(a, "é")
        ```

        ### Train *it*

        <!-- block: notebook -->
        ```py
        a += 1
        ```
        """
    text = made(tmp_path, cells)["chapter-1.1/notebook.ipynb"]
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        ("markdown", "## Prepare"),
        ("code", "# no heading\na = 1"),
        ("code", 'print(a, "é")'),
        ("markdown", "## Train *it*"),
        ("code", "a += 1"),
    ]
    assert len({cell.id for cell in notebook.cells}) == 5


def test_extraction_is_deterministic(tmp_path: Path) -> None:
    assert list(made(tmp_path / "a", TWO, TWO).items()) == list(made(tmp_path / "b", TWO, TWO).items())


def test_prose_changes_nothing_but_line_numbers(tmp_path: Path) -> None:
    def without_lines(files: dict[str, str]) -> dict[str, str]:
        return {
            name: "\n".join(line for line in text.split("\n") if '"line":' not in line) for name, text in files.items()
        }

    before = made(tmp_path / "a", TWO, TWO)
    after = made(tmp_path / "b", f"Some prose.\n\n- More\n\n{TWO}\nAnd more.\n", TWO)
    assert {name for name in before if before[name] != after[name]} == {"chapter-1.1/chapter.json"}
    assert without_lines(before) == without_lines(after)


# ---------------------------------------------------------------- the command


def test_it_writes_and_is_then_up_to_date(run: Command) -> None:
    assert run() == (0, "code/: 6 files, 6 changed\n", "")
    assert run() == (0, "code/: 6 files, 0 changed\n", "")
    assert run("--check") == (0, "code/ is up to date\n", "")


def test_it_touches_only_what_changes(tmp_path: Path, run: Command) -> None:
    run()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "code").rglob("*.*")}
    replace(tmp_path / "docs/two.md", "a = 1", "a = 2")
    assert run() == (0, "code/: 6 files, 2 changed\n", "")
    changed = {str(path.relative_to(tmp_path)) for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert changed == {"code/chapter-1.2/src/a.py", "code/chapter-1.2/run.sh"}


def test_it_removes_what_no_page_has(tmp_path: Path, run: Command) -> None:
    run()
    left_over = tmp_path / "code/chapter-0.9/src/deep/__pycache__/a.pyc"
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"\xff\x00")
    (tmp_path / "code/chapter-1.1/src/a.py").unlink()
    (tmp_path / "code/chapter-1.1/src/a.py").mkdir()
    assert run("--check")[:2] == (
        1,
        "code/chapter-0.9/src/deep/__pycache__/a.pyc: no page has it\ncode/chapter-1.1/src/a.py: missing\n",
    )
    assert run() == (0, "code/: 6 files, 2 changed\n", "")
    assert not (tmp_path / "code/chapter-0.9").exists()
    assert run("--check")[0] == 0


def test_check_shows_the_difference_and_the_way_out(tmp_path: Path, run: Command) -> None:
    run()
    replace(tmp_path / "code/chapter-1.1/src/a.py", "a = 1", "a = 3")
    status, out, err = run("--check")
    assert status == 1
    assert out.splitlines() == [
        "--- code/chapter-1.1/src/a.py",
        "+++ code/chapter-1.1/src/a.py (from the page)",
        "@@ -1,2 +1,2 @@",
        "-a = 3",
        "+a = 1",
        " ",
    ]
    assert err == "code/ is stale: run python3 scripts/extract.py and commit what it changes\n"
    assert (tmp_path / "code/chapter-1.1/src/a.py").read_text(encoding="utf-8") == "a = 3\n"


@pytest.mark.parametrize("text", [b"a = 1", b"a = 1\r\n", b"a = 1\n\n", b"\xff\n"])
def test_check_sees_every_byte(tmp_path: Path, run: Command, text: bytes) -> None:
    run()
    (tmp_path / "code/chapter-1.1/src/a.py").write_bytes(text)
    assert run("--check")[0] == 1
    assert run()[1] == "code/: 6 files, 1 changed\n"
    assert run("--check")[0] == 0


def test_an_error_on_a_page(tmp_path: Path, run: Command) -> None:
    replace(tmp_path / "docs/two.md", "```sh", "```bash")
    for arguments in ((), ("--check",)):
        assert run(*arguments) == (1, "", "docs/two.md:11: commands are written in ```sh, not ```bash\n")
    assert not (tmp_path / "code").exists()
