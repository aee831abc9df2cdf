"""results/verified.json: what was verified, when, with what. Written by the tests, read by the site.

Knows neither how pages are read nor how blocks are run: a block is known by its fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

VERIFIED = Path("results/verified.json")
MUTATION = Path("results/mutation.json")
SURVIVORS = Path("results/survivors.yml")
"""Written by people: why a mutant that nothing notices does no harm. Chapter → mutant → cause."""


class Fingerprints:
    """Names the blocks of one page by their content: the same wherever on the page they stand."""

    def __init__(self) -> None:
        self._seen = Counter[str]()

    def of(self, language: str, title: str, body: str) -> str:
        """The next block's fingerprint. A block that occurs again on the page gets a number."""
        text = json.dumps([language, title, body.rstrip("\n")])
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name}-{self._seen[name]}"


def load(root: Path, name: Path = VERIFIED) -> dict[str, Any]:
    """The results, or nothing when nothing was recorded yet."""
    path = root / name
    if not path.exists():
        return {}
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def causes(root: Path) -> dict[str, dict[str, str]]:
    """Why known survivors do no harm: chapter → mutant → cause."""
    path = root / SURVIVORS
    known: dict[str, dict[str, str]] = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}
    return known


def save(root: Path, data: Mapping[str, Any], name: Path = VERIFIED) -> None:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
