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
        "shares": {"blocks": 4, "executed": 3, "commands": 2, "asserted": 1},
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
    assert verified.badge(verified.runs_of("1.1", tmp_path)) == ("none", "Not verified yet")


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
    assert text == "Every block verified on 2026-11-24 with TensorFlow 2.21.0 on Debian (commit abc, pip and uv)"


def test_totals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "ROOT", tmp_path)
    assert "Nothing was recorded yet" in verified.totals()
    write(tmp_path, run())
    figures = {"mutants": 200, "killed": 199, "chapters": {"1.1": {"mutants": 200, "killed": 199}}}
    (tmp_path / "results/mutation.json").write_text(json.dumps(figures))
    html = verified.totals()
    assert "<td>1.1 - Do it</td><td>2026-11-24 (uv)</td><td>3 of 4</td><td>1 of 2</td>" in html
    assert "199 of 200" in html
    assert "199 turned a page red (99.5%)" in html
