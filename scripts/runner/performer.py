"""Doing what chapters say, in the way of a reader, block after block."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path

from scripts.chapters import Background, Block, Chapter, Expect, File, Guide, Notebook, Run, Variant
from scripts.chapters.changes import Look, looks
from scripts.chapters.grammar import name_of

from . import capabilities, ending, environment, files, keys, notebook, processes
from .checkpoints import Checkpoints
from .directory import RunDirectory, RunError, claim
from .engine import BACKGROUND, Engine
from .records import ABSENT, BLOCKED, FAILED, RAN, SKIPPED, Record
from .services import Service
from .standins import StandIn

TERMINAL = (Path(__file__).parent / "terminal.sh").read_text()


def state_file(run: RunDirectory, terminal: str) -> Path:
    """Where the state of a terminal is kept between blocks."""
    return run.state / f"{terminal.lower().replace(' ', '-')}.sh"


PORT_LOCKS = Path(tempfile.gettempdir()) / f"guide-ports-{os.getuid()}"
"""Shared by all checkouts of a user: they share the ports of the machine too."""


PRINTED = 64 * 2**20
"""Bytes that a block may print."""
FULL = 2**16
"""Bytes below which a disk counts as full."""
SCARCE = 2**28
"""Bytes of disk below which a command may have failed for want of more: what fails often makes room again."""


@dataclass
class Options:
    """How to do the chapters.

    ``fresh`` ignores checkpoints, ``keep`` makes them, ``asked_for`` are accounts that may be used.
    """

    fresh: bool = False
    keep: bool = True
    asked_for: frozenset[str] = frozenset()
    standins: Callable[[RunDirectory], Sequence[StandIn]] = lambda run: ()


class Performance:
    """One chapter in one variant: does its blocks in order, as far as somebody asks."""

    def __init__(self, chapter: Chapter, performer: Performer) -> None:
        self.chapter, self.performer = chapter, performer
        self.variant = performer.variant
        self.blocks = [b for b in chapter.executable(self.variant) if not isinstance(b, Expect)]
        self.done: list[Record] = []
        self.cached = False
        self.executed_on = datetime.now(UTC).date().isoformat()
        self._begun, self._cannot_begin = False, ""
        self._services: list[Service] = []
        self._relied_on: list[Service] = []
        self.cells: list[notebook.Cell] | None = None
        """The reader's notebook as it was executed, once it was."""
        self._room = float("inf")
        """The least bytes of disk that were free while the last command ran."""
        self._stop: Record | None = None
        """Why nothing is executed from here on."""

    @cached_property
    def line(self) -> list[Chapter]:
        """The chapters up to this one, which may be a changed one."""
        return [*self.performer.guide.line(self.chapter)[:-1], self.chapter]

    @cached_property
    def looks(self) -> dict[tuple[str, str], Look]:
        """How pages have to show changes of files, by chapter and block."""
        return looks(self.line, self.variant)

    def record(self, block: Block) -> Record:
        """What came of a block; does it, and those above it, if that has not happened yet."""
        index = next(i for i, b in enumerate(self.blocks) if b.id == block.id)
        while len(self.done) <= index:
            self._next()
        return self.done[index]

    def complete(self) -> Record | None:
        """Do the whole chapter. Returns what stops the chapters after it, if anything does."""
        while len(self.done) < len(self.blocks):
            self._next()
        return self._stop

    def _next(self) -> None:
        block = self.blocks[len(self.done)]
        if not self.done:
            self.begin()
        self.done.append(self._do(block))
        if len(self.done) == len(self.blocks):
            self._end()

    def begin(self) -> None:
        """Bring the run directory to the start of the chapter."""
        if self._begun:
            return
        self._begun = True
        asked_for = self.performer.options.asked_for
        if missing := capabilities.absent(self.chapter.needs, asked_for):
            self._stop = Record(ABSENT, problem=missing)
            return
        try:
            self._stop = self.performer.reach(self.chapter)
        except (RunError, OSError) as error:
            self._cannot_begin = f"the start of the chapter cannot be reached: {error}"

    def _end(self) -> None:
        last = self.done[-1]
        if self._stop is None:
            try:
                self._check_services()
            except RunError as error:
                self.done[-1] = self._failed(self.blocks[-1], str(error), last.output)
        if self._stop is None:
            self.performer.settle()
        self.stop()
        # A fork leaves alone what it relies on.
        if self._stop is None and not self._relied_on and (left := self.performer.end_all()):
            told = f"still running at the end of the chapter: {', '.join(left)}"
            self.done[-1] = self._failed(self.blocks[-1], told, last.output)
        if self._stop is None and (wrong := self.performer.ends_otherwise(self.line)):
            self.done[-1] = self._failed(self.blocks[-1], wrong, last.output)
        if self._stop is None:
            try:
                self.performer.keep(self.chapter, self.done)
            except OSError as error:  # only the next run is slower
                self.performer.checkpoints.told.append(f"no checkpoint of chapter {self.chapter.number}: {error}")

    def stop(self) -> None:
        """Stop the servers that this chapter has started."""
        while self._services:
            self._services.pop().stop()

    def kill_servers(self) -> None:
        """End the servers that this chapter has started, as an accident would."""
        for service in self._services:
            service.kill()

    def fork(self, changed: Chapter) -> Performance:
        """Another performance that goes on from here with a changed chapter.

        It relies on the servers of this one, and stops only its own.
        """
        other = Performance(changed, self.performer)
        other.done, other._begun, other.cells = list(self.done), True, self.cells
        other._relied_on = [*self._relied_on, *self._services]
        return other

    # ------------------------------------------------------------ one block

    def _do(self, block: Block) -> Record:
        if self._cannot_begin and self._stop is None:
            return self._failed(block, self._cannot_begin)
        if self._stop is not None:
            return self._stop
        if block.skip:
            return Record(SKIPPED, problem=str(block.skip))
        if missing := capabilities.absent(block.requires, self.performer.options.asked_for):
            return Record(ABSENT, problem=missing)
        started, asked = time.monotonic(), self.performer.asked()
        try:
            self._check_services()
            output = self._execute(block)
            self._check_services()
        except RunError as error:
            problem, _, output = self.performer.run.as_reader(str(error)).partition("\0")
            return self._failed(block, problem, output, time.monotonic() - started)
        except OSError as error:  # of this machine, such as a full disk
            return self._failed(block, f"{error.strerror}: {error.filename or self.performer.run.root}")
        standins = self.performer.asked_since(asked)
        output = self.performer.run.as_reader(output)
        return Record(RAN, output, seconds=time.monotonic() - started, standins=standins)

    def _failed(self, block: Block, problem: str, output: str = "", seconds: float = 0.0) -> Record:
        self._stop = Record(BLOCKED, problem=f"after the failure at {block.place}")
        problem = "; ".join([problem, *self.performer.problems()])
        if self.performer.used:
            problem = self.performer.run.as_reader(problem)
        if self._free() < FULL:  # what was printed may be lost with it
            problem += "; No space left on device"
        elif self._room < SCARCE:
            problem += f"; meanwhile, less than {SCARCE // 2**20} MB of disk were free"
        return Record(FAILED, output, problem, seconds)

    def _free(self) -> int:
        return shutil.disk_usage(self.performer.cache).free

    def _check_while(self, log: Path) -> None:
        self._room = min(self._room, self._free())
        self._check_services()
        if log.stat().st_size > PRINTED:
            raise RunError(f"printed more than {PRINTED // 2**20} MB: is it a loop without end?")

    def _check_services(self) -> None:
        for service in (*self._relied_on, *self._services):
            service.check()

    def _execute(self, block: Block) -> str:
        run = self.performer.run
        project = run.work / self.chapter.project
        if isinstance(block, Background):
            self.serve(block)
            return ""
        if isinstance(block, Run):
            return self._run(block, self._command(block.terminal, block.body), run.work)
        if isinstance(block, File):
            return files.do(block, project)
        if isinstance(block, Notebook):
            return self._cell(block, project)
        raise AssertionError(f"{block.kind} cannot be executed")

    def _command(self, terminal: str, body: str) -> list[str]:
        state = state_file(self.performer.run, terminal)
        return ["bash", "--norc", "--noprofile", "-c", TERMINAL, "bash", str(state), body]

    def _environment(self) -> dict[str, str]:
        date = environment.commit_date(self.performer.step(self.chapter, len(self.done)))
        return {**self.performer.environment(), "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}

    def _run(self, block: Run, command: list[str], cwd: Path) -> str:
        log = self.performer.run.log / f"{self.chapter.slug}-{block.id}.txt"
        self._room = self._free()
        ended = processes.run(
            command,
            cwd=cwd,
            env=self._environment(),
            log=log,
            timeout=block.timeout,
            while_waiting=lambda: self._check_while(log),
        )
        if ended.status is None:
            raise RunError(f"did not end within {block.timeout:.0f} s: its processes were ended\0{ended.output}")
        if ended.status != block.exit:
            raise RunError(f"ended with status {ended.status}, not {block.exit}\0{ended.output}")
        if ended.outlived:
            processes.end_group(ended.group)
            raise RunError(f"left a process running: declare it as background\0{ended.output}")
        return ended.output

    def serve(self, block: Background) -> None:
        run = self.performer.run
        log = run.log / f"{self.chapter.slug}-{block.id}.txt"
        self._services.append(
            Service(
                # The server gets a copy of the terminal's state, and changes nothing of it.
                self._command(block.terminal, "trap - EXIT; " + block.body),
                ready=block.ready,
                cwd=run.work,
                env={**self._environment(), BACKGROUND: log.stem},
                log=log,
                timeout=block.timeout,
                locks=PORT_LOCKS,
                then=partial(self.performer.end_background, log.stem),
            )
        )

    def _cell(self, block: Notebook, project: Path) -> str:
        if self.cells is None:
            self.cells = self._execute_notebook(block, project)
        index = sum(isinstance(b, Notebook) for b in self.blocks[: len(self.done)])
        if index >= len(self.cells) or self.cells[index].source.strip() != block.body.strip():
            raise RunError(
                f"cell {index + 1} of the reader's {notebook.NAME} is another one: run python3 scripts/extract.py"
            )
        cell = self.cells[index]
        if cell.error:
            raise RunError(f"cell {index + 1} fails: {cell.error}\0{cell.output}")
        return cell.output

    def _execute_notebook(self, block: Notebook, project: Path) -> list[notebook.Cell]:
        script = self.performer.run.state / "execute_notebook.py"
        script.write_text(notebook.EXECUTE)
        target = self.performer.run.state / "executed.ipynb"
        words = [str(script), str(project / notebook.NAME), str(target), str(block.timeout)]
        body = f"cd '{project}'; python3 " + " ".join(f"'{word}'" for word in words)
        doing = Run(place=block.place, id=block.id, body=body, timeout=10 * block.timeout)
        self._run(doing, self._command("terminal", f"({body})"), self.performer.run.work)
        return list(notebook.read(target))


@dataclass
class Performer:
    """A variant of the guide in its run directory: brings it to the start of any chapter."""

    guide: Guide
    variant: Variant
    root: Path
    cache: Path
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        self.checkpoints = Checkpoints(self.cache / "checkpoints")
        self._performances: dict[str, Performance] = {}
        self._run: RunDirectory | None = None
        self._standins: list[StandIn] = []
        self._at: str | None = None
        """Key of the state that the run directory is in; None when it is in no known one."""

    @property
    def name(self) -> str:
        return name_of(self.variant)

    @property
    def run(self) -> RunDirectory:
        """The run directory, claimed at the first use."""
        if self._run is None:
            self._run = claim(self.cache / "runs", self.name)
        return self._run

    @property
    def used(self) -> bool:
        """Whether anything was executed."""
        return self._run is not None

    def told(self) -> list[str]:
        """What somebody should know about checkpoints."""
        return self.checkpoints.told

    def performance(self, chapter: Chapter) -> Performance:
        if chapter.number not in self._performances:
            performance = Performance(chapter, self)
            if not self.options.fresh and (known := self._known(chapter)):
                performance.done, performance.cached = known, True
                performance.executed_on = self.checkpoints.date(self.key(chapter))
                self.checkpoints.note(chapter.number, self.name, self.key(chapter))
            self._performances[chapter.number] = performance
        return self._performances[chapter.number]

    def _known(self, chapter: Chapter) -> list[Record] | None:
        try:
            return self.checkpoints.records(self.key(chapter))
        except OSError:  # such as a full disk: what is wrong is told by the first block that is done
            return None

    def key(self, chapter: Chapter) -> str:
        line = self.guide.line(chapter)
        present = {
            name: capabilities.absent((name,), self.options.asked_for) is None
            for c in line
            for name in (*c.needs, *(n for b in c.blocks for n in b.requires))
        }
        return keys.of_chapters(line, self.variant, root=self.root, capabilities=present)[chapter.number]

    def environment(self) -> dict[str, str]:
        """What the reader's commands find: a machine that reaches the stand-ins."""
        led = (standin.environment for standin in self._standins)
        return {**self.run.environment(), **{name: value for one in led for name, value in one.items()}}

    def asked(self) -> list[int]:
        """How often each stand-in was asked so far."""
        return [standin.requests for standin in self._standins]

    def asked_since(self, before: Sequence[int]) -> list[str]:
        """Which stand-ins were asked after that. One may know its whole name only now."""
        return [standin.name for standin, count in zip(self._standins, before, strict=True) if standin.requests > count]

    @property
    def engines(self) -> list[Engine]:
        """What runs containers, which are no processes of the run."""
        return [standin for standin in self._standins if isinstance(standin, Engine)]

    def end_background(self, name: str) -> None:
        """End what a background block has started elsewhere: in a container, or in a session of its own."""
        for engine in self.engines:
            engine.end_background(name)
        processes.end_all(self.run.token, also={BACKGROUND: name})

    def left(self) -> list[str]:
        """Containers that no background block has started."""
        return [told for engine in self.engines for told in engine.left()]

    def end_all(self) -> list[str]:
        """End every container and process of the run. Says which they were."""
        containers = [told for engine in self.engines for told in engine.clear()]
        return containers + processes.end_all(self.run.token)

    def settle(self) -> None:
        """Let stand-ins end what they do in the background: a checkpoint of the half of it would help nobody."""
        for standin in self._standins:
            standin.settle()

    def problems(self) -> list[str]:
        return [f"{standin.name}: {standin.problem}" for standin in self._standins if standin.problem]

    def step(self, chapter: Chapter, index: int) -> int:
        return 1000 * len(self.guide.line(chapter)) + index

    def shell(self, block: Block) -> None:
        """Open an interactive bash where a block of the run directory's chapter stopped."""
        terminal = block.terminal if isinstance(block, Run) else "terminal"
        state = state_file(self.run, terminal)
        state.touch()
        print(f"\n{block.place}: exit leaves this shell and goes on\n", flush=True)
        subprocess.run(["bash", "--rcfile", str(state), "-i"], cwd=self.run.work, env=self.environment(), check=False)

    def reach(self, chapter: Chapter) -> Record | None:
        """Bring the run directory to the start of a chapter. Returns what makes that impossible."""
        if chapter.after is None:
            self._restart()
            return None
        before = self.guide.chapters[chapter.after]
        if stop := self._redo(before):
            return stop
        if self._at != (key := self.key(before)):
            self._stop_standins()
            if not self.checkpoints.restore(key, self.run):  # damaged: gone now, so it is done once more
                self._performances.pop(before.number)
                if stop := self._redo(before):
                    return stop
        self._start_standins()
        self._new_terminals()
        self._at = None
        return None

    def _redo(self, chapter: Chapter) -> Record | None:
        """Do a whole chapter unless there is a checkpoint of its end."""
        performance = self.performance(chapter)
        return None if performance.cached else performance.complete()

    def keep(self, chapter: Chapter, done: Sequence[Record]) -> None:
        """Note that the run directory is at the end of a chapter, and keep that state."""
        self._at = self.key(chapter)
        if self.options.keep and not self._used_account(chapter):
            self.checkpoints.save(self._at, self.run, done)
            self.checkpoints.note(chapter.number, self.name, self._at)

    def ends_otherwise(self, line: Sequence[Chapter]) -> str | None:
        """How the reader's project differs from code/. With an account, names in its files are others."""
        return None if self._used_account(line[-1]) else ending.difference(line, self.variant, self.run.work)

    def _used_account(self, chapter: Chapter) -> bool:
        """What was done with somebody's account may hold a credential of it: no checkpoint of that."""
        return any(
            not self.options.asked_for.isdisjoint(capabilities.ON_REQUEST & {*c.needs, *b.requires})
            for c in self.guide.line(chapter)
            for b in c.blocks
        )

    def _restart(self) -> None:
        self._stop_standins()
        self.run.empty()
        self._start_standins()
        self._at = None

    def _new_terminals(self) -> None:
        for state in self.run.state.glob("*.sh"):
            state.unlink()

    def _start_standins(self) -> None:
        if not self._standins:
            for standin in self.options.standins(self.run):
                standin.start()
                self._standins.append(standin)

    def _stop_standins(self) -> None:
        while self._standins:
            self._standins.pop().stop()

    def close(self) -> list[str]:
        """Stop everything. Returns what was still running although nothing should be."""
        for performance in self._performances.values():
            performance.stop()
        self._stop_standins()
        return self._run.close() if self._run is not None else []
