"""Chapters in their order: front matter, navigation, and what continues from what."""

from __future__ import annotations

from pathlib import Path

from scripts.chapters import Chapter, Guide, read_chapter
from tests.chapters.samples import HEAD, PAGE, read, write

SH = "```sh\ntrue\n```\n"


def chapter(number: str, *lines: str) -> str:
    """The text of a chapter with these lines in its front matter."""
    front = "".join(f"{line}\n" for line in (f'chapter: "{number}"', *lines))
    return f"---\n{front}---\n# Chapter {number}\n\n{SH}"


def load(root: Path, **pages: str) -> dict[str, Chapter]:
    files: dict[str, str | bytes] = {f"docs/{name}.md": text for name, text in pages.items()}
    return Guide.load(write(root, files)).chapters


# ---------------------------------------------------------------- one page


def test_front_matter() -> None:
    text = chapter("1.2", 'after: "1.0"', "project: app", "time: 40", "needs: [docker, curl]", "description: Text")
    page = read_chapter(PAGE, text)
    assert page is not None
    assert (page.number, page.slug, page.title, page.page) == ("1.2", "chapter-1.2", "Chapter 1.2", PAGE)
    assert (page.after, page.project, page.minutes, page.needs) == ("1.0", "app", 40, ("docker", "curl"))


def test_front_matter_has_defaults() -> None:
    page = read_chapter(PAGE, chapter("1.2"), before="1.1")
    assert page is not None
    assert (page.after, page.project, page.minutes, page.needs) == ("1.1", ".", 0, ())


def test_a_chapter_may_start_anew() -> None:
    page = read_chapter(PAGE, chapter("1.2", "after:"), before="1.1")
    assert page is not None
    assert page.after is None


def test_the_title_is_the_first_heading_of_the_page() -> None:
    head = HEAD.replace("project: app", "# no title\nproject: app").replace("# A title\n", "")
    page = read_chapter(PAGE, f"{head}```sh\n# no title\ntrue\n```\n\n# The title\n\n# Another\n")
    assert page is not None
    assert page.title == "The title"


def test_a_page_without_blocks() -> None:
    assert read("Only text.\n").blocks == ()
    assert read_chapter(PAGE, "") is None
    assert read_chapter(PAGE, "---\ntitle: x\n---\nOnly text.\n") is None


# ---------------------------------------------------------------- many pages


def test_a_chapter_continues_from_the_one_before_it(tmp_path: Path) -> None:
    chapters = load(tmp_path, one=chapter("1.1"), text="# Text\n", two=chapter("1.2"), three=chapter("2.1"))
    assert {c.number: c.after for c in chapters.values()} == {"1.1": None, "1.2": "1.1", "2.1": "1.2"}


def test_a_chapter_continues_from_another_one(tmp_path: Path) -> None:
    guide = Guide.load(
        write(
            tmp_path,
            {
                "docs/one.md": chapter("1.1"),
                "docs/two.md": chapter("1.2"),
                "docs/exercise.md": chapter("1.3", 'after: "1.1"'),
                "docs/four.md": chapter("1.4", 'after: "1.2"'),
            },
        )
    )
    assert [[c.number for c in guide.line(chapter)] for chapter in guide.chapters.values()] == [
        ["1.1"],
        ["1.1", "1.2"],
        ["1.1", "1.3"],
        ["1.1", "1.2", "1.4"],
    ]


def test_other_pages_are_no_link_of_the_chain(tmp_path: Path) -> None:
    setup = "# Setup\n\n<!-- block: run -->\n" + SH
    chapters = load(tmp_path, setup=setup, one=chapter("1.1"), cleanup=setup, two=chapter("1.2"))
    assert {c.number: c.after for c in chapters.values()} == {
        "setup": None,
        "1.1": None,
        "cleanup": None,
        "1.2": "1.1",
    }


def test_the_navigation_gives_the_order(tmp_path: Path) -> None:
    config = """\
site_name: !ENV [NAME, A guide]
nav:
  - Home: index.md
  - Elsewhere: https://example.org/
  - Part 1:
      - part/b.md
      - The last one: part/a.md
markdown_extensions:
  - toc: {slugify: !!python/name:pymdownx.slugs.uslugify }
"""
    files: dict[str, str | bytes] = {
        "mkdocs.yml": config,
        "docs/index.md": "# Home\n",
        "docs/part/a.md": chapter("1.2"),
        "docs/part/b.md": chapter("1.1"),
    }
    chapters = Guide.load(write(tmp_path, files)).chapters
    assert [c.page for c in chapters.values()] == ["docs/part/b.md", "docs/part/a.md"]


def test_a_page_outside_of_the_navigation_may_show_something(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"docs/notes.md": f"# Notes\n\n{SH}", "mkdocs.yml": "nav: []\n"}
    assert Guide.load(write(tmp_path, files)).chapters == {}
