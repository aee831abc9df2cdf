"""What is wrong with a page is named in one line, with the line of its source."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown import Markdown

from scripts.site.checking import Site

HOST = "https://guide.example/"
EXTENSIONS = ["attr_list", "footnotes", "md_in_html", "toc", "pymdownx.superfences"]


def built(folder: Path, text: str) -> Site:
    """A site with the page ``page``, which says ``text`` in its third line, and with the page ``other``."""
    pages = {"page": f"# Page\n\n{text}\n", "other": "# Other\n\n## Part of it\n"}
    for name, source in pages.items():
        (folder / "docs").mkdir(exist_ok=True)
        (folder / f"docs/{name}.md").write_text(source)
        (folder / f"site/{name}").mkdir(parents=True)
        html = Markdown(extensions=EXTENSIONS).convert(source.replace("other.md", "../other/"))
        (folder / f"site/{name}/index.html").write_text(f"<!doctype html><body>{html}</body>")
    (folder / "site/assets").mkdir()
    (folder / "site/assets/a picture.webp").touch()
    return Site(folder / "site", HOST, folder / "docs")


WRONG = {
    '<a href="../nowhere/">Raw</a>': "../nowhere/ leads nowhere",
    '<a href="../other">Raw</a>': "../other leads nowhere",
    "[Text](nowhere.md)": "nowhere.md leads nowhere",
    "[Text](other.md#moved)": "../other/#moved leads to a part that its page does not have",
    "[Text](#moved)": "#moved leads to a part that its page does not have",
    f"[Text]({HOST}nowhere/)": f"{HOST}nowhere/ leads nowhere",
    "![Picture](../assets/none.webp)": "../assets/none.webp leads nowhere",
    "<video><source src='none.webm'></video>": "none.webm leads nowhere",
    "![Picture](https://example.org/a)": "https://example.org/a comes from another host: keep a copy of it here",
    "[Text][nowhere]": "[Text][nowhere] refers to nothing",
    "[*Text* and `code`][nowhere]": "[Text and …][nowhere] refers to nothing",
    "[Text] []": "[Text] [] refers to nothing",
    "Text.[^nowhere]": "[^nowhere] has no footnote",
    "[^unused]: Text.": "[^unused]: is a footnote that nothing refers to",
    '<b id="page">Text</b>': "#page is there more than once",
    "Text ```sh and no end": "``` is a fence that was not read as one",
}


@pytest.mark.parametrize(("text", "problem"), WRONG.items())
def test_mistake_is_named_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    (told,) = built(tmp_path, text).problems()
    # Who wrote the id of a heading cannot be told: it is made from the title.
    assert told == ("docs/page.md: " if "more than once" in problem else "docs/page.md:3: ") + problem


RIGHT = [
    "[Text](other.md#part-of-it), [text](#page) and [text](../assets/a%20picture.webp)",
    f"[Text]({HOST}other/) and [text](https://example.org/a), [mail](mailto:a@example.org)",
    "Text.[^1]\n\n[^1]: The note.",
    '<link rel="canonical" href="https://example.org/page/">',
    "`[a][b]`\n\n```sh\necho a[0][1] [^x]\n~~~\n```\n",
    "<svg><text>[a][b]</text></svg> [a] and, in another paragraph,\n\n[b]",
]


@pytest.mark.parametrize("text", RIGHT)
def test_nothing_is_wrong(tmp_path: Path, text: str) -> None:
    assert built(tmp_path, text).problems() == []


def test_downloads_are_no_pages(tmp_path: Path) -> None:
    site = built(tmp_path, "Text")
    (site.root / "downloads").mkdir()
    (site.root / "downloads/template.html").write_text("<script src='https://example.org/a.js'></script>")
    assert site.problems() == []


def test_links_to_other_hosts(tmp_path: Path) -> None:
    site = built(
        tmp_path,
        f"[A](https://example.org/a#part), [own]({HOST}other/), [A](https://example.org/a), [here](http://127.0.0.1:3000)\n"
        "\n[B](http://example.org)",
    )
    assert site.external() == {
        "http://example.org": ["docs/page.md:5"],
        "https://example.org/a": ["docs/page.md:3"],
    }
