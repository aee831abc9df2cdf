"""What is wrong with the slide that a browser shows now: each check gives a list, empty when all is well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SCRIPT = (Path(__file__).parent / "looking.js").read_text(encoding="utf-8")


def problems(page: Any, check: str) -> list[str]:
    """Run one of the checks of looking.js: ``overflow``, ``contrast``, ``pictures`` or ``words``."""
    found: list[str] = page.evaluate(f"() => {{ {SCRIPT}; return {check}(); }}")
    return found


def go_to(page: Any, number: int) -> None:
    """Show a slide, counted from 1."""
    page.evaluate(f"location.hash = '{number}'")
    page.wait_for_function(f"document.querySelector('.bespoke-marp-active section[id]').id == '{number}'")
