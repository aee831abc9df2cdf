"""What has to hold for the files of this repository as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scripts.chapters import Expect, File, Run, read_chapter
from scripts.runner import matching
from tests.setup.checkout import ROOT

LOCKS = (
    *("requirements.txt", "requirements-reader.txt", "requirements-label-studio.txt"),
    "presentation/requirements.txt",
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# A home folder. The runner shows the one of a run as /home/reader, and GitHub's machines have /home/runner.
HOMES = r"(?<![\w*.}])/(root|home|Users)/(?!reader\b|runner\b)[\w.]"


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    # The checkout may belong to another user, as it does in a container.
    command = ["git", "-c", f"safe.directory={ROOT}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def files() -> list[Path]:
    """Every file that is committed or could be."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    assert listed.returncode == 0, listed.stderr
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# ---------------------------------------------------------------- locks


def entries(lock: str) -> dict[str, list[tuple[Requirement, int]]]:
    """Package → what the lock says of it, which may depend on the Python, each with its number of hashes."""
    found: dict[str, list[tuple[Requirement, int]]] = {}
    for entry in re.split(r"^(?=\w)", (ROOT / lock).read_text(encoding="utf-8"), flags=re.M)[1:]:
        requirement = Requirement(entry.split("\\\n")[0].strip())
        hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)
        found.setdefault(canonicalize_name(requirement.name), []).append((requirement, len(hashes)))
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_versions_and_hashes_but_no_host(lock: str) -> None:
    assert "//" not in (ROOT / lock).read_text(encoding="utf-8")
    for locked in entries(lock).values():
        for requirement, hashes in locked:
            assert re.fullmatch(r"==[\w.+]+", str(requirement.specifier)), requirement
            assert hashes, f"{requirement} has no hash"


@pytest.mark.parametrize(
    ("lock", "declared"),
    list(zip(LOCKS, (PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values()), strict=True)),
    ids=LOCKS,
)
def test_a_lock_has_what_the_project_declares(lock: str, declared: list[str]) -> None:
    locked = entries(lock)
    for text in declared:
        wanted = Requirement(text)
        assert canonicalize_name(wanted.name) in locked, f"{lock} lacks {text}: lock again"
        for requirement, _ in locked[canonicalize_name(wanted.name)]:
            version = Version(str(requirement.specifier).removeprefix("=="))
            assert wanted.specifier.contains(version, prereleases=True), f"{lock}: {requirement} is not {text}"


def test_the_tools_that_run_now_fit_together() -> None:
    """Nothing is missing from the lock that a package in it needs."""
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "check", "--python", sys.executable], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- all files


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    found = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, a font or an archive
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if re.search(HOMES, line)
        ]
    assert found == []


def test_npm_locks_name_no_host() -> None:
    for path in files():
        if path.name == "package-lock.json":
            assert '"resolved"' not in path.read_text(encoding="utf-8"), path


# ---------------------------------------------------------------- README


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading of README.md, without its head."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return rows[2:]


def test_what_readme_points_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), f"README.md points to {target}"


def test_ci_installs_what_readme_lists() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    installed = set(re.findall(r"^packages=\((.*)\)$", script, re.M)[0].split())
    optional = {package for _, packages, _ in table("What you need") for package in packages.strip("`").split()}
    assert installed == {"python3", "python3-venv", "git", "bash", "ca-certificates"} | optional


def test_the_options_that_readme_lists_exist(pytestconfig: pytest.Config) -> None:
    for command, _ in table("Test"):
        for option in re.findall(r" (-[-\w]+)", command):
            pytestconfig.getoption(option)  # raises ValueError for one that nobody has defined


def test_the_chapter_in_readme_does_what_it_says(tmp_path: Path) -> None:
    text = re.findall(r"^````markdown\n(.*?)^````$", README, re.M | re.S)[0]
    chapter = read_chapter("docs/part-1/chapter-1.2.md", text)
    assert chapter is not None
    assert [block.kind for block in chapter.blocks] == ["file", "run", "expect", "run"]
    printed, folder = "", tmp_path
    for block in chapter.blocks:
        if isinstance(block, File):
            folder = tmp_path / chapter.project
            folder.mkdir()
            (folder / block.path).write_text(block.body)
        elif isinstance(block, Run):
            where = tmp_path if "cd " in block.body else folder
            done = subprocess.run(
                ["bash", "-e", "-c", block.body], cwd=where, capture_output=True, text=True, check=False
            )
            assert done.returncode == block.exit
            printed = done.stdout
        elif isinstance(block, Expect):
            assert matching.difference(block.body, printed, match=block.match, tol=block.tol) is None


# ---------------------------------------------------------------- code/


def test_nothing_of_code_is_ignored() -> None:
    """code/ holds the reader's .gitignore files too, and Git obeys them here as well."""
    ignored = git("ls-files", "--others", "--ignored", "--exclude-standard", "--", "code")
    assert ignored.stdout == "", "add these with git add --force"
