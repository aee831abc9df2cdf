"""A reader with a project at the stand-in for a forge, for the tests of what the forge does with it."""

from __future__ import annotations

import http.client
import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from scripts.runner import processes
from scripts.runner.directory import RunDirectory
from scripts.runner.forge import HOST, Forge

NAME = "reader/planets"
SITE = f"https://{HOST}/{NAME}"
CHECKOUT = "- uses: actions/checkout@v4"


def workflow(*steps: str, on: str = "push", top: str = "", job: str = "test") -> str:
    """A workflow of one job; each step is a command, or YAML that begins with a dash."""
    shown = [dedent(one) if one.startswith("- ") else f"- run: |\n{indent(dedent(one), '    ')}" for one in steps]
    listed = indent("\n".join(shown), " " * 6)
    return f"on: {on}\n{dedent(top)}\njobs:\n  {job}:\n    runs-on: ubuntu-latest\n    steps:\n{listed}\n"


def until_there(file: Path) -> str:
    """A command for a step that waits until a test makes a file."""
    return f"until [ -e '{file}' ]; do sleep 0.02; done"


@dataclass
class Reader:
    """Works in ``project``, a repository whose origin is at the forge."""

    run: RunDirectory
    forge: Forge

    def begin(self, **workflows: str) -> None:
        """Make the project, with workflows by their names, and push it."""
        self.run.work.joinpath("project").mkdir()
        self.bash(f"git init --quiet --initial-branch=main; git remote add origin {SITE}.git")
        self.push("first", **workflows)

    def write(self, **workflows: str) -> None:
        folder = self.run.work / "project/.github/workflows"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in workflows.items():
            (folder / f"{name}.yml").write_text(text)

    def push(self, message: str, branch: str = "main", commands: str = "", **workflows: str) -> str:
        """Commit after some commands, and push to a branch, made if need be. Returns the commit."""
        self.write(**workflows)
        self.bash(f"git switch --quiet {branch} 2>/dev/null || git switch --quiet --create {branch}\n{commands}")
        self.bash(f"git add .; git commit --quiet --allow-empty -m '{message}'; git push --quiet origin {branch}")
        return self.bash("git rev-parse HEAD").strip()

    def attempt(self, commands: str) -> tuple[int | None, str]:
        """Status and output of commands in the project."""
        ended = processes.run(
            ["bash", "-ec", commands],
            cwd=self.run.work / "project",
            env={**self.run.environment(), **self.forge.environment},
            log=self.run.log / "x",
            timeout=30,
        )
        return ended.status, ended.output

    def bash(self, commands: str) -> str:
        status, output = self.attempt(commands)
        assert status == 0, output
        return output

    # ------------------------------------------------------------ the API

    def ask(self, method: str, path: str, token: str = "", **body: Any) -> tuple[int, Any]:
        """Status and content of the forge's answer to a request below the repository."""
        connection = Socket(str(self.forge.environment["FORGE_API"]))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, f"/repos/{NAME}{path}", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content) if content else None

    def get(self, path: str) -> Any:
        status, content = self.ask("GET", path)
        assert status == 200, content
        return content

    def post(self, path: str, **body: Any) -> Any:
        status, content = self.ask("POST", path, **body)
        assert status == 201, content
        return content

    def pull(self, branch: str, **more: str) -> int:
        return int(self.post("/pulls", title=branch, head=branch, base="main", **more)["number"])

    def runs(self, query: str = "") -> list[dict[str, Any]]:
        """The runs once all have ended, the oldest first."""
        assert self.forge.ci.settle(30)
        assert self.forge.problem == ""
        return list(reversed(self.get(f"/actions/runs{query}")["workflow_runs"]))

    def conclusions(self) -> list[tuple[str, str]]:
        return [(one["event"], one["conclusion"]) for one in self.runs()]

    # ------------------------------------------------------------ what is kept

    @property
    def kept(self) -> Path:
        return self.forge.repositories / f"{NAME}.state"

    def log(self, number: int = 1) -> str:
        assert self.forge.ci.settle(30)
        return (self.kept / f"runs/{number}/log.txt").read_text()

    def said(self, number: int = 1) -> list[str]:
        """What the steps of a run have printed, without the names before it."""
        return re.findall(r"^[^\t]*\t[^\t]*\t(.*)$", self.log(number), re.M)

    def secrets(self, **values: str) -> None:
        self.kept.mkdir(parents=True, exist_ok=True)
        (self.kept / "secrets.json").write_text(json.dumps(values))


class Socket(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self._path)
