"""How a page shows that a file changes: worked out, never typed."""

from __future__ import annotations

import pytest

from scripts.chapters import patching
from scripts.chapters.changes import Look, diff, looks, new_lines
from tests.chapters.samples import read

TEXTS = ("", "a\n", "a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\n\nc\nd\nE\nf\ng\n", "x\n\n\ny\n", "  a\n b \n")
UV = {"tool": "uv", "os": "linux", "place": "laptop", "forge": "github", "cluster": "podman"}


@pytest.mark.parametrize("before", TEXTS)
@pytest.mark.parametrize("after", TEXTS)
def test_a_diff_makes_the_file_after_from_the_file_before(before: str, after: str) -> None:
    if before != after:
        assert patching.apply(before, diff(before, after)) == after


def test_a_diff_shows_three_lines_around_a_change() -> None:
    assert diff("a\nb\n\nc\nd\ne\n", "a\nb\n\nC\nd\ne\n") == "@@ -1,6 +1,6 @@\n a\n b\n\n-c\n+C\n d\n e\n"


@pytest.mark.parametrize(
    ("before", "after", "numbers"),
    [
        ("a\nb\n", "a\nb\n", ""),
        ("a\nb\n", "a\nx\nb\n", "2"),
        ("a\nb\n", "a\nx\ny\nb\nz\n", "2-3 5"),
        ("a\nb\nc\n", "a\nc\n", ""),
        ("a\n", "x\ny\n", ""),
        ("", "x\n", ""),
    ],
)
def test_numbers_of_new_lines(before: str, after: str, numbers: str) -> None:
    assert new_lines(before, after) == numbers


def test_what_each_block_has_to_show() -> None:
    chapter = read("""
        ```yaml title="a.yaml"
        a: 1
        b: 2
        ```

        ```diff title="a.yaml"
        @@ @@
        -b: 2
        +b: 3
        ```

        <!-- block: file mode=state -->
        ```yaml title="a.yaml"
        a: 1
        b: 3
        c: 4
        ```
        """)
    first, change, state = (look for _, look in looks([chapter], UV).items())
    assert first == Look("a: 1\nb: 2\n")
    assert change == Look("@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n")
    assert state == Look("a: 1\nb: 3\nc: 4\n", "3")


def test_below_a_trial_a_file_is_as_it_was_before() -> None:
    chapter = read("""
        ```yaml title="a.yaml"
        a: 1
        b: 2
        ```

        <!-- block: file kept=no -->
        ```diff title="a.yaml"
        @@ @@
        -a: 1
        +a: 9
        ```

        <!-- block: file kept=no -->
        ```yaml title="a.yaml"
        a: 1
        b: 8
        ```

        ```sh
        git restore a.yaml
        ```

        ```diff title="a.yaml"
        @@ @@
        -b: 2
        +b: 3
        ```
        """)
    _, first, second, change = looks([chapter], UV).values()
    assert first == Look("@@ -1,2 +1,2 @@\n-a: 1\n+a: 9\n b: 2\n")
    assert second == Look("a: 1\nb: 8\n", "2")
    assert change == Look("@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n")


def test_a_file_that_was_moved_is_changed_in_its_new_place() -> None:
    chapter = read("""
        ```yaml title="a.yaml"
        a: 1
        ```

        <!-- block: run gone=a.yaml:b.yaml -->
        ```sh
        git mv a.yaml b.yaml
        ```

        ```diff title="b.yaml"
        @@ @@
        -a: 1
        +a: 2
        ```
        """)
    assert list(looks([chapter], UV).values())[1] == Look("@@ -1 +1 @@\n-a: 1\n+a: 2\n")


def test_after_a_change_that_does_not_fit_nothing_is_said() -> None:
    chapter = read("""
        ```py title="a.py"
        a = 1
        ```

        ```diff title="a.py"
        @@ @@
        -b = 1
        +b = 2
        ```

        ```py title="a.py"
        a = 2
        ```
        """)
    assert list(looks([chapter], UV).values()) == [Look("a = 1\n")]
