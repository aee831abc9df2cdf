"""Markdown → fences and directives with their places. Finds them; gives them no meaning.

One pass from the top, by the rules of the site's Markdown: a fence ends at the same characters in
the same column, and what belongs to a tab, an admonition or a list item is four columns further in.
Where the site would silently swallow a block, or show it elsewhere, reading raises an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .model import Container, PageError, Place

TAB = 4

FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})(?P<info>.*)")
# A fence behind a list marker or in a quote. Backticks further on would make it inline code.
NOT_ALONE = re.compile(r"[ \t]*(?:(?:>|[-*+]|\d+[.)])[ \t]*)+(?:`{3,}|~{3,})[^`]*$")
COMMENT = re.compile(r"[ \t]*<!--")
DIRECTIVE = re.compile(r"[ \t]*<!--[ \t]*(?P<word>block|hidden):(?P<arguments>.*)")
# Looks like a directive, however it is spelled; behind a backtick it is talked about.
SUSPECT = re.compile(r"(?<!`)<!--+[ \t]*(?:block|hidden)\b", re.I)
OPENERS = (
    ("tab", re.compile(r'={3}(?:\+|\+!|!\+|!)? +"(?P<title>.*?)"$')),
    ("admonition", re.compile(r'(?:!!!|\?\?\?\+?) ?(?P<type>[\w-]+(?: +[\w-]+)*)(?: +"(?P<title>.*?)")?$')),
    ("item", re.compile(r"(?:[-*+]|\d+\.) +(?P<title>.*)$")),
)

# A comment, a rule or a block of HTML is no part of the paragraph that it stands in.
APART = re.compile(r" {0,3}<(?:!--|/?(?:details|div|figure|p|table)\b)| *[-*_ ]+$")
# A footnote, a definition or a quote goes on up to the next empty line.
GOES_ON = re.compile(r"[ \t]*(?:\[\^[^\]]+\]:|: |>)")


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
    """The text of a page, and what stands on which line. Raises PageError for what cannot be read."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = text.split("\n")
        self.headings: dict[int, str] = {}
        """Line → heading, with its ``#``."""
        self.items = list(self._read())
        """Every fence, and every directive outside of one, in order."""

    def error(self, line: int, problem: str) -> PageError:
        return PageError(self.name, line, problem)

    def front_matter(self) -> list[str]:
        """The lines between the first two ``---``, if the page starts with one."""
        if self.lines[0].rstrip() != "---":
            return []
        for number, text in enumerate(self.lines[1:], 1):
            if text.rstrip() == "---":
                return self.lines[1:number]
        raise self.error(1, "the front matter is never closed: add a line ---")

    # ------------------------------------------------------------ walking down

    def _read(self) -> Iterator[Fence | Directive]:
        nesting, front = Nesting(), self.front_matter()
        line = len(front) + 3 if front else 1
        while line <= len(self.lines):
            text, last = self.lines[line - 1], line
            if fence := FENCE.match(text):
                last = self._end_of_fence(line, fence)
                yield Fence(
                    Place(self.name, line, last, self._indent(line), self._containers(line, nesting)),
                    fence["info"].strip(),
                    self._body(line, last),
                )
            elif COMMENT.match(text):
                last = self._end_of_comment(line)
                if match := DIRECTIVE.match(text):
                    yield self._directive(line, last, match, nesting)
                else:
                    self._text(line, nesting)
            elif text.strip():
                self._text(line, nesting)
            else:
                nesting.gap()
            line = last + 1

    def _text(self, line: int, nesting: Nesting) -> None:
        text = self.lines[line - 1]
        if SUSPECT.search(text):
            raise self.error(line, "not a directive: write <!-- block: WORD … --> or <!-- hidden: ROLE … -->")
        if NOT_ALONE.match(text):
            raise self.error(line, "a fence needs a line of its own: move it below the list marker or quote")
        if text.startswith("#"):
            self.headings[line] = text
        nesting.go(line, text)

    def _indent(self, line: int) -> int:
        indent = re.match(r"[ \t]*", self.lines[line - 1])
        assert indent is not None
        if "\t" in indent[0]:
            raise self.error(line, "indented with a tab: use spaces")
        return indent.end()

    def _body(self, first: int, last: int) -> str:
        """The lines between two lines, without the indentation of the first."""
        indent = self._indent(first)
        for number in range(first + 1, last):
            text = self.lines[number - 1]
            if text.strip() and not text.startswith(" " * indent):
                raise self.error(number, f"indented less than the block's first line, {first}")
        return "".join(text[indent:] + "\n" for text in self.lines[first : last - 1])

    # ------------------------------------------------------------ fences

    def _end_of_fence(self, line: int, opening: re.Match[str]) -> int:
        for number in range(line + 1, len(self.lines) + 1):
            text = self.lines[number - 1]
            if text.rstrip(" \t") == opening["indent"] + opening["fence"]:
                return number
            if (inner := FENCE.match(text)) and inner["fence"].startswith(opening["fence"]):
                raise self.error(
                    line,
                    f"this fence is not closed before the one on line {number}: close it with {opening['fence']} "
                    "in its own column, or give it one more character",
                )
        raise self.error(line, f"this fence is never closed: add a line {opening['fence']}")

    def _containers(self, line: int, nesting: Nesting) -> tuple[Container, ...]:
        indent = self._indent(line)
        if nesting.swallows(indent):
            raise self.error(line, "the text above would take this block in: put an empty line between them")
        nesting.leave(indent)
        return self._around(line, nesting.open)

    def _around(self, line: int, containers: list[tuple[int, Container]]) -> tuple[Container, ...]:
        indent = self._indent(line)
        if indent != TAB * len(containers):
            raise self.error(
                line,
                f"indented by {indent}, but it is in no tab, admonition or list item there: "
                f"indent it by {TAB} more than the one that it belongs to, or not at all",
            )
        return tuple(container for _, container in containers)

    # ------------------------------------------------------------ comments

    def _end_of_comment(self, line: int) -> int:
        for number in range(line, len(self.lines) + 1):
            text = self.lines[number - 1]
            if FENCE.match(text):
                raise self.error(number, "a fence inside of a comment: the site would show it as a block")
            if "-->" in text:
                return number
        raise self.error(line, "this comment is never closed: add -->")

    def _directive(self, first: int, last: int, match: re.Match[str], nesting: Nesting) -> Directive:
        """A comment that the site leaves out, as if it were not there: it opens and closes nothing."""
        before, _, behind = self.lines[last - 1].partition("-->")
        if behind.strip():
            raise self.error(last, "nothing may follow --> on its line: the site would leave it out as well")
        if first != last and before.strip():
            raise self.error(last, "put the --> of a hidden block on a line of its own")
        indent = self._indent(first)
        place = Place(self.name, first, last, indent, self._around(first, nesting.open[: indent // TAB]))
        arguments = match["arguments"].partition("-->")[0].strip()
        return Directive(place, match["word"], arguments, self._body(first, last))


class Nesting:
    """The tabs, admonitions and list items that are open at a line, each with its indentation."""

    def __init__(self) -> None:
        self.open: list[tuple[int, Container]] = []
        self._gap = True
        """Behind an empty line."""
        self._fresh = True
        """At the start of a paragraph: behind an empty line, a heading, or what opens a tab or admonition."""
        self._list = False
        """In a paragraph that started with a list item: lines further in than the item go on with it."""
        self._lazy = False
        """In a paragraph that takes in what follows up to the next empty line, however it is indented."""

    def gap(self) -> None:
        """Pass an empty line."""
        self._gap = self._fresh = True

    def go(self, line: int, text: str) -> None:
        """Pass a line of text."""
        indent = columns(text)
        apart = APART.match(text) is not None
        kind, title = ("", "") if apart else opener(text.strip())
        self._fresh = self._fresh or apart
        container = (indent, Container(kind, title, line))
        if kind == "item" and (self._fresh or self._list) and indent // TAB <= len(self.open):
            self.open[indent // TAB :] = [container]
            self._gap, self._fresh, self._list, self._lazy = False, False, True, False
            return
        self.leave(indent)
        splits = kind in {"tab", "admonition"} or text.lstrip().startswith("#")
        if splits and not (self._list or self._lazy) and indent == TAB * len(self.open):
            self.open += [container] if kind else []
            self._fresh = True
        elif kind or GOES_ON.match(text):
            self._lazy = True

    def leave(self, indent: int) -> None:
        """Close what a line with this indentation does not belong to."""
        if self._fresh:
            self._list = False
        self._lazy = self.swallows(indent)
        del self.open[self._depth(indent) :]
        self._list = self._list and bool(self.open) and self.open[-1][1].kind == "item"
        self._lazy = self._lazy or indent >= TAB * (len(self.open) + 1)  # indented code
        self._gap = self._fresh = False

    def swallows(self, indent: int) -> bool:
        """Whether what is above takes in a line that does not belong to it: no empty line is between."""
        closes = (container.kind for _, container in self.open[self._depth(indent) :])
        return not self._gap and (self._lazy or "item" in closes)

    def _depth(self, indent: int) -> int:
        depth = 0
        for own, container in self.open:
            goes_on = self._list and not self._fresh and container.kind == "item" and indent > own
            if indent < TAB * (depth + 1) and not goes_on:
                break
            depth += 1
        return depth


def columns(text: str) -> int:
    text = text.expandtabs(TAB)
    return len(text) - len(text.lstrip(" "))


def opener(text: str) -> tuple[str, str]:
    """Kind and title of the container that a line opens, or nothing."""
    for kind, pattern in OPENERS:
        if match := pattern.match(text):
            found = match.groupdict()
            return kind, found.get("title") or found.get("type") or ""
    return "", ""
