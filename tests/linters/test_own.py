"""The workflows of this repository, and the other files that GitHub reads.

act executes each workflow whole: every job, every step, with the real shell. So that nothing happens to this machine,
what a step calls is a program that notes its words and does nothing: sudo, gh, scripts/guide.py, the Python of .venv.
In the place of each action of others stands one that does nothing. What only GitHub can tell: whether apt-get has those
packages, whether caches and artifacts arrive, whether Pages and the release take them, and how long it all takes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.chapters import Guide
from scripts.chapters.grammar import CHOICES, DEFAULT
from tests.linters.reading import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in GITHUB.glob("workflows/*.yml")}
# What starts each of them; YAML reads "on" as a truth.
EVENTS = {name: next(iter(content[True])) for name, content in WORKFLOWS.items()}
NOTES = """\
#!/bin/sh
# One line for each call: several jobs write at once.
call="$(basename "$0") $*"
echo "$call" >>"$ASKED"
[ -z "$FAILS" ] || case $call in "$FAILS"*) exit 1 ;; esac
"""
GUIDE = """\
import os, subprocess, sys
from pathlib import Path
Path(".venv/bin").mkdir(parents=True, exist_ok=True)
if not Path(".venv/bin/python").exists():
    Path(".venv/bin/python").symlink_to(os.environ["STUBS"] + "/python")
print("failed  docs/part-1/chapter-1.4.md:12 010-ls[uv]  0.1 s")
sys.exit(subprocess.run([os.environ["STUBS"] + "/guide.py", *sys.argv[1:]]).returncode)
"""
ACTION = """\
name: stand-in
description: Does nothing.
runs:
  using: composite
  steps:
    - {shell: bash, run: "true"}
"""


def actions() -> Iterator[str]:
    """Every action of others that is used."""
    for path in [*GITHUB.glob("workflows/*.yml"), *GITHUB.glob("actions/*/action.yml")]:
        yield from re.findall(r"uses: ([\w-]+/[^\s@]+@\w+)", path.read_text(encoding="utf-8"))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with the workflows, whose steps cannot reach sudo."""
    root = tmp_path / "clone"
    shutil.copytree(GITHUB, root / ".github")
    for path in root.glob(".github/**/*.yml"):
        path.write_text(re.sub(r"\bsudo ", "noted-sudo ", path.read_text(encoding="utf-8")))
    texts = {"scripts/guide.py": GUIDE, "results/verified.json": "{}", ".gitignore": ".venv\n"}
    texts |= {f"code/chapter-{number}/chapter.json": json.dumps({"chapter": number}) for number in ("1.1", "1.2")}
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    who = ("-c", "user.name=Reader", "-c", "user.email=reader@example.com")
    for words in (("init", "-q", "-b", "main"), ("add", "."), (*who, "commit", "-q", "-m", "First")):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def act(clone: Path, workflow: str, *options: str, fails: str = "") -> tuple[int, list[str], str]:
    """The exit status, what was called, and what was printed. A call that begins with ``fails`` does."""
    stubs, home, asked = clone.parent / "stubs", clone.parent / "home", clone.parent / "asked"
    for folder in (stubs, home):
        folder.mkdir(exist_ok=True)
    for name in ("noted-sudo", "sudo", "gh", "guide.py", "python"):
        (stubs / name).write_text(NOTES)
        (stubs / name).chmod(0o755)
    asked.write_text("")
    stand_ins = dict[str, str]()
    for use in actions():
        name, _, ref = use.partition("@")
        owner, repository, *inside = name.split("/")
        folder = clone.parent / "actions" / owner / repository
        folder.joinpath(*inside).mkdir(parents=True, exist_ok=True)
        folder.joinpath(*inside, "action.yml").write_text(ACTION)
        stand_ins[f"{owner}/{repository}@{ref}"] = str(folder)
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("act")), EVENTS[workflow]),
            *("--workflows", f".github/workflows/{workflow}.yml", "--no-cache-server"),
            *("--platform", "ubuntu-24.04=-self-hosted", "--secret", "GITHUB_TOKEN=none", *options),
            *(word for name, folder in stand_ins.items() for word in ("--local-repository", f"{name}={folder}")),
        ],
        cwd=clone,
        env={
            "PATH": f"{stubs}:{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "STUBS": str(stubs),
            "ASKED": str(asked),
            "FAILS": fails,
            "NO_COLOR": "1",
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, sorted(asked.read_text().splitlines()), done.stdout + done.stderr


@pytest.mark.parametrize("name", WORKFLOWS)
def test_act_knows_every_job(clone: Path, name: str) -> None:
    status, _, told = act(clone, name, "--list")
    assert status == 0, told
    rows = [line.split()[1] for line in told.splitlines()[1:] if line[:1].isdigit()]
    assert sorted(rows) == sorted(WORKFLOWS[name]["jobs"])


def test_a_pull_request_is_checked(clone: Path) -> None:
    status, asked, told = act(clone, "pull-request")
    assert status == 0, told
    followed = [row["pages"] for row in WORKFLOWS["pull-request"]["jobs"]["chapters"]["strategy"]["matrix"]["include"]]
    assert [call for call in asked if call.startswith("guide.py")] == sorted(
        [
            "guide.py check",
            "guide.py test --ignore-glob=docs/* --strict-capabilities -n 4",
            *(f"guide.py test --ignore-glob=tests/* -k {pages} --strict-capabilities" for pages in followed),
        ]
    )


def test_a_night(clone: Path) -> None:
    """What fails fails its job, and the issue is opened all the same."""
    status, asked, told = act(clone, "nightly")
    assert status == 0, told
    for call in (
        "guide.py test --ignore-glob=tests/* --fresh --record --variant cluster=kind",
        "guide.py test --ignore-glob=tests/* --fresh --record --variant tool=pip --strict-capabilities",
        "guide.py test --ignore-glob=docs/* --fresh --strict-capabilities -n 4",
        "guide.py test --ignore-glob=tests/* --from-published=docs/downloads/checkpoints --strict-capabilities",
        "noted-sudo apt-get remove --yes --quiet podman",
        "gh release upload checkpoints checkpoints/* --clobber",
        "python scripts/verdicts.py merge found/*/verified.json",
        "python scripts/build_site.py --checkpoints",
        "python scripts/build_site.py --offline",
        "python scripts/verdicts.py badge site/badges",
    ):
        assert asked.count(call) == 1, (call, asked)
    assert not [call for call in asked if call.startswith("gh issue create")]


def test_a_red_night(clone: Path) -> None:
    status, asked, told = act(clone, "nightly", fails="guide.py test --ignore-glob=tests/* --fresh")
    assert status != 0
    assert [call for call in asked if call.startswith("gh issue create --title The guide is red --label nightly")], told
    assert not [call for call in asked if call.startswith("gh release")]


def test_a_week(clone: Path) -> None:
    status, asked, told = act(clone, "weekly")
    assert status == 0, told
    assert "python scripts/lock.py --upgrade" in asked
    assert "guide.py test --fresh --strict-capabilities" in asked
    assert "python scripts/links.py --check" in asked
    mutants = [call for call in asked if "mutate.py" in call]
    assert mutants == [f"python scripts/mutate.py --chapter {number} --minutes 300" for number in ("1.1", "1.2")]
    assert not [call for call in asked if call.startswith("gh issue create")]


# ---------------------------------------------------------------- nothing is forgotten


def test_nothing_may_be_written_unless_a_job_says_so() -> None:
    for name, content in WORKFLOWS.items():
        assert content["permissions"] == {}, name
        for job, about in content["jobs"].items():
            written = {what for what, how in about["permissions"].items() if how == "write"}
            assert name != "pull-request" or not written
            assert "contents" not in written or (name, job) == ("nightly", "publish")


def test_each_page_is_in_one_job_of_a_pull_request() -> None:
    rows = WORKFLOWS["pull-request"]["jobs"]["chapters"]["strategy"]["matrix"]["include"]
    parts = [row["pages"].split(" or ") for row in rows]
    for chapter in Guide.load(ROOT).chapters.values():
        jobs = [words for words in parts if any(word in chapter.slug for word in words)]
        assert len(jobs) == 1, f"{chapter.page} is in {len(jobs)} jobs of pull-request.yml"


def test_pytest_knows_the_options_of_each_call(pytestconfig: pytest.Config) -> None:
    """It finds the guide's own ones in the folders that it looks through by itself: told of a folder, it knows none."""
    calls = set[str]()
    for path in GITHUB.glob("workflows/*.yml"):
        calls |= set(re.findall(r"guide\.py test (-[^\n|>#]+)", path.read_text(encoding="utf-8")))
    assert len(calls) > 4
    for call in calls:
        words = call.removesuffix(" 2").split()
        for before, word in zip(["", *words], words, strict=False):
            if word.startswith("-"):
                pytestconfig.getoption(word.partition("=")[0])  # raises ValueError for one that nobody has defined
            else:
                assert before in {"-k", "-n", "--variant", '"$VARIANT"'}, f"{call}: {word} is taken for a folder"


def test_every_way_through_the_guide_is_followed_at_night() -> None:
    followed = WORKFLOWS["nightly"]["jobs"]["chapters"]["strategy"]["matrix"]["variant"]
    ways = [f"{key}={value}" for key, values in CHOICES.items() if key != "os" for value in values[1:]]
    assert followed == [f"tool={DEFAULT['tool']}", *ways]


def test_an_issue_tells_of_every_job() -> None:
    for name in ("nightly", "weekly"):
        jobs = WORKFLOWS[name]["jobs"]
        assert set(jobs["issue"]["needs"]) == set(jobs) - {"issue"}


# ---------------------------------------------------------------- the issue

GH = """\
#!/bin/sh
printf '%s\\n' "$*" >>"$ASKED"
case "$1 $2" in "issue list") echo "$OPEN" ;; esac
"""


@pytest.mark.parametrize(
    ("results", "number", "asked"),
    [
        ({"chapters": "success", "site": "skipped"}, "", []),
        ({"chapters": "success"}, "7", ["issue close 7 --comment Green again: https://run"]),
        ({"chapters": "failure", "site": "success"}, "", ["label create", "issue create --title Red --label nightly"]),
        ({"chapters": "cancelled"}, "7", ["issue comment 7 --body https://run"]),
    ],
    ids=["green", "green-again", "red", "still-red"],
)
def test_there_is_one_issue_while_it_is_red(
    tmp_path: Path, results: dict[str, str], number: str, asked: list[str]
) -> None:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "told").write_text("- docs/part-1/chapter-1.4.md:12 what broke\n")
    needs: dict[str, Any] = {name: {"result": result, "outputs": {}} for name, result in results.items()}
    subprocess.run(
        [str(GITHUB / "scripts/issue"), "nightly", "Red", str(tmp_path / "told")],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "ASKED": str(tmp_path / "asked"),
            "OPEN": number,
            "NEEDS": json.dumps(needs),
            "RUN": "https://run",
        },
        check=True,
    )
    _, *calls = (tmp_path / "asked").read_text().splitlines()
    heads = [call for call in calls if call.startswith(("issue", "label"))]
    assert [call[: len(head)] for call, head in zip(heads, asked, strict=True)] == asked
    if red := [f"- {name}: {result}" for name, result in results.items() if result in {"failure", "cancelled"}]:
        assert [line for line in calls if line.startswith("- ")] == [*red, "- docs/part-1/chapter-1.4.md:12 what broke"]


# ---------------------------------------------------------------- the other files that GitHub reads

SCHEMAS = {
    "vendor.dependabot": ".github/dependabot.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "vendor.citation-file-format": "CITATION.cff",
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_github_reads_fits_its_schema(schema: str) -> None:
    files = sorted(ROOT.glob(SCHEMAS[schema]))
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_updates_wait_and_cover_each_lock_of_npm() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)
    npm = next(update for update in updates if update["package-ecosystem"] == "npm")
    listed = subprocess.run(
        ["git", "ls-files", "*package-lock.json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert sorted(npm["directories"]) == sorted(f"/{Path(name).parent}" for name in listed.stdout.split())
