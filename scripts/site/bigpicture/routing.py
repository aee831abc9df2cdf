"""Arrows that find their way: along the lines of a grid, around boxes, with few bends and crossings."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .geometry import Box, Point, length, segment
from .layout import EDGE, Layout
from .model import BigPictureError, Edge, Picture

CLEAR = 7.0  # an arrow keeps this far from a box that it does not touch
LANES = (10.0, 18.0)  # distances from a box at which arrows may run along it
PORTS = (0.0, -12.0, 12.0)  # where arrows touch the side of a node, from its middle
SPACING = 7.0  # between two lines of the grid, at least
CLOSE = 13.0  # arrows that run nearer than this to each other are hard to tell apart
SHORT = 15.0  # below this, a first or last straight is too short to look at

# What an arrow avoids, in pixels of detour that it takes instead.
BEND, CROSSING, STUB, ASIDE = 30.0, 120.0, 40.0, 8.0
CROWDED = 0.6  # for each pixel beside a border or another arrow

Vertex = tuple[int, int]
Step = tuple[int, int]
Stretch = tuple[Vertex, Step]
State = tuple[Vertex, Step]  # where an arrow is, and in which direction it came there
SIDES: Mapping[str, Step] = {"bottom": (0, 1), "top": (0, -1), "right": (1, 0), "left": (-1, 0)}


@dataclass(frozen=True)
class Port:
    """A place where an arrow can leave or reach a thing: the point on its side, and the vertex before it."""

    point: Point
    vertex: Vertex
    outward: Step
    reach: float
    aside: bool

    @property
    def cost(self) -> float:
        return self.reach + (ASIDE if self.aside else 0)

    @property
    def stub(self) -> float:
        """What it costs to turn right in front of it."""
        return STUB if self.reach < SHORT else 0


def opposite(step: Step) -> Step:
    return -step[0], -step[1]


def related(a: Edge, b: Edge) -> bool:
    """Arrows that start or end in common may run together: they read as one that forks."""
    return a.source == b.source or a.target == b.target


def find_ways(picture: Picture, layout: Layout) -> list[tuple[Point, ...]]:
    """The corners of every arrow, in the order of the data. Raises BigPictureError where there is no way."""
    grid = Grid(layout)
    return [grid.route(edge) for edge in picture.edges]


def lines(centres: Iterable[float], sides: Sequence[tuple[float, float]], low: float, high: float) -> list[float]:
    """Coordinates along which arrows may run: through ports first, then beside boxes, never too dense."""
    ports = [centre + port for centre in sorted(set(centres)) for port in PORTS]
    beside = [at for near, far in sides for lane in LANES for at in (near - lane, far + lane)]
    chosen: list[float] = []
    for value in [*ports, *sorted(beside)]:
        if low <= value <= high and all(abs(value - taken) > SPACING for taken in chosen):
            chosen.append(value)
    return sorted(chosen)


def alongside(way: Box, border: Box) -> bool:
    """Whether a line runs beside one of the sides of a box, close to it."""
    if way.height < way.width:
        near = min(abs(way.y - border.top), abs(way.y - border.bottom)) < 6
        return near and way.left < border.right and border.left < way.right
    near = min(abs(way.x - border.left), abs(way.x - border.right)) < 6
    return near and way.top < border.bottom and border.top < way.bottom


def corners(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points of a line without those in the middle of a straight."""
    kept = [points[0]]
    for a, b in pairwise(points[1:]):
        before = kept[-1]
        if not (before[0] == a[0] == b[0] or before[1] == a[1] == b[1]):
            kept.append(a)
    return (*kept, points[-1])


@dataclass
class Grid:
    """The lines of one picture, what stands in the way, and the arrows that are already there."""

    layout: Layout
    used: dict[Vertex, list[tuple[Edge, set[Step]]]] = field(default_factory=dict)
    ports: dict[Point, tuple[str, str]] = field(default_factory=dict)  # point → the start or the tip, of what

    def __post_init__(self) -> None:
        boxes = [*self.layout.nodes.values(), *self.layout.frames.values()]
        inner = self.layout.size.grown(-EDGE - 4)
        self.xs = lines((b.x for b in boxes), [(b.left, b.right) for b in boxes], inner.left, inner.right)
        self.ys = lines((b.y for b in boxes), [(b.top, b.bottom) for b in boxes], inner.top, inner.bottom)
        obstacles = [box.grown(CLEAR) for box in self.layout.nodes.values()]
        obstacles += [box.grown(1) for box in self.layout.titles.values()]
        borders = [*self.layout.zones.values(), *self.layout.frames.values()]
        self.free: set[Stretch] = set()
        self.at_border: set[Stretch] = set()
        for stretch, way in self.stretches():
            if not any(obstacle.overlaps(way) for obstacle in obstacles):
                self.free.add(stretch)
                if any(alongside(way, border) for border in borders):
                    self.at_border.add(stretch)

    def stretches(self) -> Iterator[tuple[Stretch, Box]]:
        for i in range(len(self.xs)):
            for j in range(len(self.ys)):
                for step in ((1, 0), (0, 1)):
                    if there := self.move((i, j), step):
                        yield ((i, j), step), segment(self.point((i, j)), self.point(there))

    def point(self, vertex: Vertex) -> Point:
        return self.xs[vertex[0]], self.ys[vertex[1]]

    def move(self, vertex: Vertex, step: Step) -> Vertex | None:
        i, j = vertex[0] + step[0], vertex[1] + step[1]
        return (i, j) if 0 <= i < len(self.xs) and 0 <= j < len(self.ys) else None

    def length(self, vertex: Vertex, there: Vertex) -> float:
        return length(self.point(vertex), self.point(there))

    # ------------------------------------------------------------ ends of arrows

    def find_ports(self, name: str, end: str) -> Iterator[Port]:
        """Where an arrow may touch a thing. A port serves starts or tips of arrows, not both."""
        box, is_node = self.layout[name], name in self.layout.nodes
        blocks = [other for thing, other in self.layout.nodes.items() if thing != name]
        blocks += self.layout.titles.values()
        for side, step in SIDES.items():
            upright = step[0] == 0
            border: float = getattr(box, side)
            across, along = (self.xs, self.ys) if upright else (self.ys, self.xs)
            middle, half = (box.x, box.width / 2) if upright else (box.y, box.height / 2)
            ahead = [k for k, at in enumerate(along) if (at - border) * sum(step) > (CLEAR if is_node else 0)]
            for index, value in enumerate(across):
                aside = abs(value - middle)
                if not ahead or aside > half - 10 or (is_node and all(abs(value - middle - p) > 0.5 for p in PORTS)):
                    continue
                k = min(ahead, key=lambda k: abs(along[k] - border))
                point, vertex = ((value, border), (index, k)) if upright else ((border, value), (k, index))
                way = segment(point, self.point(vertex))
                if self.ports.get(point, (end, name)) == (end, name) and not any(b.overlaps(way) for b in blocks):
                    yield Port(point, vertex, step, length(point, self.point(vertex)), aside > 0.5)

    # ------------------------------------------------------------ other arrows

    def strangers(self, edge: Edge, vertex: Vertex) -> list[set[Step]]:
        """In which directions unrelated arrows leave a vertex."""
        return [steps for other, steps in self.used.get(vertex, []) if not related(edge, other)]

    def taken(self, edge: Edge, vertex: Vertex, step: Step) -> bool:
        """Whether an unrelated arrow runs along here."""
        return any(step in steps for steps in self.strangers(edge, vertex))

    def passing(self, edge: Edge, vertex: Vertex, step: Step, turn: Step) -> float | None:
        """What it costs to pass a vertex, or None: unrelated arrows cross squarely or stay apart."""
        cost, mine = 0.0, {opposite(step), turn}
        for steps in self.strangers(edge, vertex):
            straight = turn == step and all(opposite(other) in steps for other in steps)
            if not straight or steps & mine:
                return None
            cost += CROSSING
        return cost

    def crowded(self, vertex: Vertex, step: Step, stretch: Stretch) -> bool:
        """Whether a border or another arrow runs alongside, too close to tell apart at ease."""
        if stretch in self.at_border:
            return True
        beside = (self.move(vertex, aside) for aside in ((step[1], step[0]), (-step[1], -step[0])))
        near = [there for there in beside if there and self.length(vertex, there) < CLOSE]
        return any(step in steps for there in near for _, steps in self.used.get(there, []))

    # ------------------------------------------------------------ search

    def route(self, edge: Edge) -> tuple[Point, ...]:
        """The cheapest way for one arrow (Dijkstra's algorithm); it is then taken."""
        tips = {(port.vertex, opposite(port.outward)): port for port in self.find_ports(edge.target, "tip")}
        queue: list[tuple[float, Vertex, Step]] = []
        best: dict[State, float] = {}
        before: dict[State, State | Port] = {}

        def reach(state: State, cost: float, origin: State | Port) -> None:
            if cost < best.get(state, float("inf")):
                best[state], before[state] = cost, origin
                heapq.heappush(queue, (cost, *state))

        for port in self.find_ports(edge.source, "start"):
            if not self.taken(edge, port.vertex, port.outward):
                reach((port.vertex, port.outward), port.cost, port)

        cheapest, end = float("inf"), None
        while queue and queue[0][0] < cheapest:
            cost, vertex, step = heapq.heappop(queue)
            if cost > best[vertex, step]:
                continue
            for turn in SIDES.values():
                crossing = None if turn == opposite(step) else self.passing(edge, vertex, step, turn)
                if crossing is None:
                    continue
                here, origin, tip = cost + crossing, before[vertex, step], tips.get((vertex, turn))
                if turn != step:
                    here += BEND
                    here += origin.stub if isinstance(origin, Port) else 0
                if tip:
                    total = here + tip.cost + (tip.stub if turn != step else 0)
                    if total < cheapest:
                        cheapest, end = total, ((vertex, step), tip)
                there = self.move(vertex, turn)
                stretch = (min(vertex, there), (abs(turn[0]), abs(turn[1]))) if there else None
                if there and stretch in self.free and not self.taken(edge, vertex, turn):
                    dear = 1 + CROWDED if self.crowded(vertex, turn, stretch) else 1
                    reach((there, turn), here + self.length(vertex, there) * dear, (vertex, step))
        if end is None:
            raise BigPictureError(f"edge {edge.id}: no way for it in the {self.layout.shape.name} shape: move a node")
        return self.take(edge, *end, before)

    def take(self, edge: Edge, last: State, tip: Port, before: Mapping[State, State | Port]) -> tuple[Point, ...]:
        """Walk back from the tip, remember what is used, and keep the corners only."""
        vertices, origin = [last[0]], before[last]
        while not isinstance(origin, Port):
            vertices.append(origin[0])
            origin = before[origin]
        vertices.reverse()
        self.ports[origin.point], self.ports[tip.point] = ("start", edge.source), ("tip", edge.target)
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(vertices)]
        steps = [origin.outward, *steps, opposite(tip.outward)]
        for vertex, (came, goes) in zip(vertices, pairwise(steps), strict=True):
            self.used.setdefault(vertex, []).append((edge, {opposite(came), goes}))
        return corners([origin.point, *(self.point(v) for v in vertices), tip.point])
