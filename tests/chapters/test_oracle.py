"""Our blocks are the blocks that the site shows: same lines, languages, bodies, and tabs around them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from scripts.chapters import PageError
from tests.chapters import random_pages
from tests.chapters.oracle import Oracle, read
from tests.chapters.samples import HEAD, below

HERE = Path(__file__).parent


def samples() -> Iterator[str]:
    """The pages in the tests beside this one: every text with a fence."""
    for path in set(HERE.glob("test_*.py")) - {Path(__file__)}:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count("```") > 1:
                yield below(node.value, HEAD)


def readable(pages: Iterator[str]) -> Iterator[str]:
    """Those that the reader takes. What it does not take is an error, so it cannot go wrong in silence."""
    for page in pages:
        try:
            read(page)
        except PageError:
            continue
        yield page


def assert_same(oracle: Oracle, pages: Iterator[str], *, at_least: int) -> None:
    count = 0
    for page in pages:
        blocks = read(page)
        assert blocks == oracle.blocks(page), f"the reader and the site differ on this page:\n{page}"
        count += len(blocks)
    assert count >= at_least, "too few blocks to prove anything"


def test_sample_pages(oracle: Oracle) -> None:
    assert_same(oracle, readable(samples()), at_least=150)


def test_tidy_pages(oracle: Oracle) -> None:
    """None of them is an error."""
    assert_same(oracle, (random_pages.tidy(Random(seed)) for seed in range(100)), at_least=500)


@pytest.mark.parametrize(
    ("make", "pages", "at_least"), [(random_pages.slipped, 200, 500), (random_pages.thrown_together, 800, 50)]
)
def test_untidy_pages(oracle: Oracle, make: Callable[[Random], str], pages: int, at_least: int) -> None:
    """Each of them is an error, or read as the site shows it."""
    assert_same(oracle, readable(make(Random(seed)) for seed in range(pages)), at_least=at_least)


def test_the_site_keeps_tabs(oracle: Oracle) -> None:
    page = below('```make title="Makefile"\nall:\n\ttrue\n  \n```\n')
    assert read(page) == oracle.blocks(page), "pymdownx.superfences needs preserve_tabs: true in mkdocs.yml"
