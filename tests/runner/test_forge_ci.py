"""The forge starts workflows, and they run for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scripts.runner import processes
from scripts.runner.directory import RunDirectory, claim
from scripts.runner.forge import Forge
from scripts.runner.forge.ci import WORKSPACES
from scripts.runner.records import RAN
from scripts.runner.standins import stand_ins
from tests.runner.forging import CHECKOUT, NAME, SITE, Reader, until_there, workflow
from tests.runner.sample import UV, Tiny, alive, sh, until


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    directory = claim(tmp_path / "runs", "uv")
    directory.empty()
    yield directory
    assert directory.close() == []


@pytest.fixture
def reader(run: RunDirectory) -> Iterator[Reader]:
    forge = Forge(run.remotes, run.state, token=run.token, offers=lambda: {"STORAGE_EMULATOR_HOST": "http://here"})
    forge.start()
    yield Reader(run, forge)
    forge.stop()


# ---------------------------------------------------------------- pushes


def test_a_push_starts_a_workflow(reader: Reader) -> None:
    reader.begin(test=workflow(CHECKOUT, "cat file.txt", "echo done"))
    reader.push("second", commands="echo content >file.txt")
    first, second = reader.runs()
    assert (first["conclusion"], second["conclusion"]) == ("failure", "success")
    assert second["event"] == "push"
    assert second["head_branch"] == "main"
    assert second["head_sha"] == reader.bash("git rev-parse HEAD").strip()
    assert second["name"] == ".github/workflows/test.yml"
    assert {"content", "done"} <= set(reader.said(2))
    assert not list((reader.run.state / "ci").iterdir())


def test_it_knows_where_it_is(reader: Reader) -> None:
    expected = {
        "repository": NAME,
        "repository_owner": "reader",
        "ref": "refs/heads/main",
        "ref_name": "main",
        "event_name": "push",
        "actor": "reader",
        "run_id": "1",
        "run_number": "1",
    }
    lines = [f"echo {one}=${{{{ github.{one} }}}} $GITHUB_{one.upper()}" for one in (*expected, "sha", "workflow")]
    reader.begin(
        here=workflow(
            CHECKOUT, "\n".join([*lines, "pwd; git remote get-url origin; git log --format=%s"]), top="name: Here"
        )
    )
    sha = reader.bash("git rev-parse HEAD").strip()
    said = reader.said()
    for name, value in {**expected, "sha": sha, "workflow": "Here"}.items():
        assert f"{name}={value} {value}" in said
    assert {f"{WORKSPACES}/planets/planets", f"{SITE}.git", "first"} <= set(said)
    assert str(reader.run.root) not in reader.log()


def test_filters_decide(reader: Reader) -> None:
    reader.begin(
        code=workflow("echo", on="{push: {branches: [main], paths: ['src/**']}}"),
        all=workflow("echo"),
        pulls=workflow("echo", on="pull_request"),
    )
    reader.push("code", commands="mkdir src; touch src/a")
    reader.push("code elsewhere", "topic", "touch src/b")
    reader.push("text", commands="touch README")
    reader.push("skipped [skip ci]", commands="touch src/c")
    reader.bash("git push --quiet origin :topic; git tag v1; git push --quiet origin v1")
    started = [(run["path"].split("/")[-1], run["head_branch"]) for run in reader.runs()]
    everywhere = [("all.yml", "main"), ("all.yml", "main"), ("all.yml", "topic"), ("all.yml", "main")]
    assert started == [*everywhere[:2], ("code.yml", "main"), *everywhere[2:]]


def test_a_new_branch_is_compared_with_the_default_branch(reader: Reader) -> None:
    reader.begin(code=workflow("echo", on="{push: {paths: ['src/**']}}"))
    reader.push("main goes on", commands="mkdir src; touch src/a")
    reader.bash("git switch --quiet --create topic HEAD~1")
    reader.push("text", "topic", "touch README")
    assert [run["head_branch"] for run in reader.runs()] == ["main"]


def test_a_step_that_fails_is_named(reader: Reader) -> None:
    steps = "- {name: Good, run: echo}", "- {name: Bad, run: exit 3}", "echo never", "- {if: always(), run: echo ever}"
    reader.begin(test=workflow(*steps))
    assert reader.conclusions() == [("push", "failure")]
    (job,) = reader.get("/actions/runs/1/jobs")["jobs"]
    assert (job["name"], job["conclusion"]) == ("test", "failure")
    assert [(step["name"], step["conclusion"]) for step in job["steps"]] == [
        ("Good", "success"),
        ("Bad", "failure"),
        ("Run echo never", "skipped"),
        ("Run echo ever", "success"),
    ]
    assert "test\tBad\texit status 3\n" in reader.log()


def test_jobs_have_the_names_that_github_gives_them(reader: Reader) -> None:
    reader.begin(
        called="on: workflow_call\njobs: {inner: {runs-on: ubuntu-latest, steps: [{run: echo}]}}",
        test="""\
name: Everything
on: push
jobs:
  plain: {runs-on: ubuntu-latest, steps: [{run: echo, continue-on-error: true}]}
  many: {runs-on: ubuntu-24.04, strategy: {matrix: {v: [1, two]}}, steps: [{run: echo}]}
  named: {name: "Say ${{ matrix.v }}", runs-on: ubuntu-latest, strategy: {matrix: {v: [3]}}, steps: [{run: echo}]}
  off: {runs-on: ubuntu-latest, if: false, steps: [{run: echo}]}
  call: {uses: ./.github/workflows/called.yml}
  bad: {runs-on: ubuntu-latest, steps: [{run: "false"}]}
  after: {needs: bad, runs-on: ubuntu-latest, steps: [{run: echo}]}
""",
    )
    reader.runs()
    found = {job["name"]: job["conclusion"] for job in reader.get("/actions/runs/1/jobs")["jobs"]}
    assert found == {
        **dict.fromkeys(("plain", "many (1)", "many (two)", "Say 3", "call / inner"), "success"),
        "off": "skipped",
        "bad": "failure",
        "after": "skipped",
    }


def test_runs_wait_for_one_another(reader: Reader) -> None:
    """And no push waits for a run: the file that they wait for is made after both."""
    go = reader.run.work / "go"
    reader.begin(test=workflow(until_there(go)))
    until(lambda: reader.get("/actions/runs/1")["status"] == "in_progress")
    reader.push("second")
    assert [run["status"] for run in reader.get("/actions/runs")["workflow_runs"]] == ["queued", "in_progress"]
    go.touch()
    assert reader.conclusions() == [("push", "success"), ("push", "success")]


def test_a_run_has_the_commit_that_started_it(reader: Reader) -> None:
    go = reader.run.work / "go"
    reader.begin(test=workflow(CHECKOUT, f"{until_there(go)}; git log -1 --format=%s; ls"))
    reader.push("second", commands="touch later")
    reader.bash("git reset --quiet --hard HEAD~1; git push --quiet --force origin main")
    go.touch()
    assert "first" in reader.said(1)
    assert "second" in reader.said(2)
    assert "later" in reader.said(2)
    assert "first" in reader.said(3)


@pytest.mark.parametrize(("depth", "commits"), [("", 1), ("with: {fetch-depth: 0}", 3), ("with: {fetch-depth: 2}", 2)])
def test_the_history_is_as_deep_as_the_checkout_asks(reader: Reader, depth: str, commits: int) -> None:
    reader.begin()
    reader.push("second")
    test = workflow(f"{CHECKOUT}\n  {depth}", "echo $(git rev-list --count HEAD) commits; git branch --remotes")
    reader.push("third", test=test)
    assert f"{commits} commits" in reader.said()


# ---------------------------------------------------------------- what a job finds


def test_a_job_has_nothing_of_the_user(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "secret")
    monkeypatch.setenv("UV_INDEX_URL", "http://index")
    names = ["HOME", "MINE", "UV_INDEX_URL", "LC_ALL", "NO_COLOR", "GIT_PAGER", "STORAGE_EMULATOR_HOST", "CI"]
    looks = "\n".join(f'echo "{name}=${name}"' for name in names)
    tools = "for tool in uv git bash python3 gh curl; do command -v $tool >/dev/null || echo no $tool; done"
    who = "git config user.name || echo nobody; git commit --allow-empty -m x 2>/dev/null || echo no commit"
    reader.begin(test=workflow(CHECKOUT, f"{looks}\n{tools}\n{who}\n[ ! -t 1 ] || echo terminal"))
    assert reader.conclusions() == [("push", "success")]
    said = set(reader.said())
    assert {"HOME=/home/runner", "MINE=", "UV_INDEX_URL=http://index", "LC_ALL=C.UTF-8", "NO_COLOR=1"} <= said
    assert {"GIT_PAGER=cat", "STORAGE_EMULATOR_HOST=http://here", "CI=true", "nobody", "no commit"} <= said
    assert "terminal" not in said
    assert not [line for line in said if line.startswith("no ") and line != "no commit"]


def test_secrets_are_masked(reader: Reader) -> None:
    key = '{\n  "kind": "account",\n  "key": "abc #1"\n}\n'
    reader.secrets(PASSWORD="hunter2!", KEY=key)
    reader.begin(
        test=workflow(
            '- env: {P: "${{ secrets.PASSWORD }}", K: "${{ secrets.KEY }}", T: "${{ github.token }}"}\n'
            '  run: |\n    echo "is $P"; echo "$K"; echo "$K" | python3 -m json.tool >/dev/null && echo whole\n'
            '    echo "token $T"; echo "got $P" >>"$GITHUB_STEP_SUMMARY"',
            "echo \"none '${{ secrets.OTHER }}'\"",
        )
    )
    assert reader.conclusions() == [("push", "success")]
    assert {"is ***", "whole", "token ***", "none ''"} <= set(reader.said())
    kept = "".join(path.read_text() for path in (reader.kept / "runs").rglob("*") if path.is_file())
    assert "got ***" in kept
    for secret in ("hunter2!", "abc #1", "account"):
        assert secret not in kept


def test_variables_are_given(reader: Reader) -> None:
    reader.begin()
    reader.post("/actions/variables", name="bucket", value="gs://a #b")
    assert reader.ask("PATCH", "/actions/variables/BUCKET", value="gs://c #d") == (204, None)
    reader.push("second", test=workflow('echo "${{ vars.BUCKET }}"'))
    assert "gs://c #d" in reader.said()


def test_summaries_come_one_after_the_other(reader: Reader) -> None:
    inner = "runs: {using: composite, steps: [{shell: bash, run: 'echo inner >>$GITHUB_STEP_SUMMARY'}]}"
    table = "printf '# Title\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n' >>$GITHUB_STEP_SUMMARY"
    reader.begin()
    reader.push(
        "second",
        commands=f'mkdir -p own; echo "{inner.replace("$", chr(92) + "$")}" >own/action.yml',
        test=workflow(CHECKOUT, table, "- uses: ./own", "echo '# Second' >>$GITHUB_STEP_SUMMARY"),
    )
    reader.runs()
    summary = (reader.kept / "runs/1/summary.md").read_text()
    assert summary == "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\ninner\n\n# Second\n"


# ---------------------------------------------------------------- actions


def test_stand_in_actions(reader: Reader) -> None:
    upload, download = "- uses: actions/upload-artifact@v4\n  with: ", "- uses: actions/download-artifact@v4\n  with: "
    reader.begin(
        test=workflow(
            "- uses: astral-sh/setup-uv@v6\n  id: uv\n  with: {enable-cache: true}",
            "- uses: google-github-actions/auth@v2\n  with: {credentials_json: x}",
            'echo "uv ${{ steps.uv.outputs.uv-version }}"; mkdir -p out/in; echo 1 >out/a; echo 2 >out/in/b; echo 3 >c',
            f"{upload}{{name: folder, path: out}}",
            f"{upload}{{name: one, path: c}}",
            f'{upload}{{name: some, path: "out/**\\n!out/a\\nc"}}',
            f"{upload}{{name: none, path: missing}}",
            f"{download}{{name: folder, path: got}}",
            f"{download}{{path: all}}",
            "diff -r out got && echo same; ls all",
        )
    )
    assert reader.conclusions() == [("push", "success")]
    said = reader.said()
    assert any(line.startswith("uv is here already: uv ") for line in said)
    assert any(line.startswith("There is no account of Google Cloud here") for line in said)
    assert "same" in said
    assert any("No files were found with the provided path: missing" in line for line in said)
    artifacts = reader.kept / "runs/1/artifacts"
    assert sorted(str(p.relative_to(artifacts)) for p in artifacts.rglob("*") if p.is_file()) == [
        *("folder/a", "folder/in/b", "one/c", "some/c", "some/out/in/b"),
    ]


def test_artifacts_of_runs_are_apart(reader: Reader) -> None:
    keep = "- uses: actions/upload-artifact@v4\n  with: {name: it, path: it, if-no-files-found: error}"
    reader.begin(test=workflow("echo $GITHUB_RUN_ID >it", keep))
    take = "- uses: actions/download-artifact@v4\n  with: {name: it, run-id: '1'}"
    reader.push("second", test=workflow(take, 'echo "had $(cat it)"; echo 2 >it', keep, "rm it", keep))
    assert reader.conclusions() == [("push", "success"), ("push", "failure")]
    assert "had 1" in reader.said(2)
    assert [(reader.kept / f"runs/{number}/artifacts/it/it").read_text() for number in (1, 2)] == ["1\n", "2\n"]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (
            "- uses: some/action@v1",
            ".github/workflows/test.yml:9: nothing stands in for the action some/action@v1 here",
        ),
        ("- {bogus: 1}", "Unknown Property bogus"),
    ],
)
def test_what_cannot_run_is_red_and_says_why(reader: Reader, step: str, told: str) -> None:
    reader.begin(test=workflow("echo", step))
    assert reader.conclusions() == [("push", "failure")]
    assert told in reader.log()
    assert reader.get("/actions/runs/1/jobs")["jobs"][0]["conclusion"] == "failure"


def test_another_machine_is_not_passed_over(reader: Reader) -> None:
    reader.begin(test=workflow("echo").replace("ubuntu-latest", "windows-latest"))
    assert reader.conclusions() == [("push", "failure")]
    assert "there is no such machine here" in reader.log()


def test_a_file_that_is_no_workflow_is_a_red_run(reader: Reader) -> None:
    reader.begin(test="on: [push\n", other=workflow("echo"))
    assert sorted(reader.conclusions()) == [("push", "failure"), ("push", "success")]
    assert ".github/workflows/test.yml: while parsing" in reader.log(2)


# ---------------------------------------------------------------- pull requests


def test_a_pull_request_runs_the_merge(reader: Reader) -> None:
    shown = "echo ${{ github.event_name }} ${{ github.event.action }} ${{ github.event.number }} ${{ github.ref }}"
    refs = "echo ${{ github.head_ref }} into $GITHUB_BASE_REF; ls; echo parents $(git log -1 --format=%P | wc -w)"
    deep = f"{CHECKOUT}\n  with: {{fetch-depth: 0}}"
    reader.begin(test=workflow(deep, shown, refs, on="pull_request"))
    reader.push("topic", "topic", "touch ours")
    reader.push("main", "main", "touch theirs")
    assert reader.runs() == []
    number = reader.pull("topic")
    (run,) = reader.runs()
    assert (run["event"], run["head_branch"], run["conclusion"]) == ("pull_request", "topic", "success")
    assert run["head_sha"] == reader.bash("git rev-parse topic").strip()
    said = reader.said()
    assert {f"pull_request opened {number} refs/pull/{number}/merge", "topic into main"} <= set(said)
    assert {"ours", "theirs", "parents 2"} <= set(said)
    reader.push("more", "topic", "touch more")
    assert {f"pull_request synchronize {number} refs/pull/{number}/merge", "more"} <= set(reader.said(2))


def test_a_pull_request_that_conflicts_is_red(reader: Reader) -> None:
    reader.begin(test=workflow("echo", on="pull_request"))
    reader.push("topic", "topic", "echo ours >file")
    reader.push("main", "main", "echo theirs >file")
    number = reader.pull("topic")
    assert reader.conclusions() == [("pull_request", "failure")]
    assert reader.log() == f"Error: pull request {number} cannot be merged: its branch topic conflicts with main\n"
    assert reader.get(f"/pulls/{number}")["mergeable"] is False
    assert reader.ask("PUT", f"/pulls/{number}/merge")[0] == 405


def test_filters_of_pull_requests(reader: Reader) -> None:
    reader.begin(
        code=workflow("echo", on="{pull_request: {branches: [main], paths: ['src/**']}}"),
        closed=workflow("echo", on="{pull_request: {types: [closed]}}"),
        other=workflow("echo", on="{pull_request: {branches: [other]}}"),
    )
    reader.push("text", "topic", "touch README")
    reader.push("main", "main", "mkdir src; touch src/a")
    number = reader.pull("topic")
    assert reader.runs() == []
    reader.push("code", "topic", "mkdir -p src; touch src/b")
    assert reader.ask("PATCH", f"/issues/{number}", state="closed")[0] == 200
    assert [run["path"].split("/")[-1] for run in reader.runs()] == ["code.yml", "closed.yml"]


# ---------------------------------------------------------------- a run's token


PUSHES = """
git config user.name Robot; git config user.email robot@example.com
git switch --quiet --create made; git commit --quiet --allow-empty -m made
git push --quiet origin made && echo pushed || echo not pushed
"""


def test_what_a_run_pushes_starts_nothing(reader: Reader) -> None:
    reader.begin(test=workflow(CHECKOUT, PUSHES, top="permissions: {contents: write}"))
    assert reader.conclusions() == [("push", "success")]
    assert "pushed" in reader.said()
    assert "made" in reader.bash("git ls-remote --heads origin")


@pytest.mark.parametrize(
    ("top", "given", "told"),
    [
        ("permissions: {contents: read}", "", f"remote: Permission to {NAME}.git denied to github-actions[bot]."),
        (
            "permissions: {contents: write}",
            "with: {persist-credentials: false}",
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
        ),
    ],
)
def test_a_run_may_not_push_without_permission_and_token(reader: Reader, top: str, given: str, told: str) -> None:
    reader.begin(test=workflow(f"{CHECKOUT}\n  {given}", PUSHES, top=top))
    assert {"not pushed", told} <= set(reader.said())
    assert "made" not in reader.bash("git ls-remote --heads origin")


def test_what_runs_ask_is_not_what_the_reader_asks(reader: Reader) -> None:
    reader.begin(test=workflow(CHECKOUT, "sleep 0.3; git fetch --quiet origin"))
    before = reader.forge.requests
    assert before > 0
    assert reader.forge.ci.settle(30)
    assert reader.forge.requests == before


# ---------------------------------------------------------------- the end


def test_stop_leaves_no_process(reader: Reader, nap: str) -> None:
    reader.begin(test=workflow(f"(setsid sleep {nap} &)\nsleep {nap}"))
    reader.push("second")
    until(lambda: alive(nap), 20)
    reader.forge.stop()
    assert not alive(nap)
    assert not list(processes.belonging_to(reader.run.token))
    assert not [p for p in psutil.process_iter(["name"]) if p.info["name"] == "act" and p.parent() == psutil.Process()]
    state = reader.forge.repository("reader", "planets")
    assert state is not None
    assert [run["conclusion"] for run in state.store.all("runs")] == ["cancelled", "cancelled"]
    assert "The run was cancelled." in (reader.kept / "runs/1/log.txt").read_text()


def test_what_a_step_leaves_running_is_ended(reader: Reader, nap: str) -> None:
    reader.begin(test=workflow(f"(setsid sleep {nap} >/dev/null 2>&1 &)\necho away"))
    assert reader.conclusions() == [("push", "success")]
    assert not alive(nap)


def test_a_new_forge_goes_on_from_the_same_folder(reader: Reader, run: RunDirectory) -> None:
    reader.begin(test=workflow("echo"))
    reader.post("/issues", title="Colours")
    assert reader.conclusions() == [("push", "success")]
    reader.forge.stop()
    with reader.forge.repository("reader", "planets").store.change() as state:  # type: ignore[union-attr]
        state["runs"].append({**state["runs"][0], "id": 2, "status": "in_progress", "conclusion": None})
    reader.forge = Forge(run.remotes, run.state, token=run.token)
    reader.forge.start()
    assert reader.get("/issues/1")["title"] == "Colours"
    assert reader.conclusions() == [("push", "success"), ("push", "cancelled")]
    reader.push("second")
    assert reader.conclusions()[2:] == [("push", "success")]
    reader.forge.stop()


def test_a_chapter_ends_when_its_runs_have(tiny: Tiny, tmp_path: Path) -> None:
    variant = {**UV, "place": "cloud"}
    options: dict[str, object] = {"variant": variant, "standins": stand_ins(tmp_path, variant)}
    yml = workflow(
        "sleep 0.5; echo $STORAGE_EMULATOR_HOST >it", "- uses: actions/upload-artifact@v4\n  with: {path: it}"
    )
    write = f"mkdir -p .github/workflows\ncat >.github/workflows/a.yml <<'E'\n{yml}E"
    begin = f"git init -q -b main project\ncd project\n{write}"
    push = f"git add .\ngit commit -qm first\ngit remote add origin {SITE}.git\ngit push -q origin main"
    api = f'curl -sS --unix-socket "$FORGE_API" http://localhost/repos/{NAME}'
    tiny.write("1.1", sh(f"{begin}\n{push}"))
    tiny.write("1.2", sh(f'{api}/actions/runs | grep -o \'"conclusion": "[a-z]*"\''))
    assert tiny.do("1.1", **options).outcomes == [RAN]
    tiny.close()
    second = tiny.do("1.2", **options)
    assert second.last.output == '"conclusion": "success"\n'
    assert list(second.last.standins) == [Forge.name]
    (kept,) = (tiny.cache / "runs").glob(f"*/remotes/forge/{NAME}.state/runs/1/artifacts/artifact/it")
    assert kept.read_text().startswith("http://127.0.0.1:")
