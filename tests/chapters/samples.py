"""Tiny sample pages: what the tests of the reader have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import TypeVar

from scripts.chapters import Block, Chapter, read_chapter

PAGE = "docs/page.md"
HEAD = """\
---
chapter: "1.1"
project: app
---
# A title
"""
FIRST = 6
"""The line that a sample starts on, below HEAD."""

Kind = TypeVar("Kind", bound=Block)


def below(sample: str, head: str = HEAD) -> str:
    """The text of a page: a sample as it stands, indented, in a test."""
    return head + dedent(sample).removeprefix("\n")


def read(sample: str) -> Chapter:
    """The chapter with a sample on its page."""
    chapter = read_chapter(PAGE, below(sample))
    assert chapter is not None
    return chapter


def one(kind: type[Kind], sample: str) -> Kind:
    """The only block of a sample, which has to be of a kind."""
    (block,) = read(sample).blocks
    assert type(block) is kind
    return block


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """A guide below ``root``. Its navigation has the pages in this order, unless mkdocs.yml is given."""
    pages = [name.removeprefix("docs/") for name in files if name.startswith("docs/")]
    navigation = {"mkdocs.yml": "nav:\n" + "".join(f"  - {page}\n" for page in pages)} if pages else {}
    for name, text in {**navigation, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root
