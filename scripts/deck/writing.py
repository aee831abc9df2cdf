"""Fills presentation/deck.md with what is generated, so that no figure on a slide is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.site import bigpicture
from scripts.site.bigpicture.keeping import kept

from . import sketches
from .errors import DeckError
from .figures import chapters, figures
from .icons import icon
from .portraits import portrait
from .qr import qr

PLACE = re.compile(r"\{\{ *([\w-]+)(?: +([^{}]+?))? *\}\}")
NOTE = re.compile(r"<!--\n(?!_).*?-->", re.S)
"""A comment that holds no settings of its slide."""
ADDRESS = "https://mlops.swiss-ai-center.ch"


def written(root: Path) -> str:
    """The deck's Markdown, complete. Raises DeckError with the line of what cannot be filled in."""
    source = root / "presentation/deck.md"
    generated = contents(root)

    def fill(place: re.Match[str]) -> str:
        line = text.count("\n", 0, place.start()) + 1
        try:
            return generated[place[1]](place[2] or "")
        except KeyError as missing:
            raise DeckError(f"presentation/deck.md:{line}: nothing is called {missing}") from None
        except DeckError as error:
            raise DeckError(f"presentation/deck.md:{line}: {error}") from None

    text = source.read_text(encoding="utf-8")
    return NOTE.sub(unwrap, PLACE.sub(fill, text))


def unwrap(note: re.Match[str]) -> str:
    """A note with each paragraph on one line, since Marp shows line breaks where the text has them."""
    return re.sub(r"(?<!\n)\n(?!\n|-->)", " ", note[0])


def contents(root: Path) -> Mapping[str, Callable[[str], str]]:
    """Name of a place → what fills it, given the words that stand after the name."""
    known, drawings = chapters(root), sketches.load(root / "presentation/sketches.yml")

    def figure(value: str) -> Callable[[str], str]:
        return lambda _: value

    return {
        "big-picture": lambda _: big_picture(known.last),
        "chapters-of": known.named,
        "icon": icon,
        "portrait": portrait,
        "qr": lambda _: qr(ADDRESS),
        "sketch": lambda name: sketches.draw(drawings[name]),
        "venn": lambda _: sketches.venn(),
        **{name: figure(value) for name, value in figures(root).items()},
    }


def big_picture(chapter: str) -> str:
    """The drawing of the site's pages at the end of a chapter, as one line of HTML."""
    try:
        drawn = kept(f"whole {chapter}", lambda: bigpicture.whole(chapter, bigpicture.load()))
        return f'<figure class="big-picture">{drawn}</figure>'
    except bigpicture.BigPictureError as error:
        raise DeckError(str(error)) from error
