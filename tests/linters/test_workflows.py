"""What the pages make of workflows is what GitHub and GitLab understand, and safe."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scripts.chapters import Guide
from tests.linters import linters, reading
from tests.linters.linters import Finding
from tests.linters.reading import ROOT, Text

Linter = Callable[[Path, Sequence[str]], list[Finding]]

WORKFLOW = re.compile(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml")
ACTION = re.compile(r"(?:.*/)?actions/.+/action\.yml")
GITLAB = re.compile(r"\.gitlab-ci\.yml")
# Which files each linter knows.
LINTERS: dict[str, tuple[Linter, tuple[re.Pattern[str], ...]]] = {
    "zizmor": (linters.zizmor, (WORKFLOW, ACTION)),
    "check-jsonschema": (linters.check_jsonschema, (WORKFLOW, ACTION, GITLAB)),
    "actionlint": (linters.actionlint, (WORKFLOW,)),
}


def texts() -> dict[str, Text]:
    """A path in a folder, whose end is what the linters know a file by → the file."""
    kinds = (WORKFLOW, ACTION, GITLAB)
    found = [
        *reading.files_of_readers(Guide.load(ROOT)),
        *reading.files_of_repository(
            *(".github/workflows/*.yml", ".github/workflows/*.yaml", ".github/actions/*/action.yml"),
            "scripts/runner/forge/actions/**/action.yml",
        ),
    ]
    chosen = [text for text in found if any(kind.fullmatch(text.path) for kind in kinds)]
    return {f"{number}/{text.path}": text for number, text in enumerate(chosen)}


TEXTS = texts()
CASES = [
    pytest.param(linter, name, id=f"{linter}-{text.name}")
    for linter, (_, kinds) in LINTERS.items()
    for name, text in TEXTS.items()
    if any(kind.fullmatch(text.path) for kind in kinds)
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Finding]]:
    """What a linter says about all files: each is started once."""
    folder = tmp_path_factory.mktemp("workflows")
    write(folder, {name: text.text for name, text in TEXTS.items()})

    @functools.cache
    def by(linter: str) -> list[Finding]:
        return LINTERS[linter][0](folder, [str(case.values[1]) for case in CASES if case.values[0] == linter])

    return by


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("linter", "name"), CASES)
def test_a_linter_finds_nothing(found: Callable[[str], list[Finding]], linter: str, name: str) -> None:
    told = [f"{TEXTS[name].place(f.line)}: {linter}: {f.words}" for f in found(linter) if f.name == name]
    if told:
        pytest.fail("\n".join(told), pytrace=False)


def test_a_line_of_a_file_is_found_on_its_page() -> None:
    """A change keeps the places of the lines around it."""
    for text in TEXTS.values():
        for line, place in zip(text.text.splitlines(), text.lines, strict=True):
            page, _, number = place.rpartition(":")
            shown = (ROOT / page).read_text(encoding="utf-8").splitlines()[int(number) - 1]
            assert shown.strip().removeprefix("+").strip() == line.strip(), place


# ---------------------------------------------------------------- can they fail?

GOOD = """\
name: Test
on:
  push:
    branches: [main]
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false
      - run: echo "$REF"
        env:
          REF: ${{ github.ref }}
"""
COMPOSITE = """\
name: greet
description: Says hello.
inputs:
  name:
    description: to whom
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{ inputs.name }}
      run: echo "Hello $NAME"
"""
PIPELINE = "test:\n  script:\n    - pytest\n"
NAMES = {GOOD: ".github/workflows/test.yml", COMPOSITE: "actions/greet/action.yml", PIPELINE: ".gitlab-ci.yml"}
PINNED, UNPINNED = "checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd", "checkout@v6"

# A good file, what is changed in it, and what the linter must say, with the line if it tells one.
REFUSED: dict[str, list[tuple[str, str, str, int, str]]] = {
    "zizmor": [
        (GOOD, PINNED, UNPINNED, 11, "unpinned-uses"),
        (GOOD, 'echo "$REF"', "echo ${{ github.head_ref }}", 14, "template-injection"),
        (GOOD, "jobs:", "jobs: [", 0, "invalid YAML"),
        (GOOD, "    runs-on: ubuntu-24.04\n", "", 0, "does not match expected"),
        (COMPOSITE, '"Hello $NAME"', '"Hello ${{ inputs.name }}"', 12, "template-injection"),
    ],
    "check-jsonschema": [
        (GOOD, "permissions:", "permisions:", 0, "'permisions' was unexpected"),
        (GOOD, "    runs-on:", "    timeout: 3\n    runs-on:", 0, "'timeout' was unexpected"),
        (GOOD, "jobs:", "jobs: [", 0, "Failed to parse"),
        (COMPOSITE, "      env:", "      environment:", 0, "'environment' was unexpected"),
        (PIPELINE, "script:", "scripts:", 0, "$.test"),
    ],
    "actionlint": [
        (GOOD, "permissions:", "permisions:", 5, 'unexpected key "permisions"'),
        (GOOD, "github.ref", "githb.ref", 16, 'undefined variable "githb"'),
        (GOOD, "github.ref", "github.reff", 16, 'property "reff" is not defined'),
        (GOOD, "ubuntu-24.04", "ubuntu-24.4", 9, 'label "ubuntu-24.4" is unknown'),
        (GOOD, "jobs:", "jobs: [", 6, "could not parse as YAML"),
    ],
}


@pytest.mark.parametrize("linter", LINTERS)
def test_mistakes_are_found(tmp_path: Path, linter: str) -> None:
    """Each of them, also beside files without one."""
    files, mistakes = dict[str, str](), dict[str, tuple[int, str]]()
    for number, (text, old, new, line, words) in enumerate(REFUSED[linter]):
        assert text.count(old) == 1
        name = f"bad-{number}/{NAMES[text]}"
        files |= {f"good-{number}/{NAMES[text]}": text, name: text.replace(old, new)}
        mistakes[name] = line, words
    write(tmp_path, files)
    told = LINTERS[linter][0](tmp_path, list(files))
    assert {finding.name for finding in told} <= set(mistakes)
    for name, (line, words) in mistakes.items():
        here = [finding for finding in told if finding.name == name]
        assert any(words in finding.words and finding.line == line for finding in here), (name, here)


@pytest.mark.parametrize("linter", LINTERS)
def test_a_linter_that_reads_no_file_is_noticed(tmp_path: Path, linter: str) -> None:
    try:
        told = LINTERS[linter][0](tmp_path, [".github/workflows/missing.yml"])
    except AssertionError:
        return
    assert told
