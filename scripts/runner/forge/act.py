"""act, which does the steps of a workflow: how it is called, and what its lines of JSON mean."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..environment import find
from .workflows import Workflow, WorkflowError, steps_of

LABELS = ("ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04")
"""Machines that GitHub offers, and that this one is taken for."""
OTHER_MACHINE = "Skipping unsupported platform"
NOISE = ("LocalRepositoryCache", "Cleaning up container", "  ⚙  ::", "🧪")
"""What act says of itself, with places of this machine."""
SHORT = 4
"""Lines of a secret with fewer characters are not masked by themselves: "}" is not secret."""


def command(event: str, workflow: str, **options: Sequence[str] | str) -> list[str]:
    """The command for one workflow; act takes the working directory for the repository."""
    act = find("act")
    if act is None:
        raise WorkflowError("act is not there, which does the steps of workflows: python3 scripts/guide.py brings it")
    return [
        *(act, event, "--json", "--workflows", workflow, "--no-cache-server", "--use-gitignore=false"),
        # One after the other: the machine is one, and logs are the same each time.
        *("--concurrent-jobs", "1"),
        *(word for label in LABELS for word in ("--platform", f"{label}=-self-hosted")),
        *(
            word
            for name, values in options.items()
            for value in ([values] if isinstance(values, str) else values)
            for word in (f"--{name.replace('_', '-')}", value)
        ),
    ]


@dataclass
class Outcome:
    """What came of a workflow. ``jobs`` are as the API shows them."""

    conclusion: str
    jobs: list[dict[str, Any]] = field(default_factory=list)
    log: str = ""
    summary: str = ""


def planned(workflow: Workflow) -> list[dict[str, Any]]:
    """The jobs of a workflow before it has begun."""
    return [job(name, content) for name, content in workflow.jobs.items()]


def job(key: str, content: Mapping[str, Any], conclusion: str | None = None) -> dict[str, Any]:
    steps = [step(number, one, conclusion) for number, one in enumerate(steps_of(content), 1)]
    return {"name": str(content.get("name", key)), **status(conclusion), "steps": steps}


def step(number: int, content: Mapping[str, Any], conclusion: str | None) -> dict[str, Any]:
    return {"name": title(content), "number": number, **status(conclusion)}


def status(conclusion: str | None) -> dict[str, Any]:
    return {"status": "completed" if conclusion else "queued", "conclusion": conclusion}


def title(content: Mapping[str, Any]) -> str:
    """The name of a step, as GitHub shows one that has none."""
    does = str(content.get("run") or content.get("uses") or "").strip()
    return str(content.get("name") or f"Run {does.partition(chr(10))[0]}")


def outcome(printed: str, workflow: Workflow, ended: str, masked: Iterable[str]) -> Outcome:
    """What came of a workflow by what act printed. ``ended`` is how act ended: success, failure or cancelled."""
    reader = _Reader(workflow, sorted(lines_of(masked), key=len, reverse=True))
    for line in printed.splitlines():
        reader.line(line)
    jobs = reader.jobs(ended)
    results = {one["conclusion"] for one in jobs}
    conclusion = "failure" if "failure" in results and ended == "success" else ended
    if results == {"skipped"} and ended == "success":
        conclusion = "skipped"
    return Outcome(conclusion, jobs, reader.masked("".join(reader.log)), reader.masked("\n".join(reader.summary)))


def lines_of(secrets: Iterable[str]) -> set[str]:
    return {part for secret in secrets for part in (secret, *secret.splitlines()) if len(part) >= SHORT}


class _Reader:
    """Collects act's lines into jobs and their steps."""

    def __init__(self, workflow: Workflow, secrets: Sequence[str]) -> None:
        self.workflow, self._secrets = workflow, secrets
        self.log, self.summary = list[str](), list[str]()
        self._jobs: dict[tuple[str, str, str], dict[str, Any]] = {}

    def masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def line(self, line: str) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        if not isinstance(told, dict):  # what act says of itself
            if line.strip() and not line.startswith("Error: Job '"):
                self.log.append(f"{line}\n")
            return
        if "jobID" not in told:
            return
        job = self._job(told)
        words = str(told.get("msg", "")).rstrip("\n")
        within, stage = told.get("stepID") or [], told.get("stage", "Main")
        if OTHER_MACHINE in words:
            words = f"there is no such machine here: runs-on can be {' or '.join(LABELS)}"
            job["result"] = "failure"
        if told.get("command") == "summary":
            if len(within) == 1:  # else the composite action that the step is in tells it once more
                self.summary.append(str(told.get("content", "")))
            return
        if stage == "Main" and len(within) == 1 and (result := told.get("stepResult")):
            job["steps"][within[0]] = result
        if result := told.get("jobResult"):
            job["result"] = result
        if not told.get("raw_output"):
            inner = stage != "Main" or len(within) > 1
            if words.startswith(NOISE) or (inner and told.get("level") != "error" and "command" not in told):
                return
            words = words.partition("\n")[0]  # not once more what the step does
        name = str(told.get("step", "")).strip().partition("\n")[0]
        self.log.extend(f"{job['name']}\t{name}\t{one}\n" for one in words.splitlines())

    def _job(self, told: Mapping[str, Any]) -> dict[str, Any]:
        matrix, full = told.get("matrix") or {}, str(told.get("job", "")).strip()
        own = (f"{self.workflow.name}/", f"{Path(self.workflow.path).name}/")
        name = next((full.removeprefix(one) for one in own if full.startswith(one)), "")
        # The job of a workflow that this one calls is told as CALLER/FILE/JOB.
        caller = "" if name else full.partition("/")[0]
        key = (caller or str(told["jobID"]), full, json.dumps(matrix, sort_keys=True))
        if key not in self._jobs:
            written = str(self.workflow.jobs.get(key[0], {}).get("name", key[0]))
            if caller:
                name = f"{written} / {full.rpartition('/')[2]}"
            elif "${{" in written:
                name = name.rsplit("-", 1)[0] if matrix else name  # act adds a number
            else:
                name = written + (f" ({', '.join(map(str, matrix.values()))})" if matrix else "")
            self._jobs[key] = {"name": name, "steps": {}, "result": None}
        return self._jobs[key]

    def jobs(self, ended: str) -> list[dict[str, Any]]:
        """All jobs of the workflow: one that act has not begun was skipped, and so was such a step."""
        # When act has begun nothing at all, no job may count as skipped: that would be green.
        not_begun = "skipped" if self._jobs and ended != "cancelled" else ended
        done = list[dict[str, Any]]()
        for key, content in self.workflow.jobs.items():
            begun = [one for (name, *_), one in self._jobs.items() if name == key]
            if not begun:
                done.append(job(key, content, not_begun))
            for one in begun:
                steps = [
                    step(number, known, _result(one["steps"], str(known.get("id", number - 1)), known))
                    for number, known in enumerate(steps_of(content), 1)
                ]
                result = one["result"] or (ended if one["steps"] else not_begun)
                done.append({"name": one["name"], **status(result), "steps": steps})
        return done


def _result(results: Mapping[str, str], key: str, content: Mapping[str, Any]) -> str:
    result = results.get(key, "skipped")
    return "success" if result == "failure" and content.get("continue-on-error") is True else result
