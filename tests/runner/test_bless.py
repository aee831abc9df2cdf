"""Rewriting what pages show, with the fewest changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.chapters import Expect, Guide
from scripts.runner import bless, matching
from tests.runner.sample import Tiny, output, sh, tabs

MERGED = {
    "a line that changed": ("a\nb\nc", "a\nB\nc", "a\nB\nc"),
    "a line more": ("a\nc", "a\nb\nc", "a\nb\nc"),
    "a line less": ("a\nb\nc", "a\nc", "a\nc"),
    "all other": ("a", "x\ny", "x\ny"),
    "a hash that did not really change": ("[main 3f2a9c1] a\nb", "[main b81d77e] a\nB", "[main 3f2a9c1] a\nB"),
    "a duration that did not really change": ("took 3ms\nb", "took 7 s\nB", "took 3ms\nB"),
    "a number within the precision": ("loss 0.35\nb", "loss 0.3541\nB", "loss 0.35\nB"),
    "a number beyond the precision": ("loss 0.35\nb", "loss 0.4141\nb", "loss 0.4141\nb"),
    "a wildcard in a line": ("took ... s\nb", "took ages s\nB", "took ... s\nB"),
    "a wildcard for lines": ("a\n...\ny\nz", "a\nb\nc\nd\ny\nZ", "a\n...\ny\nZ"),
    "a wildcard for no lines": ("a\n...\nz", "a\nZ", "a\n...\nZ"),
    "two wildcards": ("...\nm\n...\nz", "a\nb\nm\nn\nZ", "...\nm\n...\nZ"),
    "blank lines": ("a\n\nb", "a\n\nc", "a\n\nc"),
    "trailing space": ("a", "b   ", "b"),
    "indentation": ("  a\n    b", "  a\n    c", "  a\n    c"),
}


@pytest.mark.parametrize(("shown", "got", "merged"), MERGED.values(), ids=MERGED)
def test_only_what_really_changed(shown: str, got: str, merged: str) -> None:
    new = bless.merge(shown + "\n", got + "\n")
    assert new == merged + "\n"
    assert matching.difference(new, got) is None
    assert bless.merge(new, got) == new


def test_within_the_tolerance_keeps_its_text() -> None:
    assert bless.merge("acc 0.90\na\n", "acc 0.93\nb\n", tol=0.05) == "acc 0.90\nb\n"


# ---------------------------------------------------------------- pages


def blessed(guide: Tiny, got: dict[int, str]) -> str:
    """Bless the outputs of a page (by their order) with what was printed. Returns its text."""
    expects = [b for b in Guide.load(guide.root).chapters["1.1"].blocks if isinstance(b, Expect)]
    corrections = [bless.Correction(expects[n].place, bless.merge(expects[n].body, text)) for n, text in got.items()]
    bless.apply(guide.root, corrections)
    return (guide.root / "docs/1.1.md").read_text()


def test_several_blocks_of_a_page_in_any_order(tiny: Tiny) -> None:
    place = tiny.write("1.1", sh("one"), output("1"), sh("two"), output("2\n2"), sh("three"), output("3"))
    before = place.read_text()
    text = blessed(tiny, {2: "3\n3\n3\n", 0: "one\n", 1: "2\n"})
    assert text == before.replace("\n1\n", "\none\n").replace("\n2\n2\n", "\n2\n").replace("\n3\n", "\n3\n3\n3\n")


def test_a_block_in_a_tab_stays_in_it(tiny: Tiny) -> None:
    place = tiny.write("1.1", tabs(uv=sh("one") + "\n\n" + output("a\n\nb"), pip=sh("two") + "\n\n" + output("c")))
    before = place.read_text()
    text = blessed(tiny, {0: "a\n\n  deep\nb\n"})
    assert text == before.replace("    a\n\n    b\n", "    a\n\n      deep\n    b\n")
    assert [b.body for b in Guide.load(tiny.root).chapters["1.1"].blocks][1::2] == ["a\n\n  deep\nb\n", "c\n"]


def test_the_diff_of_the_pages_is_told(tiny: Tiny) -> None:
    tiny.write("1.1", sh("one"), output("old"))
    place = next(b for b in Guide.load(tiny.root).chapters["1.1"].blocks if isinstance(b, Expect)).place
    told = bless.apply(tiny.root, [bless.Correction(place, "new\n")]).splitlines()
    assert told[0] == "--- docs/1.1.md"
    assert "-old" in told
    assert "+new" in told


def test_a_page_that_was_edited_meanwhile_is_left_alone(tiny: Tiny) -> None:
    path = tiny.write("1.1", sh("one"), output("old"))
    place = next(b for b in Guide.load(tiny.root).chapters["1.1"].blocks if isinstance(b, Expect)).place
    edited = "One line more.\n" + path.read_text()
    path.write_text(edited)
    told = bless.apply(tiny.root, [bless.Correction(place, "new\n")])
    assert told == f"{place}: the page was edited while its blocks were done: nothing blessed, do it again"
    assert path.read_text() == edited


def test_other_characters_than_ascii_stay(tiny: Tiny) -> None:
    tiny.write("1.1", sh("one"), output("é → …"), sh("two"), output("x"))
    assert "é → …" in blessed(tiny, {1: "日本\n"})
    assert "日本" in Path(tiny.root / "docs/1.1.md").read_text(encoding="utf-8")


def test_long_outputs_are_merged_in_reasonable_time() -> None:
    many = [f"line {n} of 0.{n:04d}" for n in range(300)]
    new = bless.merge("\n".join(many), "\n".join([*many[:150], "other", *many[151:]]))
    assert new.splitlines() == [*many[:150], "other", *many[151:]]


# ---------------------------------------------------------------- other ways to match

CONTAINS = {
    "what is there stays": ("b\n0.35\n", "a\nb\n0.354\nc\n", "b\n0.35\n"),
    "what changed becomes what is most like it": (
        "first\nsize: 10 kB\n",
        "first\nother\nsize: 12 kB\n",
        "first\nsize: 12 kB\n",
    ),
}


@pytest.mark.parametrize(("shown", "got", "merged"), CONTAINS.values(), ids=CONTAINS)
def test_a_part_of_the_output_stays_a_part(shown: str, got: str, merged: str) -> None:
    assert bless.merge_contains(shown, got) == merged
    assert matching.difference(merged, got, match="contains") is None


JSON = {
    "a value": ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1, "b": 3}),
    "a value within the tolerance": ({"a": 0.5, "b": 1}, {"a": 0.52, "b": 2}, {"a": 0.5, "b": 2}),
    "a wildcard": ({"a": "...", "b": 1}, {"a": [1, 2], "b": 2}, {"a": "...", "b": 2}),
    "deep": ({"a": [{"b": "...", "c": 1}]}, {"a": [{"b": 7, "c": 2}]}, {"a": [{"b": "...", "c": 2}]}),
    "a key more": ({"a": "..."}, {"a": 1, "b": 2}, {"a": "...", "b": 2}),
    "a key less": ({"a": "...", "b": 2}, {"a": 1}, {"a": "..."}),
    "another type": ({"a": {"b": 1}}, {"a": [1]}, {"a": [1]}),
    "a list that grew": ([1, 2], [1, 2, 3], [1, 2, 3]),
}


@pytest.mark.parametrize(("shown", "got", "merged"), JSON.values(), ids=JSON)
def test_json_keeps_what_fits(shown: object, got: object, merged: object) -> None:
    text = bless.merge_json(json.dumps(shown), json.dumps(got), tol=0.05)
    assert json.loads(text) == merged
    assert matching.difference(text, json.dumps(got), match="json", tol=0.05) is None
    assert bless.merge_json(text, json.dumps(got), tol=0.05) == text


def test_json_keeps_the_order_that_was_printed() -> None:
    assert list(json.loads(bless.merge_json('{"b": 1, "a": 2}', '{"c": 0, "a": 2, "b": 1}'))) == ["c", "a", "b"]
