"""A laid out and routed picture as SVG. Colours and weights are the style sheet's business."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import hypot

from markupsafe import escape

from .geometry import Box, Point
from .icons import ICONS
from .labels import Route
from .layout import Layout, Shape, fitting, tag_box
from .model import Picture

CORNER = 8.0
ICON = 24.0
ARROW = 7.0
MIDDLE = 4 / 11
"""How far the foot of a line of text is below its middle, as a share of its size."""
TAG = 11.0
"""Size of the word in the mark of what is new."""


def draw(picture: Picture, layout: Layout, routes: list[Route], *, title: str, description: str) -> str:
    """One ``<svg>``: zones, frames and arrows below, then boxes, then every text on top."""
    shape, width, height = layout.shape.name, layout.size.width, layout.size.height
    small = layout.shape.small
    name = f"big-picture-{picture.name.replace('.', '-').replace(' ', '-')}-{shape}"
    # Old arrows first: where they run together with a new one, the new one shows.
    ordered = sorted(routes, key=lambda route: picture.new(route.edge))
    body = [
        *(zone(layout.zones[z.id]) for z in picture.zones),
        *(frame(layout.frames[f.id], new=picture.new(f)) for f in picture.frames),
        *(arrow(route, new=picture.new(route.edge), dot=route.edge.source not in layout.nodes) for route in ordered),
        *(node(layout.nodes[n.id], n.kind, n.label, layout.shape, new=picture.new(n)) for n in picture.nodes),
        *(heading(layout.titles[z.id], z.label, small, "zone", new=False) for z in picture.zones),
        *(heading(layout.titles[f.id], f.label, small, "frame", new=picture.new(f)) for f in picture.frames),
        *(label(route, small, new=picture.new(route.edge)) for route in ordered if route.label),
    ]
    return (
        f'<svg class="bp bp--{shape}" viewBox="0 0 {n(width)} {n(height)}" width="{n(width)}" height="{n(height)}" '
        f'role="img" aria-labelledby="{name}-title {name}-text">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(description)}</desc>'
        f"{''.join(body)}</svg>"
    )


def n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def kind(name: str, *, new: bool) -> str:
    return f'class="bp-{name} bp-{name}--new"' if new else f'class="bp-{name}"'


def rectangle(box: Box, radius: float, attributes: str = "") -> str:
    return (
        f'<rect {attributes}x="{n(box.left)}" y="{n(box.top)}" width="{n(box.width)}" height="{n(box.height)}" '
        f'rx="{n(radius)}"/>'
    )


def text(x: float, y: float, words: str, *, size: float, anchor: str = "middle") -> str:
    return f'<text x="{n(x)}" y="{n(y)}" font-size="{n(size)}" text-anchor="{anchor}">{escape(words)}</text>'


def zone(box: Box) -> str:
    return rectangle(box, 14, 'class="bp-zone" ')


def frame(box: Box, *, new: bool) -> str:
    return rectangle(box, 12, f"{kind('frame', new=new)} ")


def heading(box: Box, words: str, size: float, of: str, *, new: bool) -> str:
    """The name of a zone, or of a frame whose line it interrupts."""
    plate = rectangle(box, 4) if of == "frame" else ""
    mark = tag(Box.around(box.right + 14, box.y, 32, 16)) if new else ""
    words = text(box.left + 4, box.y + size * MIDDLE, words, size=size, anchor="start")
    return f"<g {kind(of + '-title', new=new)}>{plate}{words}</g>{mark}"


def node(box: Box, icon: str, words: str, shape: Shape, *, new: bool) -> str:
    """A box with an icon above its name; what is new has a mark on its corner."""
    corner = f"translate({n(box.x - ICON / 2)} {n(box.top + 8)})"
    mark = tag(tag_box(box)) if new else ""
    size = fitting(words, shape)
    return (
        f"<g {kind('node', new=new)}>{rectangle(box, 10)}"
        f'<g class="bp-icon" transform="{corner}">{ICONS[icon]}</g>'
        f"{text(box.x, box.bottom - 11, words, size=size)}</g>{mark}"
    )


def tag(box: Box) -> str:
    return f'<g class="bp-tag">{rectangle(box, 8)}{text(box.x, box.y + 4, "new", size=TAG)}</g>'


def label(route: Route, size: float, *, new: bool) -> str:
    assert route.label
    words = text(route.label.x, route.label.y + size * MIDDLE, route.edge.label, size=size)
    return f"<g {kind('label', new=new)}>{rectangle(route.label, 5)}{words}</g>"


def arrow(route: Route, *, new: bool, dot: bool) -> str:
    """A line with rounded corners and a solid tip; a dot where it starts from a line, not from a box."""
    *_, before, tip = route.points
    x, y = towards(tip, before, ARROW)
    across, along = ((tip[1] - y) / ARROW * 4, (tip[0] - x) / ARROW * 4)
    head = f"M{n(tip[0])} {n(tip[1])}L{n(x + across)} {n(y + along)}L{n(x - across)} {n(y - along)}z"
    line = "".join(rounded((*route.points[:-1], (x, y))))
    x, y = route.points[0]
    start = f'<circle class="bp-tip" cx="{n(x)}" cy="{n(y)}" r="3.5"/>' if dot else ""
    return f'<g {kind("arrow", new=new)}><path d="{line}"/>{start}<path class="bp-tip" d="{head}"/></g>'


def towards(start: Point, end: Point, distance: float) -> Point:
    """The point at a distance from ``start`` on the way to ``end``."""
    share = distance / (hypot(end[0] - start[0], end[1] - start[1]) or 1)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def rounded(points: tuple[Point, ...]) -> Iterator[str]:
    yield f"M{n(points[0][0])} {n(points[0][1])}"
    for (a, b), (_, c) in pairwise(pairwise(points)):
        radius = min(CORNER, hypot(b[0] - a[0], b[1] - a[1]) / 2, hypot(c[0] - b[0], c[1] - b[1]) / 2)
        start, end = towards(b, a, radius), towards(b, c, radius)
        yield f"L{n(start[0])} {n(start[1])}Q{n(b[0])} {n(b[1])} {n(end[0])} {n(end[1])}"
    yield f"L{n(points[-1][0])} {n(points[-1][1])}"
