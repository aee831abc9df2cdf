"""Icons of the Material Design set, which comes with the theme of the site, as SVG in the text."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import material  # type: ignore[import-untyped]

from .errors import DeckError

FOLDER = Path(material.__file__).parent / "templates/.icons/material"


def icon(name: str) -> str:
    """An icon as tall as the text. It says nothing that the text beside it does not."""
    return f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{shape(name)}</svg>'


@cache
def shape(name: str) -> str:
    """The paths of an icon, in a square of 24 by 24."""
    file = FOLDER / f"{name}.svg"
    if not file.is_file():
        raise DeckError(f"presentation: no icon {name!r}: choose one of Material Design Icons")
    return re.sub(r"</?svg[^>]*>", "", file.read_text(encoding="utf-8"))
