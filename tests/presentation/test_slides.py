"""Every slide in a real browser."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.presentation.looking import go_to, problems
from tests.site.navigation import HOST, PAGES, ROOT, url_of

pytestmark = pytest.mark.xdist_group("presentation")

OUTLINE = (Path(__file__).parent / "outline.txt").read_text(encoding="utf-8").splitlines()
CHECKS = ("overflow", "contrast", "pictures", "words")
SECTIONS = "[...document.querySelectorAll('section[id]')]"


def test_slides_are_those_of_the_outline(page: Any) -> None:
    headings = page.evaluate(f"{SECTIONS}.map(s => s.querySelector('h1, h2, h3')?.textContent.trim() ?? '')")
    assert headings == OUTLINE


def test_every_slide_is_right(page: Any) -> None:
    found = []
    for number, title in enumerate(OUTLINE, 1):
        go_to(page, number)
        found += [f"slide {number}, {title}: {problem}" for check in CHECKS for problem in problems(page, check)]
    assert not found, "\n".join(found)


def test_headings_are_in_order(page: Any) -> None:
    levels = page.evaluate(f"{SECTIONS}.map(s => Number(s.querySelector('h1, h2, h3').tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(level <= before + 1 for before, level in pairwise(levels))


def test_every_slide_says_what_to_say(page: Any) -> None:
    notes = page.evaluate("[...document.querySelectorAll('.bespoke-marp-note')].map(n => n.textContent)")
    assert len(notes) == len(OUTLINE)
    assert [OUTLINE[i] for i, note in enumerate(notes) if len(note) < 40] == []


def test_nothing_is_asked_of_another_host(page: Any, address: str) -> None:
    assert [url for url in page.answers if not url.startswith((address, "data:", "blob:"))] == []
    missing = [url for url, status in page.answers.items() if status >= 400]
    assert [url for url in missing if not url.endswith("/favicon.ico")] == []  # which every browser asks for
    assert page.errors == []
    assert page.evaluate("document.fonts.check('16px Inter') && document.documentElement.lang") == "en"


def test_links_lead_somewhere(page: Any) -> None:
    here = {url_of(name) for name in PAGES}
    for link in set(page.evaluate(f"{SECTIONS}.flatMap(s => [...s.querySelectorAll('a')].map(a => a.href))")):
        url = urlsplit(link)
        if link.startswith(HOST):
            assert (url.path or "/") in here, link
        elif file := re.match(r"/swiss-ai-center/a-guide-to-mlops/blob/main/(.+)", url.path):
            assert (ROOT / file[1]).is_file(), link
        else:
            assert re.match(
                r"mailto:\S+@heig-vd\.ch$|https://(github|www\.linkedin|creativecommons)\.(com|org)/", link
            ), link


# ---------------------------------------------------------------- showing it


def number_of(page: Any) -> int:
    return int(page.evaluate("document.querySelector('.bespoke-marp-active section[id]').id"))


def test_keyboard_leads_through_all_slides(page: Any) -> None:
    for number in range(2, len(OUTLINE) + 1):
        page.keyboard.press("ArrowRight")
        assert number_of(page) == number
    page.keyboard.press("ArrowLeft")
    assert number_of(page) == len(OUTLINE) - 1
    page.keyboard.press("Home")
    assert number_of(page) == 1
    page.keyboard.press("End")
    assert number_of(page) == len(OUTLINE)


def test_presenter_sees_notes_and_leads_the_audience(page: Any) -> None:
    with page.context.expect_page() as opened:
        page.keyboard.press("p")
    presenter = opened.value
    presenter.wait_for_selector(".bespoke-marp-note.active")
    presenter.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash == '#2'")
    note = presenter.inner_text(".bespoke-marp-note.active")
    assert len(note) > 40
    assert presenter.is_visible("text=2 / ")
    page.keyboard.press("ArrowRight")
    presenter.wait_for_function(f"document.querySelector('.bespoke-marp-note.active').innerText != {note!r}")


# ---------------------------------------------------------------- the checks can fail

PLANTED = {
    "too much text": ("overflow", "slide.innerHTML += '<p>More and more.</p>'.repeat(20)", "leaves its box"),
    "a long word": ("overflow", "slide.innerHTML += `<p>${'wide'.repeat(80)}</p>`", "leaves its box"),
    "text below the picture": (
        "overflow",
        "slide.querySelector('h2').after(Object.assign(document.createElement('p'),"
        " {innerText: 'Over it', style: 'margin-left: 700px; padding-top: 200px; margin-right: -500px'}))",
        "text meets a picture",
    ),
    "a long name in a drawing": ("overflow", "slide.querySelector('.box text').textContent = 'x'.repeat(30)", "leaves"),
    "pale text": ("contrast", "slide.querySelector('li').style.color = '#666'", "too little"),
    "the accent as text": ("contrast", "slide.querySelector('h3').style.color = '#4051b5'", "too little"),
    "a pale name in a drawing": ("contrast", "slide.querySelector('.box text').style.fill = '#555'", "too little"),
    "text on a picture": (
        "contrast",
        "slide.style.backgroundImage = 'linear-gradient(red, blue)'",
        "text on a picture",
    ),
    "a broken picture": ("pictures", "slide.innerHTML += '<img src=nowhere.webp alt=None>'", "is broken"),
    "a picture without words": ("pictures", "slide.innerHTML += '<img src=images/mars.webp>'", "has no words"),
    "a drawing without words": ("pictures", "slide.innerHTML += '<svg></svg>'", "has no words"),
    "no heading": ("words", "slide.querySelector('h2, h3').remove()", "one heading"),
    "an empty place": ("words", "slide.innerHTML += '{{ blocks }}'", "not filled in"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found(page: Any, name: str) -> None:
    check, planted, told = PLANTED[name]
    title = "A solution" if name == "text below the picture" else "Codebase: today"
    go_to(page, OUTLINE.index(title) + 1)
    assert problems(page, check) == []
    page.evaluate(f"() => {{ const slide = document.querySelector('.bespoke-marp-active section[id]'); {planted} }}")
    page.wait_for_load_state("networkidle")
    assert any(told in problem for problem in problems(page, check))
