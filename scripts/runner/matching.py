"""Comparing what a command printed with what the page shows. Rules per line; never a similarity.

Doctest's checkers are not used: their ellipsis runs across lines, and their numbers may differ by
a whole unit of the last shown place, so that wrong outputs pass.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

NUMBER = re.compile(r"(?<![\w.])[+-]?\d+\.\d+(?:[eE][+-]?\d+)?(?![\w.]*\w)")
ELLIPSIS = "..."

# What differs from run to run without meaning anything, replaced on both sides.
NORMAL = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "TIMESTAMP"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b"), "TIME"),
    (re.compile(r"(?<![\w.])\d+(?:\.\d+)? ?(?:ms|us|µs|s|secs?|seconds|min)(?:/\w+)?\b"), "DURATION"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])(?:[0-9a-f]{7,12}|[0-9a-f]{40})\b"), "HASH"),
)


def normalise(text: str) -> list[str]:
    """Lines of ``text`` without trailing space, with what never repeats replaced by a word."""
    for pattern, word in NORMAL:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def same_number(shown: str, got: str, tol: float | None) -> bool:
    """Equal to the precision that the page shows, or within ``tol`` (absolute) where declared."""
    if tol is not None:
        return abs(float(shown) - float(got)) <= tol * (1 + 1e-9)
    mantissa, _, exponent = shown.lower().partition("e")
    places = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return abs(float(shown) - float(got)) <= 0.5 * 10.0**-places * (1 + 1e-9)


def same_line(shown: str, got: str, tol: float | None = None) -> bool:
    """One line: literal but for ``...`` (any text) and numbers with a decimal point."""
    if shown == got:
        return True
    parts, numbers = list[str](), list[str]()
    for index, piece in enumerate(shown.split(ELLIPSIS)):
        if index:
            parts.append(r".*?")
        end = 0
        for match in NUMBER.finditer(piece):
            parts.append(spaced(piece[end : match.start()]))
            parts.append(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)")
            numbers.append(match[0])
            end = match.end()
        parts.append(spaced(piece[end:]))
    line = re.fullmatch("".join(parts), got)
    return line is not None and all(same_number(s, g, tol) for s, g in zip(numbers, line.groups(), strict=True))


def spaced(text: str) -> str:
    """A pattern for literal text in which runs of blanks may have another width (tables)."""
    return r"[ \t]+".join(re.escape(part) for part in re.split(r"[ \t]{2,}", text))


def same_lines(shown: list[str], got: list[str], tol: float | None) -> bool:
    """All lines, where a line ``...`` alone stands for any number of them."""
    reached = {0}  # how many lines of the output the lines shown so far can account for
    for line in shown:
        if line.strip() == ELLIPSIS:
            reached = set(range(min(reached), len(got) + 1))
        else:
            reached = {n + 1 for n in reached if n < len(got) and same_line(line, got[n], tol)}
        if not reached:
            return False
    return len(got) in reached


def same_json(shown: Any, got: Any, tol: float | None) -> bool:
    """By value. Floats within ``tol``, else exactly; ``"..."`` stands for any value."""
    if shown == ELLIPSIS:
        return True
    if isinstance(shown, dict) and isinstance(got, dict):
        return shown.keys() == got.keys() and all(same_json(shown[k], got[k], tol) for k in shown)
    if isinstance(shown, list) and isinstance(got, list):
        return len(shown) == len(got) and all(same_json(s, g, tol) for s, g in zip(shown, got, strict=True))
    if isinstance(shown, float) and isinstance(got, float | int) and not isinstance(got, bool):
        return abs(shown - got) <= (tol or 1e-12 * max(1.0, abs(shown)))
    return type(shown) is type(got) and bool(shown == got)


def difference(shown: str, got: str, *, match: str = "lines", tol: float | None = None) -> str | None:
    """None when ``got`` is what the page shows, else a text that says how they differ."""
    if match == "json":
        try:
            if same_json(json.loads(shown), json.loads(got), tol):
                return None
        except ValueError as error:
            return f"not JSON ({error}):\n{got}"
        return diff(shown.splitlines(), got.splitlines())
    want, have = normalise(shown), normalise(got)
    if match == "contains":
        rest = iter(have)
        missing = [line for line in want if not any(same_line(line, other, tol) for other in rest)]
        return "\n".join([f"not in the output (or not in this order): {missing[0]}", *have]) if missing else None
    return None if same_lines(want, have, tol) else diff(want, have, tol)


def diff(want: list[str], have: list[str], tol: float | None = None) -> str:
    """``-`` what the page shows, ``+`` what was printed; lines that match are not marked."""
    aligned = [next((w for w in want if same_line(w, line, tol)), line) for line in have]
    return "\n".join(difflib.unified_diff(want, aligned, "the page shows", "the command printed", lineterm="", n=2))
