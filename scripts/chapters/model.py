"""What a page is made of. Plain data: nothing here reads a file or runs a command."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

Variant = Mapping[str, str]
"""One choice per dimension, for example ``{"tool": "uv", "os": "linux", "place": "laptop"}``."""


class PageError(Exception):
    """Something on a page that cannot stand. Says where it is and the way out."""

    def __init__(self, page: str, line: int, problem: str) -> None:
        super().__init__(f"{page}:{line}: {problem}")
        self.page, self.line, self.problem = page, line, problem


@dataclass(frozen=True)
class Container:
    """A content tab, admonition or list item around a block. Two blocks share it if it is equal."""

    kind: str
    title: str
    line: int


@dataclass(frozen=True)
class Place:
    """Where a block stands: the lines are those of its first and last fence, counted from 1."""

    page: str
    line: int
    end: int
    indent: int = 0
    containers: tuple[Container, ...] = ()

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Skip:
    """A declared reason why a block is not executed."""

    reason: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.note})" if self.note else self.reason


@dataclass(frozen=True, kw_only=True)
class Block:
    """What every kind of block has. ``id`` is unique in its chapter, for example ``030-dvc-repro``."""

    kind = "shown"
    place: Place
    body: str
    language: str = ""
    title: str = ""
    name: str = ""
    id: str = ""
    variant: Variant = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    skip: Skip | None = None

    def chosen(self, variant: Variant) -> bool:
        """Whether this block belongs to the given variant of the chapter."""
        return all(variant.get(key) == value for key, value in self.variant.items())

    @property
    def label(self) -> str:
        """Readable part of the id: the name, or what the block is about."""
        words = re.findall(r"[A-Za-z0-9.]+", self.name or self.title or self.body)
        return "-".join(words)[:32].strip("-.").lower() or self.language


@dataclass(frozen=True, kw_only=True)
class Shown(Block):
    """Only shown: a diagram, or a block on a page that is not a chapter."""


@dataclass(frozen=True, kw_only=True)
class Run(Block):
    """Commands for bash. ``exit`` is the status they must end with, ``timeout`` in seconds.

    ``gone`` are files of the project that they take away: the path, and the new one or "".
    """

    kind = "run"
    terminal: str = "terminal"
    timeout: float = 300
    exit: int = 0
    gone: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        command = next((line for line in self.body.splitlines() if line.strip() and line[0] != "#"), "")
        return "-".join(re.findall(r"[A-Za-z0-9.]+", self.name or command))[:32].strip("-.").lower() or "run"


@dataclass(frozen=True, kw_only=True)
class Hidden(Run):
    """Commands that readers do not see: ``role`` is setup, check or teardown."""

    kind = "hidden"
    role: str = "check"


@dataclass(frozen=True, kw_only=True)
class Background(Run):
    """A server that stays up until the chapter ends. ``ready`` is an http(s) or tcp address."""

    kind = "background"
    ready: str = ""


@dataclass(frozen=True, kw_only=True)
class Notebook(Block):
    """One cell of the chapter's notebook."""

    kind = "notebook"
    timeout: float = 300


@dataclass(frozen=True, kw_only=True)
class File(Block):
    """A file of the reader's project.

    ``mode``: write (whole contents), append, patch (a unified diff), excerpt (shown, must be in
    the file), state (what a tool wrote: compared, never written). ``highlighted`` are the numbers of
    the lines that stand out, such as "2 5-7". What is not ``kept`` is a trial that the page takes back.
    """

    kind = "file"
    path: PurePosixPath
    mode: str = "write"
    highlighted: str = ""
    kept: bool = True


@dataclass(frozen=True, kw_only=True)
class Expect(Block):
    """What a block above printed. ``producers`` are the ids it may belong to, one per variant."""

    kind = "expect"
    match: str = "lines"
    tol: float | None = None
    producers: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return "output"


@dataclass(frozen=True)
class Chapter:
    """An executable page. ``after`` is the number of the chapter it continues from."""

    number: str
    title: str
    page: str
    project: str
    after: str | None
    needs: tuple[str, ...]
    minutes: int
    blocks: tuple[Block, ...]

    @property
    def slug(self) -> str:
        return f"chapter-{self.number}" if self.number[:1].isdigit() else f"page-{self.number}"

    def executable(self, variant: Variant) -> Iterator[Block]:
        """Blocks that can be done or compared in a variant, in the order of the page."""
        return (b for b in self.blocks if not isinstance(b, Shown) and b.chosen(variant))

    def producer(self, expect: Expect, variant: Variant) -> Block:
        """The block whose output ``expect`` shows in a variant."""
        return next(b for b in self.blocks if b.id in expect.producers and b.chosen(variant))
