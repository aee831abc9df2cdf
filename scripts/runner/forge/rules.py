"""Rulesets: what may not be done to a branch, and how Git is told so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .repository import NOTHING, Repository
from .workflows import fits, listed

KNOWN = ("pull_request", "required_status_checks")
GREEN = ("success", "skipped", "neutral")
DECLINED = "push declined due to repository rule violations"


@dataclass(frozen=True)
class Command:
    """What a push asks for one ref."""

    old: str
    new: str
    ref: str


def violations(repository: Repository, branch: str, commit: str, *, pushed: bool) -> list[str]:
    """What speaks against letting a branch name a commit. ``pushed``: directly, not by a pull request."""
    found = list[str]()
    for rule in active(repository, branch):
        given = rule.get("parameters") or {}
        if rule["type"] == "pull_request":
            if pushed:
                found.append("Changes must be made through a pull request.")
            elif given.get("required_approving_review_count"):
                found.append("At least 1 approving review is required by reviewers with write access.")
        else:
            asked = [str(one["context"]) for one in given.get("required_status_checks", ())]
            found += missing(checks(repository, commit), asked)
    return list(dict.fromkeys(found))


def active(repository: Repository, branch: str) -> Iterator[dict[str, Any]]:
    """The rules that hold for a branch."""
    for ruleset in repository.store.all("rulesets"):
        names = (ruleset.get("conditions") or {}).get("ref_name") or {}
        covers = (
            ruleset.get("enforcement", "active") == "active"
            and covered(repository, branch, names.get("include", ()))
            and not covered(repository, branch, names.get("exclude", ()))
        )
        if covers:
            yield from ruleset["rules"]


def covered(repository: Repository, branch: str, patterns: Sequence[str]) -> bool:
    for one in listed(patterns):
        if one == "~ALL" or (one == "~DEFAULT_BRANCH" and branch == repository.default_branch):
            return True
        if fits(f"refs/heads/{branch}", [one]):
            return True
    return False


def checks(repository: Repository, commit: str) -> dict[str, str]:
    """What the jobs for a commit came to, by their names; of several the last one counts."""
    return {
        job["name"]: job["conclusion"] or ""
        for run in repository.store.all("runs")
        if run["head_sha"] == commit
        for job in run["jobs"]
    }


def missing(done: dict[str, str], asked: Sequence[str]) -> list[str]:
    """What is told of checks that are asked for and not green."""
    not_green = [name for name in asked if done.get(name) not in GREEN]
    if len(not_green) > 1 and not any(name in done for name in not_green):
        return [f"{len(not_green)} of {len(asked)} required status checks are expected."]
    return [f'Required status check "{name}" is {state_of(done.get(name))}.' for name in not_green]


def state_of(conclusion: str | None) -> str:
    return "expected" if conclusion is None else "failing" if conclusion else "in progress"


def refusal(repository: Repository, body: bytes) -> bytes | None:
    """The answer to a push that a rule forbids, as Git's protocol has it; None when it may go on.

    Done here, not in a hook: only so does Git print GitHub's reason in place of "hook declined".
    """
    asked = commands(body)
    lines = list[str]()
    for one in asked:
        branch = one.ref.removeprefix("refs/heads/")
        if branch == one.ref or one.old == NOTHING:  # rules are for branches, and they let one begin
            continue
        if found := violations(repository, branch, one.new, pushed=True):
            place = f"https://github.com/{repository.full_name}/rules?ref={quote(one.ref, safe='')}"
            lines += [
                f"error: GH013: Repository rule violations found for {one.ref}.",
                f"Review all repository rules at {place}",
                "",
                *(line for told in found for line in (f"- {told}", "")),
            ]
    if not lines:
        return None
    told = packet(b"\x02" + "".join(f"{line}\n" for line in lines).encode())
    report = packet(b"unpack ok\n") + b"".join(packet(f"ng {one.ref} {DECLINED}\n".encode()) for one in asked)
    return told + packet(b"\x01" + report + b"0000") + b"0000"


def commands(body: bytes) -> list[Command]:
    """What a push asks for: the lines before its objects."""
    found = list[Command]()
    while len(body) >= 4 and (size := int(body[:4], 16)):
        line = body[4:size].split(b"\0")[0].decode().strip()
        if not line.startswith("shallow "):  # the edge of a clone without its whole history
            found.append(Command(*line.split(" ", 2)))
        body = body[size:]
    return found


def packet(content: bytes) -> bytes:
    return f"{len(content) + 4:04x}".encode() + content
