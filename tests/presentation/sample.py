"""A small deck in a folder of its own, made with the Marp that is installed already."""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.deck import tools
from tests.site.navigation import ROOT

DECK = """---
theme: guide
headingDivider: 2
---

# One

{{ chapters }} chapters

## Two

{{ icon laptop }} Text
"""


def sample(root: Path, deck: str = DECK) -> Path:
    """All that the deck is made from, with these slides."""
    shutil.copytree(ROOT / "presentation", root / "presentation")
    shutil.copytree(ROOT / "results", root / "results")
    shutil.copytree(ROOT / "docs/assets/fonts", root / "docs/assets/fonts")
    assets = ("docs/assets/images/favicon.svg", "docs/assets/stylesheets/big-picture.css")
    for name in ("LICENSE", "docs/introduction/syllabus.md", *assets):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "presentation/deck.md").write_text(deck, encoding="utf-8")
    cache, known = root / ".cache/deck", ROOT / ".cache/deck"
    cache.mkdir(parents=True)
    known.mkdir(parents=True, exist_ok=True)
    tools.marp(ROOT / "presentation", known)
    for folder in (*known.glob("marp-*"), *known.glob("node-*")):
        (cache / folder.name).symlink_to(folder)
    return root
