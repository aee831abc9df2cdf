"""Markdown → fences and directives with their places. Finds them; gives them no meaning."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from sybil import Document, Region
from sybil.parsers.abstract.lexers import LexingException
from sybil.parsers.markdown.lexers import DirectiveInHTMLCommentLexer, RawFencedCodeBlockLexer

from .model import Container, PageError, Place

FENCES = RawFencedCodeBlockLexer(info_pattern=re.compile(r"(?P<info>[^\n]*)(?:\n|\Z)"))
# The arguments of a hidden block may end the line or the comment, so both kinds share one lexer.
DIRECTIVES = DirectiveInHTMLCommentLexer(directive="block|hidden", arguments=r"[^\n]*?")

# Looks like a directive, however it is spelled: what the lexer does not take is then an error.
SUSPECT = re.compile(r"^[ \t]*<!--+[ \t]*(?:block|hidden)\b", re.M | re.I)
FENCE_LINE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
OPENERS = (
    ("tab", re.compile(r'===[!+]{0,2} "(?P<title>.*)"$')),
    ("admonition", re.compile(r'(?:!!!|\?\?\?\+?) (?P<type>[\w -]+?)(?: "(?P<title>.*)")?$')),
    ("item", re.compile(r"(?:[-*+]|\d+[.)])[ \t]+(?P<title>.*)$")),
    ("footnote", re.compile(r"\[\^(?P<title>[^\]]+)\]:")),
    ("definition", re.compile(r":[ \t]+(?P<title>.*)$")),
)


@dataclass(frozen=True)
class Fence:
    """A fenced block as it stands on the page; ``body`` is free of the fence's indentation."""

    place: Place
    info: str
    body: str


@dataclass(frozen=True)
class Directive:
    """``<!-- word: arguments … -->``; ``body`` holds the lines of a hidden block."""

    place: Place
    word: str
    arguments: str
    body: str


class Page:
    """The text of a page, and what stands on which line."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.lines = text.split("\n")
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def line_of(self, position: int) -> int:
        return bisect_right(self._starts, position)

    def error(self, line: int, problem: str) -> PageError:
        return PageError(self.name, line, problem)

    def indent_of(self, line: int) -> int:
        text = self.lines[line - 1]
        return len(text) - len(text.lstrip())

    def place(self, start: int, end: int) -> Place:
        line = self.line_of(start)
        return Place(self.name, line, self.line_of(end), self.indent_of(line), self._containers(line))

    def _containers(self, line: int) -> tuple[Container, ...]:
        """Walk up: each less indented line that opens a container encloses this one."""
        indent, found = self.indent_of(line), list[Container]()
        for number in range(line - 1, 0, -1):
            if indent == 0:
                break
            text = self.lines[number - 1]
            if not text.strip() or self.indent_of(number) >= indent:
                continue
            for kind, opener in OPENERS:
                if match := opener.match(text.strip()):
                    title = match.groupdict().get("title") or match.groupdict().get("type") or ""
                    found.append(Container(kind, title, number))
                    indent = self.indent_of(number)
                    break
        if indent:
            raise self.error(line, "indented, but it belongs to no tab, admonition or list item: indent it less")
        return tuple(reversed(found))

    def fences(self) -> Iterator[Fence]:
        """Every outermost fenced block. Raises PageError for one that is never closed."""
        end_of_last = -1
        for region in sorted(FENCES(Document(self.text, self.name)), key=lambda r: (r.start, -r.end)):
            if region.start >= end_of_last:
                end_of_last = region.end
                yield self._fence(region)

    def _fence(self, region: Region) -> Fence:
        first, last = self.line_of(region.start), self.line_of(region.end)
        opening = FENCE_LINE.match(self.lines[first - 1])
        if opening is None:
            raise self.error(first, "a fence needs a line of its own: move it below the list marker or quote")
        closing = FENCE_LINE.match(self.lines[last - 1])
        if first == last or closing is None or closing["info"].strip():
            raise self.error(first, f"this fence is never closed: add a line {opening['fence']}")
        indent, body = len(opening["indent"]), self.lines[first : last - 1]
        for number, text in enumerate(body, first + 1):
            inner = FENCE_LINE.match(text)
            if inner and inner["fence"].startswith(opening["fence"]):
                raise self.error(
                    first,
                    f"this fence is never closed: another one starts on line {number} "
                    "(close it, or give the outer fence one more character)",
                )
            if text.strip() and len(text) - len(text.lstrip()) < indent:
                raise self.error(number, f"indented less than its fence on line {first}")
        return Fence(
            self.place(region.start, region.end),
            opening["info"].strip(),
            "".join(text[indent:] + "\n" for text in body),
        )

    def directives(self, fences: list[Fence]) -> Iterator[Directive]:
        """Every directive outside of a fence. Raises PageError for one that is malformed."""
        inside = [range(f.place.line, f.place.end + 1) for f in fences]
        taken = set[int]()
        try:
            regions = list(DIRECTIVES(Document(self.text, self.name)))
        except LexingException as error:
            line = int(match[1]) if (match := re.search(r"line (\d+)", str(error))) else 1
            raise self.error(line, "this comment is never closed: add -->") from None
        for region in regions:
            line = self.line_of(region.start)
            if any(line in lines for lines in inside):
                continue
            taken.add(line)
            indent = self.indent_of(line)
            body = self.text[region.start : region.end].split("\n")[1:]
            if body and not body[-1].strip():  # what stands before the closing -->
                body.pop()
            yield Directive(
                self.place(region.start, self.text.index(">", region.end)),
                region.lexemes["directive"],
                region.lexemes["arguments"].strip(),
                "".join(text[indent:] + "\n" for text in body),
            )
        for match in SUSPECT.finditer(self.text):
            line = self.line_of(match.start())
            if line not in taken and not any(line in lines for lines in inside):
                raise self.error(line, "not a directive: write <!-- block: WORD … --> or <!-- hidden: ROLE … -->")
