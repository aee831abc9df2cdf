"""The system that the guide builds, chapter by chapter: read from one YAML file, checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from .icons import ICONS

DATA = Path(__file__).parent.parent / "big_picture.yml"
SHAPES = ("wide", "tall")

Number = tuple[int, int]
"""A chapter as it sorts: ``"1.10"`` is ``(1, 10)``, after ``(1, 9)``."""


class BigPictureError(Exception):
    """The big picture cannot be drawn. Says which entry is at fault, and the way out."""


def number(text: object) -> Number:
    match = re.fullmatch(r"(\d+)\.(\d+)", str(text).strip())
    if match is None:
        raise BigPictureError(
            f'{str(text).strip()!r} is no chapter and no part: write its number in quotes, as in "1.2", or "part 1"'
        )
    return int(match[1]), int(match[2])


@dataclass(frozen=True, kw_only=True)
class Zone:
    """Where things live. ``band`` counts zones from the top; zones in one band stand side by side."""

    id: str
    label: str
    band: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something that the reader's system has from chapter ``since`` on, and no longer from ``until``."""

    id: str
    label: str
    since: Number
    until: Number | None = None

    def shown(self, chapter: Number) -> bool:
        return self.since <= chapter and (self.until is None or chapter < self.until)

    def within(self, other: Part) -> bool:
        """Whether ``other`` is there whenever this is."""
        return other.since <= self.since and (
            other.until is None or (self.until is not None and self.until <= other.until)
        )


@dataclass(frozen=True, kw_only=True)
class Node(Part):
    """A thing in a zone. ``at`` has its column (of the picture) and row (of the band), in each shape."""

    kind: str
    zone: str
    at: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Frame(Part):
    """A line drawn around nodes that something else holds together, as far as they are there yet."""

    around: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Edge(Part):
    """An arrow. Its ends are ids of nodes, frames or zones; its label may be empty."""

    source: str
    target: str


@dataclass(frozen=True)
class Picture:
    """What one chapter shows. ``whole`` is for the end of a part, where nothing is new."""

    chapter: Number
    whole: bool
    zones: tuple[Zone, ...]
    nodes: tuple[Node, ...]
    frames: tuple[Frame, ...]
    edges: tuple[Edge, ...]

    def new(self, part: Part) -> bool:
        return part.since == self.chapter and not self.whole

    @property
    def name(self) -> str:
        return f"part {self.chapter[0]}" if self.whole else "chapter {}.{}".format(*self.chapter)


@dataclass(frozen=True)
class System:
    """Everything, over all chapters."""

    zones: tuple[Zone, ...]
    nodes: tuple[Node, ...]
    frames: tuple[Frame, ...]
    edges: tuple[Edge, ...]

    @property
    def parts(self) -> Iterator[Part]:
        yield from (*self.nodes, *self.frames, *self.edges)

    def at(self, chapter: str) -> Picture:
        """What the system is at the end of a chapter, or of a part ("part 1").

        Raises BigPictureError for one that it does not know.
        """
        first, last = min(p.since for p in self.parts), max(p.since for p in self.parts)
        part = re.fullmatch(r"\s*part (\d+)\s*", chapter)
        here = max((p.since for p in self.parts if part and p.since[0] == int(part[1])), default=None)
        if here is None:
            here = number(chapter)
        if not first <= here <= last:
            reach = "{}.{} to {}.{}".format(*first, *last)
            raise BigPictureError(f"no chapter {chapter.strip()}: {DATA.name} reaches from {reach}")
        nodes = tuple(n for n in self.nodes if n.shown(here))
        there = {n.id for n in nodes}
        return Picture(
            here,
            part is not None,
            tuple(z for z in self.zones if any(n.zone == z.id for n in nodes)),
            nodes,
            tuple(replace(f, around=tuple(i for i in f.around if i in there)) for f in self.frames if f.shown(here)),
            tuple(e for e in self.edges if e.shown(here)),
        )


def load(path: Path = DATA) -> System:
    """Read the data file. Raises BigPictureError, naming file and entry, for what cannot stand."""
    try:
        return read(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (BigPictureError, OSError, yaml.YAMLError) as error:
        raise BigPictureError(f"{path.name}: {error}") from None


def read(data: Mapping[str, Any]) -> System:
    """The entries of the data file as a checked System."""
    entries = {kind: [dict(entry) for entry in data.get(kind, [])] for kind in ("zones", "nodes", "frames", "edges")}
    for entry in entries["nodes"]:
        entry["at"] = {shape: tuple(entry.pop(shape, ())) for shape in SHAPES}
    for entry in entries["frames"]:
        entry["around"] = tuple(entry.pop("around", ()))
    for entry in entries["edges"]:
        entry["source"], entry["target"] = entry.pop("from", ""), entry.pop("to", "")
        entry.setdefault("id", f"{entry['source']} to {entry['target']}")
        entry.setdefault("label", "")
    system = System(
        tuple(build(Zone, e) for e in entries["zones"]),
        tuple(build(Node, e) for e in entries["nodes"]),
        tuple(build(Frame, e) for e in entries["frames"]),
        tuple(build(Edge, e) for e in entries["edges"]),
    )
    check(system)
    return system


Entry = TypeVar("Entry", Zone, Node, Frame, Edge)


def build(kind: type[Entry], entry: dict[str, Any]) -> Entry:
    try:
        times = {key: number(entry[key]) for key in ("since", "until") if key in entry}
        return kind(**{**entry, **times})
    except (TypeError, BigPictureError) as error:
        problem = re.sub(r"^\S*__init__\(\) ", "", str(error))
        raise BigPictureError(f"{kind.__name__.lower()} {entry.get('id', entry)}: {problem}") from None


def check(system: System) -> None:
    """What the types cannot say: names that exist, places for everything, and nothing that hangs in the air."""
    zones = {zone.id: zone for zone in system.zones}
    nodes = {node.id: node for node in system.nodes}
    parts: dict[str, Part] = {**nodes, **{frame.id: frame for frame in system.frames}}
    ids = [*(zone.id for zone in system.zones), *(part.id for part in system.parts)]
    if twins := sorted({i for i in ids if ids.count(i) > 1}):
        raise BigPictureError(f"two entries are called {twins[0]!r}: give each its own id")
    for zone in system.zones:
        if set(zone.band) != set(SHAPES):
            raise BigPictureError(f"zone {zone.id}: say which band it is in: band: {{wide: 0, tall: 0}}")
    for node in system.nodes:
        if node.zone not in zones:
            raise BigPictureError(f"node {node.id}: there is no zone {node.zone!r}")
        if node.kind not in ICONS:
            raise BigPictureError(f"node {node.id}: no icon for {node.kind!r}: it is one of {', '.join(ICONS)}")
        if any(len(place) != 2 for place in node.at.values()):
            raise BigPictureError(f"node {node.id}: say where it stands: wide: [column, row], tall: [column, row]")
    for frame in system.frames:
        for name in frame.around:
            if name not in nodes:
                raise BigPictureError(f"frame {frame.id}: there is no node {name!r} to draw around")
        if not any(frame.within(nodes[name]) for name in frame.around):
            raise BigPictureError(f"frame {frame.id}: there is no node to draw around, all its time")
    for edge in system.edges:
        for name in (edge.source, edge.target):
            if name not in zones and (name not in parts or not edge.within(parts[name])):
                raise BigPictureError(f"edge {edge.id}: there is no {name!r} to connect, all its time")
