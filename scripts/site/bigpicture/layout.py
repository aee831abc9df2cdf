"""Where everything stands: zones in bands, nodes on a grid, frames around nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import ImageFont

from .geometry import Box
from .model import BigPictureError, Node, Picture, Zone

FONT = Path(__file__).parents[3] / "docs/assets/fonts/inter-latin-wght-normal.woff2"


@dataclass(frozen=True)
class Shape:
    """Measures of one shape, in pixels. It is drawn at this size and never scaled up."""

    name: str
    node: tuple[float, float]
    pitch: tuple[float, float]  # from one column or row to the next
    pad: float  # inside a zone, left, right and bottom
    frame: float  # between a frame and the nodes in it
    text: float
    small: float = 11.0  # titles of zones and frames, labels of arrows


WIDE = Shape("wide", node=(120, 60), pitch=(160, 112), pad=22, frame=12, text=13)
TALL = Shape("tall", node=(94, 58), pitch=(114, 102), pad=14, frame=6, text=12)
SLIDES = tuple(  # larger letters and less air: the first that has room for everything
    Shape("wide", node=(150, 58), pitch=pitch, pad=16, frame=10, text=16, small=14)
    for pitch in ((180, 76), (180, 88), (200, 100))
)
TITLE = 30.0  # height of a zone's title above its first row
GAP = 28.0  # between two bands
EDGE = 2.0  # around everything, so that no line is cut


@cache
def _font(weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(FONT, 100)
    font.set_variation_by_axes([weight])
    return font


def text_width(text: str, size: float, weight: int = 600) -> float:
    """Width of a line of text in the site's own font."""
    return float(_font(weight).getlength(text)) * size / 100


def fitting(text: str, shape: Shape) -> float:
    """The size at which a text fits a node: the wanted one, or less but never below the small one."""
    width = shape.node[0] - 6
    return max(shape.small, min(shape.text, shape.text * width / text_width(text, shape.text)))


def tag_box(box: Box) -> Box:
    """Where the mark of what is new sits: on the upper right corner of a node."""
    return Box.around(box.right - 10, box.top, 32, 16)


@dataclass(frozen=True)
class Layout:
    """Boxes by id, and the boxes of titles by the id of what they name."""

    shape: Shape
    size: Box
    nodes: Mapping[str, Box]
    zones: Mapping[str, Box]
    frames: Mapping[str, Box]
    titles: Mapping[str, Box]

    def __getitem__(self, name: str) -> Box:
        return self.nodes.get(name) or self.frames.get(name) or self.zones[name]


def lay_out(picture: Picture, shape: Shape) -> Layout:
    """Place what a chapter shows. Raises BigPictureError where two things would stand on each other."""
    columns = [node.at[shape.name][0] for node in picture.nodes]
    left = EDGE + shape.pad + shape.node[0] / 2
    width = 2 * (EDGE + shape.pad) + shape.node[0] + (max(columns) - min(columns)) * shape.pitch[0]
    top, nodes, zones = EDGE, dict[str, Box](), dict[str, Box]()
    for band in sorted({zone.band[shape.name] for zone in picture.zones}):
        here = [zone for zone in picture.zones if zone.band[shape.name] == band]
        members = [node for node in picture.nodes if node.zone in {zone.id for zone in here}]
        rows = [node.at[shape.name][1] for node in members]
        first = top + TITLE + shape.node[1] / 2
        for node in members:
            column, row = node.at[shape.name]
            x = left + (column - min(columns)) * shape.pitch[0]
            nodes[node.id] = Box.around(x, first + (row - min(rows)) * shape.pitch[1], *shape.node)
        bottom = first + (max(rows) - min(rows)) * shape.pitch[1] + shape.node[1] / 2 + shape.pad
        zones |= _stretch(here, members, nodes, Box(EDGE, top, width - EDGE, bottom), shape)
        top = bottom + GAP
    frames = {
        frame.id: Box.enclosing(nodes[name] for name in frame.around).grown(shape.frame) for frame in picture.frames
    }
    titles = {
        zone.id: _title(zone.label, zones[zone.id].left + 12, zones[zone.id].top + 15, shape) for zone in picture.zones
    }
    titles |= {f.id: _title(f.label, frames[f.id].left + 10, frames[f.id].top, shape) for f in picture.frames}
    layout = Layout(shape, Box(0, 0, width, top - GAP + EDGE), nodes, zones, frames, titles)
    _check(picture, layout)
    return layout


def _stretch(
    zones: list[Zone], members: list[Node], nodes: Mapping[str, Box], band: Box, shape: Shape
) -> dict[str, Box]:
    """Zones of one band share its width; they meet half-way between their nodes."""
    spans = {
        zone.id: Box.enclosing(nodes[node.id] for node in members if node.zone == zone.id).grown(shape.pad)
        for zone in zones
    }
    order = sorted(spans, key=lambda name: spans[name].left)
    stretched, left = dict[str, Box](), band.left
    for name, after in zip(order, [*order[1:], None], strict=True):
        right = band.right if after is None else (spans[name].right + spans[after].left) / 2 - GAP / 4
        stretched[name] = Box(left, band.top, right, band.bottom)
        left = right + GAP / 2
    return stretched


def _title(text: str, left: float, y: float, shape: Shape) -> Box:
    """The line of text that names a zone or a frame, with a little room around."""
    half = (shape.small + 1) / 2
    return Box(left - 4, y - half, left + text_width(text, shape.small) + 4, y + half)


def _check(picture: Picture, layout: Layout) -> None:
    """No node on another, or wider than its box."""
    boxes = list(layout.nodes.items())
    for i, (name, box) in enumerate(boxes):
        for other, taken in boxes[i + 1 :]:
            if box.overlaps(taken):
                raise BigPictureError(f"{name} and {other} stand on each other in the {layout.shape.name} shape")
    for node in picture.nodes:
        if text_width(node.label, layout.shape.small) > layout.shape.node[0] - 6:
            raise BigPictureError(f"node {node.id}: its label {node.label!r} is too long for its box: shorten it")
