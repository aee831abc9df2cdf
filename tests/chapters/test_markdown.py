"""Fences and directives: what is one, what belongs to it, and what is around it."""

from __future__ import annotations

from pathlib import Path

from scripts.chapters import File, Guide, Hidden, Run, read_chapter
from tests.chapters.samples import FIRST, HEAD, PAGE, below, one, read, write


def bodies(sample: str) -> list[str]:
    return [block.body for block in read(sample).blocks]


def containers(sample: str) -> list[tuple[str, str, int]]:
    """Kind, title and line of what is around the last block, outermost first; lines count from the sample."""
    return [(c.kind, c.title, c.line - FIRST) for c in read(sample).blocks[-1].place.containers]


# ---------------------------------------------------------------- bodies


def test_a_body_is_kept_to_the_byte() -> None:
    body = (
        '\n    all lines\n      are indented\n\n\t<- a tab, \t another\n  \ntrailing  \nüöä "quotes" $HOME `x` \\n\n\n'
    )
    chapter = read_chapter(PAGE, f'{HEAD}```text title="a.txt"\n{body}```\n')
    assert chapter is not None
    assert [block.body for block in chapter.blocks] == [body]


def test_a_body_loses_the_indentation_of_its_fence_and_no_more() -> None:
    assert bodies(
        """
        - An item

            ```sh
              if true

              then echo
              fi
            ```
        """
    ) == ["  if true\n\n  then echo\n  fi\n"]


def test_an_empty_line_in_a_container_may_have_fewer_spaces() -> None:
    assert bodies("- An item\n\n    ```sh\n    a\n  \n\n    b\n    ```\n") == ["a\n\n\nb\n"]


def test_a_body_ends_with_a_line_feed_or_is_empty() -> None:
    assert bodies('```py title="a.py"\n```\n') == [""]
    assert bodies('```py title="a.py"\n\n```\n') == ["\n"]
    assert bodies('```py title="a.py"\na = 1\n```') == ["a = 1\n"]


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    unix = below('```py title="a.py"\na = 1\n\nb = 2\n```\n')
    windows = "\ufeff" + unix.replace("\n", "\r\n")
    blocks = [
        Guide.load(write(tmp_path / name, {PAGE: text.encode()})).chapters["1.1"].blocks
        for name, text in (("unix", unix), ("windows", windows))
    ]
    assert blocks[0] == blocks[1]


# ---------------------------------------------------------------- fences


def test_other_characters() -> None:
    assert bodies(
        """
        ~~~sh
        a
        ```
        b
        ~~~
        """
    ) == ["a\n```\nb\n"]


def test_a_longer_fence_holds_a_shorter_one() -> None:
    block = one(
        File,
        """
        `````md title="README.md"
        ````md
        ```sh
        a
        ```
        ````
        `````
        """,
    )
    assert block.body == "````md\n```sh\na\n```\n````\n"
    assert (block.place.line, block.place.end) == (FIRST, FIRST + 6)


def test_a_fence_needs_no_empty_line_around_it() -> None:
    assert bodies("Text\n```sh\na\n```\ntext\n```sh\nb\n```\n") == ["a\n", "b\n"]


def test_spaces_behind_the_characters() -> None:
    assert bodies("```sh  \na\n```  \n") == ["a\n"]


def test_inline_code_is_no_fence() -> None:
    assert bodies("Text with ```code``` in it.\n\n- ```code``` at the start of an item\n") == []


def test_braces() -> None:
    block = one(File, '``` { .yaml .annotate title="conf/x.yaml" hl_lines="1-2 4" linenums="1" }\na: 1\n```\n')
    assert (block.language, block.title, str(block.path)) == ("yaml", "conf/x.yaml", "conf/x.yaml")


def test_title_and_highlighted_lines() -> None:
    assert one(File, '```py hl_lines="1 3-4" title="a.py"\na = 1\n```\n').title == "a.py"


# ---------------------------------------------------------------- containers


def test_no_container() -> None:
    assert containers("```sh\na\n```\n") == []


def test_tab() -> None:
    sample = """
        === "uv"

            ```sh
            a
            ```

        === "pip"
            ```sh
            b
            ```
        """
    assert containers(sample) == [("tab", "pip", 6)]
    assert [b.place.indent for b in read(sample).blocks] == [4, 4]


def test_admonitions() -> None:
    for opener, title in (("!!! note", "note"), ('??? tip "A tip"', "A tip"), ('???+ tip inline ""', "tip inline")):
        assert containers(f"{opener}\n\n    ```sh\n    a\n    ```\n") == [("admonition", title, 0)]


def test_list_items() -> None:
    for marker in ("-", "*", "+", "1.", "12."):
        assert containers(f"{marker} One\n{marker} Two\n\n    ```sh\n    a\n    ```\n") == [("item", "Two", 1)]


def test_a_fence_in_a_list_in_a_tab_in_an_admonition() -> None:
    assert containers(
        """
        !!! note

            === "uv"

                1. First

                2. Second, over
                   two lines

                    - Deeper

                        ```sh
                        a
                        ```
        """
    ) == [("admonition", "note", 0), ("tab", "uv", 2), ("item", "Second, over", 6), ("item", "Deeper", 9)]


def test_a_container_goes_on_behind_a_block_and_behind_empty_lines() -> None:
    sample = """
        - An item

            ```sh
            - no item
            ```


            Text

            ```text title="Output"
            1
            ```
        """
    first, second = read(sample).blocks
    assert first.place.containers == second.place.containers != ()


def test_a_heading_ends_a_container() -> None:
    assert containers('=== "uv"\n\n    Text\n\n## Heading\n- An item\n\n    ```sh\n    a\n    ```\n') == [
        ("item", "An item", 5)
    ]


def test_an_item_is_only_an_item_at_the_start_of_a_paragraph() -> None:
    text = "- An item,\n  1. and a number that starts its second line\n\n    ```sh\n    a\n    ```\n"
    assert containers(text) == [("item", "and a number that starts its second line", 1)]


# ---------------------------------------------------------------- directives


def test_a_directive_in_a_fence_is_text() -> None:
    block = one(
        File,
        """
        ```md title="README.md"
        <!-- block: nonsense -->
        <!-- hidden: check
        ```
        """,
    )
    assert block.body == "<!-- block: nonsense -->\n<!-- hidden: check\n"


def test_a_directive_is_talked_about() -> None:
    assert bodies("Write `<!-- block: run -->` above it.\n") == []


def test_other_comments_are_none() -> None:
    assert bodies("<!-- A comment\nover two lines -->\n\n<!-- blocked by nothing -->\n") == []


def test_a_directive_leaves_the_nesting_as_it_is() -> None:
    assert containers(
        """
        - An item

        <!-- hidden: check
        - no item
        -->

            ```sh
            a
            ```
        """
    ) == [("item", "An item", 0)]


def test_hidden_commands_in_a_tab() -> None:
    hidden = read(
        """
        === "uv"

            <!-- hidden: check timeout=5
            if true
              then true
            fi
            -->
        """
    ).blocks[0]
    assert isinstance(hidden, Hidden)
    assert hidden.body == "if true\n  then true\nfi\n"
    assert (hidden.place.line, hidden.place.end, hidden.place.indent) == (FIRST + 2, FIRST + 6, 4)
    assert hidden.variant == {"tool": "uv"}


def test_places() -> None:
    first, second = read("Text\n\n```sh\na\n```\n<!-- block: run -->\n```sh\nb\n```\n").blocks
    assert isinstance(first, Run)
    assert (str(first.place), first.place.end) == (f"{PAGE}:{FIRST + 2}", FIRST + 4)
    assert (second.place.line, second.place.end) == (FIRST + 6, FIRST + 8)
