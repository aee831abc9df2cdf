"""Servers that a page starts: awaited until they answer, watched while they are needed."""

from __future__ import annotations

import fcntl
import http.client
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from . import processes
from .directory import RunError

TAIL = 20
POLL = 0.1
WAIT_FOR_PORT = 600.0
"""Seconds to wait for another run that uses the same port."""
FREE_AGAIN = 5.0
"""Seconds until nothing answers at the port of a server that was ended."""


class PortLock:
    """A port belongs to one run at a time; the lock is the kernel's, and ends with its holder."""

    _ours: ClassVar[set[int]] = set()

    def __init__(self, folder: Path, port: int, timeout: float) -> None:
        if port in self._ours:
            raise RunError(f"another server of this run already has port {port}: give this one another port")
        self._number = port
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{port}.lock").open("w")
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._ours.add(port)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    self._file.close()
                    raise RunError(f"another run holds port {port} for longer than {timeout:.0f} s") from None
                time.sleep(POLL)

    def release(self) -> None:
        self._ours.discard(self._number)
        self._file.close()


class Service:
    """One background block, in its own process group. ``locks`` is shared by all runs.

    ``then`` ends what the block has started elsewhere, such as in a container.
    Raises RunError, with the end of the server's log, as soon as it is clear that it will not be
    ready: its port is taken, it has died, or ``timeout`` seconds are over.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        ready: str,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        timeout: float,
        locks: Path,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        self.ready, self.log, self._then = ready, log, then
        self._port = PortLock(locks, urlsplit(ready).port or 0, WAIT_FOR_PORT)
        if connects(ready):
            self._port.release()
            raise RunError(f"something else already listens at {ready}: stop it, then run this again")
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait(timeout)
        except BaseException:
            self.stop()
            raise

    def _wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not answers(self.ready):
            self.check()
            if time.monotonic() > deadline:
                raise RunError(f"the server is not ready at {self.ready} after {timeout:.0f} s\n{self.tail()}")
            time.sleep(POLL)
        self.check()

    def check(self) -> None:
        """Raises RunError when the server has died."""
        if (status := self.process.poll()) is not None:
            raise RunError(f"the server at {self.ready} has ended with status {status}\n{self.tail()}")

    def tail(self) -> str:
        lines = self.log.read_bytes().decode("utf-8", errors="backslashreplace").splitlines()[-TAIL:]
        return "\n".join(["the end of its log:", *(f"  {line}" for line in lines or ["(empty)"])])

    def stop(self) -> None:
        """End the server and all that it started. The port is free afterwards, unless somebody else has it."""
        self.kill()
        self.process.wait()
        deadline = time.monotonic() + FREE_AGAIN
        while connects(self.ready) and time.monotonic() < deadline:
            time.sleep(POLL)
        self._port.release()

    def kill(self) -> None:
        """End it, and leave it to others to notice."""
        processes.end_group(self.process.pid)
        self._then()


def connects(address: str) -> bool:
    """Whether something listens there."""
    url = urlsplit(address)
    try:
        with socket.create_connection((url.hostname or "", url.port or 0), timeout=2):
            return True
    except OSError:
        return False


def answers(address: str) -> bool:
    """Whether the server there is ready: a tcp address accepts, an http one answers below 400."""
    url = urlsplit(address)
    if url.scheme == "tcp":
        return connects(address)
    # Certificates of a local server are nobody's business here; only whether it answers.
    connection = (
        http.client.HTTPSConnection(url.hostname or "", url.port, timeout=2, context=ssl._create_unverified_context())
        if url.scheme == "https"
        else http.client.HTTPConnection(url.hostname or "", url.port, timeout=2)
    )
    try:
        connection.request("GET", (url.path or "/") + (f"?{url.query}" if url.query else ""))
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
