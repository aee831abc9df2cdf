"""What came of each block."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RAN, FAILED, SKIPPED, ABSENT, BLOCKED = "ran", "failed", "skipped", "absent", "blocked"


@dataclass(frozen=True)
class Record:
    """What came of one block.

    ``problem`` says why it failed or was not executed; ``standins`` are the local servers that
    answered it in place of an outside system.
    """

    outcome: str
    output: str = ""
    problem: str = ""
    seconds: float = 0.0
    standins: Sequence[str] = ()


def dump(records: Sequence[Record], path: Path) -> None:
    path.write_text(json.dumps([asdict(r) for r in records], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path) -> list[Record]:
    return [Record(**raw) for raw in json.loads(path.read_text(encoding="utf-8"))]
