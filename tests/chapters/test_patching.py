"""Changes of files, as diff blocks show them."""

from __future__ import annotations

import pytest

from scripts.chapters.patching import PatchError, apply

TEXT = "one\ntwo\n\nthree\nfour\n"


@pytest.mark.parametrize(
    ("diff", "result"),
    [
        pytest.param("@@ -1,2 +1,2 @@\n one\n-two\n+2\n", "one\n2\n\nthree\nfour\n", id="replace"),
        pytest.param("@@ @@\n four\n+five\n", TEXT + "five\n", id="append"),
        pytest.param("@@ @@\n+zero\n one\n", "zero\n" + TEXT, id="prepend"),
        pytest.param("@@ @@\n-four\n", "one\ntwo\n\nthree\n", id="remove"),
        pytest.param("@@ @@\n two\n\n-three\n+3\n", "one\ntwo\n\n3\nfour\n", id="empty line without its space"),
        pytest.param("@@ @@\n-one\n+1\n@@ @@ def f():\n-four\n+4\n", "1\ntwo\n\nthree\n4\n", id="two hunks"),
        pytest.param(
            "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ @@\n-one\n+1\n\\ No newline at end of file\n",
            "1\ntwo\n\nthree\nfour\n",
            id="as git prints it",
        ),
        pytest.param("@@ @@\n-two\n+--- 2\n++++ 3\n", "one\n--- 2\n+++ 3\n\nthree\nfour\n", id="looks like a header"),
    ],
)
def test_apply(diff: str, result: str) -> None:
    assert apply(TEXT, diff) == result


def test_a_file_may_be_empty_before_and_after() -> None:
    assert apply("", "@@ @@\n+one\n") == "one\n"
    assert apply("one\n", "@@ @@\n-one\n") == ""


def test_only_line_feeds_end_lines() -> None:
    text = "a\x0cb\u2028c\nd\n"
    assert apply(text, "@@ @@\n-d\n+e\n") == "a\x0cb\u2028c\ne\n"


def test_hunks_come_in_order() -> None:
    with pytest.raises(PatchError, match="these lines are not in the file, one after another: 'one' …"):
        apply(TEXT, "@@ @@\n-four\n+4\n@@ @@\n-one\n+1\n")
