"""What the site says of blocks, chapters and the whole, from the recorded results."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from markdown import Markdown

from scripts.results import Fingerprints
from scripts.site import verified

PAGE = """\
# Chapter 1.1 - Do it

```sh
echo one
```

```text title="Output"
one
```

=== "uv"

    ```sh
    echo two
    ```

```sh
echo new
```

```mermaid
a --> b
```
"""


def run(*blocks: tuple[str, str, str, dict[str, Any]]) -> dict[str, Any]:
    """A recorded run of a chapter. ``blocks``: language, title, body, and what came of them."""
    names = Fingerprints()
    return {
        "date": "2026-11-24",
        "commit": "abc",
        "system": "Debian",
        "packages": {"tensorflow": "2.21.0"},
        "shares": {"blocks": 4, "executed": 3, "commands": 2, "asserted": 1, "outputs": 1},
        "blocks": {names.of(*block[:3]): {"kind": "run", "line": 1} | block[3] for block in blocks},
    }


def write(root: Path, recorded: dict[str, Any]) -> None:
    (root / "results").mkdir(exist_ok=True)
    chapters = {"1.1": {"page": "docs/a.md", "title": "Chapter 1.1 - Do it", "variants": {"linux-uv": recorded}}}
    (root / "results/verified.json").write_text(json.dumps({"chapters": chapters}))


def marks(root: Path, text: str = PAGE) -> list[tuple[str, str]]:
    extensions = ["pymdownx.superfences", "pymdownx.highlight", "pymdownx.tabbed", "scripts.site.verified"]
    html = Markdown(extensions=extensions, extension_configs={"scripts.site.verified": {"root": str(root)}}).convert(
        text
    )
    return re.findall(r'<p class="block-mark block-mark--([\w-]+)">(.*?)</p>', html)


def test_each_block_says_what_came_of_it(tmp_path: Path) -> None:
    stand_in = {"outcome": "ran", "stand_ins": ["a local forge"]}
    skipped = {"outcome": "skipped", "problem": "browser (mouse)"}
    expect = ("text", "Output", "one\n", {"outcome": "ran", "kind": "expect"})
    write(tmp_path, run(("sh", "", "echo one\n", stand_in), expect, ("sh", "", "echo two\n", skipped)))
    assert marks(tmp_path) == [
        ("ran", "ran against a stand-in (a local forge)"),
        ("ran", "printed under test"),
        ("not-run", "not run: browser (mouse)"),
        ("changed", "changed since it was verified"),
    ]


def test_red_is_shown_as_red(tmp_path: Path) -> None:
    recorded = run(("sh", "", "echo one\n", {"outcome": "failed", "problem": "ended with status 1"}))
    write(tmp_path, recorded)
    assert marks(tmp_path)[0] == ("failed", "failed on 2026-11-24: ended with status 1")
    assert verified.badge({"linux-uv": recorded})[0] == "failed"


def test_without_results_nothing_is_claimed(tmp_path: Path) -> None:
    assert marks(tmp_path) == []
    assert verified.badge(verified.runs_of("Chapter 1.1 - Do it", tmp_path)) == ("none", "Not verified yet")


def test_the_same_block_twice_is_told_apart(tmp_path: Path) -> None:
    twice = PAGE.replace("echo new", "echo one")
    one, other = {"outcome": "ran"}, {"outcome": "failed", "problem": "the second"}
    names = Fingerprints()
    first, second = (names.of("sh", "", "echo one\n") for _ in range(2))
    recorded = run() | {"blocks": {first: one | {"kind": "run"}, second: other | {"kind": "run"}}}
    write(tmp_path, recorded)
    found = marks(tmp_path, twice)
    assert found[0] == ("ran", "ran")
    assert found[3][0] == "failed"


def test_badge_names_date_versions_and_variants() -> None:
    state, text = verified.badge({"linux-uv": run(), "linux-pip": run()})
    assert state == "verified"
    assert text == "3 of 4 blocks verified on 2026-11-24 with TensorFlow 2.21.0 on Debian (commit abc, pip and uv)"


def test_the_cloud_is_a_way_of_its_own() -> None:
    assert verified.ways({"linux-uv": {}, "linux-cloud-uv": {}, "macos-pip": {}}) == ["pip", "uv", "uv in the cloud"]


def test_a_chapter_that_changed_is_not_called_verified(tmp_path: Path) -> None:
    runs = {"linux-uv": run()}
    assert verified.badge(runs, 1)[0] == "changed"
    assert verified.badge(runs, 2)[1].startswith("2 blocks have changed since it was verified on 2026-11-24 with ")


def test_the_badge_counts_what_changed_on_the_page(tmp_path: Path) -> None:
    page = tmp_path / "docs/part-1/chapter-1.1.md"
    page.parent.mkdir(parents=True)
    page.write_text('---\nchapter: "1.1"\n---\n' + PAGE)
    write(tmp_path, run(("sh", "", "echo one\n", {"outcome": "ran"})))
    configs = {
        "scripts.site.verified": {"root": str(tmp_path)},
        "scripts.site.chapter": {"docs": str(tmp_path / "docs")},
    }
    extensions = ["pymdownx.superfences", "pymdownx.highlight", "pymdownx.tabbed", *configs]
    html = Markdown(extensions=extensions, extension_configs=configs).convert(PAGE)
    assert 'chapter-fact--changed">3 blocks have changed since it was verified on' in html


def test_a_page_that_is_no_chapter_has_marks_only_where_something_was_done(tmp_path: Path) -> None:
    write(tmp_path, run(("sh", "", "echo one\n", {"outcome": "ran"})))
    place = tmp_path / "results/verified.json"
    place.write_text(place.read_text().replace("Chapter 1.1 - Do it", "Setup"))
    assert marks(tmp_path, PAGE.replace("Chapter 1.1 - Do it", "Setup")) == [("ran", "ran")]


def test_totals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "ROOT", tmp_path)
    assert "Nothing was recorded yet" in verified.totals()
    (tmp_path / "results").mkdir()
    pages = {
        "1.10": "part-1/chapter-1.10",
        "1.9": "part-1/chapter-1.9",
        "c": "part-1/conclusion",
        "s": "introduction/setup",
    }
    chapters = {
        number: {"page": f"docs/{page}.md", "title": f"Chapter {number} - Do it", "variants": {"linux-uv": run()}}
        for number, page in pages.items()
    }
    (tmp_path / "results/verified.json").write_text(json.dumps({"chapters": chapters}))
    lost = {"place": "docs/a.md:3", "kind": "line dropped", "what": "line dropped: <b>", "cause": "It is a comment."}
    scores = {"1.9": {"mutants": 150, "killed": 149}, "1.10": {"mutants": 50, "killed": 50, "possible": 90}}
    (tmp_path / "results/mutation.json").write_text(json.dumps({"chapters": scores, "survivors": [lost]}))
    html = verified.totals()
    rows = [re.sub(r"<[^>]+>", "|", row).strip("|") for row in re.findall(r"<tr.*?</tr>", html)][1:]
    assert rows == [
        "s - Do it||2026-11-24 (uv)||3 of 4||1 of 2||-||-",
        "Introduction in all||since 2026-11-24||3 of 4 (75.0%)||1 of 2 (50.0%)||0||-",
        "1.9 - Do it||2026-11-24 (uv)||3 of 4||1 of 2||-||149 of 150",
        "1.10 - Do it||2026-11-24 (uv)||3 of 4||1 of 2||-||50 of 50, drawn from 90",
        "c - Do it||2026-11-24 (uv)||3 of 4||1 of 2||-||-",
        "Part 1 in all||since 2026-11-24||9 of 12 (75.0%)||3 of 6 (50.0%)||0||199 of 200 (99.5%)",
        "The guide in all||since 2026-11-24||12 of 16 (75.0%)||4 of 8 (50.0%)||0||199 of 200 (99.5%)",
    ]
    assert "docs/a.md:3</code>: line dropped: &lt;b&gt; (line dropped). It is a comment.</li>" in html
