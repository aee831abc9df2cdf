"""A bare repository of the forge: what Git itself answers about it, and merges made in it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..directory import remove
from .store import Store
from .workflows import FOLDER

NOTHING = "0" * 40
"""What Git gives in place of a commit before a branch is made and after it is deleted."""
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True)
class Repository:
    """One repository, with the state that the forge keeps beside it."""

    owner: str
    name: str
    place: Path

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @cached_property
    def store(self) -> Store:
        return Store(self.place.with_name(f"{self.name}.state"))

    def git(self, *arguments: str) -> str:
        return git("-C", str(self.place), *arguments)

    def exists(self) -> bool:
        return (self.place / "HEAD").exists()

    @property
    def default_branch(self) -> str:
        return self.git("symbolic-ref", "--short", "HEAD").strip()

    def branches(self) -> dict[str, str]:
        """The commit of each branch."""
        told = self.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.split(" ", 1) for line in told.splitlines())

    def message(self, commit: str) -> str:
        return self.git("log", "-1", "--format=%B", commit).strip()

    def contains(self, branch: str, commit: str) -> bool:
        """Whether a commit is part of another's history."""
        return git_status("-C", str(self.place), "merge-base", "--is-ancestor", commit, branch) == 0

    def changed(self, old: str, new: str) -> list[str]:
        """Files that differ between two commits."""
        return self.git("diff", "--name-only", "--no-renames", "-z", old, new).split("\0")[:-1]

    def changed_by_push(self, branch: str, old: str, new: str) -> list[str]:
        """Files that a push has changed; a new branch is compared with where it left the default branch."""
        if old == NOTHING:
            default = self.branches().get(self.default_branch)
            if default is None or branch == self.default_branch:
                return self.changed(EMPTY_TREE, new)
            old = self.meeting(default, new)
        return self.changed(old, new)

    def meeting(self, one: str, other: str) -> str:
        """The last commit that two have in common; the empty tree when there is none."""
        try:
            return self.git("merge-base", one, other).strip()
        except subprocess.CalledProcessError:
            return EMPTY_TREE

    def workflows(self, commit: str) -> dict[str, str]:
        """The workflow files of a commit."""
        names = self.git("ls-tree", "-z", "--name-only", commit, FOLDER).split("\0")[:-1]
        return {name: self.git("show", f"{commit}:{name}") for name in names if name.endswith((".yml", ".yaml"))}

    def merge(self, base: str, head: str, message: str) -> str | None:
        """Make the commit that merges ``head`` into ``base``; None when they conflict. No branch is moved.

        Its date follows from its parents', so that its hash is the same in every run.
        """
        dates = self.git("log", "--no-walk", "--format=%ct", base, head).split()
        date = f"@{max(map(int, dates)) + 1} +0000"
        who = {
            "GIT_AUTHOR_NAME": self.owner,
            "GIT_AUTHOR_EMAIL": f"{self.owner}@users.noreply.github.com",
            "GIT_COMMITTER_NAME": "GitHub",
            "GIT_COMMITTER_EMAIL": "noreply@github.com",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
        }
        folder = Path(tempfile.mkdtemp(prefix="merge-", dir=self.place.parent))
        try:
            self.git("worktree", "add", "--quiet", "--force", "--detach", str(folder), base)
            merged = git_status("-C", str(folder), "merge", "--quiet", "--no-ff", "-m", message, head, env=who)
            return git("-C", str(folder), "rev-parse", "HEAD").strip() if merged == 0 else None
        finally:
            remove(folder)
            self.git("worktree", "prune")

    def move(self, ref: str, new: str | None) -> None:
        """Let a ref name a commit, or take it away."""
        self.git("update-ref", *((ref, new) if new else ("-d", ref)))


def surroundings() -> dict[str, str]:
    """Git as on another machine: neither the user's settings nor the reader's."""
    return {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def git(*arguments: str, env: dict[str, str] | None = None) -> str:
    ended = subprocess.run(
        ["git", *arguments], env={**surroundings(), **(env or {})}, check=True, capture_output=True, text=True
    )
    return ended.stdout


def git_status(*arguments: str, env: dict[str, str] | None = None) -> int:
    command = ["git", *arguments]
    return subprocess.run(command, env={**surroundings(), **(env or {})}, check=False, capture_output=True).returncode
