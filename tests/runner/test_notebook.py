"""The cells of a chapter's notebook, executed in the reader's environment."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.runner.environment import find
from scripts.runner.records import BLOCKED, FAILED, RAN
from tests.runner.sample import CHECKOUT, Done, Tiny, cell, fence, file, sh


def notebook(*cells: str) -> str:
    """The notebook, as a reader would download it."""
    common: dict[str, object] = {"metadata": {}, "cell_type": "code", "outputs": [], "execution_count": None}
    every: list[dict[str, object]] = [{"metadata": {}, "cell_type": "markdown", "id": "top", "source": "# Read me"}]
    every += [{**common, "id": f"c{number}", "source": text} for number, text in enumerate(cells)]
    whole = {"cells": every, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return file("notebook.ipynb", json.dumps(whole), language="json")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment such as the reader makes, with what executes notebooks."""
    place = tmp_path_factory.mktemp("reader")
    locked = re.findall(r"^[\w.-]+==\S+", (CHECKOUT / "requirements-reader.txt").read_text(), re.M)
    (place / "constraints.txt").write_text("\n".join(locked))
    python, uv = getattr(sys, "_base_executable", sys.executable), find("uv")
    for command in (
        f"{uv} venv -q -p {python} .venv",
        f"{uv} pip install -q -c constraints.txt ipykernel nbclient nbformat",
    ):
        ended = subprocess.run(command.split(), cwd=place, capture_output=True, text=True, timeout=120)
        if ended.returncode:
            pytest.skip(f"capability packages: {ended.stderr}")
    return place / ".venv"


@pytest.fixture
def execute(tiny: Tiny, environment: Path) -> Callable[..., Done]:
    """Do a chapter in that environment. The first of its blocks activates it."""
    return lambda *parts: tiny.perform(sh(f"source {environment}/bin/activate"), *parts)


def test_cells_share_a_kernel_of_the_environment_until_one_fails(
    execute: Callable[..., Done], environment: Path
) -> None:
    cells = (
        "import sys\nx = 6",
        'print("to out")\nprint("to err", file=sys.stderr)\nx * 7',
        "print(sys.prefix)\nx / 0",
        'print("never")',
    )
    done = execute(notebook(*cells), *[cell(text) for text in cells])
    assert done.outcomes == [RAN, RAN, RAN, RAN, FAILED, BLOCKED], done.records
    assert [record.output for record in done.records[2:5]] == ["", "to out\nto err\n42\n", f"{environment}\n"]
    assert done.records[4].problem == "cell 3 fails: ZeroDivisionError: division by zero"


def test_a_cell_that_the_notebook_does_not_have(execute: Callable[..., Done]) -> None:
    done = execute(notebook("x = 1", "y = 2"), cell("x = 1"), cell("y = 3"))
    assert done.outcomes == [RAN, RAN, RAN, FAILED]
    assert done.last.problem.startswith("cell 2 of the reader's notebook.ipynb is another one")


def test_a_cell_that_hangs_leaves_no_kernel(execute: Callable[..., Done], tiny: Tiny) -> None:
    text = "import time\ntime.sleep(300)"
    done = execute(notebook(text), fence("py", text, "notebook timeout=1"))
    assert done.outcomes == [RAN, RAN, FAILED]
    assert "Timeout" in done.last.output
    assert tiny.close() == []


def test_a_project_without_notebook(execute: Callable[..., Done]) -> None:
    done = execute(file("other.txt", "x", language="text"), cell("x = 1"))
    assert done.outcomes == [RAN, RAN, FAILED]
    assert "/home/reader/project/notebook.ipynb" in done.last.problem + done.last.output
