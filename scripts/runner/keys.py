"""Keys: two chapters with the same key leave the same state behind.

A key covers the chapter before, what this chapter does, and what it does it with. It leaves out
prose, line numbers and expected output: changing those executes nothing. It leaves out the variant
too: the blocks that are done say what matters, and up to the first tab all variants are the same.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from scripts.chapters import Background, Block, Chapter, Expect, File, Hidden, Run, Variant, patching
from scripts.chapters.changes import Look, looks

from . import environment

HERE = Path(__file__).parent
# What a reader downloads, by what it is made from. Relative to the root of the guide.
INPUTS = ("requirements-reader.txt", "requirements-label-studio.txt", "dataset/manifests/zips.sha256")
# Only compares or tells; what a chapter leaves behind does not depend on it.
NOT_EXECUTING = {
    *("bless.py", "capabilities.py", "judging.py", "matching.py", "mutation.py"),
    *("recording.py", "records.py", "shares.py"),
}


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def of_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def of_block(block: Block, look: Look | None = None) -> Any:
    """What is done with a block, without where it stands or how it looks.

    Two diffs that change a file in the same way are the same, whichever lines they show around it.
    What is declared for the files at the end of a chapter counts: they are compared when it is executed.
    """
    what: dict[str, Any] = {"kind": block.kind, "skip": block.skip is not None, "requires": block.requires}
    if isinstance(block, Run):
        what |= {"body": block.body, "terminal": block.terminal, "exit": block.exit}
        what |= {"gone": dict(block.gone)} if block.gone else {}
    if isinstance(block, Background):
        what |= {"ready": block.ready}
    if isinstance(block, Hidden):
        what |= {"role": block.role}
    if isinstance(block, File):
        shows = block.mode in {"state", "excerpt"}
        body = look.body if look and block.mode == "patch" else block.body
        what |= {"path": str(block.path), "mode": block.mode, "body": "" if shows else body}
        what |= {} if block.kept else {"kept": False}
    if block.kind == "notebook":
        what |= {"body": block.body}
    return what


@cache
def of_machine(root: Path) -> str:
    """The runner's code, the tools, the data and the locked versions."""
    files = [p for p in sorted(HERE.rglob("*")) if p.suffix in {".py", ".sh", ".yml"} and p.name not in NOT_EXECUTING]
    code = {p.relative_to(HERE).as_posix(): of_file(p) for p in files}
    code["patching.py"] = of_file(Path(patching.__file__))
    tools = {tool: environment.version(tool) for tool in ("act", "bash", "curl", "docker", "gh", "git", "podman", "uv")}
    return digest(
        {
            "code": code,
            "tools": tools,
            "inputs": {name: of_file(root / name) for name in INPUTS},
            "python": sys.version,
            "platform": [platform.system(), platform.machine()],
        }
    )


def of_chapters(
    line: Iterable[Chapter], variant: Variant, *, root: Path, capabilities: Mapping[str, bool]
) -> dict[str, str]:
    """The key of each chapter of a line, the first with no predecessor."""
    chapters = list(line)
    look = looks(chapters, variant)
    key, keys = of_machine(root), dict[str, str]()
    for chapter in chapters:
        blocks = [
            of_block(b, look.get((chapter.number, b.id)))
            for b in chapter.executable(variant)
            if not isinstance(b, Expect)
        ]
        used = sorted({*chapter.needs, *(name for b in chapter.blocks for name in b.requires)})
        key = digest([key, chapter.number, chapter.project, blocks, {name: capabilities[name] for name in used}])
        keys[chapter.number] = key
    return keys
