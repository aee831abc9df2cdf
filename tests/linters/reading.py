"""The files that a reader has after each chapter, and where on the pages their lines stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from scripts.chapters import DEFAULT, Chapter, Guide, Variant
from scripts.chapters.grammar import name_of, variants
from scripts.chapters.patching import lines_of
from scripts.chapters.project import files_of, steps

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Text:
    """A file to look at. ``name`` says whose it is, ``lines`` where each of its lines comes from."""

    name: str
    path: str
    text: str
    lines: tuple[str, ...]

    def place(self, line: int) -> str:
        """Where to change a line, counted from 1; 0 stands for the file as a whole."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else self.name


def files_of_readers(guide: Guide) -> Iterator[Text]:
    """Every file at the end of every chapter, on every way through the guide; equal ones once."""
    seen = set[tuple[str, str]]()
    for variant in variants():
        if variant["os"] != DEFAULT["os"]:
            continue  # it changes no file
        way = name_of({key: value for key, value in variant.items() if key != "os"})
        for chapter in guide.chapters.values():
            line = guide.line(chapter)
            for path, text in files_of(line, variant).items():
                if (path, text) not in seen:
                    seen.add((path, text))
                    yield Text(f"{chapter.slug}-{way}-{path}", path, text, origins(line, variant, path))


def files_of_repository(*patterns: str) -> Iterator[Text]:
    for file in sorted(file for pattern in patterns for file in ROOT.glob(pattern)):
        path, text = file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")
        yield Text(path, path, text, tuple(f"{path}:{n}" for n, _ in enumerate(lines_of(text), 1)))


def origins(line: Sequence[Chapter], variant: Variant, path: str) -> tuple[str, ...]:
    """For each line of a file, the line of the page that shows it last as new."""
    known, before = list[str](), list[str]()
    for step in steps(line, variant):
        block = step.block
        if step.chapter.project != line[-1].project or str(block.path) != path:
            continue
        if block.mode == "excerpt" or not block.kept:
            continue
        now = lines_of(step.after[path])
        first = block.place.line + 1
        places = [f"{block.place.page}:{first + i}" for i in range(len(lines_of(block.body)))]
        if block.mode == "append":
            known += places
        elif block.mode == "patch":
            known = patched(known, before, now, list(zip(lines_of(block.body), places, strict=True)), str(block.place))
        else:
            known = places
        before = now
    return tuple(known)


def patched(
    known: Sequence[str], before: Sequence[str], now: Sequence[str], diff: list[tuple[str, str]], otherwise: str
) -> list[str]:
    """The same after a change: ``diff`` has its lines and where they stand."""
    found = list[str]()
    for tag, start, end, first, last in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if tag == "equal":
            found += known[start:end]
            continue
        for text in now[first:last]:
            line = next((line for line in diff if line[0] == f"+{text}"), None)
            if line:
                diff.remove(line)  # the next one of the same text stands below
            found.append(line[1] if line else otherwise)
    return found
