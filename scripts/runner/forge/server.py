"""A stand-in for a forge such as GitHub: bare repositories behind Git's own HTTP protocol, CI and an API."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import subprocess
import threading
from collections.abc import Callable, Mapping
from email.parser import BytesHeaderParser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .. import processes
from ..certificates import certified
from . import act, rules
from .api import Api
from .ci import CI, Grant
from .pulls import Pulls
from .repository import NOTHING, Repository, git, surroundings
from .triggers import Triggers

HOST = "github.com"
ADDRESS = re.compile(
    r"/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?"
    r"/(?P<what>info/refs|git-upload-pack|git-receive-pack)(?:\?(?P<query>.*))?"
)
PUSH = "service=git-receive-pack"
TEXT = {"Content-Type": "text/plain"}


class Forge:
    """Answers at https://github.com what Git asks there, out of bare repositories on disk.

    Commands and what they print are those of the real thing: the run's Git is led here by a proxy
    for that one host, so addresses stay as they are. There are no accounts. Creating a repository
    needs one, so that here a repository comes into being with the first push to it.

    A push starts workflows, which find what ``offers`` names. ``token`` is that of the run of the guide: what
    it leaves behind after an accident is found by it.
    """

    name = "forge: a local https server with bare repositories"

    def __init__(
        self,
        repositories: Path,
        state: Path,
        *,
        token: str = "",
        offers: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.repositories, self._state = repositories, state
        self.requests = 0
        self.problem = ""
        self._token, self._offers = token, offers
        self._lock = threading.RLock()
        """Held by whoever changes a repository or what is kept beside it."""
        self._creating = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.ci = CI(state, self._lock, self._surroundings, self._report)
        self._triggers = Triggers(self.ci)
        self._pulls = Pulls(self._triggers)
        self._api = Api(self, self._pulls, self._lock)

    @property
    def environment(self) -> Mapping[str, str]:
        """Where the API is, for what pages do out of the reader's sight."""
        return {"FORGE_API": str(self._api.socket)}

    def _report(self, problem: str) -> None:
        self.problem = problem

    def _surroundings(self) -> Mapping[str, str]:
        return {**self._offers(), **self.environment, processes.TOKEN: self._token}

    def start(self) -> None:
        certificate = self._state / "forge-ca.pem"
        self._tls = certified(HOST, certificate)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        port = self._server.server_address[1]
        (self._state / "forge.gitconfig").write_text(
            f'[http "https://{HOST}/"]\n\tproxy = http://127.0.0.1:{port}\n\tsslCAInfo = {certificate}\n'
        )
        self._cancel_what_was_left()
        self.ci.start()
        self._api.start()

    def stop(self) -> None:
        if self._server is not None:
            self.ci.stop()
            self._api.stop()
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def settle(self) -> None:
        self.ci.settle()

    def repository(self, owner: str, name: str, *, create: bool = False) -> Repository | None:
        """A repository, None when there is no such one."""
        found = Repository(owner, name, self.repositories / owner / f"{name}.git")
        with self._creating:
            if not found.exists():
                if not create:
                    return None
                git("init", "--quiet", "--bare", "--initial-branch=main", str(found.place))
        return found

    def _cancel_what_was_left(self) -> None:
        """Runs that another process had begun are over."""
        for folder in sorted(self.repositories.glob("*/*.state")):
            store = Repository(folder.parent.name, folder.stem, folder.with_suffix(".git")).store
            for run in store.all("runs"):
                if run["status"] != "completed":
                    store.update("runs", run["id"], **act.status("cancelled"))

    def grant(self, authorization: str) -> Grant | None:
        """What comes with the token of a run, in a header of HTTP; None for everybody else."""
        kind, _, word = authorization.partition(" ")
        if kind.lower() == "basic":
            try:
                word = base64.b64decode(word).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return None
        return self.ci.tokens.get(word.strip())

    def _push(self, repository: Repository, body: bytes, backend: Callable[[], bytes], *, quiet: bool) -> bytes:
        """Do a push, and what follows from it. ``quiet``: it comes from a run, so it starts nothing."""
        with self._lock:
            before = repository.branches()
            answer = backend()
            after = repository.branches()
            moved = {name: after.get(name, NOTHING) for name in before | after if before.get(name) != after.get(name)}
            try:
                for branch, new in moved.items():
                    if not quiet:
                        self._triggers.push(repository, branch, before.get(branch, NOTHING), new)
                    self._pulls.pushed(repository, branch, new, quiet=quiet)
            except Exception as error:  # the push is done all the same; told where a block fails
                self.problem = f"what a push starts: {type(error).__name__}: {error}"
        return answer

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
                body = self._body()
                asked = ADDRESS.fullmatch(self.path)
                pushes = asked is not None and (asked["what"] == "git-receive-pack" or asked["query"] == PUSH)
                grant = forge.grant(self.headers.get("Authorization", ""))
                job = grant is not None or "X-Forge-Run" in self.headers
                if not job:
                    forge.requests += 1
                repository = asked and forge.repository(
                    asked["owner"], asked["name"], create=pushes and not job and self.command == "GET"
                )
                if not asked or not repository:
                    self._send(HTTPStatus.NOT_FOUND, TEXT, b"Repository not found.\n")
                    return
                if pushes and job and self._forbidden(repository, grant):
                    return

                def backend() -> bytes:
                    return self._backend(repository, asked, body)

                if not pushes or self.command == "GET":
                    answer = backend()
                elif refused := rules.refusal(repository, body):
                    self._send(HTTPStatus.OK, {"Content-Type": "application/x-git-receive-pack-result"}, refused)
                    return
                else:
                    answer = forge._push(repository, body, backend, quiet=grant is not None)
                head, _, content = answer.partition(b"\r\n\r\n")
                headers = dict(BytesHeaderParser().parsebytes(head).items())
                self._send(int(headers.pop("Status", "200").split()[0]), headers, content)

            def _forbidden(self, repository: Repository, grant: Grant | None) -> bool:
                """Refuse a push from a run that has no token with it, or one that is not for this."""
                if not self.headers.get("Authorization"):
                    asks = {**TEXT, "WWW-Authenticate": 'Basic realm="GitHub"'}
                    self._send(HTTPStatus.UNAUTHORIZED, asks, b"No anonymous write access.\n")
                    return True
                if grant is not None and not grant.allows(repository.full_name, "contents"):
                    told = f"Permission to {repository.full_name}.git denied to github-actions[bot].\n"
                    self._send(HTTPStatus.FORBIDDEN, TEXT, told.encode())
                    return True
                return False

            def _backend(self, repository: Repository, asked: re.Match[str], body: bytes) -> bytes:
                """What Git's own server answers: headers and content."""
                ended = subprocess.run(
                    ["git", "http-backend"],
                    input=body,
                    capture_output=True,
                    env={
                        **surroundings(),
                        "GIT_HTTP_EXPORT_ALL": "1",
                        "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                        "GIT_PROJECT_ROOT": str(repository.place),
                        "PATH_INFO": f"/{asked['what']}",
                        "QUERY_STRING": asked["query"] or "",
                        "REQUEST_METHOD": self.command,
                        "REMOTE_USER": asked["owner"],  # who is somebody may push
                        "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                        "CONTENT_LENGTH": str(len(body)),
                    },
                    check=False,
                )
                if ended.returncode or b"Status: 5" in ended.stdout[:200]:
                    forge.problem = ended.stderr.decode(errors="backslashreplace").strip()
                return ended.stdout

            def _body(self) -> bytes:
                """What was sent; Git sends what is larger than 1 MB in chunks, and some of it compressed."""
                body = self._sent()
                return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

            def _sent(self) -> bytes:
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
