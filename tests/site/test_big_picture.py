"""The big picture: drawn from one source, with nothing too early, nothing unmarked and nothing in the way."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from markdown import Markdown
from pymdownx.superfences import SuperFencesException

from scripts.site.bigpicture import fence, figure
from scripts.site.bigpicture.labels import Route, label
from scripts.site.bigpicture.layout import TALL, WIDE, Layout, Shape, lay_out, tag_box, text_width
from scripts.site.bigpicture.model import DATA, BigPictureError, Picture, load, read
from scripts.site.bigpicture.routing import find_ways, related

SYSTEM = load()
CHAPTERS = [*(f"1.{n}" for n in range(1, 7)), "2.1", "2.2"]
PICTURES = [*CHAPTERS, "part 1", "part 2"]
SHAPES = {shape.name: shape for shape in (WIDE, TALL)}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=[(c, s) for c in CHAPTERS for s in SHAPES], ids=lambda p: f"{p[0]}-{p[1]}", scope="module")
def drawn(request: pytest.FixtureRequest) -> tuple[Picture, Layout, list[Route]]:
    chapter, shape = request.param
    picture = SYSTEM.at(chapter)
    layout = lay_out(picture, SHAPES[shape])
    return picture, layout, label(picture, layout, find_ways(picture, layout))


# ---------------------------------------------------------------- what is shown


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_nothing_of_a_later_chapter(chapter: str) -> None:
    here = tuple(map(int, chapter.split(".")))
    picture = SYSTEM.at(chapter)
    assert all(part.since <= here for part in (*picture.nodes, *picture.frames, *picture.edges))
    text = " ".join(texts(chapter))
    known = {part.label for part in SYSTEM.parts if part.since <= here}
    assert all(part.label not in text for part in SYSTEM.parts if part.since > here and part.label not in known)


@pytest.mark.parametrize(("part", "chapter"), [("part 1", "1.6"), ("part 2", "2.5")])
def test_at_the_end_of_a_part_all_is_there_and_nothing_is_new(part: str, chapter: str) -> None:
    picture, last, html = SYSTEM.at(part), SYSTEM.at(chapter), figure(part, SYSTEM)
    assert (picture.nodes, picture.frames, picture.edges) == (last.nodes, last.frames, last.edges)
    assert f"<figcaption>The big picture at the end of {part}.</figcaption>" in html
    assert "bp-tag" not in html


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_is_new_is_marked_by_more_than_colour(chapter: str) -> None:
    picture, html = SYSTEM.at(chapter), figure(chapter, SYSTEM)
    new = [part for part in (*picture.nodes, *picture.frames) if picture.new(part)]
    edges = [edge for edge in picture.edges if picture.new(edge)]
    assert new
    for svg in drawings(html):
        classes = [element.get("class", "") for element in svg.iter()]
        assert sum(c.endswith(("bp-node--new", "bp-frame--new")) for c in classes) == len(new)
        assert sum(c.endswith("arrow--new") for c in classes) == len(edges)
        assert classes.count("bp-tag") == len(new)
    caption = re.search(r"<figcaption>(.*?)</figcaption>", html)
    assert caption
    assert all(part.label in caption[1] for part in new)


@pytest.mark.parametrize("chapter", PICTURES)
def test_picture_can_be_read_aloud(chapter: str) -> None:
    picture = SYSTEM.at(chapter)
    for svg in drawings(figure(chapter, SYSTEM)):
        names = svg.get("aria-labelledby", "").split()
        texts = {element.get("id"): element.text or "" for element in svg if element.get("id")}
        assert svg.get("role") == "img"
        assert list(texts) == names
        assert chapter in texts[names[0]]
        assert all(part.label in texts[names[1]] for part in (*picture.nodes, *picture.frames, *picture.edges))


def test_what_is_gone_is_gone() -> None:
    assert "notebook.ipynb" in texts("1.1")
    assert "notebook.ipynb" not in texts("1.2")


def drawings(html: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html)]


def texts(chapter: str) -> list[str]:
    return [e.text or "" for svg in drawings(figure(chapter, SYSTEM)) for e in svg.iter("text")]


# ---------------------------------------------------------------- how it is drawn


def test_it_fits_page_and_phone(drawn: tuple[Picture, Layout, list[Route]]) -> None:
    _, layout, _ = drawn
    assert layout.size.width <= {"wide": 688, "tall": 358}[layout.shape.name]


def test_everything_is_inside(drawn: tuple[Picture, Layout, list[Route]]) -> None:
    _, layout, routes = drawn
    boxes = [*layout.nodes.values(), *layout.zones.values(), *layout.frames.values(), *layout.titles.values()]
    boxes += [tag_box(box) for box in layout.nodes.values()]
    boxes += [route.label for route in routes if route.label]
    boxes += [segment for route in routes for segment in route.segments]
    assert all(layout.size.contains(box) for box in boxes)


def test_labels_fit_their_boxes(drawn: tuple[Picture, Layout, list[Route]]) -> None:
    picture, layout, _ = drawn
    for node in picture.nodes:
        assert text_width(node.label, 11) < layout.nodes[node.id].width


def test_nothing_covers_anything(drawn: tuple[Picture, Layout, list[Route]]) -> None:
    _, layout, routes = drawn
    solid = [*layout.nodes.values(), *layout.titles.values(), *(r.label for r in routes if r.label)]
    assert not [pair for pair in combinations(solid, 2) if pair[0].overlaps(pair[1])]


def test_arrows_pass_no_box_and_no_text(drawn: tuple[Picture, Layout, list[Route]]) -> None:
    _, layout, routes = drawn
    for route in routes:
        for segment in route.segments:
            for name, box in layout.nodes.items():
                ends = name in (route.edge.source, route.edge.target)
                assert not segment.overlaps(box.grown(-0.5 if ends else 0)), (route.edge.id, name)
            for name, box in layout.titles.items():
                assert not segment.overlaps(box), (route.edge.id, name)
            for other in routes:
                if other is not route and other.label:
                    assert not segment.overlaps(other.label), (route.edge.id, other.edge.id)


def test_unrelated_arrows_do_not_run_together(drawn: tuple[Picture, Layout, list[Route]]) -> None:
    _, _, routes = drawn
    for one, other in combinations(routes, 2):
        if related(one.edge, other.edge):
            continue
        for a in one.segments:
            for b in other.segments:
                both = (a.width > a.height) == (b.width > b.height)
                assert not (both and a.overlaps(b)), (one.edge.id, other.edge.id)


def test_text_is_large_enough() -> None:
    sizes = re.findall(r'font-size="([\d.]+)"', "".join(figure(c, SYSTEM) for c in CHAPTERS))
    assert min(map(float, sizes)) >= 11


def test_same_source_same_picture() -> None:
    assert figure("1.6", load()) == figure("1.6", load())


# ---------------------------------------------------------------- on a page


def page(body: str) -> str:
    fences = {"custom_fences": [{"name": "big-picture", "class": "big-picture", "format": fence}]}
    return Markdown(extensions=["pymdownx.superfences"], extension_configs={"pymdownx.superfences": fences}).convert(
        body
    )


def test_fence_becomes_a_figure() -> None:
    html = page("Before.\n\n```big-picture\n1.2\n```\n\nAfter.")
    assert html == f"<p>Before.</p>\n{figure('1.2', SYSTEM)}\n<p>After.</p>"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("9.9", "big-picture: no chapter 9.9: big_picture.yml reaches from 1.1 to "),
        ("one", "big-picture: 'one' is no chapter and no part: write its number"),
    ],
)
def test_fence_with_a_wrong_chapter(body: str, problem: str) -> None:
    with pytest.raises(SuperFencesException, match=f"^{re.escape(problem)}"):
        page(f"```big-picture\n{body}\n```")


# ---------------------------------------------------------------- mistakes in the data


def broken(**changes: Any) -> dict[str, Any]:
    """The data with one entry of a kind changed: ``nodes={"id": "raw", "zone": "moon"}``."""
    data = copy.deepcopy(yaml.safe_load(DATA.read_text(encoding="utf-8")))
    for kind, change in changes.items():
        key = "id" if "id" in data[kind][0] else "from"
        entry = next(entry for entry in data[kind] if entry[key] == change[key])
        entry.update(change)
    return data


MISTAKES = {
    "node raw: there is no zone 'moon'": {"nodes": {"id": "raw", "zone": "moon"}},
    "node raw: no icon for 'cheese': it is one of arrays, branch": {"nodes": {"id": "raw", "kind": "cheese"}},
    "node raw: say where it stands: wide: [column, row], tall": {"nodes": {"id": "raw", "wide": [0]}},
    "node raw: '1' is no chapter and no part: write its number in quotes": {"nodes": {"id": "raw", "since": 1}},
    "node raw: got an unexpected keyword argument 'colour'": {"nodes": {"id": "raw", "colour": "red"}},
    "zone project: say which band it is in: band: {wide: 0, tall: 0}": {"zones": {"id": "project", "band": {}}},
    "frame pipeline: there is no node 'moon' to draw around": {"frames": {"id": "pipeline", "around": ["moon"]}},
    "frame pipeline: there is no node to draw around, all its time": {"frames": {"id": "pipeline", "around": []}},
    "frame pipeline: there is no node to draw around": {"frames": {"id": "pipeline", "since": "1.1"}},
    "edge jupyter to moon: there is no 'moon' to connect": {"edges": {"from": "jupyter", "to": "moon"}},
    "edge jupyter to notebook: there is no 'jupyter' to connect": {"edges": {"from": "jupyter", "until": "1.3"}},
}


@pytest.mark.parametrize(("problem", "change"), MISTAKES.items(), ids=MISTAKES)
def test_mistake_is_named(problem: str, change: dict[str, Any]) -> None:
    with pytest.raises(BigPictureError, match=f"^{re.escape(problem)}"):
        read(broken(**change))


def test_two_entries_of_one_name() -> None:
    data = broken()
    data["nodes"].append(data["nodes"][0])
    with pytest.raises(BigPictureError, match="two entries are called 'jupyter': give each its own id"):
        read(data)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": "raw", "wide": [1, 2]}, "raw and notebook stand on each other in the wide shape"),
        (
            {"id": "raw", "label": "all of the pictures that we have"},
            "node raw: its label 'all of the pictures that we have' is too long",
        ),
    ],
)
def test_picture_that_cannot_be_laid_out(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(BigPictureError, match=f"^{re.escape(problem)}"):
        figure("1.1", read(broken(nodes=change)))


def test_arrow_without_a_way() -> None:
    """A box that is walled in by others on all sides."""
    system = read(
        {
            "zones": [{"id": "z", "label": "Z", "band": {"wide": 0, "tall": 0}}],
            "nodes": list(crowd()),
            "edges": [{"from": "n00", "to": "n22", "since": "1.1"}],
        }
    )
    tight = Shape("wide", node=(120, 60), pitch=(126, 66), pad=20, frame=6, text=13)
    picture = system.at("1.1")
    with pytest.raises(BigPictureError, match="edge n00 to n22: no way for it in the wide shape: move a node"):
        find_ways(picture, lay_out(picture, tight))


def crowd() -> Iterator[dict[str, Any]]:
    for column in range(5):
        for row in range(5):
            place = [column, row]
            name = f"n{column}{row}"
            yield {
                "id": name,
                "label": name,
                "kind": "script",
                "zone": "z",
                "since": "1.1",
                "wide": place,
                "tall": place,
            }


def test_label_without_room() -> None:
    data = broken(edges={"from": "jupyter", "label": "a label that is wider than the whole picture could ever be"})
    with pytest.raises(BigPictureError, match="edge jupyter to notebook: no room for its label 'a label"):
        figure("1.1", read(data))
