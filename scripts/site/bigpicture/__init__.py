"""The big picture: what the reader has built up to a chapter, with what is new in it brought forward.

``fence`` is for pymdownx.superfences: the body of a ``big-picture`` block is a chapter number. The
picture comes in two shapes, and the style sheet shows the one that fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from markupsafe import escape
from pymdownx.superfences import SuperFencesException  # type: ignore[import-untyped]

from .drawing import draw
from .keeping import kept
from .labels import label
from .layout import SLIDES, TALL, WIDE, Shape, lay_out
from .model import BigPictureError, Picture, System, load
from .routing import find_ways

__all__ = ["BigPictureError", "fence", "figure", "load", "whole"]


def fence(source: str, language: str, css_class: str, options: Mapping[str, Any], md: Any, **kwargs: Any) -> str:
    """Format a ```big-picture block."""
    try:
        return kept(f"chapter {source.strip()}", lambda: figure(source.strip(), load()))
    except BigPictureError as error:
        # The only exception that superfences lets through.
        raise SuperFencesException(f"big-picture: {error}") from error


def figure(chapter: str, system: System) -> str:
    """The picture of a chapter as HTML. Raises BigPictureError if it cannot be drawn."""
    picture = system.at(chapter)
    title, description = f"The big picture in {picture.name}", describe(picture)
    drawings = [drawing(picture, shape, title, description) for shape in (WIDE, TALL)]
    # One line: Markdown must not find a paragraph in it. Search has the text of the page already.
    return (
        f'<figure class="big-picture" data-search-exclude>{"".join(drawings)}'
        f"<figcaption>{escape(caption(picture))}</figcaption></figure>"
    )


def whole(chapter: str, system: System) -> str:
    """The picture of a chapter for a slide, with nothing brought forward as new. Raises BigPictureError."""
    picture = replace(system.at(chapter), whole=True)
    title, description = f"The big picture at the end of chapter {chapter}", describe(picture, news=False)
    for shape in SLIDES:
        with suppress(BigPictureError):
            return drawing(picture, shape, title, description)
    return drawing(picture, WIDE, title, description)


def drawing(picture: Picture, shape: Shape, title: str, description: str) -> str:
    layout = lay_out(picture, shape)
    routes = label(picture, layout, find_ways(picture, layout))
    return draw(picture, layout, routes, title=title, description=description)


def caption(picture: Picture) -> str:
    if picture.whole:
        return f"The big picture at the end of {picture.name}."
    new = [part.label for part in (*picture.nodes, *picture.frames) if picture.new(part)]
    if not new:
        return "The big picture: this chapter adds no new part."
    return f"New in this chapter: {listed(new)}."


def describe(picture: Picture, *, news: bool = True) -> str:
    """The picture in words: what there is and where, what is new, and what leads to what."""
    names = {zone.id: zone.label for zone in picture.zones}
    names |= {part.id: part.label for part in (*picture.nodes, *picture.frames)}
    sentences = [
        f"{zone.label}: {listed(n.label for n in picture.nodes if n.zone == zone.id)}." for zone in picture.zones
    ]
    sentences += [f"{f.label} holds together {listed(names[i] for i in f.around)}." for f in picture.frames]
    if news:
        sentences.append(caption(picture))
    arrows = (f"{names[e.source]} to {names[e.target]}" + (f" ({e.label})" if e.label else "") for e in picture.edges)
    sentences.append(f"Arrows: {'; '.join(arrows)}.")
    return " ".join(sentences)


def listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
