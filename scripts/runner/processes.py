"""Starting and ending processes. Each belongs to a run by a token in its environment.

The token finds what left its process group or outlived its parent, also after this process was
killed: a process is only ever ended because it carries the token of a run that is over.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil

TOKEN = "GUIDE_RUN"
NOTHING: Mapping[str, str] = MappingProxyType({})
GRACE = 3.0
"""Seconds between asking a process to end and ending it."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its status (None after a timeout), what it printed, its process group.

    ``outlived``: a process of the group is still there.
    """

    status: int | None
    output: str
    seconds: float
    group: int
    outlived: bool


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    timeout: float,
    while_waiting: Callable[[], None] = lambda: None,
) -> Ended:
    """Run a command in its own session; after a timeout or an error its process group is ended.

    Standard output and error go to ``log``, not to a pipe: a child that outlives the command can
    then hold up nobody. ``while_waiting`` is called a few times a second and may raise.
    """
    started = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        status: int | None = None
        try:
            status = _wait(process, started + timeout, while_waiting)
        finally:
            if status is None:
                end_group(process.pid)
                process.wait()
    outlived = status is not None and outlives(process.pid)
    # Read after its helpers have ended too. Output that is not UTF-8 must not hide what else was printed.
    text = log.read_bytes().decode("utf-8", errors="backslashreplace")
    return Ended(status, text, time.monotonic() - started, process.pid, outlived)


def _wait(process: subprocess.Popen[bytes], deadline: float, while_waiting: Callable[[], None]) -> int | None:
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(min(left, 0.25))
        while_waiting()
    return None


def group_alive(group: int) -> bool:
    """Whether a process group still has a member."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def outlives(group: int, patience: float = 1.0) -> bool:
    """Whether a group still lives a little after its command ended: helpers may be about to end."""
    deadline = time.monotonic() + patience
    while group_alive(group) and not all_zombies(group):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.02)
    return False


def end_group(group: int) -> None:
    """Ask every process of a group to end, then end it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            if not group_alive(group) or all_zombies(group):
                return
            time.sleep(0.02)


def all_zombies(group: int) -> bool:
    """Whether the group's members have ended and only wait for their parent to notice."""
    for process in psutil.process_iter(["pid", "status"]):
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                return False
    return True


def belonging_to(token: str, name: str = TOKEN, also: Mapping[str, str] = NOTHING) -> Iterator[psutil.Process]:
    """Living processes that carry the token of a run, and the variables in ``also`` with it."""
    carried = {name: token, **also}.items()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if carried <= process.environ().items():
                yield process


def describe(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return f"{' '.join(process.cmdline())[:60] or process.name()} (process {process.pid})"
    return f"process {process.pid}"


def end_all(token: str, name: str = TOKEN, also: Mapping[str, str] = NOTHING) -> list[str]:
    """End every process of a run; says which they were. ``name`` is where they carry the token."""
    found = list(belonging_to(token, name, also))
    told = [describe(process) for process in found]
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in found:
            with contextlib.suppress(psutil.Error):
                end(process)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline and not all(ended(process) for process in found):
            time.sleep(0.02)
        found = [process for process in found if not ended(process)]
    return told


def ended(process: psutil.Process) -> bool:
    """Whether a process has ended, noticed by its parent or not."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
