"""The pictures that others show beside a link to a page."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from scripts.site import cards, hooks
from tests.site.navigation import HOST, PAGES, url_of

TITLES = {"index.md": "Planets & moons", "part-3/chapter-3.4.md": PAGES["part-3/chapter-3.4.md"]}


@pytest.mark.xdist_group("site")
def test_every_page_names_a_card_that_is_there(site: Path) -> None:
    named = {}
    for page in PAGES:
        text = (site / url_of(page).lstrip("/") / "index.html").read_text(encoding="utf-8")
        (named[page],) = re.findall(r'<meta property="og:image" content="([^"]+)">', text)
        assert named[page].startswith(f"{HOST}/assets/cards/")
        with Image.open(site / named[page].removeprefix(f"{HOST}/")) as card:
            assert card.size == (1200, 630)
    assert len({(site / url.removeprefix(f"{HOST}/")).read_bytes() for url in named.values()}) == len(PAGES)


def test_titles_leave_the_planet_alone() -> None:
    for page, title in PAGES.items():
        _, (edge, _) = cards.planet(cards.planet_of(page))
        size, lines = cards.fitted(cards.split(title)[1], edge - cards.SIDE)
        assert max(cards.font(size, 800).getlength(line) for line in lines) < edge - cards.SIDE, title
        assert len(lines) * size <= 300, title


def test_cards_are_drawn_once_for_each_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards.publish(TITLES, tmp_path / "site", tmp_path)
    drawn = list[str]()
    draw = cards.draw
    monkeypatch.setattr(cards, "draw", lambda page, title: drawn.append(title) or draw(page, title))
    cards.publish(TITLES, tmp_path / "again", tmp_path)
    assert drawn == []
    cards.publish({**TITLES, "index.md": "Moons"}, tmp_path / "again", tmp_path)
    assert drawn == ["Moons"]
    card = "assets/cards/index.jpg"
    assert (tmp_path / "site" / card).read_bytes() != (tmp_path / "again" / card).read_bytes()
    assert len(list((tmp_path / ".cache/cards").iterdir())) == len(TITLES)


def test_no_card_while_serving(tmp_path: Path) -> None:
    config = SimpleNamespace(extra={}, site_dir=str(tmp_path), site_description="A. B")
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"), title="Home", is_homepage=True)
    hooks.on_nav(SimpleNamespace(pages=[page]), config=config, files=None)
    assert list(tmp_path.iterdir()) == []
