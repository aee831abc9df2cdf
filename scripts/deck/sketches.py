"""Small drawings for slides, from presentation/sketches.yml: boxes on a grid, and arrows between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import cos, hypot, radians, sin
from pathlib import Path
from typing import Any

import yaml
from markupsafe import escape

from .errors import DeckError
from .icons import shape

COLUMN, ROW = 168.0, 158.0
"""From the middle of one box to the next, in pixels of a slide."""
WIDTH, HEIGHT = 152.0, 98.0
"""Of a box."""
ICON = 44.0
GAP = 7.0
"""Between a box and an arrow."""
TIP = 12.0
TONES = ("plain", "good", "bad")

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Box:
    """A thing: an icon with a name. ``at`` is its column and row; halves are fine."""

    icon: str
    label: str
    at: Point
    tone: str = "plain"

    @property
    def middle(self) -> Point:
        return self.at[0] * COLUMN, self.at[1] * ROW


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """What leads from one box to another. By hand, it is dashed; broken, it is crossed out."""

    start: Box
    end: Box
    label: str = ""
    both: bool = False
    by_hand: bool = False
    broken: bool = False


@dataclass(frozen=True)
class Sketch:
    """``text`` says the drawing in words, for those who do not see it."""

    name: str
    text: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def load(path: Path) -> dict[str, Sketch]:
    """All sketches of a file by name. Raises DeckError, naming the sketch, for what cannot be drawn."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DeckError(f"{path.name}: this is not YAML: {' '.join(str(error).split())}") from None
    return {name: read(name, entry, path.name) for name, entry in data.items()}


def read(name: str, entry: Mapping[str, Any], file: str) -> Sketch:
    try:
        boxes = {id: Box(**{**box, "at": tuple(box["at"])}) for id, box in entry["boxes"].items()}
        if wrong := next((box.tone for box in boxes.values() if box.tone not in TONES), None):
            raise ValueError(f"tone {wrong!r} is none of {', '.join(TONES)}")
        arrows = [
            Arrow(**{**arrow, "start": boxes[arrow["start"]], "end": boxes[arrow["end"]]})
            for arrow in entry.get("arrows", [])
        ]
        return Sketch(name, entry["text"], tuple(boxes.values()), tuple(arrows))
    except (KeyError, TypeError, ValueError) as error:
        what = f"no box or key {error}" if isinstance(error, KeyError) else str(error)
        raise DeckError(f"{file}: {name}: {what}") from None


# ---------------------------------------------------------------- drawing


def draw(sketch: Sketch) -> str:
    """A sketch as one line of HTML."""
    xs, ys = zip(*(box.middle for box in sketch.boxes), strict=True)
    left, top = min(xs) - WIDTH / 2 - 4, min(ys) - HEIGHT / 2 - 4
    width, height = max(xs) + WIDTH / 2 + 4 - left, max(ys) + HEIGHT / 2 + 4 - top
    body = [*map(drawn_arrow, sketch.arrows), *map(drawn_box, sketch.boxes), *map(drawn_label, sketch.arrows)]
    return figure("sketch", f"{left:g} {top:g} {width:g} {height:g}", sketch.text, "".join(body))


def figure(kind: str, view: str, text: str, body: str) -> str:
    """An SVG with its description in words."""
    return f'<figure class="{kind}"><svg viewBox="{view}" role="img" aria-label="{escape(text)}">{body}</svg></figure>'


def drawn_box(box: Box) -> str:
    x, y = box.middle
    at = f"translate({x - ICON / 2:g} {y - HEIGHT / 2 + 11:g}) scale({ICON / 24:g})"
    return (
        f'<g class="box box--{box.tone}"><rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH:g}" '
        f'height="{HEIGHT:g}" rx="12"/><g class="glyph" transform="{at}">{shape(box.icon)}</g>'
        f'<text x="{x:g}" y="{y + HEIGHT / 2 - 16:g}">{escape(box.label)}</text></g>'
    )


def drawn_arrow(arrow: Arrow) -> str:
    (x1, y1), (x2, y2) = ends(arrow)
    length = hypot(x2 - x1, y2 - y1)
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    tips = [tip(x2, y2, ux, uy), *([tip(x1, y1, -ux, -uy)] if arrow.both else [])]
    back = TIP - 1 if arrow.both else 0.0
    line = f"M{x1 + ux * back:.1f} {y1 + uy * back:.1f}L{x2 - ux * (TIP - 1):.1f} {y2 - uy * (TIP - 1):.1f}"
    kind = "arrow arrow--by-hand" if arrow.by_hand else "arrow"
    return f'<g class="{kind}"><path d="{line}"/>{"".join(tips)}</g>{"".join(cross(arrow))}'


def tip(x: float, y: float, ux: float, uy: float) -> str:
    back_x, back_y = x - ux * TIP, y - uy * TIP
    side = TIP * 0.55
    corners = ((x, y), (back_x - uy * side, back_y + ux * side), (back_x + uy * side, back_y - ux * side))
    return f'<polygon points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in corners)}"/>'


def cross(arrow: Arrow) -> Iterator[str]:
    if arrow.broken:
        x, y = halfway(arrow)
        yield f'<path class="cross" d="M{x - 11:.1f} {y - 11:.1f}l22 22m0-22l-22 22"/>'


def drawn_label(arrow: Arrow) -> str:
    if not arrow.label:
        return ""
    x, y = halfway(arrow)
    width = 11 * len(arrow.label) + 14
    return (
        f'<g class="label"><rect x="{x - width / 2:.1f}" y="{y - 14:.1f}" width="{width:.1f}" height="28" rx="6"/>'
        f'<text x="{x:.1f}" y="{y + 6:.1f}">{escape(arrow.label)}</text></g>'
    )


def halfway(arrow: Arrow) -> Point:
    (x1, y1), (x2, y2) = ends(arrow)
    return (x1 + x2) / 2, (y1 + y2) / 2


def ends(arrow: Arrow) -> tuple[Point, Point]:
    """Where an arrow starts and ends: on the straight line between two boxes, just outside of them."""
    (x1, y1), (x2, y2) = arrow.start.middle, arrow.end.middle
    dx, dy = x2 - x1, y2 - y1
    # The share of the way at which the line leaves a box that is as much larger as the gap.
    reach = min(
        (WIDTH / 2 + GAP) / abs(dx) if dx else 1.0,
        (HEIGHT / 2 + GAP) / abs(dy) if dy else 1.0,
    )
    return (x1 + dx * reach, y1 + dy * reach), (x2 - dx * reach, y2 - dy * reach)


# ---------------------------------------------------------------- three circles

FIELDS = (
    ("ML", "data and models", 90.0),
    ("Dev", "code and tests", 210.0),
    ("Ops", "use and watch", 330.0),
)
"""Name, what it is about, and in which direction it lies, in degrees."""
RADIUS = 160.0
SPREAD = 112.0
"""From the middle of the drawing to the middle of a circle."""


def venn() -> str:
    """Machine learning, development and operations, and what they have in common."""
    circles, names = [], []
    for name, about, angle in FIELDS:
        dx, dy = cos(radians(angle)), -sin(radians(angle))
        circles.append(f'<circle cx="{dx * SPREAD:.1f}" cy="{dy * SPREAD:.1f}" r="{RADIUS:g}"/>')
        x, y = dx * (SPREAD + 52), dy * (SPREAD + 62)
        names.append(f'<text class="name" x="{x:.1f}" y="{y:.1f}">{name}</text>')
        names.append(f'<text x="{x:.1f}" y="{y + 28:.1f}">{about}</text>')
    middle = '<text class="middle" x="0" y="12">MLOps</text>'
    words = "Three circles that overlap: machine learning, development and operations. Where all three meet: MLOps."
    side, above, below = SPREAD * 0.866 + RADIUS + 4, SPREAD + RADIUS + 4, SPREAD * 0.5 + RADIUS + 4
    view = f"{-side:.1f} {-above:.1f} {2 * side:.1f} {above + below:.1f}"
    return figure("venn", view, words, "".join((*circles, *names, middle)))
