"""When a workflow starts, and what its file says of a run: GitHub's rules for ``.github/workflows/*.yml``.

Pure: texts and names in, decisions out. act, which does the steps, knows nothing of filters and permissions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

FOLDER = ".github/workflows/"
TYPES = ("opened", "synchronize", "reopened")
"""Activities of a pull request that start a workflow which names none."""
SKIP = re.compile(r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]", re.IGNORECASE)
CHECKOUT = "actions/checkout@"


class Loader(yaml.SafeLoader):
    """Takes ``on``, ``off`` and ``no`` for words, as GitHub does. YAML 1.1 takes them for truth values."""


BOOL = "tag:yaml.org,2002:bool"
Loader.yaml_implicit_resolvers = {
    first: [(tag, words) for tag, words in known if tag != BOOL]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(BOOL, re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF"))


class WorkflowError(Exception):
    """A workflow that GitHub would not take. Says where and why."""


@dataclass(frozen=True)
class Event:
    """What happened. ``branch`` is the one pushed to, or the one that a pull request is for."""

    name: str
    branch: str
    changed: Sequence[str] = ()
    action: str = ""


@dataclass(frozen=True)
class Use:
    """An action that a workflow uses, and where it says so."""

    what: str
    place: str


@dataclass(frozen=True)
class Workflow:
    """One file: ``on`` has the filters of each event."""

    path: str
    name: str
    on: Mapping[str, Mapping[str, Any]]
    jobs: Mapping[str, Mapping[str, Any]]
    permissions: Any

    def starts(self, event: Event) -> bool:
        """Whether the event starts it."""
        if event.name not in self.on:
            return False
        filters = self.on[event.name]
        if event.name == "push" and not filters.keys() & {"branches", "branches-ignore"} and only_tags(filters):
            return False
        if event.name == "pull_request" and event.action not in listed(filters.get("types", TYPES)):
            return False
        return self._lets_through(filters, "branches", [event.branch]) and self._lets_through(
            filters, "paths", event.changed
        )

    def _lets_through(self, filters: Mapping[str, Any], what: str, names: Sequence[str]) -> bool:
        """One name that fits is enough; for those to ignore, one that does not."""
        wanted, ignored = filters.get(what), filters.get(f"{what}-ignore")
        if wanted is not None and ignored is not None:
            raise WorkflowError(f"{self.path}: {what} and {what}-ignore cannot both be given: use ! in {what}")
        try:
            if wanted is not None:
                return any(fits(name, listed(wanted)) for name in names)
            if ignored is not None:
                return any(not fits(name, listed(ignored)) for name in names)
        except re.error as error:
            raise WorkflowError(f"{self.path}: a pattern of {what} cannot be read: {error}") from error
        return True

    @property
    def writes(self) -> frozenset[str]:
        """What the token of a run may write: all that one of the jobs may. ``*`` is everything.

        Without ``permissions`` a token only reads, which is GitHub's default for new repositories.
        """
        return frozenset(
            name for job in self.jobs.values() for name in written(job.get("permissions", self.permissions))
        )

    def steps(self) -> Iterator[Mapping[str, Any]]:
        for job in self.jobs.values():
            yield from steps_of(job)

    def _given(self, name: str, default: str) -> list[str]:
        """What the checkouts of all jobs give for an input."""
        used = (step for step in self.steps() if str(step.get("uses", "")).startswith(CHECKOUT))
        return [str((step.get("with") or {}).get(name, default)) for step in used]

    @property
    def depth(self) -> int:
        """How many commits the deepest checkout asks for; 0 is the whole history. actions/checkout takes 1."""
        asked = [int(word) if word.isdigit() else 0 for word in self._given("fetch-depth", "1")]
        return 0 if 0 in asked else max(asked, default=1)

    @property
    def credentials(self) -> bool:
        """Whether a checkout leaves the token for Git, as actions/checkout does unless told otherwise."""
        return any(word.lower() != "false" for word in self._given("persist-credentials", "true"))


def read(path: str, text: str) -> Workflow:
    """A workflow from its file. Raises WorkflowError."""
    try:
        content = yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise WorkflowError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise WorkflowError(f"{path}: is no mapping")
    on, jobs = content.get("on"), content.get("jobs")
    if on is None:
        raise WorkflowError(f"{path}: has no on")
    if not isinstance(jobs, dict) or not all(isinstance(job, dict) for job in jobs.values()) or not jobs:
        raise WorkflowError(f"{path}: has no jobs")
    if not isinstance(on, dict):
        on = dict.fromkeys(listed(on))
    return Workflow(
        path=path,
        name=str(content.get("name") or path),
        on={str(name): filters if isinstance(filters, dict) else {} for name, filters in on.items()},
        jobs={str(name): job for name, job in jobs.items()},
        permissions=content.get("permissions"),
    )


def uses(path: str, text: str) -> list[Use]:
    """What a workflow or a composite action uses, with the lines."""

    def walk(node: yaml.Node | None) -> Iterator[Use]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == "uses" and isinstance(value, yaml.ScalarNode):
                    yield Use(value.value, f"{path}:{value.start_mark.line + 1}")
                else:
                    yield from walk(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from walk(value)

    return list(walk(yaml.compose(text, Loader=Loader)))


def steps_of(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    steps = job.get("steps")
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def skipped(message: str) -> bool:
    """Whether a commit's message asks to start nothing."""
    return bool(SKIP.search(message))


def written(permissions: Any) -> Iterable[str]:
    if permissions == "write-all":
        return ["*"]
    if not isinstance(permissions, dict):
        return []
    return [str(name) for name, access in permissions.items() if access == "write"]


def only_tags(filters: Mapping[str, Any]) -> bool:
    """A push with filters for tags alone is not for branches."""
    return bool(filters.keys() & {"tags", "tags-ignore"})


def listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Whether patterns take a name: the last one that matches decides, and ``!`` before it says no."""
    taken = False
    for one in patterns:
        if pattern(one.removeprefix("!")).fullmatch(name):
            taken = not one.startswith("!")
    return taken


def pattern(text: str) -> re.Pattern[str]:
    """GitHub's patterns: ``*`` is any text without a slash, ``**`` any text, ``**/`` also no folder at all.

    ``?`` and ``+`` are not those of a shell: they repeat the character before them, zero or one times, one or more.
    ``[abc]`` is one of these, and a backslash takes the next character as it is.
    """
    found = ""
    for part in re.findall(r"(?:^|(?<=/))\*\*/|\*\*|\\.|\[[^]]+\]|.", text, re.DOTALL):
        match part:
            case "**/":
                found += "(?:.*/)?"
            case "**":
                found += ".*"
            case "*":
                found += "[^/]*"
            case "?" | "+":
                found += part
            case _ if part.startswith("[") and len(part) > 1:
                found += part
            case _:
                found += re.escape(part.removeprefix("\\") or part)
    return re.compile(found)
