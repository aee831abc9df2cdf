"""The links to other hosts: listed with their pages, and asked for, here at a server of this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts import links

STATUS = {
    "/there": 200,
    "/gone": 404,
    "/broken": 500,
    "/refused": 403,
    "/moved": 301,
    "/moved-away": 301,
    "/shaky": 503,
}
MOVED = {"/moved": "/there", "/moved-away": "/gone"}


ASKED = Counter[str]()


class Host(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ASKED[self.path] += 1
        if self.path == "/slow":
            time.sleep(1.5)
        status = STATUS.get(self.path, 200)
        if self.path == "/shaky" and ASKED[self.path] > 1:
            status = 200
        self.send_response(status)
        if self.path in MOVED:
            self.send_header("Location", MOVED[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    ASKED.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_each_is_asked_and_what_is_dead_is_told(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
    names = ("there", "gone", "broken", "refused", "moved", "moved-away", "shaky", "slow")
    places = {f"{host}/{name}": [f"docs/{name}.md:1"] for name in names} | {closed: ["docs/a.md", "b", "c", "d"]}
    assert links.check(places, timeout=0.8) == 1
    told = capsys.readouterr().out.replace(host, "").splitlines()
    assert told[:-2] == [
        "dead: /gone answers 404 Not Found  (docs/gone.md:1)",
        "dead: /broken answers 500 Internal Server Error  (docs/broken.md:1)",
        "unknown: /refused refuses programs (403)  (docs/refused.md:1)",
        "dead: /moved-away answers 404 Not Found  (docs/moved-away.md:1)",
        "dead: /slow gives no answer: timed out  (docs/slow.md:1)",
    ]
    assert told[-2].startswith(f"dead: {closed} gives no answer: ")
    assert told[-2].endswith("  (docs/a.md, b, c and 1 more)")
    assert told[-1] == "9 links: 5 dead, 1 that only a browser can tell"
    assert ASKED["/shaky"] == ASKED["/broken"] == 2, "a second try, before it is called dead"


def test_all_is_well(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert links.check({f"{host}/there": ["docs/a.md:1"]}, timeout=5) == 0
    assert capsys.readouterr().out == "1 links: 0 dead, 0 that only a browser can tell\n"


def test_they_are_listed_with_their_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "part").mkdir()
    head = '<!doctype html><link rel="canonical" href="https://guide.example/">'
    (tmp_path / "index.html").write_text(
        f'{head}<a href="https://example.org/b">B</a> <a href="https://guide.example/part/">Ours</a>'
        '<a href="https://forge.example/edit/main/docs/index.md" rel="edit">Edit</a>'
    )
    (tmp_path / "part/index.html").write_text(
        '<a href="https://example.org/b">B</a><a href="https://example.org/a">A</a>'
    )
    assert links.main(["--site", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "https://example.org/a  (/part/)",
        "https://example.org/b  (docs/index.md, /part/)",
    ]


def test_without_a_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert links.main(["--check", "--site", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{tmp_path} has no site: build it with python3 scripts/build_site.py\n"
