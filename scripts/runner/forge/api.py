"""The forge's API: REST as GitHub speaks it, over a socket in the file system. What it answers is in routes.py."""

from __future__ import annotations

import hashlib
import json
import os
import socketserver
import tempfile
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from .pulls import Pulls, Refused
from .routes import ROUTES, Request

if TYPE_CHECKING:
    from .server import Forge

LONGEST = 100
"""Characters of a socket's path that every system takes."""
PREFIX = "/api/v3"
"""What gh puts before a path for a forge that is not github.com."""


class Api:
    """Answers on a socket whose path depends only on ``forge``'s folder, so that variables that name it stay true."""

    def __init__(self, forge: Forge, pulls: Pulls, lock: threading.RLock) -> None:
        self.forge, self.pulls, self.lock = forge, pulls, lock
        name = hashlib.sha256(str(forge.repositories).encode()).hexdigest()[:12]
        folders = (Path(tempfile.gettempdir()), Path("/tmp"))
        places = (folder / f"guide-forge-{os.getuid()}" / f"{name}.sock" for folder in folders)
        self.socket = next(place for place in places if len(str(place)) < LONGEST)
        self._server: _Server | None = None

    def start(self) -> None:
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        if self.socket.parent.stat().st_uid != os.getuid():
            raise PermissionError(f"{self.socket.parent} belongs to somebody else: remove it")
        self.socket.unlink(missing_ok=True)  # of a process that died
        self._server = _Server(str(self.socket), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            self.socket.unlink(missing_ok=True)

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, Any]:
        """Status and content for a request."""
        address = urlsplit(path)
        grant = self.forge.grant(authorization) if authorization else None
        if grant is None:
            self.forge.requests += 1
            if authorization:
                raise Refused(401, "Bad credentials")
        for route in ROUTES:
            found = route.pattern.fullmatch(address.path.removeprefix(PREFIX)) if route.method == method else None
            if found is None:
                continue
            with self.lock:
                repository = self.forge.repository(found["owner"], found["name"])
                if repository is None:
                    raise Refused(404, "Not Found")
                if method != "GET" and grant is not None and not grant.allows(repository.full_name, *route.permissions):
                    raise Refused(403, "Resource not accessible by integration")
                request = Request(
                    repository=repository,
                    pulls=self.pulls,
                    words=found.groupdict(),
                    query=dict(parse_qsl(address.query)),
                    body=parsed(body),
                    user="github-actions[bot]" if grant else repository.owner,
                    job=grant is not None,
                )
                return route.answer(request)
        if address.path.endswith("/graphql"):
            raise Refused(404, "Only the REST API is here, not GraphQL: use gh api")
        raise Refused(404, "Not Found")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Protocol(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    status, content = api.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
                except Refused as refused:
                    status = refused.status
                    content = {"message": refused.message, "status": str(status)}
                except Exception as error:  # told where the block fails
                    api.forge.problem = f"{self.command} {self.path}: {type(error).__name__}: {error}"
                    status, content = 500, {"message": "Server Error", "status": "500"}
                sent = b"" if content is None else json.dumps(content).encode()
                self.send_response(status)
                if content is not None:
                    self.send_header("Content-Type", "application/json; charset=utf-8")
                if status != 204:
                    self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the command that asked tells what went wrong."""

        return Protocol


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def parsed(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body or b"{}")
    except ValueError:
        raise Refused(400, "Problems parsing JSON") from None
    if not isinstance(content, dict):
        raise Refused(400, "Body should be a JSON object")
    return content
