"""Directives leave the page wherever they stand, and stay where a page shows them."""

from __future__ import annotations

import pytest
from markdown import Markdown

EXTENSIONS = ["admonition", "md_in_html", "pymdownx.superfences", "pymdownx.tabbed", "scripts.site.blocks"]


def html(text: str) -> str:
    return Markdown(extensions=EXTENSIONS, extension_configs={"pymdownx.tabbed": {"alternate_style": True}}).convert(
        text
    )


DIRECTIVE = "<!-- block: run timeout=300 -->"
HIDDEN = "<!-- hidden: check timeout=60\ntest -s model > /dev/null\necho '```'\n-->"
BARE = {
    "page": "Before.\n\n{}\n```sh\nls\n```\n\nAfter.",
    "below text": "Before.\n{}\n```sh\nls\n```\n",
    "tab": '=== "uv"\n\n    Before.\n\n    {}\n    ```sh\n    ls\n    ```\n\n=== "pip"\n\n    Other.',
    "admonition": "!!! note\n\n    Before.\n\n    {}\n    ```sh\n    ls\n    ```\n",
    "list": "1. Before.\n\n    {}\n    ```sh\n    ls\n    ```\n\n2. After.",
    "tab in a list": '- Item\n\n    === "uv"\n\n        {}\n        ```sh\n        ls\n        ```\n',
    "block of HTML": "<div markdown>\n\n{}\n```sh\nls\n```\n\n</div>",
}


@pytest.mark.parametrize("directive", [DIRECTIVE, HIDDEN.replace("echo '```'\n", ""), f"{DIRECTIVE}\n{DIRECTIVE}"])
@pytest.mark.parametrize("page", BARE.values(), ids=BARE)
def test_page_is_as_if_there_were_no_directive(page: str, directive: str) -> None:
    line = next(line for line in page.split("\n") if "{}" in line)
    indent = line.removesuffix("{}")
    indented = "\n".join(indent + text if text else text for text in directive.split("\n"))
    with_it = page.replace(line, indented)
    without = page.replace(line + "\n", "")
    assert html(with_it) == html(without)
    assert "ls" in html(with_it)


def test_hidden_block_with_a_fence_in_it() -> None:
    assert html("Before.\n\n<!-- hidden: check\ncat <<'END'\n```sh\nx\n```\nEND\n-->\n\nAfter.") == html(
        "Before.\n\nAfter."
    )


@pytest.mark.parametrize("indent", ["", "    "])
def test_fence_shows_the_grammar(indent: str) -> None:
    lines = ["````md", DIRECTIVE, "```sh", "ls", "```", "<!-- hidden: check", "ls", "-->", "````"]
    start = "- Item\n\n" if indent else ""
    shown = html(start + "\n".join(indent + line for line in lines))
    assert "&lt;!-- block: run timeout=300 --&gt;" in shown
    assert "&lt;!-- hidden: check" in shown


def test_code_in_a_sentence_shows_a_directive() -> None:
    assert "&lt;!-- block: run --&gt;" in html("Write `<!-- block: run -->` above it.")


def test_other_comments_are_not_ours() -> None:
    assert "<!-- a note -->" in html("<!-- a note -->\n\nText.")
