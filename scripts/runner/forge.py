"""A stand-in for a forge such as GitHub: bare repositories behind Git's own HTTP protocol."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Mapping
from email.parser import BytesHeaderParser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .certificates import certified

HOST = "github.com"
ADDRESS = re.compile(
    r"/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?"
    r"/(?P<what>info/refs|git-upload-pack|git-receive-pack)(?:\?(?P<query>.*))?"
)
PUSH = "service=git-receive-pack"


class Forge:
    """Answers at https://github.com what Git asks there, out of bare repositories on disk.

    Commands and what they print are those of the real thing: the run's Git is led here by a proxy
    for that one host, so addresses stay as they are. There are no accounts. Creating a repository
    needs one, so that here a repository comes into being with the first push to it.
    """

    name = "forge: a local https server with bare repositories"

    def __init__(self, repositories: Path, state: Path) -> None:
        self.repositories, self._state = repositories, state
        self.requests = 0
        self.problem = ""
        self.environment: Mapping[str, str] = {}
        self._creating = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        certificate = self._state / "forge-ca.pem"
        self._tls = certified(HOST, certificate)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        port = self._server.server_address[1]
        (self._state / "forge.gitconfig").write_text(
            f'[http "https://{HOST}/"]\n\tproxy = http://127.0.0.1:{port}\n\tsslCAInfo = {certificate}\n'
        )

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def repository(self, owner: str, name: str, *, create: bool) -> Path | None:
        """Where a repository is, None when there is no such one."""
        place = self.repositories / owner / f"{name}.git"
        with self._creating:
            if not (place / "HEAD").exists():
                if not create:
                    return None
                git("init", "--quiet", "--bare", "--initial-branch=main", str(place))
        return place

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        forge = self

        class Protocol(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self) -> None:
                """As a proxy would: but what is connected to is this server itself."""
                if self.path != f"{HOST}:443":
                    self.send_error(HTTPStatus.BAD_GATEWAY)
                    return
                self.send_response(HTTPStatus.OK)
                self.end_headers()
                try:
                    self.connection = forge._tls.wrap_socket(self.connection, server_side=True)
                except OSError:  # somebody who does not trust it, or has gone
                    self.close_connection = True
                    return
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb")

            def finish(self) -> None:
                super().finish()
                self.connection.close()

            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def _answer(self) -> None:
                forge.requests += 1
                body = self._body()
                asked = ADDRESS.fullmatch(self.path)
                place = asked and forge.repository(
                    asked["owner"], asked["name"], create=asked["query"] == PUSH and self.command == "GET"
                )
                if not asked or not place:
                    self._send(HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain"}, b"Repository not found.\n")
                    return
                ended = subprocess.run(
                    ["git", "http-backend"],
                    input=body,
                    capture_output=True,
                    env={
                        **surroundings(),
                        "GIT_HTTP_EXPORT_ALL": "1",
                        "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                        "GIT_PROJECT_ROOT": str(place),
                        "PATH_INFO": f"/{asked['what']}",
                        "QUERY_STRING": asked["query"] or "",
                        "REQUEST_METHOD": self.command,
                        "REMOTE_USER": asked["owner"],  # who is somebody may push
                        "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                        "CONTENT_LENGTH": str(len(body)),
                        "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    },
                    check=False,
                )
                head, _, content = ended.stdout.partition(b"\r\n\r\n")
                headers = dict(BytesHeaderParser().parsebytes(head).items())
                status = int(headers.pop("Status", "200").split()[0])
                if ended.returncode or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    forge.problem = ended.stderr.decode(errors="backslashreplace").strip()
                self._send(status, headers, content)

            def _body(self) -> bytes:
                """What was sent; Git sends what is larger than 1 MB in chunks."""
                if self.headers.get("Transfer-Encoding", "") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                chunks = list[bytes]()
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(chunks)

            def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the command that asked tells what went wrong."""

        return Protocol


def surroundings() -> dict[str, str]:
    """Git as on another machine: neither the user's settings nor the reader's."""
    return {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], env=surroundings(), check=True, capture_output=True)
