"""Stand-ins for systems outside of this machine: real servers that speak the real protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from scripts.chapters import Variant

from .certificates import certified
from .directory import RunDirectory
from .engine import engines
from .forge import Forge
from .objectstore import GoogleStorage

HOST = "mlops.swiss-ai-center.ch"


class StandIn(Protocol):
    """A system outside of this machine that a run needs, as a local server.

    ``requests`` counts how often it was asked, so that a block can say that it relied on it.
    ``problem`` says what keeps it from answering well. ``environment`` leads the reader's commands to
    it, where a file in the run directory does not. ``settle`` waits for what goes on in the background.
    """

    @property
    def name(self) -> str: ...
    @property
    def requests(self) -> int: ...
    @property
    def problem(self) -> str: ...
    @property
    def environment(self) -> Mapping[str, str]: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def settle(self) -> None: ...


def stand_ins(
    root: Path, variant: Variant, accounts: frozenset[str] = frozenset()
) -> Callable[[RunDirectory], list[StandIn]]:
    """The stand-ins for a run of the guide in ``root``: none for what somebody's ``accounts`` give."""

    def downloads() -> Path:
        from scripts.site.downloads import publish  # only a chapter that downloads needs the data set

        website = root / ".cache" / "website"
        publish(website / "downloads")
        return website

    def of(run: RunDirectory) -> list[StandIn]:
        found: list[StandIn] = [PublishedGuide(downloads, run.home, run.state)]

        def offers() -> dict[str, str]:
            """What jobs of the forge's workflows find, besides the forge itself."""
            others = (one.environment for one in found if not isinstance(one, Forge))
            return {name: value for one in others for name, value in one.items()}

        if variant["place"] == "cloud" and "github" not in accounts:
            found.append(Forge(run.remotes / "forge", run.state, token=run.token, offers=offers))
        if variant["place"] == "cloud" and "gcloud" not in accounts:
            found.append(GoogleStorage(run.remotes / "storage"))
        return [*found, *engines(run.root, root / ".cache/containers")]

    return of


class PublishedGuide:
    """The guide's website: serves the downloads of this checkout over https, at the real address.

    A reader's ``curl`` reaches it because the run's ``.curlrc`` leads that host, and no other, here.
    ``content`` makes the folder to serve; it is called at the first request.
    """

    name = "published guide: a local https server with this checkout's downloads"

    def __init__(self, content: Callable[[], Path], home: Path, state: Path) -> None:
        self._content, self._home, self._state = content, home, state
        self._folder: Path | None = None
        self._making = threading.Lock()
        self.requests = 0
        self.problem = ""
        self.environment: Mapping[str, str] = {}
        self._server: ThreadingHTTPServer | None = None

    def folder(self) -> Path:
        with self._making:
            if self._folder is None:
                self._folder = self._content()
            return self._folder

    def start(self) -> None:
        certificate = self._state / "guide-ca.pem"
        context = certified(HOST, certificate)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = context.wrap_socket(
            self._server.socket,
            server_side=True,
            do_handshake_on_connect=False,  # in the thread of the request, so that nobody can block the rest
        )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        port = self._server.server_address[1]
        (self._home / ".curlrc").write_text(
            f'connect-to = "{HOST}:443:127.0.0.1:{port}"\ncacert = "{certificate}"\nnoproxy = "{HOST}"\n'
        )

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def settle(self) -> None:
        """Nothing goes on in the background."""

    def _handler(self) -> type[SimpleHTTPRequestHandler]:
        guide = self

        class Files(SimpleHTTPRequestHandler):
            def send_head(self) -> Any:
                guide.requests += 1
                try:
                    self.directory = str(guide.folder())
                except (
                    Exception,
                    SystemExit,
                ) as error:  # told where the block fails
                    guide.problem = f"{type(error).__name__}: {error}"
                    self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
                    return None
                return super().send_head()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: the command that asked tells what went wrong."""

        return Files
