"""What measures, from its lock: axe finds what bars readers, Lighthouse judges how quick and sound a page is."""

from __future__ import annotations

import fcntl
from pathlib import Path

from scripts import node

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "measuring"


def axe() -> str:
    """The script of axe, for a page to run; the first time, it is installed. Raises NodeError."""
    return (installed("axe", "axe-core")[1] / "axe.min.js").read_text(encoding="utf-8")


def lighthouse() -> tuple[str, str]:
    """The command that starts Lighthouse; the first time, it is installed. Raises NodeError."""
    program, folder = installed("lighthouse", "lighthouse")
    return program, str(folder / "cli" / "index.js")


def installed(short: str, name: str) -> tuple[str, Path]:
    package = node.Package(
        short, name, Path(__file__).parent / "npm" / short, ROOT / "presentation" / "requirements.txt"
    )
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE.parent / "measuring.lock").open("w") as lock:  # beside it, where scripts/guide.py looks for locks
        fcntl.flock(lock, fcntl.LOCK_EX)
        return node.installed(package, CACHE)
