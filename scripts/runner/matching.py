"""Comparing what a command printed with what the page shows. Rules per line; never a similarity.

Doctest's checkers are not used: their ellipsis runs across lines, and their numbers may differ by
a whole unit of the last shown place, so that wrong outputs pass.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

NUMBER = re.compile(r"(?<![\w.])[+-]?\d+\.\d+(?:[eE][+-]?\d+)?(?![\w.]*\w)")
MEASURED = re.compile(rf"{NUMBER.pattern}|(?<![\w.])\d+(?= \w+ a second\b)")
"""What a declared tolerance holds for. A rate is measured, like a time; other whole numbers are counted, and exact."""
ELLIPSIS = "..."
ANY_TEXT = re.compile(r"(?:[ \t]{2,})?\.\.\.(?:[ \t]{2,})?")
"""An ellipsis in a line, with the blanks that align it in a table."""
ALIGNED = 20_000
"""Pairs of lines up to which a difference is shown without those that only look different."""

# What differs from run to run without meaning anything, replaced on both sides.
NORMAL = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "TIMESTAMP"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b"), "TIME"),
    (re.compile(r"(?<![\w.])\d+(?:\.\d+)? ?(?:ms|us|µs|s|secs?|seconds?|min|minutes?)(?:/\w+)?\b"), "DURATION"),
    (re.compile(r"(?<![\w.])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])(?:[0-9a-f]{7,12}|[0-9a-f]{40})\b"), "HASH"),
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


@dataclass(frozen=True)
class Piece:
    """Literal text of a shown line, between two ellipses, with its numbers cut out."""

    pattern: re.Pattern[str]
    at_end: re.Pattern[str]
    numbers: tuple[str, ...]

    def fits(self, match: re.Match[str] | None, tol: float | None) -> bool:
        return match is not None and all(
            same_number(shown, got, tol) for shown, got in zip(self.numbers, match.groups(), strict=True)
        )

    def find(self, line: str, start: int, tol: float | None, *, at_end: bool) -> int | None:
        """Where the first place from ``start`` on ends in which the piece stands."""
        pattern = self.at_end if at_end else self.pattern
        while match := pattern.search(line, start):
            if self.fits(match, tol):
                return match.end()
            start = match.start() + 1
        return None


@lru_cache(maxsize=4096)
def pieces(shown: str, number: re.Pattern[str]) -> tuple[Piece, ...]:
    return tuple(piece(text, number) for text in ANY_TEXT.split(shown))


def piece(text: str, number: re.Pattern[str]) -> Piece:
    parts, end = list[str](), 0
    for match in number.finditer(text):
        parts += [spaced(text[end : match.start()]), r"(?<![\w.])([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"]
        end = match.end()
    pattern = "".join([*parts, spaced(text[end:])])
    return Piece(re.compile(pattern), re.compile(rf"(?:{pattern})\Z"), tuple(number.findall(text)))


def spaced(text: str) -> str:
    """A pattern for literal text in which runs of blanks may have another width (tables)."""
    return r"[ \t]+".join(re.escape(part) for part in re.split(r"[ \t]{2,}", text))


@lru_cache(maxsize=65536)
def same_line(shown: str, got: str, tol: float | None = None) -> bool:
    """One line: literal but for ``...`` (any text), numbers with a decimal point and, with ``tol``, rates."""
    if shown == got:
        return True
    first, *rest = pieces(shown, NUMBER if tol is None else MEASURED)
    if not rest:
        return first.fits(first.pattern.fullmatch(got), tol)
    start = first.pattern.match(got)
    if start is None or not first.fits(start, tol):
        return False
    end = start.end()
    for part in rest:
        found = part.find(got, end, tol, at_end=part is rest[-1])
        if found is None:
            return False
        end = found
    return True


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
        return json_difference(shown, got, tol)
    want, have = normalise(shown), normalise(got)
    if match == "contains":
        missing = missing_line(want, have, tol)
        return None if missing is None else "\n".join([f"not in the output, or not in this order: {missing}", *have])
    return None if same_lines(want, have, tol) else diff(want, have, tol)


def json_difference(shown: str, got: str, tol: float | None) -> str | None:
    try:
        want, have = json.loads(shown), json.loads(got)
    except ValueError as error:
        return f"not JSON ({error}):\n{got}"
    if same_json(want, have, tol):
        return None
    pretty = [json.dumps(value, indent=2, ensure_ascii=False).splitlines() for value in (want, have)]
    return unified(*pretty)


def missing_line(want: list[str], have: list[str], tol: float | None) -> str | None:
    """The first line that is not in the output after those before it."""
    rest = iter(have)
    return next((line for line in want if not any(same_line(line, other, tol) for other in rest)), None)


def diff(want: list[str], have: list[str], tol: float | None = None) -> str:
    """``-`` what the page shows, ``+`` what was printed; lines that match are not marked."""
    literal = [line for line in want if line.strip() != ELLIPSIS]
    if len(literal) * len(have) > ALIGNED:
        return unified(want, have)
    return unified(want, [next((w for w in literal if same_line(w, line, tol)), line) for line in have])


def unified(want: list[str], have: list[str]) -> str:
    return "\n".join(difflib.unified_diff(want, have, "the page shows", "what came out", lineterm="", n=2))
