"""Proof that the tests catch mistakes: break one block at a time, and see whether the page turns red.

A chapter is done once, block by block. Before each block its mutants are tried from a copy of the
state at that point: what stands after the mutant is done until something is red.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scripts.chapters import (
    Background,
    Block,
    Chapter,
    Expect,
    File,
    Guide,
    Hidden,
    Notebook,
    PageError,
    Run,
    Variant,
    read_chapter,
)
from scripts.chapters.extraction import NOTEBOOK, notebook

from . import keys, shares
from .checkpoints import find_environments
from .directory import RunDirectory, RunError, remove
from .judging import judge
from .performer import Performance, Performer
from .records import ABSENT, FAILED, RAN, SKIPPED

WORD = re.compile(r"[A-Za-z]{3,}")
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)")


@dataclass(frozen=True)
class Mutant:
    """One block broken in one way. ``text`` is the whole page with it."""

    kind: str
    block: Block
    text: str
    what: str


def fingerprint(chapter: Chapter, variant: Variant) -> str:
    """Names what the mutants of a chapter are made from: another one when a block has changed."""
    return keys.digest([[keys.of_block(b), b.body] for b in chapter.executable(variant)])[:16]


@dataclass(frozen=True)
class Outcome:
    """What came of a mutant: ``red`` is the place that turned red, None when all stayed green."""

    mutant: Mutant
    red: str | None
    problem: str = ""

    @property
    def at_its_line(self) -> bool:
        return self.red == str(self.mutant.block.place)


# ---------------------------------------------------------------- making mutants


def mutants(chapter: Chapter, text: str, variant: Variant) -> Iterator[Mutant]:
    """All mutants of a chapter, in the order of the page. The same block gets the same mistakes each time."""
    blocks = [b for b in chapter.executable(variant) if not b.skip and not b.requires]
    for index, block in enumerate(blocks):
        page = Edit(text, block)
        for kind, mutate in KINDS.get(type(block), {}).items():
            if changed := mutate(page, random.Random(f"{kind}\n{block.body}")):
                yield Mutant(kind, block, *changed)
        if type(block) is Run:
            later = next((b for b in blocks[index + 1 :] if type(b) is Run and same_tab(b, block)), None)
            if later is not None and later.body != block.body:
                yield Mutant("swapped with the next", block, *page.swap(later))


def same_tab(a: Block, b: Block) -> bool:
    return a.place.containers == b.place.containers


class Edit:
    """Changes of one block in the text of its page. Each returns the new text, and what was done."""

    def __init__(self, text: str, block: Block) -> None:
        self.lines, self.block = text.split("\n"), block
        self.first, self.last = block.place.line, block.place.end - 1  # of the body, as a slice
        if isinstance(block, Hidden):
            self.last = block.place.line + block.body.count("\n")

    def with_body(self, body: list[str], what: str) -> tuple[str, str]:
        return "\n".join([*self.lines[: self.first], *body, *self.lines[self.last :]]), what

    def body(self) -> list[str]:
        return self.lines[self.first : self.last]

    def without(self) -> tuple[str, str]:
        """The page without the block and the directives above it."""
        start = self.block.place.line - 1
        while start and self.lines[start - 1].strip().startswith("<!-- block:"):
            start -= 1
        end = self.block.place.end
        return "\n".join([*self.lines[:start], *self.lines[end:]]), "deleted"

    def swap(self, other: Block) -> tuple[str, str]:
        there = self.lines[other.place.line : other.place.end - 1]
        lines = list(self.lines)
        lines[other.place.line : other.place.end - 1] = self.body()
        lines[self.first : self.last] = there
        return "\n".join(lines), f"swapped with {other.id}"


def typo(page: Edit, chance: random.Random) -> tuple[str, str] | None:
    """Two letters of a word of a command change places, or one is lost."""
    body = page.body()
    places = [
        (n, m)
        for n, line in enumerate(body)
        if not line.strip().startswith("#")
        for m in WORD.finditer(line.split(" #")[0])
    ]
    if not places:
        return None
    number, match = chance.choice(places)
    word = match[0]
    wrong = word[0] + word[2] + word[1] + word[3:] if word[1] != word[2] else word[:-1]
    line = body[number]
    body[number] = line[: match.start()] + wrong + line[match.end() :]
    return page.with_body(body, f"{word} → {wrong}")


def deleted(page: Edit, chance: random.Random) -> tuple[str, str]:
    return page.without()


def dropped_line(page: Edit, chance: random.Random) -> tuple[str, str] | None:
    body = page.body()
    numbers = [n for n, line in enumerate(body) if matters(line)]
    if len(numbers) < 2:
        return None
    number = chance.choice(numbers)
    return page.with_body(body[:number] + body[number + 1 :], f"line dropped: {body[number].strip()[:60]}")


def matters(line: str) -> bool:
    """Whether losing the line can change what a file does."""
    text = line.strip()
    return bool(text) and not text.startswith(("#", '"""', "'", '"')) and any(c.isalnum() for c in text)


def other_number(page: Edit, chance: random.Random) -> tuple[str, str] | None:
    """A number that is off by more than any tolerance."""
    body = page.body()
    places = [(n, m) for n, line in enumerate(body) for m in NUMBER.finditer(line)]
    if not places:
        return None
    number, match = chance.choice(places)
    tol = page.block.tol if isinstance(page.block, Expect) else None
    value = float(match[0])
    wrong = value + max(1.0, 3 * (tol or 0), abs(value))
    shown = f"{wrong:.{len(match[0].partition('.')[2])}f}"
    line = body[number]
    body[number] = line[: match.start()] + shown + line[match.end() :]
    return page.with_body(body, f"{match[0]} → {shown}")


def killed_server(page: Edit, chance: random.Random) -> tuple[str, str]:
    """The page stays as it is; the server is ended as soon as it is ready."""
    return page.with_body(page.body(), "ended as soon as it is ready")


PARTS = ("work", "home", "remotes", "state")
SPARE = "environments"
"""Below the run directory: copies of environments, for those that a mutant takes away."""
SERVER_KILLED = "server killed"
KINDS: dict[type[Block], dict[str, Callable[[Edit, random.Random], tuple[str, str] | None]]] = {
    Run: {"typo in a command": typo, "block deleted": deleted},
    Background: {"typo in a command": typo, "block deleted": deleted, SERVER_KILLED: killed_server},
    Notebook: {"line dropped": dropped_line, "block deleted": deleted},
    File: {"line dropped": dropped_line, "block deleted": deleted},
    Expect: {"word changed": typo, "number changed": other_number, "expectation deleted": deleted},
}


# ---------------------------------------------------------------- trying them


class Trials:
    """Tries mutants of one chapter in a run directory of its own."""

    def __init__(self, guide: Guide, chapter: Chapter, performer: Performer) -> None:
        self.guide, self.chapter, self.performer = guide, chapter, performer

    def run(self, chosen: Sequence[Mutant]) -> Iterator[Outcome]:
        """The outcome of each mutant. Raises RuntimeError when the chapter is red without one."""
        try:
            yield from self._run(chosen)
        finally:
            if self.performer.used:
                remove(self.performer.run.root / SPARE)

    def _run(self, chosen: Sequence[Mutant]) -> Iterator[Outcome]:
        performance = Performance(self.chapter, self.performer)
        performance.begin()
        waiting = list(chosen)
        for block in self.chapter.executable(self.performer.variant):
            for mutant in chosen:
                if mutant.block.id == block.id:
                    waiting.remove(mutant)
                    engines = [(engine, engine.snapshot()) for engine in self.performer.engines]
                    yield self._try(mutant, performance)
                    if not all(engine.bring_back(before) for engine, before in engines):
                        performance = self._again(performance)
            verdict = judge(block, performance)
            if verdict.outcome not in {RAN, SKIPPED, ABSENT}:
                raise RuntimeError(
                    f"{block.place} is {verdict.outcome} without a mutant: {verdict.problem}\n{verdict.detail}"
                )
            if not waiting:
                break
        performance.stop()

    def _again(self, performance: Performance) -> Performance:
        """Do what was done once more: a mutant has removed a container, and no copy brings that back."""
        performance.stop()
        again = Performance(self.chapter, self.performer)
        again.begin()
        for block in performance.blocks[: len(performance.done)]:
            again.record(block)
        return again

    def _try(self, mutant: Mutant, performance: Performance) -> Outcome:
        try:
            changed = read_chapter(self.chapter.page, mutant.text, before=self.chapter.after)
        except PageError as error:
            return Outcome(mutant, f"{error.page}:{error.line}", error.problem)
        assert changed is not None
        if mutant.kind in {"expectation deleted", "block deleted"} and shares.is_compared(mutant.block):
            variant = self.performer.variant
            problem = shares.fallen(shares.of(changed, variant), shares.of(self.chapter, variant).as_dict())
            return Outcome(mutant, problem and f"{self.chapter.page}:1", problem or "")
        if isinstance(mutant.block, Expect):
            return self._first_red(mutant, changed, performance.fork(changed))
        with Snapshot(self.performer.run) as snapshot:
            trial = performance.fork(changed)
            if isinstance(mutant.block, Notebook):  # the reader's notebook is broken, not only the page
                trial.cells = None
                snapshot.project(changed).joinpath(NOTEBOOK).write_text(notebook(changed, mutant.text))
            try:
                outcome = self._first_red(mutant, changed, trial)
            finally:
                trial.stop()
        restart_servers(performance)
        return outcome

    def _first_red(self, mutant: Mutant, changed: Chapter, trial: Performance) -> Outcome:
        for block in changed.executable(self.performer.variant):
            if block.place.end < mutant.block.place.line:
                continue
            if isinstance(mutant.block, Expect) and block.place != mutant.block.place:
                continue  # nothing is executed for a change of what is expected
            verdict = judge(block, trial)
            if verdict.outcome == FAILED:
                return Outcome(mutant, str(block.place), verdict.problem)
            if mutant.kind == SERVER_KILLED and block.place == mutant.block.place:
                trial.kill_servers()
        if not isinstance(mutant.block, Expect) and (left := self.performer.left()):  # no end of a fork tells
            return Outcome(mutant, str(changed.blocks[-1].place), f"still there at the end: {', '.join(left)}")
        return Outcome(mutant, None)


def restart_servers(performance: Performance) -> None:
    """Stop and start the servers of a chapter: what they serve was brought back as other files.

    One whose files the page has removed since, while it went on, cannot come back. A block that needs it is red then.
    """
    begun = [block for block in performance.blocks[: len(performance.done)] if isinstance(block, Background)]
    performance.stop()
    for block in begun:
        with suppress(RunError):
            performance.serve(block)


class Snapshot:
    """What a run directory holds, brought back at the end.

    Environments are left as they are; one that is gone at the end comes back from a copy whose files are shared.
    """

    def __init__(self, run: RunDirectory) -> None:
        self.run, self.copy, self.spare = run, run.root / "snapshot", run.root / SPARE
        self.environments = list(find_environments(run.work))

    def spare_of(self, environment: Path) -> Path:
        return self.spare / environment.relative_to(self.run.work)

    def project(self, chapter: Chapter) -> Path:
        return self.run.work / chapter.project

    def __enter__(self) -> Snapshot:
        left = {str(path) for path in self.environments}

        def leave_out(folder: str, names: list[str]) -> set[str]:
            return {name for name in names if str(Path(folder) / name) in left}

        for name in PARTS:
            shutil.copytree(self.run.root / name, self.copy / name, symlinks=True, ignore=leave_out)
        for environment in self.environments:
            spare = self.spare_of(environment)
            if installed(spare) != installed(environment):
                remove(spare)
                shutil.copytree(environment, spare, symlinks=True, copy_function=os.link)
        return self

    def __exit__(self, *error: object) -> None:
        aside = {path: self.run.root / f"environment-{number}" for number, path in enumerate(self.environments)}
        for path, place in aside.items():
            (path if path.is_dir() else self.spare_of(path)).rename(place)
        for name in PARTS:
            remove(self.run.root / name)
            (self.copy / name).rename(self.run.root / name)
        for path, place in aside.items():
            place.rename(path)
        remove(self.copy)


def installed(environment: Path) -> list[int]:
    """When packages came or went last: nothing for an environment that is not there."""
    return [folder.stat().st_mtime_ns for folder in environment.glob("lib/python*/site-packages")]
