"""From what came of a block to a verdict on the page: did it happen as the page says?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scripts.chapters import Block, Expect, File, Run
from scripts.chapters.changes import Look

from . import files, matching
from .performer import Performance
from .records import BLOCKED, FAILED, RAN, SKIPPED, Record

LOG = re.compile(r">\s*(\S+\.log)\b")
SHOWN = 20
"""Lines of a log that are told when the command that wrote it has failed."""


@dataclass(frozen=True)
class Verdict:
    """``problem`` says why a block is not ``ran``; ``detail`` is what was printed, or how it differs.

    ``got`` is the text to show when only that is wrong, ``highlighted`` the lines to highlight in it.
    """

    outcome: str
    problem: str = ""
    detail: str = ""
    got: str | None = None
    highlighted: str | None = None
    record: Record | None = None


def judge(block: Block, performance: Performance) -> Verdict:
    """Do a block, if that has not happened yet, and compare what it left with what the page shows."""
    maker = block
    if isinstance(block, Expect):
        maker = performance.chapter.producer(block, performance.variant)
    record = performance.record(maker)
    if record.outcome == FAILED and maker is block:
        detail = "\n".join([record.output.rstrip("\n"), *logs(block, performance)]).lstrip("\n")
        return Verdict(FAILED, record.problem, detail, record=record)
    if record.outcome == FAILED:
        return Verdict(BLOCKED, f"after the failure at {maker.place}", record=record)
    if record.outcome != RAN:
        return Verdict(record.outcome, record.problem, record=record)
    if block.skip:  # an output can be skipped although its command ran
        return Verdict(SKIPPED, str(block.skip), record=record)
    difference, got = None, None
    if isinstance(block, Expect):
        got = record.output
        difference = matching.difference(block.body, got, match=block.match, tol=block.tol)
    elif isinstance(block, File):
        got = record.output if block.mode == "state" else None
        difference = files.compare(block, record.output)
    if difference is not None:
        return Verdict(FAILED, "is not what the page shows", difference, got, record=record)
    if isinstance(block, File) and (look := performance.looks.get((performance.chapter.number, block.id))):
        return judge_look(block, look, record)
    return Verdict(RAN, record=record)


def logs(block: Block, performance: Performance) -> list[str]:
    """The ends of the logs that a page leads the output of a command into: why it failed is told there only."""
    if not isinstance(block, Run) or not performance.performer.used:
        return []
    run = performance.performer.run
    project = run.work / performance.chapter.project
    told = []
    for name in dict.fromkeys(LOG.findall(block.body)):
        if (log := project / name).is_file():
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN:]
            told.append("\n".join([f"the end of {name}:", *(f"    {run.as_reader(line)}" for line in last)]))
    return told


def judge_look(block: File, look: Look, record: Record) -> Verdict:
    """The file is right. Does the page show the change as it was worked out?"""
    if block.body.rstrip("\n") != look.body.rstrip("\n"):
        problem = "the change is right, but not shown as the tool shows it: --bless does that"
        detail = matching.unified(block.body.splitlines(), look.body.splitlines())
        return Verdict(FAILED, problem, detail, look.body, look.highlighted, record)
    if block.highlighted.split() != look.highlighted.split():
        problem = f'what is new is hl_lines="{look.highlighted}", not "{block.highlighted}": --bless writes it'
        return Verdict(FAILED, problem, "", look.body, look.highlighted, record)
    return Verdict(RAN, record=record)
