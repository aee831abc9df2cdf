"""The programs that make slides: Marp, installed from its lock, and what runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts import node

from .errors import DeckError


def package(presentation: Path) -> node.Package:
    return node.Package("marp", "@marp-team/marp-cli", presentation, presentation / "requirements.txt")


def marp(presentation: Path, cache: Path) -> tuple[str, ...]:
    """The command that starts Marp; the first time, it is installed. Raises DeckError."""
    with _told_of_the_deck():
        program, folder = node.installed(package(presentation), cache)
    return program, str(folder / "marp-cli.js")


def run(
    doing: str, command: Sequence[str], cwd: Path, *, log: Path, environment: Mapping[str, str] | None = None
) -> None:
    """Run a program to its end, quietly. Raises DeckError with what it printed last; all of it is in ``log``."""
    with _told_of_the_deck():
        node.run(doing, command, cwd, log=log, environment=environment)


@contextmanager
def _told_of_the_deck() -> Iterator[None]:
    try:
        yield
    except node.NodeError as error:
        raise DeckError(f"the deck is not made: {error}") from error
