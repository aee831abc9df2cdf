"""Servers of a page: awaited, watched and stopped."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

import pytest

from scripts.runner import processes, services
from scripts.runner.performer import PORT_LOCKS
from scripts.runner.records import BLOCKED, FAILED, RAN
from tests.runner.sample import CHECKOUT, Done, Tiny, alive, file, free_port, listens, server, sh

# Answers 503 for a while, says what it is asked, and dies at /die.
SERVER = """\
import http.server, os, sys, time

port, wait = int(sys.argv[1]), float(sys.argv[2])
born = time.monotonic()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked for", self.path, flush=True)
        if self.path == "/die":
            print("dying words", flush=True)
            os._exit(7)
        self.send_response(200 if time.monotonic() - born > wait else 503)
        self.end_headers()
        self.wfile.write(b"hello")


http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
SERVER_FILE = file("server.py", SERVER)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "POLL", 0.02)
    monkeypatch.setattr(services, "WAIT_FOR_PORT", 30.0)
    monkeypatch.setattr(processes, "GRACE", 1.0)


@pytest.fixture
def serve(tiny: Tiny, port: int) -> Callable[..., Done]:
    """Do a chapter that starts a server and then does ``parts``."""

    def do(command: str, *parts: str, ready: str = "http://127.0.0.1:{port}/", timeout: float = 10) -> Done:
        return tiny.perform(
            SERVER_FILE, server(command.format(port=port), ready.format(port=port), timeout), *parts
        )  # fmt: skip

    return do


def test_a_server_is_up_for_the_blocks_below_it_and_down_at_the_end(serve: Callable[..., Done], port: int) -> None:
    done = serve("python3 project/server.py {port} 0", sh(f"curl -s http://127.0.0.1:{port}/x"))
    assert done.outcomes == [RAN, RAN, RAN], done.last.problem
    assert done.last.output == "hello"
    assert not listens(port)
    assert not alive(f"server.py {port}")


def test_it_is_awaited_until_it_answers_well(serve: Callable[..., Done], port: int) -> None:
    done = serve(
        "python3 project/server.py {port} 0.6",
        sh(f"curl -sf http://127.0.0.1:{port}/"),
        ready="http://127.0.0.1:{port}/readyz",
    )
    assert done.outcomes == [RAN, RAN, RAN]
    assert done.records[1].seconds > 0.6


def test_the_address_is_asked_with_its_query(serve: Callable[..., Done]) -> None:
    done = serve("python3 project/server.py {port} 0", ready="http://127.0.0.1:{port}/readyz?deep=1")
    log = next(done.performer.run.log.glob("*server*"))
    assert "asked for /readyz?deep=1" in log.read_text()


def test_a_port_that_accepts_is_enough_for_tcp(serve: Callable[..., Done]) -> None:
    done = serve("python3 project/server.py {port} 60", ready="tcp://127.0.0.1:{port}", timeout=60)
    assert done.outcomes == [RAN, RAN]
    assert done.last.seconds < 20


def test_a_server_that_dies_at_once_fails_at_once(serve: Callable[..., Done]) -> None:
    started = time.monotonic()
    done = serve("echo first words; echo last words >&2; exit 9", sh("echo after"), timeout=60)
    assert time.monotonic() - started < 20
    assert done.outcomes == [RAN, FAILED, BLOCKED]
    problem = done.records[1].problem
    assert "has ended with status 9" in problem
    assert problem.splitlines()[-3:] == ["the end of its log:", "  first words", "  last words"]


def test_a_server_that_says_nothing_and_dies(serve: Callable[..., Done]) -> None:
    assert serve("exit 1").last.problem.endswith("the end of its log:\n  (empty)")


def test_a_server_that_goes_to_the_background_by_itself_is_told(serve: Callable[..., Done]) -> None:
    done = serve("setsid python3 project/server.py {port} 60 >/dev/null 2>&1 &")
    assert done.outcomes == [RAN, FAILED]
    assert "has ended with status 0" in done.last.problem


def test_a_server_that_dies_later_fails_the_block_that_runs(serve: Callable[..., Done], port: int, nap: str) -> None:
    started = time.monotonic()
    done = serve(
        "python3 project/server.py {port} 0",
        sh(f"echo asking\ncurl -s http://127.0.0.1:{port}/die || true\nsleep {nap}"),
        sh("echo after"),
    )
    assert time.monotonic() - started < 20
    assert done.outcomes == [RAN, RAN, FAILED, BLOCKED]
    assert f"the server at http://127.0.0.1:{port}/ has ended with status 7" in done.records[2].problem
    assert "dying words" in done.records[2].problem
    assert not alive(nap)


def test_a_server_that_dies_in_a_short_block_fails_that_block(serve: Callable[..., Done], port: int) -> None:
    done = serve("python3 project/server.py {port} 0", sh(f"curl -s http://127.0.0.1:{port}/die || true; sleep 0.1"))
    assert done.outcomes == [RAN, RAN, FAILED]


def test_a_server_that_is_never_ready_fails_after_its_timeout(serve: Callable[..., Done], port: int) -> None:
    done = serve("python3 project/server.py {port} 60", sh("echo after"), timeout=0.5)
    assert done.outcomes == [RAN, FAILED, BLOCKED]
    assert f"the server is not ready at http://127.0.0.1:{port}/" in done.records[1].problem
    assert "  asked for /" in done.records[1].problem
    assert not listens(port)


def test_something_that_speaks_no_http_is_never_ready(serve: Callable[..., Done], port: int) -> None:
    greeter = f"import socket; s = socket.create_server(('', {port}))\nwhile True: s.accept()[0].send(b'220 hi\\r\\n')"
    done = serve(f'python3 -c "{greeter}"'.replace("{", "{{").replace("}", "}}"), timeout=0.5)
    assert "is not ready" in done.last.problem


def test_a_port_that_is_taken_is_told_and_left_alone(serve: Callable[..., Done], port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as other:
        done = serve("python3 project/server.py {port} 0", timeout=60)
        assert done.outcomes == [RAN, FAILED]
        assert f"something else already listens at http://127.0.0.1:{port}/" in done.last.problem
        other.settimeout(2)
        other.accept()[0].close()  # still there


def test_a_port_is_one_runs_at_a_time(serve: Callable[..., Done], port: int) -> None:
    """The block waits until the run that holds the port is over, and then has it."""
    with another_run(port) as other:
        waiting = Timer(0.5, other.kill)
        waiting.start()
        done = serve("python3 project/server.py {port} 0")
    assert done.outcomes == [RAN, RAN], done.last.problem
    assert done.last.seconds > 0.4


def test_a_port_that_another_run_never_gives_free_is_told(
    serve: Callable[..., Done], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "WAIT_FOR_PORT", 0.1)
    with another_run(port):
        done = serve("python3 project/server.py {port} 0")
    assert f"another run holds port {port}" in done.last.problem


@contextmanager
def another_run(port: int) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a port, as a run does whose server has it."""
    hold = (
        "import pathlib, sys; from scripts.runner.services import PortLock\n"
        f"lock = PortLock(pathlib.Path({str(PORT_LOCKS)!r}), {port}, 0)\n"
        "print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield other
        other.kill()


def test_two_servers_of_a_page_with_one_port_fail_at_once(serve: Callable[..., Done], port: int) -> None:
    started = time.monotonic()
    same = server(f"python3 project/server.py {port} 0", f"tcp://127.0.0.1:{port}")
    done = serve("python3 project/server.py {port} 0", same)
    assert time.monotonic() - started < 20
    assert done.outcomes == [RAN, RAN, FAILED]
    assert str(port) in done.last.problem


def test_a_server_has_the_state_of_its_terminal_and_changes_nothing_of_it(
    serve: Callable[..., Done], tiny: Tiny, port: int
) -> None:
    done = tiny.perform(
        SERVER_FILE,
        sh("cd project\nexport WAIT=0\ngreeting=hello"),
        server(f"cd .\ngreeting=changed\npython3 server.py {port} $WAIT", f"http://127.0.0.1:{port}/"),
        sh("basename $PWD; echo $greeting"),
    )
    assert done.outcomes == [RAN] * 4, done.last.problem
    assert done.last.output == "project\nhello\n"


def test_what_a_server_started_is_stopped_with_it(serve: Callable[..., Done], port: int, nap: str) -> None:
    done = serve(f"sleep {nap} & python3 project/server.py {{port}} 0", sh("echo end"))
    assert done.outcomes == [RAN, RAN, RAN], done.last.problem
    assert not alive(nap)


def test_so_is_what_has_left_its_session(serve: Callable[..., Done], port: int, nap: str) -> None:
    done = serve(f"setsid sleep {nap} & python3 project/server.py {{port}} 0", sh("echo end"))
    assert done.outcomes == [RAN, RAN, RAN], done.last.problem
    assert not alive(nap)


def test_a_server_is_stopped_after_a_failure_too(serve: Callable[..., Done], port: int) -> None:
    done = serve("python3 project/server.py {port} 0", sh("false"), sh("echo after"))
    assert done.outcomes == [RAN, RAN, FAILED, BLOCKED]
    assert not listens(port)


def test_a_server_is_stopped_when_only_a_part_of_the_chapter_was_done(tiny: Tiny, port: int) -> None:
    tiny.write(
        "1.1", SERVER_FILE, server(f"python3 project/server.py {port} 0", f"tcp://127.0.0.1:{port}"), sh("echo end")
    )  # fmt: skip
    performer = tiny.performer()
    performance = performer.performance(performer.guide.chapters["1.1"])
    assert performance.record(performance.blocks[1]).outcome == RAN
    assert listens(port)
    performer.close()
    assert not listens(port)
