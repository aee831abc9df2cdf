"""What stands under the title of a chapter."""

from __future__ import annotations

import re
from pathlib import Path

from markdown import Markdown


def html(docs: Path, text: str) -> str:
    extensions = ["toc", "scripts.site.chapter"]
    configs = {"scripts.site.chapter": {"docs": str(docs)}, "toc": {"permalink": True}}
    return Markdown(extensions=extensions, extension_configs=configs).convert(text)


def write(docs: Path, number: str, front: str) -> str:
    page = docs / f"part-{number[0]}" / f"chapter-{number}.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f'---\nchapter: "{number}"\n{front}---\n\n# Chapter {number} - Do something\n\nText.\n')
    return page.read_text().split("---\n")[2]


def facts(text: str) -> list[str]:
    found = re.search(r"</h1>\s*<ul class=\"chapter-facts\">(.*?)</ul>", text, re.S)
    return re.findall(r"<li[^>]*>(.*?)</li>", found[1]) if found else []


BEGIN = ', or <a href="../introduction/syllabus.md#begin-in-the-middle">begin here</a>'


def ends(number: str) -> list[str]:
    """What stands at the end of the facts of a chapter that was never recorded."""
    return [f'<a href="../downloads/chapter-{number}.zip">Its files and commands</a>', "Not verified yet"]


def test_first_chapter(tmp_path: Path) -> None:
    text = write(tmp_path, "1.1", "time: 25\n")
    needs = "You need Python 3.11, 3.12 or 3.13, and a terminal"
    assert facts(html(tmp_path, text)) == ["About 25 min", needs, *ends("1.1")]


def test_chapter_continues_from_the_one_before(tmp_path: Path) -> None:
    write(tmp_path, "1.9", "")
    text = write(tmp_path, "1.10", "time: 40\nneeds: [docker]\n")
    link = 'Continues from <a href="chapter-1.9.md">chapter 1.9</a>' + BEGIN
    assert facts(html(tmp_path, text)) == ["About 40 min", link, "You need Docker or Podman", *ends("1.10")]


def test_chapter_says_what_it_continues_from(tmp_path: Path) -> None:
    for number in ("1.1", "1.2", "2.1"):
        write(tmp_path, number, "")
    text = write(tmp_path, "3.1", 'after: "1.2"\n')
    link = 'Continues from <a href="../part-1/chapter-1.2.md">chapter 1.2</a>' + BEGIN
    assert facts(html(tmp_path, text)) == [link, *ends("3.1")]


def test_other_pages_stay_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, "1.1", "time: 25\n")
    for text in ("# Syllabus\n\nText.", "Text.\n\n## Chapter 1.1 - Not a title", "# Chapter 9.9 - Not there"):
        assert "chapter-facts" not in html(tmp_path, text)
