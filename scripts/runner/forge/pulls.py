"""Pull requests: how they begin, follow their branches, and end."""

from __future__ import annotations

import re
from typing import Any

from . import rules
from .repository import NOTHING, Repository
from .store import Thing, now
from .triggers import Triggers

CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? +#(\d+)\b", re.IGNORECASE)


class Refused(Exception):
    """What cannot be done with a pull request: a status of HTTP and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Pulls:
    """Works on the pull requests of any repository. ``quiet`` is for what a run does: it starts nothing."""

    def __init__(self, triggers: Triggers) -> None:
        self._triggers = triggers

    def open(
        self, repository: Repository, title: str, head: str, base: str, body: str, user: str, *, quiet: bool
    ) -> Thing:
        head = head.removeprefix(f"{repository.owner}:")
        branches = repository.branches()
        for name, branch in (("head", head), ("base", base)):
            if branch not in branches:
                raise Refused(422, f"Validation Failed: {name} is invalid, there is no branch {branch}")
        if repository.contains(branches[base], branches[head]):
            raise Refused(422, f"Validation Failed: No commits between {base} and {head}")
        for one in self._open(repository):
            if (one["pull"]["head"], one["pull"]["base"]) == (head, base):
                raise Refused(422, f"Validation Failed: A pull request already exists for {repository.owner}:{head}.")
        issue = repository.store.add(
            "issues",
            title=title,
            body=body,
            state="open",
            user=user,
            pull={
                "head": head,
                "head_sha": branches[head],
                "base": base,
                "base_sha": branches[base],
                "merged": False,
                "merge_commit_sha": None,
            },
        )
        self._announce(repository, issue, "opened", quiet=quiet)
        return issue

    def pushed(self, repository: Repository, branch: str, new: str, *, quiet: bool) -> None:
        """A branch was pushed: open pull requests from it follow, and those that it now has in it are merged."""
        for issue in self._open(repository):
            pull = issue["pull"]
            if pull["head"] == branch and new == NOTHING:
                self.close(repository, issue, quiet=quiet)
            elif pull["head"] == branch:
                self._announce(repository, self._change(repository, issue, head_sha=new), "synchronize", quiet=quiet)
            elif pull["base"] == branch and new != NOTHING and repository.contains(new, pull["head_sha"]):
                self._merged(repository, issue, new, quiet=quiet)

    def close(self, repository: Repository, issue: Thing, *, quiet: bool) -> Thing:
        closed = repository.store.update("issues", issue["id"], state="closed", closed_at=now())
        self._announce(repository, closed, "closed", quiet=quiet)
        return closed

    def reopen(self, repository: Repository, issue: Thing, *, quiet: bool) -> Thing:
        head = repository.branches().get(issue["pull"]["head"])
        if head is None or issue["pull"]["merged"]:
            raise Refused(422, "Validation Failed: state cannot be changed")
        opened = repository.store.update("issues", issue["id"], state="open", closed_at=None)
        opened = self._change(repository, opened, head_sha=head)
        self._announce(repository, opened, "reopened", quiet=quiet)
        return opened

    def merge(self, repository: Repository, issue: Thing, asked: dict[str, Any], *, quiet: bool) -> str:
        """Make the merge commit on the base branch, unless something speaks against it. Returns the commit."""
        pull, number = issue["pull"], issue["id"]
        if asked.get("merge_method", "merge") != "merge":
            raise Refused(422, f"merge_method {asked['merge_method']} is not known here: merge is")
        if issue["state"] != "open":
            raise Refused(405, "Pull Request is not mergeable")
        if asked.get("sha", pull["head_sha"]) != pull["head_sha"]:
            raise Refused(409, "Head branch was modified. Review and try the merge again.")
        if found := rules.violations(repository, pull["base"], pull["head_sha"], pushed=False):
            raise Refused(405, "Repository rule violations found\n\n" + "\n".join(found))
        title = asked.get("commit_title") or f"Merge pull request #{number} from {repository.owner}/{pull['head']}"
        old = repository.branches()[pull["base"]]
        commit = repository.merge(old, pull["head_sha"], f"{title}\n\n{asked.get('commit_message') or issue['title']}")
        if commit is None:
            raise Refused(405, "Pull Request is not mergeable")
        repository.move(f"refs/heads/{pull['base']}", commit)
        self._merged(repository, self._change(repository, issue, base_sha=old), commit, quiet=quiet)
        self.pushed(repository, pull["base"], commit, quiet=quiet)
        if not quiet:
            self._triggers.push(repository, pull["base"], old, commit)
        return commit

    def mergeable(self, repository: Repository, issue: Thing) -> bool:
        pull = issue["pull"]
        base = repository.branches().get(pull["base"])
        return base is not None and repository.merge(base, pull["head_sha"], "whether it can be done") is not None

    def _merged(self, repository: Repository, issue: Thing, commit: str, *, quiet: bool) -> None:
        issue = self._change(repository, issue, merged=True, merge_commit_sha=commit, merged_at=now())
        if issue["pull"]["base"] == repository.default_branch:
            for number in map(int, CLOSES.findall(issue["body"] or "")):
                other = repository.store.get("issues", number)
                if other and not other["pull"]:
                    repository.store.update("issues", number, state="closed", closed_at=now())
        self.close(repository, issue, quiet=quiet)

    @staticmethod
    def _open(repository: Repository) -> list[Thing]:
        return [one for one in repository.store.all("issues") if one["pull"] and one["state"] == "open"]

    @staticmethod
    def _change(repository: Repository, issue: Thing, **content: Any) -> Thing:
        return repository.store.update("issues", issue["id"], pull={**issue["pull"], **content})

    def _announce(self, repository: Repository, issue: Thing, action: str, *, quiet: bool) -> None:
        repository.move(f"refs/pull/{issue['id']}/head", issue["pull"]["head_sha"])
        if not quiet:
            self._triggers.pull(repository, issue, action)
