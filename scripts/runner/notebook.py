"""Executing the reader's notebook with nbclient, in the reader's environment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "notebook.ipynb"

# Runs with the reader's Python. Goes on after an error, so that the cell that failed can be named.
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
source, target, timeout = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
client = NotebookClient(notebook, timeout=float(timeout), kernel_name="python3", allow_errors=True)
client.execute()
nbformat.write(notebook, target)
"""


@dataclass(frozen=True)
class Cell:
    """One executed code cell: its source, what it printed, and its error if it had one."""

    source: str
    output: str
    error: str


def read(path: Path) -> Sequence[Cell]:
    """The code cells of an executed notebook, in order."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell(c) for c in notebook["cells"] if c["cell_type"] == "code"]


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def cell(raw: dict[str, Any]) -> Cell:
    printed, error = list[str](), ""
    for output in raw["outputs"]:
        if output["output_type"] == "stream":
            printed.append(joined(output["text"]))
        elif output["output_type"] == "error":
            error = f"{output['ename']}: {output['evalue']}"
        elif "image/png" not in output["data"]:  # a figure's text is only the address of an object
            printed.append(joined(output["data"].get("text/plain", "")) + "\n")
    return Cell(joined(raw["source"]), "".join(printed), error)
