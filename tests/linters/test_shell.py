"""What readers paste, and what the pages write for a shell, is good shell: those blocks too that nothing executes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.chapters import Guide, Run
from tests.linters import reading
from tests.linters.linters import Finding, shellcheck
from tests.linters.reading import ROOT, Text

# What makes no sense for a fragment. Blocks are done with set -eo pipefail, and looked at with it:
# so `cd` needs no `|| exit`, and a `!` that no one asks about is found.
LEFT_OUT = {
    "SC1090": "`source` of a file that a variable names: it is on the reader's machine only",
    "SC1091": "`source` of a file that an earlier step makes",
    "SC2012": "people look into a folder with `ls`, and the names in it are the guide's own",
    "SC2034": "a variable that is set for a later block",
    "SC2154": "a variable that an earlier block sets",
    "SC2329": "a function for a later block",
}
# run.sh has all blocks one after the other.
LEFT_OUT_OF_RUN_SH = {
    "SC1090": LEFT_OUT["SC1090"],
    "SC1091": LEFT_OUT["SC1091"],
    "SC2012": LEFT_OUT["SC2012"],
    "SC2034": "each says which tabs to follow, whether it has such tabs or not",
}
OPTIONS = "set -eo pipefail\n"
SHELL = re.compile(r"#!.*\b(ba|da|k)?sh\b")

GUIDE = Guide.load(ROOT)
BLOCKS = {
    f"{chapter.slug}-{block.id}.sh": Text(
        str(block.place),
        chapter.slug,
        OPTIONS + block.body,
        tuple(f"{block.place.page}:{block.place.line + n}" for n, _ in enumerate((OPTIONS + block.body).splitlines())),
    )
    for chapter in GUIDE.chapters.values()
    for block in chapter.blocks
    if isinstance(block, Run)
}
FILES = [text for text in reading.files_of_readers(GUIDE) if text.path.endswith(".sh") or SHELL.match(text.text)]
RUN_SH = {text.path: text for text in reading.files_of_repository("code/*/run.sh")}


def check_blocks(folder: Path, bodies: Mapping[str, str], left_out: Mapping[str, str]) -> list[Finding]:
    for name, body in bodies.items():
        (folder / name).write_text(body, encoding="utf-8")
    return shellcheck(folder, list(bodies), "--shell=bash", f"--exclude={','.join(left_out)}")


def fail_with(told: list[str]) -> None:
    if told:
        pytest.fail("\n".join(told), pytrace=False)


@pytest.fixture(scope="module")
def in_blocks(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """What there is to say about all blocks: shellcheck is started once."""
    texts = {name: text.text for name, text in BLOCKS.items()}
    return check_blocks(tmp_path_factory.mktemp("blocks"), texts, LEFT_OUT)


@pytest.fixture(scope="module")
def in_run_sh(in_blocks: list[Finding]) -> list[Finding]:
    """What a block has been told is not told again."""
    told = {BLOCKS[f.name].text.splitlines()[f.line - 1].strip() for f in in_blocks}
    found = shellcheck(ROOT, list(RUN_SH), f"--exclude={','.join(LEFT_OUT_OF_RUN_SH)}")
    return [f for f in found if RUN_SH[f.name].text.splitlines()[f.line - 1].strip() not in told]


@pytest.mark.parametrize("slug", dict.fromkeys(text.path for text in BLOCKS.values()))
def test_blocks(in_blocks: list[Finding], slug: str) -> None:
    here = [(BLOCKS[f.name], f) for f in in_blocks if BLOCKS[f.name].path == slug]
    fail_with([f"{text.place(f.line)}: {f.words}\n    {text.text.splitlines()[f.line - 1]}" for text, f in here])


@pytest.mark.parametrize("text", [pytest.param(text, id=text.name) for text in FILES])
def test_files_that_pages_write(tmp_path: Path, text: Text) -> None:
    (tmp_path / "file").write_text(text.text, encoding="utf-8")
    fail_with([f"{text.place(f.line)}: {text.path}: {f.words}" for f in shellcheck(tmp_path, ["file"])])


@pytest.mark.parametrize("path", RUN_SH)
def test_run_sh(in_run_sh: list[Finding], path: str) -> None:
    lines = RUN_SH[path].text.splitlines()
    fail_with([f"{path}:{f.line}: {f.words}\n    {lines[f.line - 1]}" for f in in_run_sh if f.name == path])


# ---------------------------------------------------------------- can they fail?

MISTAKES = {
    "SC1073": "if true; then\n  echo yes\n",
    "SC2086": "rm $HOME/*.jpg $FILE\n",
    "SC2251": "! grep wrong README.md\necho right\n",
    "SC2050": 'if [ "uname" = Darwin ]; then echo macOS; fi\n',
}
FRAGMENTS = {
    "SC1090": 'source "$FILE"\n',
    "SC1091": "source .venv/bin/activate\n",
    "SC2012": "ls | wc -l\n",
    "SC2034": "number=3\n",
    "SC2154": 'echo "$number"\n',
    "SC2329": "greet() { echo hello; }\nexit 0\n",
}


@pytest.mark.parametrize("code", MISTAKES)
def test_a_mistake_is_found(tmp_path: Path, code: str) -> None:
    found = check_blocks(tmp_path, {"good.sh": "echo good\n", "bad.sh": OPTIONS + MISTAKES[code]}, LEFT_OUT)
    assert {finding.name for finding in found} == {"bad.sh"}
    assert any(finding.words.startswith(f"{code}: ") for finding in found), found


def test_what_is_left_out_is_all_that_is_left_out(tmp_path: Path) -> None:
    bodies = {f"{code}.sh": OPTIONS + body for code, body in FRAGMENTS.items()}
    assert set(FRAGMENTS) == set(LEFT_OUT)
    found = check_blocks(tmp_path, bodies, {"SC1000": "nothing"})
    assert {(f.name, f.words.partition(":")[0]) for f in found} >= {(f"{code}.sh", code) for code in LEFT_OUT}
    assert check_blocks(tmp_path, bodies, LEFT_OUT) == []


def test_a_file_that_is_not_there_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="does not exist"):
        shellcheck(tmp_path, ["missing.sh"])
