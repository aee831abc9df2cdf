"""When a workflow starts, and what its file says of a run: GitHub's rules, as tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.runner import keys
from scripts.runner.forge.uses import ACTIONS, local_repositories
from scripts.runner.forge.workflows import Event, Workflow, WorkflowError, fits, pattern, read, skipped, uses

JOBS = "\njobs: {test: {runs-on: ubuntu-latest, steps: [{run: echo}]}}\n"


def workflow(on: str, rest: str = JOBS) -> Workflow:
    return read(".github/workflows/test.yml", f"{on}\n{rest}")


@pytest.mark.parametrize(
    ("glob", "takes", "refuses"),
    [
        ("main", ["main"], ["Main", "main2", "a/main"]),
        ("feature/*", ["feature/a", "feature/a.b"], ["feature/a/b", "feature"]),
        ("feature/**", ["feature/a", "feature/a/b"], ["features/a"]),
        ("*", ["main"], ["a/b"]),
        ("**", ["main", "a/b/c"], []),
        ("v2*", ["v2", "v2.0"], ["v1", "v2/x"]),
        ("*.py", ["a.py"], ["src/a.py", "a.pyc"]),
        ("**.py", ["a.py", "src/a.py"], ["a.pyc"]),
        ("**/README.md", ["README.md", "js/README.md"], ["XREADME.md"]),
        ("docs/**/*.md", ["docs/a.md", "docs/b/c/d.md"], ["a.md", "docs/a.txt"]),
        ("**/docs/**", ["docs/a", "x/docs/a/b"], ["docs", "xdocs/a"]),
        ("*.jsx?", ["page.js", "page.jsx"], ["page.jsxx"]),
        ("v[12].[0-9]+", ["v1.0", "v2.10"], ["v3.0", "v1."]),
        (r"a\*", ["a*"], ["ab"]),
        ("a.b(c)", ["a.b(c)"], ["axb(c)"]),
    ],
)
def test_patterns(glob: str, takes: list[str], refuses: list[str]) -> None:
    assert [name for name in (*takes, *refuses) if pattern(glob).fullmatch(name)] == takes


@pytest.mark.parametrize(
    ("patterns", "name", "taken"),
    [
        (["releases/**", "!releases/**-alpha"], "releases/10", True),
        (["releases/**", "!releases/**-alpha"], "releases/10-alpha", False),
        (["!docs/**", "docs/**"], "docs/a", True),
        (["src/**", "!src/docs/**", "src/docs/keep.md"], "src/docs/keep.md", True),
        (["src/**", "!src/docs/**", "src/docs/keep.md"], "src/docs/a.md", False),
        ([], "main", False),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns: list[str], name: str, taken: bool) -> None:
    assert fits(name, patterns) is taken


PUSH = Event("push", "main", ["src/a.py", "README.md"])
OPENED = Event("pull_request", "main", ["src/a.py"], "opened")


@pytest.mark.parametrize(
    ("on", "event", "starts"),
    [
        # names
        ("on: push", PUSH, True),
        ("on: pull_request", PUSH, False),
        ("on: [push, pull_request]", PUSH, True),
        ("on: [push, pull_request]", OPENED, True),
        ("'on': push", PUSH, True),
        ("on: {push: {branches: [on, off]}}", Event("push", "off"), True),
        ("on: {push: , pull_request: }", OPENED, True),
        ("on: {workflow_dispatch: , schedule: [{cron: '0 0 * * *'}]}", PUSH, False),
        # branches
        ("on: {push: {branches: [main]}}", PUSH, True),
        ("on: {push: {branches: main}}", PUSH, True),
        ("on: {push: {branches: ['release/**']}}", PUSH, False),
        ("on: {push: {branches: ['**', '!main']}}", PUSH, False),
        ("on: {push: {branches-ignore: [main]}}", PUSH, False),
        ("on: {push: {branches-ignore: [topic]}}", PUSH, True),
        ("on: {push: {tags: ['v*']}}", PUSH, False),
        ("on: {push: {tags: ['v*'], branches: [main]}}", PUSH, True),
        ("on: {pull_request: {branches: [main]}}", OPENED, True),
        ("on: {pull_request: {branches: [dev]}}", OPENED, False),
        # paths
        ("on: {push: {paths: ['src/**']}}", PUSH, True),
        ("on: {push: {paths: ['data/**']}}", PUSH, False),
        ("on: {push: {paths: ['**', '!src/**']}}", PUSH, True),
        ("on: {push: {paths: ['**', '!src/**', '!*.md']}}", PUSH, False),
        ("on: {push: {paths-ignore: ['**.md']}}", PUSH, True),
        ("on: {push: {paths-ignore: ['**.md', 'src/**']}}", PUSH, False),
        ("on: {push: {paths: ['src/**'], branches: [dev]}}", PUSH, False),
        # activities
        ("on: pull_request", Event("pull_request", "main", [], "synchronize"), True),
        ("on: pull_request", Event("pull_request", "main", [], "reopened"), True),
        ("on: pull_request", Event("pull_request", "main", [], "closed"), False),
        ("on: {pull_request: {types: [closed]}}", Event("pull_request", "main", [], "closed"), True),
        ("on: {pull_request: {types: [closed]}}", OPENED, False),
        ("on: {pull_request: {types: closed}}", OPENED, False),
    ],
)
def test_which_events_start_it(on: str, event: Event, starts: bool) -> None:
    assert workflow(on).starts(event) is starts


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("on: push", "has no jobs"),
        (f"name: x{JOBS}", "has no on"),
        ("- a", "is no mapping"),
        ("on: [push", "line"),
        ("on: push\njobs: {}", "has no jobs"),
    ],
)
def test_what_is_no_workflow(text: str, told: str) -> None:
    with pytest.raises(WorkflowError, match=told) as error:
        read("w.yml", text)
    assert str(error.value).startswith("w.yml: ")


@pytest.mark.parametrize("filters", ["{branches: [a], branches-ignore: [b]}", "{branches: ['?']}", "{paths: ['a[']}"])
def test_filters_that_are_wrong_are_told(filters: str) -> None:
    text = workflow(f"on: {{push: {filters}}}")
    if "a[" in filters:
        assert not text.starts(PUSH)  # a bracket that is not closed is a bracket
        return
    with pytest.raises(WorkflowError, match="branches"):
        text.starts(PUSH)


@pytest.mark.parametrize(
    ("message", "skips"), [("docs [skip ci]", True), ("[CI SKIP] x", True), ("body\n\n[no ci]", True), ("ci", False)]
)
def test_a_commit_may_ask_to_start_nothing(message: str, skips: bool) -> None:
    assert skipped(message) is skips


def steps(*parts: str, permissions: str = "") -> str:
    return f"jobs: {{a: {{runs-on: x, {permissions} steps: [{', '.join(parts)}]}}}}"


@pytest.mark.parametrize(
    ("top", "job", "writes"),
    [
        ("", "", set()),
        ("permissions: {contents: read, issues: write}", "", {"issues"}),
        ("permissions: {issues: write}", "permissions: {contents: write},", {"contents"}),
        ("permissions: write-all", "", {"*"}),
        ("permissions: read-all", "", set()),
        ("permissions: write-all", "permissions: {},", set()),
    ],
)
def test_what_a_token_may_write(top: str, job: str, writes: set[str]) -> None:
    assert workflow(f"on: push\n{top}", steps("{run: a}", permissions=job)).writes == writes


@pytest.mark.parametrize(
    ("checkouts", "depth", "credentials"),
    [
        ([], 1, False),
        (["{uses: actions/checkout@v4}"], 1, True),
        (["{uses: actions/checkout@v4, with: {fetch-depth: 0}}"], 0, True),
        (["{uses: actions/checkout@v4, with: {fetch-depth: 3, persist-credentials: false}}"], 3, False),
        (["{uses: actions/checkout@v4, with: {fetch-depth: '${{ vars.D }}'}}", "{uses: actions/checkout@v4}"], 0, True),
    ],
)
def test_what_a_checkout_asks_for(checkouts: list[str], depth: int, credentials: bool) -> None:
    found = workflow("on: push", steps(*checkouts, "{run: a}"))
    assert (found.depth, found.credentials) == (depth, credentials)


# ---------------------------------------------------------------- actions


def test_actions_are_found_with_their_lines() -> None:
    text = "on: push\njobs:\n  a:\n    steps:\n      - uses: a/b@v1\n      - run: x\n      - uses: ./c\n"
    assert [(use.what, use.place) for use in uses("w.yml", text)] == [("a/b@v1", "w.yml:5"), ("./c", "w.yml:7")]


def test_each_has_a_stand_in_or_is_named(tmp_path: Path) -> None:
    def asked(*names: str) -> list[str]:
        (tmp_path / "w.yml").write_text("steps:\n" + "".join(f"  - uses: {name}\n" for name in names))
        return local_repositories(tmp_path, "w.yml")

    assert asked("actions/checkout@v4", "astral-sh/setup-uv@abc") == [
        f"astral-sh/setup-uv@abc={ACTIONS / 'astral-sh/setup-uv'}"
    ]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/action.yml").write_text(
        "runs: {using: composite, steps: [{uses: google-github-actions/auth@v2}]}"
    )
    assert asked("./mine") == [f"google-github-actions/auth@v2={ACTIONS / 'google-github-actions/auth'}"]
    for name in ("some/action@v1", "docker://alpine", "astral-sh/setup-uv/inside@v1", "actions/cache@v4"):
        with pytest.raises(WorkflowError, match=r"^w\.yml:2: nothing stands in for the action " + name.split("/")[0]):
            asked(name)


def test_what_they_do_counts_for_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "actions/a/b").mkdir(parents=True)
    action = tmp_path / "actions/a/b/action.yml"
    monkeypatch.setattr(keys, "HERE", tmp_path)
    found = set[str]()
    for text in ("one", "other"):
        action.write_text(text)
        keys.of_machine.cache_clear()
        found.add(keys.of_machine(tmp_path))
    keys.of_machine.cache_clear()
    assert len(found) == 2
