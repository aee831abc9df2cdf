"""Labels of arrows: each on its own arrow, and on nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .geometry import Box, Point, length, segment
from .layout import EDGE, Layout, tag_box, text_width
from .model import BigPictureError, Edge, Picture

# What a label leaves free of a corner, of the tip of its arrow, and of where it starts.
CORNER, TIP, START = 6.0, 10.0, 0.0
PLACES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)  # along a straight, the best first


@dataclass(frozen=True)
class Route:
    """The corners of an arrow from its start to its tip, and the box of its label if it has one."""

    edge: Edge
    points: tuple[Point, ...]
    label: Box | None = None

    @property
    def segments(self) -> list[Box]:
        return [segment(a, b) for a, b in pairwise(self.points)]


def label(picture: Picture, layout: Layout, ways: Sequence[tuple[Point, ...]]) -> list[Route]:
    """Find a place for every label. Raises BigPictureError where there is none."""
    routes = [Route(edge, points) for edge, points in zip(picture.edges, ways, strict=True)]
    fixed = [box.grown(2) for box in (*layout.nodes.values(), *layout.titles.values())]
    fixed += [tag_box(box) for box in layout.nodes.values()]
    borders = [*layout.zones.values(), *layout.frames.values()]
    placed: list[Route] = []
    for route in routes:
        if not route.edge.label:
            placed.append(route)
            continue
        others = [line for other in routes if other is not route for line in other.segments]
        taken = [*fixed, *others, *(other.label for other in placed if other.label)]
        free = [box for box in places(route, layout.shape.small) if not any(box.overlaps(other) for other in taken)]
        free = [box for box in free if layout.size.grown(-EDGE).contains(box)]
        if not free:
            raise BigPictureError(
                f"edge {route.edge.id}: no room for its label {route.edge.label!r} in the {layout.shape.name} shape"
            )
        box = next((box for box in free if not any(on_border(box, border) for border in borders)), free[0])
        placed.append(Route(route.edge, route.points, box))
    return placed


def on_border(box: Box, border: Box) -> bool:
    return box.overlaps(border) and not border.contains(box)


def places(route: Route, size: float) -> Iterator[Box]:
    """Where a label could sit: in the middle of the longest straight first, then elsewhere along the arrow."""
    width, height = text_width(route.edge.label, size) + 10, size + 5
    straights = sorted(pairwise(route.points), key=lambda straight: -length(*straight))
    for share in PLACES:
        for a, b in straights:
            half = (width if a[1] == b[1] else height) / 2
            before = START if a == route.points[0] else CORNER
            after = TIP if b == route.points[-1] else CORNER
            if share * length(a, b) >= half + before and (1 - share) * length(a, b) >= half + after:
                yield Box.around(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, width, height)
