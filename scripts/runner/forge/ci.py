"""How a run of a workflow goes: in the background, one after the other, each from a fresh clone of its commit."""

from __future__ import annotations

import base64
import json
import re
import secrets
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import environment, processes
from ..directory import remove
from . import act
from .repository import Repository, git
from .uses import local_repositories
from .workflows import Workflow, WorkflowError

TOKEN = "GUIDE_JOB"
"""Where processes of one run carry its token, beside that of the whole run of the guide."""
LIMIT = 1800.0
"""Seconds that a workflow may take."""
RUNNER = "/home/runner"
"""The home of a job at GitHub, as logs show it."""
WORKSPACES = f"{RUNNER}/work"
"""Where GitHub checks out, in a folder of the repository's name twice."""
GIT_CONFIG = """\
[include]
\tpath = {led}
[http "https://github.com/"]
\textraheader = X-Forge-Run: {run}
"""
PIPED = """\
[ -t 1 ] || exec "$real" "$@"
pipe=$(mktemp -u) && mkfifo "$pipe" || exit
cat <"$pipe" &
"$real" "$@" </dev/null >"$pipe" 2>&1
status=$?
rm -f "$pipe"
# What has been written is shown; what goes on in the background is not waited for.
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 $! 2>/dev/null || break; sleep 0.02; done
exit $status
"""


class Stopped(Exception):
    """The forge ends while a workflow runs."""


@dataclass(frozen=True)
class Grant:
    """What the token of a run is good for."""

    repository: str
    writes: frozenset[str]

    def allows(self, repository: str, *names: str) -> bool:
        """Whether it may write one of what is named."""
        return self.repository == repository and not self.writes.isdisjoint({"*", *names})


@dataclass(frozen=True)
class Task:
    """A run that waits for its turn. ``commit`` is checked out as the branch or ref that ``ref`` names."""

    repository: Repository
    run: int
    workflow: Workflow
    event: str
    payload: Mapping[str, Any]
    commit: str
    ref: str


class CI:
    """Does the runs of all repositories.

    ``surroundings`` gives what jobs find of the other stand-ins, ``lock`` is the forge's, ``report`` takes what keeps
    the runs from going well, and ``tokens`` are those of the runs under way.
    """

    def __init__(
        self,
        state: Path,
        lock: threading.RLock,
        surroundings: Callable[[], Mapping[str, str]],
        report: Callable[[str], None],
    ) -> None:
        self._state, self._lock, self._surroundings, self._report = state, lock, surroundings, report
        self.tokens: dict[str, Grant] = {}
        self._waiting = deque[Task]()
        self._busy = False
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End what runs, with all its processes, and forget what waits."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def settle(self, timeout: float = LIMIT) -> bool:
        """Wait until nothing runs or waits. False when that takes too long."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._busy or self._waiting:
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    return False
        return True

    def add(self, task: Task) -> None:
        with self._changed:
            self._waiting.append(task)
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping.is_set():
                    self._changed.wait()
                if not self._waiting:
                    return
                task, self._busy = self._waiting.popleft(), True
            try:
                self._do(task)
            except Exception as error:  # the next one has its turn all the same
                self._report(f"run {task.run}: {type(error).__name__}: {error}")
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _do(self, task: Task) -> None:
        """One run, from its beginning to what is kept of it."""
        place = self._state / "ci" / f"{task.repository.name}-{task.run}"
        token = secrets.token_hex(20)
        hidden = [token]
        log = self._state / "ci" / f"{place.name}.json"
        how = "failure"
        try:
            if self._stopping.is_set():
                raise Stopped
            hidden += task.repository.store.secrets().values()
            with self._lock:
                task.repository.store.update("runs", task.run, status="in_progress")
                self.tokens[token] = Grant(task.repository.full_name, task.workflow.writes)
            remove(place)
            for name in ("home", "tmp", "bin"):
                (place / name).mkdir(parents=True)
            log.write_text("")
            how = self._execute(task, place, token, log)
            printed = log.read_text(errors="backslashreplace")
        except Stopped:
            how = "cancelled"
            printed = (log.read_text(errors="backslashreplace") if log.exists() else "") + "The run was cancelled.\n"
        except WorkflowError as error:
            printed = f"Error: {error}\n"
        except Exception as error:  # whatever it is, whoever waits for this run must learn of it
            printed = f"Error: {type(error).__name__}: {error}\n"
        finally:
            with self._lock:
                self.tokens.pop(token, None)
        found = act.outcome(printed, task.workflow, how, hidden)
        with self._lock:
            keep(task.repository, task.run, found, lambda text: as_at_github(text, place, task.repository.name))
        remove(place)
        log.unlink(missing_ok=True)

    def _execute(self, task: Task, place: Path, token: str, log: Path) -> str:
        """Do the steps; says whether that was a success or a failure."""
        repository, clone = task.repository, place / "clone"
        fetch(repository, clone, task)
        actions = local_repositories(clone, task.workflow.path)
        variables = repository.store.read()["variables"]
        given = {
            "event": task.payload,
            "secrets": {"GITHUB_TOKEN": token, **repository.store.secrets()},
            "vars": {name: one["value"] for name, one in variables.items()},
        }
        for name, content in given.items():  # YAML, of which JSON is a part: values may have several lines
            (place / f"{name}.yml").write_text(json.dumps(content))
        number = (repository.store.get("runs", task.run) or {})["run_number"]
        command = act.command(
            task.event,
            task.workflow.path,
            eventpath=str(place / "event.yml"),
            secret_file=str(place / "secrets.yml"),
            var_file=str(place / "vars.yml"),
            actor=repository.owner,
            defaultbranch=repository.default_branch,
            local_repository=actions,
            env=[
                f"GITHUB_REPOSITORY={repository.full_name}",
                f"GITHUB_REPOSITORY_OWNER={repository.owner}",
                f"GITHUB_RUN_ID={task.run}",
                f"GITHUB_RUN_NUMBER={number}",
            ],
        )
        job = secrets.token_hex(16)
        try:
            ended = processes.run(
                command,
                cwd=clone,
                env={**self._environment(task, place, token), TOKEN: job},
                log=log,
                timeout=LIMIT,
                while_waiting=self._go_on,
            )
        finally:
            processes.end_all(job, TOKEN)  # steps have process groups of their own
        if ended.status is None:
            with log.open("a") as more:
                more.write(f"\nError: did not end within {LIMIT:.0f} s\n")
            return "cancelled"
        return "failure" if ended.status else "success"

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise Stopped

    def _environment(self, task: Task, place: Path, token: str) -> dict[str, str]:
        """What jobs find: a machine with tools, that knows nobody."""
        environment.link_tools(place / "bin")
        without_terminal(place / "bin")
        config = GIT_CONFIG.format(led=self._state / "forge.gitconfig", run=task.run)
        if task.workflow.credentials:
            who = base64.b64encode(f"x-access-token:{token}".encode()).decode()
            config += f"\textraheader = AUTHORIZATION: basic {who}\n"
        (place / "home" / ".gitconfig").write_text(config)
        around = dict(self._surroundings())
        socket, belongs_to = around.pop("FORGE_API", ""), around.pop(processes.TOKEN, "")
        gh = place / "gh"
        gh.mkdir()
        (gh / "config.yml").write_text(f'version: "1"\nhttp_unix_socket: {socket}\nprompt: disabled\n')
        return {
            **environment.build(place, processes.TOKEN, belongs_to),
            **around,
            "USER": "runner",
            "GIT_PAGER": "cat",
            "GH_CONFIG_DIR": str(gh),
            "GH_NO_UPDATE_NOTIFIER": "1",
            "FORGE_RUNS": str(task.repository.store.folder / "runs"),
        }


def keep(repository: Repository, run: int, found: act.Outcome, shown: Callable[[str], str] = lambda text: text) -> None:
    """Note how a run ended."""
    folder = repository.store.of_run(run)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log.txt").write_text(shown(found.log))
    (folder / "summary.md").write_text(shown(found.summary))
    repository.store.update("runs", run, **act.status(found.conclusion), jobs=found.jobs)


def fetch(repository: Repository, clone: Path, task: Task) -> None:
    """What actions/checkout gives a job: the commit, and as much of its history as the workflow asks for."""
    here = ("-C", str(clone))
    git("init", "--quiet", str(clone))

    def get(*options: str) -> None:
        # A commit that its branch has left meanwhile may be asked for by version 2 of the protocol alone.
        source = f"file://{repository.place}"
        git(*here, "-c", "protocol.version=2", "fetch", "--quiet", "--no-tags", options[0], source, *options[1:])

    branch = task.ref.removeprefix("refs/heads/")
    known_as = f"origin/{branch}" if branch != task.ref else task.ref.removeprefix("refs/")
    if not task.workflow.depth:
        get("--force", "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    depth = f"--depth={task.workflow.depth}" if task.workflow.depth else "--force"
    get(depth, f"+{task.commit}:refs/remotes/{known_as}")
    where = ["-B", branch] if branch != task.ref else ["--detach"]
    git(*here, "checkout", "--quiet", *where, task.commit)
    git(*here, "remote", "add", "origin", f"https://github.com/{repository.full_name}.git")


def without_terminal(bin: Path) -> None:
    """Let steps write to a pipe, as at GitHub: act gives them a terminal, where tools ask, page and draw."""
    bash = bin / "bash"
    real = bash.resolve()
    bash.unlink()
    bash.write_text(f"#!{real}\nreal={shlex.quote(str(real))}\n{PIPED}")
    bash.chmod(0o755)


def as_at_github(text: str, place: Path, name: str) -> str:
    """A log without the places of this machine."""
    home = re.escape(str(place / "home"))
    work = f"{WORKSPACES}/{name}/{name}"
    text = re.sub(rf"{home}/\.cache/act/[0-9a-f]+/hostexecutor", work, text)
    return re.sub(rf"{home}(?=/|\b)", RUNNER, text).replace(str(place), WORKSPACES)
