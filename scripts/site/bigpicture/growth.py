"""The system as it grows, part by part: a small panel that keeps its shape while its dots become things."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from markupsafe import escape
from pymdownx.superfences import SuperFencesException  # type: ignore[import-untyped]

from .icons import ICONS
from .model import BigPictureError, Node, System, Zone, load

WIDTH, PITCH, ROW, ICON = 320.0, 25.5, 27.0, 18.0
NAMES = 83.0
"""Room for the names of the zones, on the left."""
GAP, PAD = 6.0, 5.0
"""Between two zones, and inside of one."""


def fence(source: str, language: str, css_class: str, options: Mapping[str, Any], md: Any, **kwargs: Any) -> str:
    """Format a ```growth block. Its body is a part, as in "part 2"."""
    try:
        match = re.fullmatch(r"part (\d+)", source.strip())
        if match is None:
            raise BigPictureError(f"{source.strip()!r} is no part: write its number, as in part 2")
        return panel(int(match[1]), load())
    except BigPictureError as error:
        raise SuperFencesException(f"growth: {error}") from error


def panel(part: int, system: System) -> str:
    """All that the reader has after a part, what is new in it brought forward, and a dot for what is to come."""
    nodes = sorted((n for n in system.nodes if lasting(n)), key=lambda n: n.since)
    if part not in {node.since[0] for node in nodes}:
        raise BigPictureError(f"no part {part}: nothing in the data file is new in it")
    there = [n for n in nodes if n.since[0] <= part]
    new = [n for n in there if n.since[0] == part]
    body, bottom = list[str](), -GAP
    for zone in system.zones:
        drawn, bottom = row(zone, [n for n in nodes if n.zone == zone.id], part, bottom + GAP)
        body += drawn
    width, height = WIDTH + 2, bottom + 2  # with half a line around
    told = f"The system after part {part}: {len(there)} pieces of {len(nodes)}, {len(new)} of them new."
    # What the picture shows, in words, for those who cannot point at its icons.
    names = f"New: {', '.join(n.label for n in new)}."
    # One line: Markdown must not find a paragraph in it.
    return (
        f'<figure class="growth" data-search-exclude><svg viewBox="-1 -1 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{escape(told)}">'
        f"{''.join(body)}</svg><figcaption>{escape(names)}</figcaption></figure>"
    )


def lasting(node: Node) -> bool:
    """Whether a thing stays. What makes room in the big picture (until "3.0") is still there, folded away."""
    return node.since[1] > 0 and (node.until is None or node.until[1] == 0)


def row(zone: Zone, members: list[Node], part: int, top: float) -> tuple[list[str], float]:
    """A zone with its things from the left, and where it ends. Nothing has a place of its own before it is there."""
    columns = int((WIDTH - NAMES - PAD) // PITCH)
    lines = -(-len(members) // columns)
    bottom = top + 2 * PAD + lines * ROW
    state = "there" if any(node.since[0] <= part for node in members) else "coming"
    drawn = [
        f'<rect class="growth-zone growth-zone--{state}" y="{top:g}" width="{WIDTH:g}" '
        f'height="{bottom - top:g}" rx="8"/>',
        f'<text class="growth-{state}" x="11" y="{top + PAD + ROW / 2 + 4:g}" font-size="11.5">'
        f"{escape(zone.label)}</text>",
    ]
    for line, several in groupby(enumerate(members), key=lambda pair: pair[0] // columns):
        y = top + PAD + (line + 0.5) * ROW
        for index, node in several:
            drawn += thing(node, NAMES + (index % columns + 0.5) * PITCH, y, part)
    return drawn, bottom


def thing(node: Node, x: float, y: float, part: int) -> Iterator[str]:
    if node.since[0] > part:
        yield f'<circle class="growth-dot" cx="{x:g}" cy="{y:g}" r="1.75"/>'
        return
    kind, half = "growth-icon", ICON / 2
    if node.since[0] == part:
        kind, edge = "growth-icon growth-icon--new", half + 2.5
        yield (
            f'<rect class="growth-new" x="{x - edge:g}" y="{y - edge:g}" width="{2 * edge:g}" height="{2 * edge:g}" '
            'rx="5"/>'
        )
    place = f"translate({x - half:g} {y - half:g}) scale({ICON / 24:g})"
    yield f'<g class="{kind}" transform="{place}"><title>{escape(node.label)}</title>{ICONS[node.kind]}</g>'
