"""The landing page: its figures are counted, and the system grows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from markdown import Markdown

from scripts.site import figures
from scripts.site.bigpicture import BigPictureError, load
from scripts.site.bigpicture.growth import panel
from tests.site.navigation import ROOT
from tests.site.test_pages import opened

pytestmark = pytest.mark.xdist_group("site")


def run(date: str, blocks: int = 10, executed: int = 10, outcome: str = "ran") -> dict[str, Any]:
    shares = {"blocks": blocks, "executed": executed}
    return {"date": date, "system": "Debian", "shares": shares, "blocks": {"a": {"outcome": outcome}}}


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    """A guide of three chapters, of which two were executed."""
    for number, minutes in (("1.1", 25), ("1.2", 50), ("2.1", 40)):
        page = tmp_path / f"docs/part-{number[0]}/chapter-{number}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f'---\nchapter: "{number}"\ntime: {minutes}\n---\n# Chapter {number} - Do it\n')
    record(
        tmp_path,
        {
            "1.1": {"linux-uv": run("2026-11-27"), "linux-pip": run("2026-01-01", outcome="failed")},
            "1.2": {"linux-uv": run("2026-11-28", blocks=1000, executed=999)},
            "setup": {"linux-uv": run("2025-01-01")},
        },
    )
    return tmp_path


def record(root: Path, chapters: dict[str, Any]) -> None:
    (root / "results").mkdir(exist_ok=True)
    known = {number: {"page": "", "title": "", "variants": runs} for number, runs in chapters.items()}
    (root / "results/verified.json").write_text(json.dumps({"chapters": known}))


def html(root: Path, text: str) -> str:
    configs = {"scripts.site.figures": {"docs": str(root / "docs")}}
    return Markdown(extensions=["pymdownx.superfences", *configs], extension_configs=configs).convert(text)


def test_time_and_chapters_come_from_front_matter(guide: Path) -> None:
    assert "3 chapters, about 2 hours, 25 to 50 minutes" in html(
        guide, "{{ guide chapters }}, {{ guide time }}, {{ guide sittings }}"
    )
    assert "2 chapters, about 1½ hours" in html(guide, "{{ part 1 chapters }}, {{ part 1 time }}")
    assert 'data-chapters="1.1 1.2"' in html(guide, "{{ part 1 progress }}")
    assert [figures.hours(n) for n in (30, 50, 60, 75, 225)] == ["½ hour", "1 hour", "1 hour", "1½ hours", "4 hours"]


def test_what_was_executed_is_told_with_what_was_not(guide: Path) -> None:
    text = html(guide, "{{ guide executed }} {{ guide when }} on {{ guide system }}.")
    assert "1,009 of 1,010 commands, files and outputs (1 chapter not yet)" in text
    assert "between 27 November 2026 and 28 November 2026 on Debian." in text, (
        "the oldest day, and of the default way only"
    )
    record(guide, {n: {"linux-uv": run("2026-11-28", outcome="failed")} for n in ("1.1", "1.2", "2.1")})
    assert "30 of 30 commands, files and outputs (3 failed) on 28 November 2026" in html(
        guide, "{{ guide executed }} {{ guide when }}"
    )
    record(guide, {})
    assert "nothing is recorded yet" in html(guide, "{{ guide executed }}")


def test_figures_that_do_not_exist_stop_the_build_and_code_stays(guide: Path) -> None:
    for name in ("guide weather", "part 9 time", "part 1 when"):
        with pytest.raises(ValueError, match="there is no such figure"):
            html(guide, f"{{{{ {name} }}}}")
    assert "{{ guide time }}" in html(guide, "```\n{{ guide time }}\n```")
    assert "{{ github.ref }}" in html(guide, "{{ github.ref }}")


def test_the_system_grows_and_nothing_gets_lost() -> None:
    system = load()
    panels = [panel(part, system) for part in range(1, 6)]
    icons = [len(re.findall(r"<g class=\"growth-icon", p)) for p in panels]
    dots = [p.count("growth-dot") for p in panels]
    new = [p.count("growth-icon--new") for p in panels]
    assert icons == [sum(new[: n + 1]) for n in range(5)]
    assert len({a + b for a, b in zip(icons, dots, strict=True)}) == 1
    assert dots[-1] == 0
    assert all(new)
    assert len({re.search('viewBox="([^"]+)"', p)[1] for p in panels}) == 1, "each panel has the same places"  # type: ignore[index]
    with pytest.raises(BigPictureError, match="no part 6"):
        panel(6, system)


def test_landing_page_types_no_figure() -> None:
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    prose = re.sub(
        r"\{\{.*?\}\}|```.*?```|\{[^}]*\}|<[^>]*>|\([^)]*\)|Part \d:|chapter 1\.1|WSL 2", "", text, flags=re.S
    )
    assert re.findall(r"\d+|hours?\b", prose) == []
    assert text.count("```growth") == 5


def test_first_screen_says_what_one_gets(browser: Any, address: str) -> None:
    with opened(browser, address) as view:
        for words in ("Your mission", "Start with chapter 1.1", "28 chapters", "Executed on|Executed between"):
            box = view.locator(f"article >> text=/{words}/").first.bounding_box()
            assert box["y"] + box["height"] <= 900, words
        label = view.locator(".growth svg").first
        assert label.is_visible()
        assert label.get_attribute("role") == "img"
