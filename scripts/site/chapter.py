"""A Python-Markdown extension that puts the facts of a chapter under its title, and a box to tick at its end.

How long it takes and what it needs stand in the front matter of the page. Builders take the front
matter away before Markdown sees the page, each in its own manner, so the title is the key:
"Chapter 1.2 - …" is docs/part-1/chapter-1.2.md, and its front matter is read from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import yaml
from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

from scripts.site import verified

DOCS = Path(__file__).parents[2] / "docs"
TITLE = re.compile(r"Chapter (\d+)\.(\d+) - ")
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)

NEEDS = {
    "browser": "a web browser",
    "curl": "curl",
    "docker": "Docker or Podman",
    "gcloud": "the Google Cloud CLI",
    "github": "the GitHub CLI",
    "kubernetes": "kind and kubectl",
}
BEGIN = "../introduction/syllabus.md#begin-in-the-middle"
"""How to have the state in which a chapter begins."""

Number = tuple[int, int]


def chapter_pages(docs: Path) -> dict[Number, Path]:
    """The chapters that exist, in order."""
    pages = {}
    for path in docs.glob("part-*/chapter-*.md"):
        if match := re.fullmatch(r"chapter-(\d+)\.(\d+)", path.stem):
            pages[int(match[1]), int(match[2])] = path
    return dict(sorted(pages.items()))


def front_matter(page: Path) -> Mapping[str, Any]:
    """The front matter of a page, or nothing."""
    match = FRONT_MATTER.match(page.read_text(encoding="utf-8"))
    return yaml.safe_load(match[1]) or {} if match else {}


class ChapterFacts(Treeprocessor):
    """Adds a list of facts below the title of a chapter."""

    def __init__(self, md: Markdown, docs: Path) -> None:
        super().__init__(md)
        self.docs = docs

    def run(self, root: Element) -> None:
        for index, element in enumerate(root):
            title = "".join(element.itertext())
            if element.tag == "h1" and (match := TITLE.match(title)):
                items = list(self.facts(title, (int(match[1]), int(match[2]))))
                if items:
                    facts = Element("ul", {"class": "chapter-facts"})
                    facts.extend(items)
                    root.insert(index + 1, facts)
                if (int(match[1]), int(match[2])) in (pages := chapter_pages(self.docs)):
                    root.append(done(f"{match[1]}.{match[2]}", ["{}.{}".format(*number) for number in pages]))
                return

    def facts(self, title: str, chapter: Number) -> Iterator[Element]:
        """One list item for each thing that a reader wants to know before the first step."""
        pages = chapter_pages(self.docs)
        if chapter not in pages:
            return
        page = pages[chapter]
        data = front_matter(page)
        if minutes := data.get("time"):
            yield fact("time", f"About {minutes} min")
        earlier = [page for number, page in pages.items() if number < chapter]
        if after := data.get("after"):
            earlier = [page for number, page in pages.items() if "{}.{}".format(*number) == after]
        if not earlier:
            yield fact("needs", "You need Python 3.11, 3.12 or 3.13, and a terminal")
        else:
            item = fact("after", "Continues from ")
            link = SubElement(item, "a", {"href": relative(earlier[-1], page.parent)})
            link.text = earlier[-1].stem.replace("-", " ")
            link.tail = ", or "
            link = SubElement(item, "a", {"href": BEGIN})
            link.text = "begin here"
            yield item
        for need in data.get("needs", []):
            yield fact("needs", f"You need {NEEDS[need]}")
        files = fact("files", "")
        link = SubElement(files, "a", {"href": f"../downloads/{page.stem}.zip"})
        link.text = "Its files and commands"
        yield files
        archive = f"downloads/checkpoints/{page.stem}.tar.xz"
        if (self.docs / archive).exists():
            state = fact("checkpoint", "")
            link = SubElement(state, "a", {"href": f"../{archive}"})
            link.text = "The project at its end"
            yield state
        changed = sum(p.changed for p in self.md.preprocessors if isinstance(p, verified.Marks))
        verdict, text = verified.badge(verified.runs_of(title, self.docs.parent), changed)
        yield fact(verdict, text)


def fact(name: str, text: str) -> Element:
    item = Element("li", {"class": f"chapter-fact chapter-fact--{name}"})
    item.text = text
    return item


def done(number: str, every: Sequence[str]) -> Element:
    """What a reader ticks at the end of a chapter. Shown by assets/javascripts/progress.js, which keeps the ticks."""
    box = Element("div", {"class": "chapter-done", "hidden": "hidden", "data-search-exclude": ""})
    label = SubElement(box, "label")
    # Browsers would bring back the tick of an earlier visit on their own.
    tick = SubElement(label, "input", {"type": "checkbox", "data-chapter": number})
    tick.tail = f"I have done chapter {number}"
    SubElement(box, "span", {"class": "progress", "data-chapters": " ".join(every), "role": "status"})
    SubElement(box, "small").text = "Kept in this browser, and sent nowhere."
    return box


def relative(page: Path, folder: Path) -> str:
    """A link as one writes it in Markdown: builders turn links between pages into links between URLs."""
    return page.name if page.parent == folder else f"../{page.parent.name}/{page.name}"


class ChapterExtension(Extension):
    """Registers ChapterFacts. ``docs`` is the folder of the pages."""

    def __init__(self, **options: Any) -> None:
        self.config = {"docs": [str(DOCS), "the folder of the pages"]}
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:
        # After inline Markdown (20), so that the title is plain text; before links are resolved (0).
        md.treeprocessors.register(ChapterFacts(md, Path(self.getConfig("docs"))), "guide-chapter", 15)


def makeExtension(**options: Any) -> ChapterExtension:
    """The entry point that Python-Markdown looks for."""
    return ChapterExtension(**options)
