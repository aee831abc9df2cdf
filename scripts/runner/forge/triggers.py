"""From what happened to a repository to the runs that it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import act
from .ci import CI, Task, keep
from .repository import NOTHING, Repository
from .store import Thing
from .workflows import Event, Workflow, WorkflowError, read, skipped


class Triggers:
    """Starts the workflows that an event fits. What a run does with its own token must not come here."""

    def __init__(self, ci: CI) -> None:
        self._ci = ci

    def push(self, repository: Repository, branch: str, old: str, new: str) -> None:
        """A branch was made or moved; one that was deleted starts nothing."""
        if new == NOTHING or skipped(repository.message(new)):
            return
        ref = f"refs/heads/{branch}"
        self._start(
            repository,
            Event("push", branch, repository.changed_by_push(branch, old, new)),
            {"ref": ref, "before": old, "after": new, "created": old == NOTHING, "deleted": False},
            commit=new,
            ref=ref,
            head=(branch, new),
        )

    def pull(self, repository: Repository, issue: Thing, action: str) -> None:
        """Something was done with a pull request: what runs is the merge that it would make."""
        pull, number = issue["pull"], issue["id"]
        if skipped(repository.message(pull["head_sha"])):
            return
        base = pull["base_sha"] if pull["merged"] else repository.branches().get(pull["base"], NOTHING)
        if base == NOTHING:
            return
        commit, ref = pull["merge_commit_sha"] if pull["merged"] else None, f"refs/pull/{number}/merge"
        if commit is None:
            text = f"Merge {pull['head_sha']} into {base}"
            commit = repository.merge(base, pull["head_sha"], text)
            repository.move(ref, commit)
        self._start(
            repository,
            Event(
                "pull_request",
                pull["base"],
                repository.changed(repository.meeting(base, pull["head_sha"]), pull["head_sha"]),
                action,
            ),
            {"action": action, "number": number, "pull_request": payload(repository, issue, base)},
            commit=commit or pull["head_sha"],
            ref=ref,
            head=(pull["head"], pull["head_sha"]),
            problem=""
            if commit
            else f"pull request {number} cannot be merged: its branch {pull['head']} conflicts with {pull['base']}",
            number=number,
        )

    def _start(
        self,
        repository: Repository,
        event: Event,
        payload: Mapping[str, Any],
        *,
        commit: str,
        ref: str,
        head: tuple[str, str],
        problem: str = "",
        number: int | None = None,
    ) -> None:
        for path, text in repository.workflows(commit).items():
            workflow, wrong = Workflow(path, path, {}, {}, None), problem
            try:
                workflow = read(path, text)
                if not workflow.starts(event):
                    continue
            except WorkflowError as error:
                wrong = str(error)
            store = repository.store
            run = store.add(
                "runs",
                name=workflow.name,
                path=path,
                event=event.name,
                status="queued",
                conclusion=None,
                head_branch=head[0],
                head_sha=head[1],
                run_number=1 + sum(one["path"] == path for one in store.all("runs")),
                pull=number,
                jobs=act.planned(workflow),
            )
            if wrong:
                keep(repository, run["id"], act.outcome(f"Error: {wrong}\n", workflow, "failure", ()))
                continue
            told = {**payload, "repository": about(repository), "sender": {"login": repository.owner}}
            self._ci.add(Task(repository, run["id"], workflow, event.name, told, commit, ref))


def about(repository: Repository) -> dict[str, Any]:
    """A repository, as events and the API tell of it."""
    return {
        "name": repository.name,
        "full_name": repository.full_name,
        "owner": {"login": repository.owner},
        "private": False,
        "html_url": f"https://github.com/{repository.full_name}",
        "clone_url": f"https://github.com/{repository.full_name}.git",
        "default_branch": repository.default_branch,
    }


def payload(repository: Repository, issue: Thing, base: str) -> dict[str, Any]:
    """A pull request, as events tell of it."""
    pull, repo = issue["pull"], about(repository)
    return {
        "number": issue["id"],
        "state": issue["state"],
        "title": issue["title"],
        "body": issue["body"],
        "merged": pull["merged"],
        "html_url": f"https://github.com/{repository.full_name}/pull/{issue['id']}",
        "user": {"login": issue["user"]},
        "head": {"ref": pull["head"], "sha": pull["head_sha"], "repo": repo},
        "base": {"ref": pull["base"], "sha": base, "repo": repo},
    }
