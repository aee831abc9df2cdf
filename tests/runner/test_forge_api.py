"""The forge's API: what GitHub answers, to the reader's own calls and to gh in a job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.runner import environment
from scripts.runner.directory import RunDirectory, claim
from scripts.runner.forge import Forge
from tests.runner.forging import CHECKOUT, NAME, SITE, Reader, until_there, workflow

API = f'curl -sS --unix-socket "$FORGE_API" http://localhost/repos/{NAME}'


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    directory = claim(tmp_path / "runs", "uv")
    directory.empty()
    yield directory
    assert directory.close() == []


@pytest.fixture
def reader(run: RunDirectory) -> Iterator[Reader]:
    forge = Forge(run.remotes, run.state, token=run.token)
    forge.start()
    yield Reader(run, forge)
    forge.stop()
    assert forge.problem == ""


def gh(*words: str, env: str = "GH_TOKEN: '${{ github.token }}'") -> str:
    """A step that asks with gh."""
    return f"- env: {{{env}}}\n  run: |\n    " + "\n    ".join(words)


# ---------------------------------------------------------------- how it is reached


def test_pages_reach_it_with_curl(reader: Reader) -> None:
    reader.begin()
    before = reader.forge.requests
    assert json.loads(reader.bash(API))["default_branch"] == "main"
    assert reader.forge.requests == before + 1
    issue = reader.bash(f"{API}/issues --data '{{\"title\": \"Colours\"}}' --write-out '%{{http_code}}' --fail")
    assert issue.endswith("201")
    assert len(reader.forge.environment["FORGE_API"]) < 100


def test_its_socket_is_where_it_was_and_nobody_elses(reader: Reader) -> None:
    socket = Path(reader.forge.environment["FORGE_API"])
    assert socket.parent.stat().st_mode & 0o077 == 0
    reader.forge.stop()
    assert not socket.exists()
    again = Forge(reader.forge.repositories, reader.run.state)
    assert Path(again.environment["FORGE_API"]) == socket
    assert Forge(reader.run.work, reader.run.state).environment != again.environment


def test_gh_reaches_it_in_a_job(reader: Reader) -> None:
    """The report of a run: one comment, that later runs write anew."""
    comment = [
        "number=${{ github.event.number }}",
        "echo report ${{ github.event.action }} >report.md",
        'path="repos/$GITHUB_REPOSITORY/issues"',
        "mine='.[] | select(.user.login == \"github-actions[bot]\") | .id'",
        'id=$(gh api "$path/$number/comments" --jq "$mine")',
        'if [ -n "$id" ]; then gh api --method PATCH "$path/comments/$id" --field body=@report.md --jq .body',
        'else gh api "$path/$number/comments" --field body=@report.md --jq .body; fi',
        "gh api repos/{owner}/{repo} --jq .full_name",
    ]
    top = "permissions: {pull-requests: write}"
    reader.begin(test=workflow(CHECKOUT, gh(*comment), on="pull_request", top=top))
    reader.push("topic", "topic", "touch a")
    number = reader.pull("topic")
    assert {"report opened", NAME} <= set(reader.said(1))
    reader.push("more", "topic", "touch b")
    assert "report synchronize" in reader.said(2)
    (comment_,) = reader.get(f"/issues/{number}/comments")
    assert comment_["body"] == "report synchronize\n"
    assert comment_["user"] == {"login": "github-actions[bot]", "type": "Bot"}
    assert reader.conclusions() == [("pull_request", "success")] * 2


def test_paths_may_have_the_prefix_of_another_forge(reader: Reader) -> None:
    reader.begin()
    assert reader.forge._api.answer("GET", f"/api/v3/repos/{NAME}", "", b"")[0] == 200


# ---------------------------------------------------------------- who may


def test_a_token_may_do_what_its_workflow_asks_for(reader: Reader) -> None:
    tries = [
        'try() { gh api --silent "repos/$GITHUB_REPOSITORY/$1" "${@:2}" && echo "may $1" || echo "not $1"; }',
        "try issues",
        "try issues -f title=x",
        "try pulls -f title=x -f head=topic -f base=main",
        "try actions/variables -f name=a -f value=b",
        "try rulesets -f name=a",
        "try git/refs/heads/topic -X DELETE",
    ]
    reader.begin()
    reader.push("topic", "topic", "touch a")
    reader.push("test", test=workflow(gh(*tries), top="permissions: {issues: write}"))
    assert [line for line in reader.said() if line.startswith(("may ", "not "))] == [
        "may issues",
        "may issues",
        "not pulls",
        "not actions/variables",
        "not rulesets",
        "not git/refs/heads/topic",
    ]
    assert "gh: Resource not accessible by integration (HTTP 403)" in reader.said()
    assert reader.get("/issues/1")["user"]["login"] == "github-actions[bot]"


def test_other_tokens_are_none(reader: Reader) -> None:
    reader.begin()
    assert reader.ask("GET", "", token="ghp_x") == (401, {"message": "Bad credentials", "status": "401"})


def test_a_pull_request_of_a_run_starts_nothing(reader: Reader) -> None:
    reader.begin(pulls=workflow("echo", on="pull_request"))
    reader.push("topic", "topic", "touch a")
    ask = "gh api repos/$GITHUB_REPOSITORY/pulls -f title=x -f head=topic -f base=main --jq .state"
    reader.push("test", test=workflow(gh(ask), top="permissions: {pull-requests: write}"))
    assert reader.conclusions() == [("push", "success")]
    assert "open" in reader.said()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/issues/9", {}, 404, "Not Found"),
        ("GET", "/nothing", {}, 404, "Not Found"),
        ("GET", "/pulls/1", {}, 404, "Not Found"),
        ("DELETE", "/issues/1", {}, 404, "Not Found"),
        ("POST", "/issues", {"body": "x"}, 422, "title is missing"),
        ("PATCH", "/issues/1", {"state": "done"}, 422, "state done is neither open nor closed"),
        ("POST", "/issues/1/comments", {"body": ""}, 422, "body is missing"),
        ("POST", "/issues/9/comments", {"body": "x"}, 404, "Not Found"),
        ("POST", "/pulls", {"title": "x", "head": "no", "base": "main"}, 422, "head is invalid"),
        ("POST", "/pulls", {"title": "x", "head": "main", "base": "main"}, 422, "No commits between main and main"),
        ("POST", "/rulesets", {"name": "x", "rules": [{"type": "deletion"}]}, 422, "Invalid rule"),
        ("POST", "/actions/variables", {"name": "a-b", "value": "x"}, 422, "not valid"),
        ("PATCH", "/actions/variables/NO", {"value": "x"}, 404, "Not Found"),
        ("DELETE", "/git/refs/heads/no", {}, 422, "Reference does not exist"),
        ("DELETE", "/git/refs/heads/main", {}, 422, "Cannot delete"),
    ],
)
def test_what_cannot_be_done(
    reader: Reader, method: str, path: str, body: dict[str, Any], status: int, message: str
) -> None:
    reader.begin()
    reader.post("/issues", title="Colours")
    answer, content = reader.ask(method, path, **body)
    assert (answer, content["status"]) == (status, str(status))
    assert message in content["message"]


# ---------------------------------------------------------------- issues


def test_issues_and_comments(reader: Reader) -> None:
    reader.begin()
    numbers = [reader.post("/issues", title=title, body="b")["number"] for title in "abc"]
    assert numbers == [1, 2, 3]
    assert reader.ask("PATCH", "/issues/2", state="closed", title="B")[1]["title"] == "B"
    assert [one["number"] for one in reader.get("/issues")] == [3, 1]
    assert [one["number"] for one in reader.get("/issues?state=closed")] == [2]
    assert [one["number"] for one in reader.get("/issues?state=all&per_page=2&page=2")] == [1]
    first, second = (reader.post("/issues/1/comments", body=body)["id"] for body in ("one", "two"))
    assert reader.ask("PATCH", f"/issues/comments/{first}", body="ONE")[0] == 200
    assert [one["body"] for one in reader.get("/issues/1/comments")] == ["ONE", "two"]
    assert reader.get("/issues/1/comments?per_page=1&page=2")[0]["id"] == second
    assert reader.get("/issues/1")["comments"] == 2
    assert reader.get("/issues/3/comments") == []


def test_labels_of_issues(reader: Reader) -> None:
    reader.begin()
    assert reader.post("/issues", title="a", labels=["drift", "drift"])["labels"] == [{"name": "drift"}]
    reader.post("/issues", title="b", labels=[{"name": "drift"}, {"name": "camera"}])
    reader.post("/issues", title="c")
    numbers = {
        query: [one["number"] for one in reader.get(f"/issues?state=all&labels={query}")]
        for query in ("", "drift", "camera", "drift,camera", "bug")
    }
    assert numbers == {"": [3, 2, 1], "drift": [2, 1], "camera": [2], "drift,camera": [2], "bug": []}
    assert reader.ask("PATCH", "/issues/1", state="closed")[1]["labels"] == [{"name": "drift"}]
    assert [one["number"] for one in reader.get("/issues?labels=drift")] == [2]
    assert reader.ask("PATCH", "/issues/1", labels=[])[1]["labels"] == []
    for wrong in ("drift", [""], [{}], [3]):
        assert reader.ask("POST", "/issues", title="d", labels=wrong)[0] == 422


def test_variables(reader: Reader) -> None:
    reader.begin()
    reader.post("/actions/variables", name="bucket", value="a")
    assert reader.ask("POST", "/actions/variables", name="BUCKET", value="b")[0] == 409
    assert reader.ask("PATCH", "/actions/variables/bucket", value="c") == (204, None)
    assert reader.get("/actions/variables/BUCKET")["value"] == "c"
    assert reader.get("/actions/variables")["total_count"] == 1


# ---------------------------------------------------------------- pull requests


def test_a_merge_has_two_parents_and_closes_issues(reader: Reader) -> None:
    reader.begin(test=workflow("echo"))
    for title in "abc":
        reader.post("/issues", title=title)
    reader.push("topic", "topic", "touch a")
    number = reader.pull("topic", body="Closes #1, fixes #3, see #2")
    assert reader.get(f"/pulls/{number}")["mergeable"] is True
    assert reader.ask("POST", "/pulls", title="x", head="topic", base="main")[0] == 422
    status, merged = reader.ask("PUT", f"/pulls/{number}/merge", merge_method="merge")
    assert (status, merged["merged"]) == (200, True)
    reader.bash("git fetch --quiet")
    head, message = reader.bash("git log -1 --format='%H %P%n%an <%ae>%n%B' origin/main").split("\n", 1)
    assert head.split()[0] == merged["sha"]
    assert head.split()[1:] == reader.bash("git rev-parse main topic").split()
    assert message.strip() == (
        f"reader <reader@users.noreply.github.com>\nMerge pull request #{number} from reader/topic\n\ntopic"
    )
    pull = reader.get(f"/pulls/{number}")
    assert (pull["state"], pull["merged"], pull["merge_commit_sha"]) == ("closed", True, merged["sha"])
    assert [reader.get(f"/issues/{one}")["state"] for one in (1, 2, 3)] == ["closed", "open", "closed"]
    assert reader.ask("PUT", f"/pulls/{number}/merge") == (
        405,
        {"message": "Pull Request is not mergeable", "status": "405"},
    )
    assert [run["head_sha"] for run in reader.runs("?branch=main&event=push")][-1] == merged["sha"]
    assert reader.ask("DELETE", "/git/refs/heads/topic") == (204, None)
    assert "topic" not in reader.bash("git ls-remote --heads origin")
    assert len(reader.runs()) == 3


def test_the_hash_of_a_merge_is_the_same_each_time(reader: Reader) -> None:
    found = set()
    reader.begin()
    date = "export GIT_AUTHOR_DATE=@1767225600 GIT_COMMITTER_DATE=@1767225600"
    reader.bash(f"{date}; git commit --quiet --amend -m first --allow-empty; git push --quiet --force origin main")
    for _ in range(2):
        reader.bash(f"{date}; git switch --quiet --create topic; git commit --quiet --allow-empty -m topic")
        reader.bash("git push --quiet --force origin main topic; git switch --quiet main; git branch --quiet -D topic")
        number = reader.pull("topic")
        found.add(reader.ask("PUT", f"/pulls/{number}/merge", commit_title="same")[1]["sha"])
    assert len(found) == 1


def test_a_pull_request_follows_its_branch(reader: Reader) -> None:
    reader.begin()
    reader.push("a", "a", "touch a")
    reader.bash("git switch --quiet main")
    reader.push("b", "b", "touch b")
    first, second = reader.pull("a"), reader.pull("b")
    assert [one["number"] for one in reader.get("/pulls?head=reader:b")] == [second]
    sha = reader.push("more", "a", "touch more")
    assert reader.get(f"/pulls/{first}")["head"]["sha"] == sha
    assert reader.ask("PUT", f"/pulls/{first}/merge", sha="0" * 40)[0] == 409
    reader.bash("git switch --quiet main; git merge --quiet a; git push --quiet origin main :b")
    assert reader.get(f"/pulls/{first}")["merged"] is True
    assert (reader.get(f"/pulls/{second}")["state"], reader.get(f"/pulls/{second}")["merged"]) == ("closed", False)
    assert [one["number"] for one in reader.get("/pulls?state=closed")] == [second, first]
    assert reader.get("/pulls") == []


# ---------------------------------------------------------------- rulesets


REF_NAME = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}


def rule(kind: str, **parameters: Any) -> dict[str, Any]:
    return {"type": kind, "parameters": parameters}


def protect(reader: Reader, *rules: dict[str, Any]) -> int:
    added = reader.post("/rulesets", name="main", target="branch", conditions=REF_NAME, rules=list(rules))
    return int(added["id"])


CHECKS = rule("required_status_checks", required_status_checks=[{"context": "test"}])


def test_a_ruleset_refuses_a_push(reader: Reader) -> None:
    reader.begin()
    number = protect(reader, rule("pull_request"))
    assert reader.get("/rulesets")[0]["name"] == "main"
    before = reader.bash("git ls-remote origin main")
    status, told = reader.attempt("git commit --quiet --allow-empty -m direct; git push origin main")
    assert status == 1
    lines = [line.rstrip() for line in told.splitlines()]
    assert lines[:5] == [
        "remote: error: GH013: Repository rule violations found for refs/heads/main.",
        f"remote: Review all repository rules at {SITE}/rules?ref=refs%2Fheads%2Fmain",
        "remote:",
        "remote: - Changes must be made through a pull request.",
        "remote:",
    ]
    assert lines[5:] == [
        f"To {SITE}.git",
        " ! [remote rejected] main -> main (push declined due to repository rule violations)",
        f"error: failed to push some refs to '{SITE}.git'",
    ]
    assert reader.bash("git ls-remote origin main") == before
    large = "head -c 3000000 /dev/urandom >big; git add big; git commit --quiet -m big"
    assert "GH013" in reader.attempt(f"{large}; git push origin main")[1]
    assert reader.runs() == []
    reader.bash("git push --quiet origin main:topic")
    assert reader.ask("DELETE", f"/rulesets/{number}") == (204, None)
    reader.bash("git push --quiet origin main")


def test_a_merge_needs_green_checks(reader: Reader) -> None:
    reader.begin(test=workflow(CHECKOUT, "test -e good", on="pull_request"))
    protect(reader, rule("pull_request", required_approving_review_count=0), CHECKS)
    reader.push("none", "topic", "touch bad; git add bad; git commit --quiet -m '[skip ci] bad'")
    other = reader.bash("git rev-parse HEAD").strip()
    number = reader.pull("topic")
    assert reader.forge.ci.settle(30)
    assert reader.conclusions() == [("pull_request", "failure")]
    status, content = reader.ask("PUT", f"/pulls/{number}/merge")
    assert status == 405
    assert content["message"] == 'Repository rule violations found\n\nRequired status check "test" is failing.'
    reader.push("good", "topic", "touch good")
    assert reader.conclusions()[-1] == ("pull_request", "success")
    assert reader.ask("PUT", f"/pulls/{number}/merge")[0] == 200
    assert other in reader.bash("git fetch --quiet; git log --format=%H origin/main")


def test_a_check_that_has_not_ended_is_not_green(reader: Reader) -> None:
    go = reader.run.work / "go"
    reader.begin(test=workflow(until_there(go), on="pull_request"))
    protect(reader, CHECKS)
    reader.push("topic", "topic", "touch a")
    number = reader.pull("topic")
    assert 'Required status check "test" is in progress.' in reader.ask("PUT", f"/pulls/{number}/merge")[1]["message"]
    _, told = reader.attempt("git switch --quiet main; git commit --quiet --allow-empty -m x; git push origin main")
    assert 'remote: - Required status check "test" is expected.' in told
    go.touch()
    assert reader.conclusions() == [("pull_request", "success")]
    assert reader.ask("PUT", f"/pulls/{number}/merge")[0] == 200


# ---------------------------------------------------------------- runs


def test_runs_are_listed(reader: Reader) -> None:
    reader.begin(test=workflow("echo", on="[push, pull_request]", top="name: Test"))
    sha = reader.push("topic", "topic", "touch a")
    reader.pull("topic")
    assert [(one["event"], one["head_branch"]) for one in reader.runs()] == [
        ("push", "main"),
        ("push", "topic"),
        ("pull_request", "topic"),
    ]
    found = reader.get("/actions/runs")["workflow_runs"]
    assert [one["id"] for one in found] == [3, 2, 1]
    assert {"name": "Test", "status": "completed", "conclusion": "success", "run_number": 3}.items() <= found[0].items()
    assert len(reader.runs(f"?head_sha={sha}")) == 2
    assert len(reader.runs(f"?head_sha={sha}&event=push")) == 1
    assert len(reader.runs("?branch=main")) == 1
    assert reader.get("/actions/runs/1") == found[2]
    assert reader.ask("GET", "/actions/runs/9")[0] == 404


def test_the_tools_are_there() -> None:
    assert environment.version("act").startswith("act version")
    assert environment.version("gh").startswith("gh version")
