"""What the forge's API answers: only what the guide's pages and their workflows ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import rules
from .pulls import Pulls, Refused
from .repository import NOTHING, Repository
from .store import Thing, now
from .triggers import about, payload

SITE = "https://github.com"
NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*", re.IGNORECASE)

Answer = tuple[int, Any]


@dataclass(frozen=True)
class Request:
    """What is asked, by whom; ``words`` are the parts of the path. ``job``: by a run, which starts nothing."""

    repository: Repository
    pulls: Pulls
    words: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    user: str
    job: bool

    def needed(self, *names: str) -> list[str]:
        """Fields that must be given."""
        for name in names:
            if not isinstance(self.body.get(name), str) or not self.body[name]:
                raise Refused(422, f"Validation Failed: {name} is missing")
        return [str(self.body[name]) for name in names]

    def page(self, things: Iterable[Any]) -> list[Any]:
        size, page = min(int(self.query.get("per_page", 30)), 100), int(self.query.get("page", 1))
        return list(things)[size * (page - 1) : size * page]

    def thing(self, kind: str, number: str = "number") -> Thing:
        found = self.repository.store.get(kind, int(self.words[number]))
        if found is None:
            raise Refused(404, "Not Found")
        return found

    def pull(self) -> Thing:
        issue = self.thing("issues")
        if not issue["pull"]:
            raise Refused(404, "Not Found")
        return issue


@dataclass(frozen=True)
class Route:
    """A path and who answers it. A run's token must write one of ``permissions`` for what is no GET."""

    method: str
    pattern: re.Pattern[str]
    answer: Callable[[Request], Answer]
    permissions: tuple[str, ...]


ROUTES: list[Route] = []


def route(method: str, path: str, *permissions: str) -> Callable[[Callable[[Request], Answer]], Callable[..., Answer]]:
    """Declare who answers a path below the repository; ``:word`` is one part of it, ``*word`` the rest."""
    below = re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path)
    below = re.sub(r"\*(\w+)", r"(?P<\1>.+)", below).replace("(?P<number>[^/]+)", r"(?P<number>\d+)")
    pattern = re.compile(r"/repos/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)" + below)

    def declare(answer: Callable[[Request], Answer]) -> Callable[..., Answer]:
        ROUTES.append(Route(method, pattern, answer, permissions))
        return answer

    return declare


@route("GET", "")
def repository(asked: Request) -> Answer:
    return 200, about(asked.repository)


@route("DELETE", "/git/refs/heads/*branch", "contents")
def delete_branch(asked: Request) -> Answer:
    branch, repository = asked.words["branch"], asked.repository
    if branch not in repository.branches():
        raise Refused(422, "Reference does not exist")
    if branch == repository.default_branch:
        raise Refused(422, "Cannot delete the default branch")
    repository.move(f"refs/heads/{branch}", None)
    asked.pulls.pushed(repository, branch, NOTHING, quiet=asked.job)
    return 204, None


# ---------------------------------------------------------------- issues and comments


@route("GET", "/issues")
def issues(asked: Request) -> Answer:
    wanted = {name for name in asked.query.get("labels", "").split(",") if name}
    found = [one for one in newest(asked, "issues") if of_state(asked, one) and wanted <= set(labels_of(one))]
    return 200, [issue_view(asked, one) for one in asked.page(found)]


@route("POST", "/issues", "issues")
def open_issue(asked: Request) -> Answer:
    (title,) = asked.needed("title")
    words = {"title": title, "body": asked.body.get("body"), "labels": asked_labels(asked)}
    added = asked.repository.store.add("issues", **words, state="open", user=asked.user, pull=None)
    return 201, issue_view(asked, added)


@route("GET", "/issues/:number")
def issue(asked: Request) -> Answer:
    return 200, issue_view(asked, asked.thing("issues"))


@route("PATCH", "/issues/:number", "issues", "pull-requests")
def change_issue(asked: Request) -> Answer:
    return 200, issue_view(asked, changed(asked, asked.thing("issues")))


def changed(asked: Request, found: Thing) -> Thing:
    """An issue or a pull request after a PATCH."""
    store, state = asked.repository.store, asked.body.get("state", found["state"])
    if state not in {"open", "closed"}:
        raise Refused(422, f"Validation Failed: state {state} is neither open nor closed")
    words = {name: asked.body[name] for name in ("title", "body") if name in asked.body}
    if "labels" in asked.body:
        words["labels"] = asked_labels(asked)
    found = store.update("issues", found["id"], **words)
    if state == found["state"]:
        return found
    if not found["pull"]:
        return store.update("issues", found["id"], state=state, closed_at=now() if state == "closed" else None)
    act = asked.pulls.close if state == "closed" else asked.pulls.reopen
    return act(asked.repository, found, quiet=asked.job)


def labels_of(issue: Thing) -> list[str]:
    """The names of its labels. Those of issues that older runs have kept have none."""
    return list(issue.get("labels") or ())


def asked_labels(asked: Request) -> list[str]:
    """The labels that a request gives an issue, as names or as objects. One that is not known is made, as at GitHub."""
    given = asked.body.get("labels") or []
    names = [one.get("name") if isinstance(one, dict) else one for one in given] if isinstance(given, list) else [None]
    if not all(isinstance(name, str) and name for name in names):
        raise Refused(422, "Validation Failed: labels is no list of names")
    return [str(name) for name in dict.fromkeys(names)]


@route("GET", "/issues/:number/comments")
def comments(asked: Request) -> Answer:
    number = asked.thing("issues")["id"]
    found = [one for one in asked.repository.store.all("comments") if one["issue"] == number]
    return 200, [comment_view(asked, one) for one in asked.page(found)]


@route("POST", "/issues/:number/comments", "issues", "pull-requests")
def add_comment(asked: Request) -> Answer:
    (body,) = asked.needed("body")
    number = asked.thing("issues")["id"]
    return 201, comment_view(asked, asked.repository.store.add("comments", issue=number, body=body, user=asked.user))


@route("GET", "/issues/comments/:number")
def comment(asked: Request) -> Answer:
    return 200, comment_view(asked, asked.thing("comments"))


@route("PATCH", "/issues/comments/:number", "issues", "pull-requests")
def change_comment(asked: Request) -> Answer:
    (body,) = asked.needed("body")
    return 200, comment_view(asked, asked.repository.store.update("comments", asked.thing("comments")["id"], body=body))


# ---------------------------------------------------------------- pull requests


@route("GET", "/pulls")
def pulls(asked: Request) -> Answer:
    head = asked.query.get("head", "").removeprefix(f"{asked.repository.owner}:")
    base = asked.query.get("base")
    found = [
        one
        for one in newest(asked, "issues")
        if (pull := one["pull"])
        and of_state(asked, one)
        and head in {"", pull["head"]}
        and base in {None, pull["base"]}
    ]
    return 200, [pull_view(asked, one) for one in asked.page(found)]


@route("POST", "/pulls", "pull-requests")
def open_pull(asked: Request) -> Answer:
    title, head, base = asked.needed("title", "head", "base")
    body = str(asked.body.get("body") or "")
    return 201, pull_view(
        asked, asked.pulls.open(asked.repository, title, head, base, body, asked.user, quiet=asked.job)
    )


@route("GET", "/pulls/:number")
def pull(asked: Request) -> Answer:
    found = asked.pull()
    can = asked.pulls.mergeable(asked.repository, found) if found["state"] == "open" else None
    return 200, {**pull_view(asked, found), "mergeable": can}


@route("PATCH", "/pulls/:number", "pull-requests")
def change_pull(asked: Request) -> Answer:
    return 200, pull_view(asked, changed(asked, asked.pull()))


@route("PUT", "/pulls/:number/merge", "contents")
def merge(asked: Request) -> Answer:
    commit = asked.pulls.merge(asked.repository, asked.pull(), dict(asked.body), quiet=asked.job)
    return 200, {"sha": commit, "merged": True, "message": "Pull Request successfully merged"}


# ---------------------------------------------------------------- rulesets and variables: a run may touch neither


@route("GET", "/rulesets")
def rulesets(asked: Request) -> Answer:
    return 200, asked.page(asked.repository.store.all("rulesets"))


@route("POST", "/rulesets")
def add_ruleset(asked: Request) -> Answer:
    (name,) = asked.needed("name")
    asked_for = asked.body.get("rules") or []
    for rule in asked_for:
        if not isinstance(rule, dict) or rule.get("type") not in rules.KNOWN:
            raise Refused(422, f"Invalid rule: {rule}. Known here are {' and '.join(rules.KNOWN)}")
    added = asked.repository.store.add(
        "rulesets",
        name=name,
        target="branch",
        enforcement=asked.body.get("enforcement", "active"),
        conditions=asked.body.get("conditions") or {},
        rules=asked_for,
    )
    return 201, added


@route("GET", "/rulesets/:number")
def ruleset(asked: Request) -> Answer:
    return 200, asked.thing("rulesets")


@route("DELETE", "/rulesets/:number")
def delete_ruleset(asked: Request) -> Answer:
    gone = asked.thing("rulesets")["id"]
    with asked.repository.store.change() as state:
        state["rulesets"] = [one for one in state["rulesets"] if one["id"] != gone]
    return 204, None


@route("GET", "/actions/variables")
def variables(asked: Request) -> Answer:
    found = [{"name": name, **one} for name, one in asked.repository.store.read()["variables"].items()]
    return 200, {"total_count": len(found), "variables": asked.page(found)}


@route("POST", "/actions/variables")
def add_variable(asked: Request) -> Answer:
    name, value = asked.needed("name", "value")
    if not NAME.fullmatch(name):
        raise Refused(422, f"Variable name {name} is not valid")
    with asked.repository.store.change() as state:
        if name.upper() in state["variables"]:
            raise Refused(409, "Already exists - Variable already exists")
        state["variables"][name.upper()] = {"value": value, "created_at": now(), "updated_at": now()}
    return 201, {}


@route("GET", "/actions/variables/:variable")
def variable(asked: Request) -> Answer:
    name = asked.words["variable"].upper()
    found = asked.repository.store.read()["variables"].get(name)
    if found is None:
        raise Refused(404, "Not Found")
    return 200, {"name": name, **found}


@route("PATCH", "/actions/variables/:variable")
def change_variable(asked: Request) -> Answer:
    name = str(variable(asked)[1]["name"])
    (value,) = asked.needed("value")
    with asked.repository.store.change() as state:
        state["variables"][name] |= {"value": value, "updated_at": now()}
    return 204, None


# ---------------------------------------------------------------- runs


@route("GET", "/actions/runs")
def runs(asked: Request) -> Answer:
    filters = {
        "head_sha": asked.query.get("head_sha"),
        "head_branch": asked.query.get("branch"),
        "event": asked.query.get("event"),
    }
    found = [
        one
        for one in newest(asked, "runs")
        if all(value in {None, one[name]} for name, value in filters.items())
        and asked.query.get("status") in {None, one["status"], one["conclusion"]}
    ]
    return 200, {"total_count": len(found), "workflow_runs": [run_view(asked, one) for one in asked.page(found)]}


@route("GET", "/actions/runs/:number")
def run(asked: Request) -> Answer:
    return 200, run_view(asked, asked.thing("runs"))


@route("GET", "/actions/runs/:number/jobs")
def jobs(asked: Request) -> Answer:
    found = asked.thing("runs")
    listed = [{"id": number, "run_id": found["id"], **job} for number, job in enumerate(found["jobs"], 1)]
    return 200, {"total_count": len(listed), "jobs": asked.page(listed)}


# ---------------------------------------------------------------- how things are shown


def newest(asked: Request, kind: str) -> list[Thing]:
    return list(reversed(asked.repository.store.all(kind)))


def of_state(asked: Request, thing: Thing) -> bool:
    return asked.query.get("state", "open") in {"all", thing["state"]}


def page_of(asked: Request, issue: Thing) -> str:
    return f"{SITE}/{asked.repository.full_name}/{'pull' if issue['pull'] else 'issues'}/{issue['id']}"


def issue_view(asked: Request, issue: Thing) -> dict[str, Any]:
    shown = {name: issue.get(name) for name in ("title", "body", "state", "created_at", "updated_at", "closed_at")}
    comments = sum(one["issue"] == issue["id"] for one in asked.repository.store.all("comments"))
    extra = {"pull_request": {"html_url": page_of(asked, issue)}} if issue["pull"] else {}
    return {
        "id": issue["id"],
        "number": issue["id"],
        **shown,
        "user": {"login": issue["user"]},
        "labels": [{"name": name} for name in labels_of(issue)],
        "comments": comments,
        "html_url": page_of(asked, issue),
        **extra,
    }


def comment_view(asked: Request, comment: Thing) -> dict[str, Any]:
    issue = asked.repository.store.get("issues", comment["issue"]) or {}
    return {
        "id": comment["id"],
        "body": comment["body"],
        "user": {"login": comment["user"], "type": "Bot" if comment["user"].endswith("[bot]") else "User"},
        "created_at": comment["created_at"],
        "updated_at": comment["updated_at"],
        "html_url": f"{page_of(asked, issue)}#issuecomment-{comment['id']}",
    }


def pull_view(asked: Request, issue: Thing) -> dict[str, Any]:
    pull = issue["pull"]
    return {
        **issue_view(asked, issue),
        **payload(asked.repository, issue, pull["base_sha"]),
        "merged_at": pull.get("merged_at"),
        "merge_commit_sha": pull["merge_commit_sha"],
        "draft": False,
    }


def run_view(asked: Request, run: Thing) -> dict[str, Any]:
    names = ("id", "name", "path", "event", "status", "conclusion", "head_branch", "head_sha", "run_number")
    numbers = [{"number": run["pull"]}] if run["pull"] else []
    return {
        **{name: run[name] for name in (*names, "created_at", "updated_at")},
        "run_attempt": 1,
        "pull_requests": numbers,
        "html_url": f"{SITE}/{asked.repository.full_name}/actions/runs/{run['id']}",
    }
