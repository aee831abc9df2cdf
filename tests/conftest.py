"""Turns the chapters of the guide into pytest items: one per block, located at its line.

The only place where reading (scripts/chapters) meets doing (scripts/runner).
"""

from __future__ import annotations

import math
import os
import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from scripts import published, results
from scripts.chapters import Block, Chapter, Expect, Guide, PageError
from scripts.chapters.grammar import CAPABILITIES, CHOICES, DEFAULT, name_of
from scripts.chapters.grammar import variants as every_variant
from scripts.runner import bless, capabilities, recording, shares
from scripts.runner.directory import RunError, clean_up
from scripts.runner.judging import Verdict, judge
from scripts.runner.performer import Options, Performer
from scripts.runner.records import ABSENT, BLOCKED, FAILED, RAN
from scripts.runner.standins import stand_ins
from tests.unchanged import Unchanged

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
PERFORMERS = pytest.StashKey[dict[str, Performer]]()
CORRECTIONS = pytest.StashKey[list[bless.Correction]]()
VERDICTS = pytest.StashKey[dict[tuple[str, str], dict[str, Verdict]]]()
"""(chapter, variant) → block → verdict."""
END = pytest.StashKey[float]()
LATE_ONES = pytest.StashKey[dict[tuple[str, str], bool]]()
"""(chapter, variant) → whether the time was over before it began."""
LATE = "late"


CHAPTER_ITEM = re.compile(r"(?:chapter|page)-[^/]+::.*\]$")


# ---------------------------------------------------------------- options


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("guide", "the chapters of the guide")
    group.addoption("--from", dest="start", metavar="N", help="only chapters from number N on")
    group.addoption("--fresh", action="store_true", help="execute every chapter, whatever is cached")
    group.addoption(
        "--variant",
        action="append",
        default=[],
        metavar="tool=pip",
        help="which tabs to follow: tool=pip, place=cloud, forge=gitlab, or all one after the other (repeatable)",
    )
    group.addoption("--with", dest="with_", default="", metavar="A,B", help="use my accounts: gcloud, github")
    group.addoption(
        "--strict-capabilities", action="store_true", help="a missing capability, but an account, is a failure"
    )
    group.addoption("--bless", action="store_true", help="rewrite the outputs that pages show from what was printed")
    group.addoption("--record", action="store_true", help="note the verdicts in results/verified.json, for the site")
    group.addoption(
        "--from-published",
        metavar="FOLDER|URL",
        help="do each chapter from the archives there, as a reader does who begins with it",
    )
    group.addoption("--debug-shell", action="store_true", help="open a shell where a block failed")
    group.addoption(
        "--minutes",
        type=float,
        default=math.inf,
        metavar="M",
        help="begin with no chapter after M minutes, and tell which",
    )


def this_system() -> str:
    if platform.system() == "Darwin":
        return "macos"
    return "wsl2" if "microsoft" in platform.release().lower() else "linux"


def variants(config: pytest.Config) -> list[dict[str, str]]:
    """The ways through the guide that were asked for. Each option is one, and says how it differs from the default."""
    home = {**DEFAULT, "os": this_system()}
    others = [{key: value} for key, values in CHOICES.items() if key != "os" for value in values[1:]]
    asked: list[dict[str, str]] = []
    for text in config.getoption("--variant") or [""]:
        chosen = dict(part.partition("=")[::2] for part in text.split(",") if part)
        if text == "all":
            asked += [{}, *others]
        elif all(key != "os" and value in CHOICES.get(key, ()) for key, value in chosen.items()):
            asked.append(chosen)
        else:
            choices = ", ".join(f"{key}={'|'.join(values)}" for key, values in CHOICES.items() if key != "os")
            raise pytest.UsageError(f"--variant {text}: choose all, or out of {choices}, with commas between")
    found = {name_of(variant): variant for chosen in asked for variant in [{**home, **chosen}]}
    if unknown := [name for name, variant in found.items() if variant not in every_variant()]:
        raise pytest.UsageError(f"--variant: {unknown[0]}: no page has tabs for both of these")
    return list(found.values())


def label(variant: dict[str, str]) -> str:
    """How items call a variant: without the system, which is always the same."""
    return name_of({key: value for key, value in variant.items() if key != "os"})


def asked_for(config: pytest.Config) -> frozenset[str]:
    names = frozenset(name for name in config.getoption("with_").split(",") if name)
    if unknown := names - set(CAPABILITIES):
        raise pytest.UsageError(f"--with {min(unknown)}: choose from {', '.join(CAPABILITIES)}")
    return names


def pytest_configure(config: pytest.Config) -> None:
    for option in ("--record", "--bless"):
        if config.getoption(option) and config.getoption("numprocesses", None):
            raise pytest.UsageError(f"{option} needs all verdicts in one process: leave out -n")
    if config.getoption("--bless") and os.environ.get("CI"):
        raise pytest.UsageError("--bless changes pages: run it on your machine, look at the diff, commit")
    if config.getoption("--from-published") and config.getoption("--record"):
        raise pytest.UsageError("--record is for chapters in their order: leave out --from-published")
    variants(config)  # both raise UsageError, in one line, only from here
    asked_for(config)
    config.stash[CORRECTIONS] = []
    config.stash[PERFORMERS] = {}
    config.stash[VERDICTS] = {}
    config.stash[LATE_ONES] = {}
    config.stash[END] = time.monotonic() + 60 * config.getoption("--minutes")
    present = tuple(name for name in ("browser", "curl", "docker") if capabilities.has(name))
    config.pluginmanager.register(Unchanged(ROOT, CACHE / "tests.json", present), "guide-unchanged")
    # As a plugin of its own, so that it also sees files outside of tests/.
    config.pluginmanager.register(Chapters(config), "guide-chapters")


# ---------------------------------------------------------------- collection


class Chapters:
    """Collects the executable pages below docs/, and tells what comes of their blocks."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._guide: Guide | None = None
        self._outcomes: dict[str, int] = {}
        self._cached = 0
        self._blocked_after: object = None
        self._told = list[str]()

    def pytest_sessionstart(self) -> None:
        if not hasattr(self.config, "workerinput"):
            cleaned = clean_up(CACHE / "runs")
            self._told += [f"ended, left over from a run that died: {text}" for text in cleaned]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist has something to tell too."""
        self._told += getattr(node, "workeroutput", {}).get("told", [])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Read the whole guide first: a page that cannot stand ends the session in one line."""
        try:
            self._guide = Guide.load(ROOT)
        except PageError as error:
            raise pytest.UsageError(str(error)) from None
        start, numbers = self.config.getoption("start"), list(self._guide.chapters)
        if start is not None and start not in numbers:
            raise pytest.UsageError(f"--from {start}: there is no such chapter (there are {', '.join(numbers)})")

    @property
    def guide(self) -> Guide:
        assert self._guide is not None, "no page is collected before the guide is read"
        return self._guide

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.suffix != ".md" or not file_path.is_relative_to(ROOT / "docs"):
            return None
        page = file_path.relative_to(ROOT).as_posix()
        chapter = next((c for c in self.guide.chapters.values() if c.page == page), None)
        if chapter is None or not self._selected(chapter):
            return None
        return ChapterFile.from_parent(
            parent, path=file_path, name=chapter.slug, nodeid=chapter.slug, chapter=chapter, guide=self.guide
        )

    def _selected(self, chapter: Chapter) -> bool:
        if self.config.getoption("--from-published") and not published.can_start(chapter, self.guide):
            return False
        start = self.config.getoption("start")
        if start is None:
            return True
        numbers = list(self.guide.chapters)
        return numbers.index(chapter.number) >= numbers.index(start)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """With -n, each variant of the guide is one worker's, and so is each file of other tests."""
        from xdist.scheduler import LoadScopeScheduling

        class Lines(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
            def _split_scope(self, nodeid: str) -> str:
                return nodeid[nodeid.rindex("[") :] if CHAPTER_ITEM.match(nodeid) else nodeid.split("::")[0]

        return Lines(config, log)

    # ------------------------------------------------------------ telling

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Blocks are told one per line, not as letters behind the name of a file."""
        if not isinstance(item, BlockItem | SharesItem):
            return None
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and reporter.isatty and isinstance(item, BlockItem) and not item.cached:
            reporter.write(f"\r{item.telling} …\r")
        runtestprotocol(item, nextitem=nextitem)
        return True

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Counted by pytest, told by this plugin."""
        if report.when != "call" or not {"block", "shares"} & dict(report.user_properties).keys():
            return None
        return report.outcome, "", "" if report.passed else report.outcome.upper()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        known = dict(report.user_properties)
        if report.when != "call" or "block" not in known:
            return
        outcome = known.get("outcome", RAN if report.passed else FAILED)
        self._outcomes[str(outcome)] = self._outcomes.get(str(outcome), 0) + 1
        self._cached += bool(known["cached"]) and outcome == RAN
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or (known["cached"] and report.passed) or self.config.get_verbosity() < 0:
            return
        if outcome in (BLOCKED, LATE) and self._blocked_after == known["problem"]:
            return  # once is enough
        self._blocked_after = known.get("problem")
        if reporter.isatty:
            reporter.write("\r\x1b[K")
        reporter.ensure_newline()
        tail = known.get("problem") or f"{report.duration:.1f} s"
        colour = {RAN: {"green": True}, FAILED: {"red": True}}.get(str(outcome), {"yellow": True})
        reporter.write(f"{outcome:8}", **colour)
        reporter.write_line(f"{known['block']}  {tail}")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._outcomes:
            counts = ", ".join(f"{number} {outcome}" for outcome, number in self._outcomes.items())
            terminalreporter.write_line(f"blocks of the guide: {counts} ({self._cached} from checkpoints)")
        for text in [*self._told, *self._own_told()]:
            terminalreporter.write_line(text)
        if corrections := self.config.stash[CORRECTIONS]:
            terminalreporter.section("blessed")
            terminalreporter.write_line(bless.apply(ROOT, corrections))

    def pytest_sessionfinish(self) -> None:
        if self.config.getoption("--record"):
            self._record()
        for performer in self.config.stash[PERFORMERS].values():
            performer.close()
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["told"] = self._own_told()

    def _own_told(self) -> list[str]:
        return [text for performer in self.config.stash[PERFORMERS].values() for text in performer.told()]

    def _record(self) -> None:
        performers = {p.name: p for p in self.config.stash[PERFORMERS].values()}
        chapters = {
            (number, name): (performers[name].performance(self.guide.chapters[number]), verdicts)
            for (number, name), verdicts in self.config.stash[VERDICTS].items()
        }
        recording.record(ROOT, chapters, self.guide)


class ChapterFile(pytest.File):
    """A page with a chapter."""

    def __init__(self, *, chapter: Chapter, guide: Guide, **rest: Any) -> None:
        super().__init__(**rest)
        self.chapter, self.guide = chapter, guide

    def collect(self) -> Iterator[pytest.Item]:
        for variant in variants(self.config):
            performer = performer_for(self.config, self.guide, variant)
            for block in self.chapter.executable(variant):
                name = f"{block.id}[{label(variant)}]"
                yield BlockItem.from_parent(self, name=name, block=block, performer=performer, chapter=self.chapter)
            yield SharesItem.from_parent(self, name=f"shares[{label(variant)}]", performer=performer)


def performer_for(config: pytest.Config, guide: Guide, variant: dict[str, str]) -> Performer:
    performers = config.stash[PERFORMERS]
    if (name := label(variant)) not in performers:
        accounts, archives = asked_for(config), config.getoption("--from-published")
        options = Options(config.getoption("--fresh"), asked_for=accounts, standins=stand_ins(ROOT, variant, accounts))
        if archives:
            options.fresh, options.keep = True, False
            address = archives if "://" in archives else Path(archives).resolve().as_uri()
            performers[name] = published.FromPublished(guide, variant, ROOT, CACHE, options, address)
        else:
            performers[name] = Performer(guide, variant, ROOT, CACHE, options)
    return performers[name]


# ---------------------------------------------------------------- items


class SharesItem(pytest.Item):
    """How much of a chapter is executed and checked has not fallen since it was last recorded."""

    def __init__(self, *, performer: Performer, **rest: Any) -> None:
        super().__init__(**rest)
        self.performer = performer

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.nodeid

    def runtest(self) -> None:
        self.user_properties.append(("shares", True))
        assert isinstance(self.parent, ChapterFile)
        chapter = self.parent.chapter
        known = results.load(ROOT).get("chapters", {}).get(chapter.number, {}).get("variants", {})
        recorded = known.get(self.performer.name, {}).get("shares")
        now = shares.of(chapter, self.performer.variant)
        if recorded and (problem := shares.fallen(now, recorded)):
            pytest.fail(f"{chapter.page}:1: {problem} (--record takes the new figure)", pytrace=False)


class BlockFailed(Exception):
    """A block did not do what its page says: what is wrong, and what was printed or how it differs."""


class BlockItem(pytest.Item):
    """One block in one variant."""

    def __init__(self, *, block: Block, chapter: Chapter, performer: Performer, **rest: Any) -> None:
        super().__init__(**rest)
        self.block, self.chapter, self.performer = block, chapter, performer

    @property
    def telling(self) -> str:
        return f"{self.block.place} {self.name}"

    @property
    def cached(self) -> bool:
        return self.performer.performance(self.chapter).cached

    def reportinfo(self) -> tuple[Path, int, str]:
        return ROOT / self.block.place.page, self.block.place.line - 1, self.nodeid

    def runtest(self) -> None:
        performance = self.performer.performance(self.chapter)
        self.user_properties += [("block", self.telling), ("cached", performance.cached)]
        if self._is_late():
            told = f"the time was over before chapter {self.chapter.number}"
            self.user_properties += [("outcome", LATE), ("problem", told)]
            raise pytest.skip.Exception(f"{LATE}: {told}", _use_item_location=True)
        verdict = judge(self.block, performance)
        if verdict.got is not None and verdict.outcome == FAILED and self.config.getoption("--bless"):
            self._bless(verdict.got, verdict.highlighted)
            verdict = Verdict(RAN, record=verdict.record)
        self.config.stash[VERDICTS].setdefault((self.chapter.number, self.performer.name), {})[self.block.id] = verdict
        if verdict.outcome == FAILED:
            if self.config.getoption("--debug-shell") and not isinstance(self.block, Expect):
                self._debug_shell()
            raise BlockFailed(verdict.problem, verdict.detail)
        if verdict.outcome == ABSENT and self.config.getoption("--strict-capabilities") and not self._needs_extra():
            raise BlockFailed(f"this machine lacks {verdict.problem}", "")
        if verdict.outcome != RAN:
            self.user_properties += [("outcome", verdict.outcome), ("problem", verdict.problem)]
            raise pytest.skip.Exception(f"{verdict.outcome}: {verdict.problem}", _use_item_location=True)

    def _is_late(self) -> bool:
        """Whether the chapter had not begun when the time of --minutes was over."""
        late = self.config.stash[LATE_ONES]
        key = self.chapter.number, self.performer.name
        if key not in late:
            late[key] = not self.cached and time.monotonic() > self.config.stash[END]
        return late[key]

    def _needs_extra(self) -> bool:
        """Whether it uses what no machine has by itself: an account that nobody has offered, or an extra tool."""
        block = self.block
        if isinstance(block, Expect):
            block = self.chapter.producer(block, self.performer.variant)
        missing = capabilities.ON_REQUEST - asked_for(self.config) | capabilities.EXTRA
        return not missing.isdisjoint({*block.requires, *self.chapter.needs})

    def _bless(self, got: str, highlighted: str | None) -> None:
        match, tol = "lines", None
        if isinstance(self.block, Expect):
            match, tol = self.block.match, self.block.tol
        merge = {"lines": bless.merge, "contains": bless.merge_contains, "json": bless.merge_json}[match]
        if highlighted is None:
            got = merge(self.block.body, got, tol=tol)
        self.config.stash[CORRECTIONS].append(bless.Correction(self.block.place, got, highlighted))

    def _debug_shell(self) -> None:
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        assert capture is not None
        capture.suspend(in_=True)  # the shell gets the terminal, as a debugger would
        try:
            self.performer.shell(self.block)
        finally:
            capture.resume()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if not isinstance(excinfo.value, BlockFailed | RunError):
            return super().repr_failure(excinfo, style)
        problem, output = [*excinfo.value.args, ""][:2]
        lines = [f"{self.block.place}: {problem}", ""]
        lines += [f"    {line}" for line in self.block.body.rstrip().splitlines()]
        if output.strip():
            lines += ["", *output.rstrip().splitlines()]
        if self.performer.used:
            lines += ["", f"its working directory is kept until the next run: {self.performer.run.work}"]
        return "\n".join(lines)


# ---------------------------------------------------------------- a browser, for the tests that look at something


@pytest.fixture(scope="session")
def chrome(pytestconfig: pytest.Config) -> str:
    """Where the browser of this machine is. Playwright's own one is never downloaded."""
    if path := capabilities.browser():
        return path
    missing = capabilities.absent(("browser",))
    if pytestconfig.getoption("--strict-capabilities"):
        pytest.fail(f"this machine lacks {missing}")
    pytest.skip(f"capability {missing}")


@pytest.fixture(scope="session")
def browser(chrome: str) -> Iterator[Any]:
    """That browser, started: one for all tests of a process, since Playwright allows no second one."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox"])
        yield chromium
        chromium.close()
