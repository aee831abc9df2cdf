"""Serves the built site as its host does: compressed, kept by browsers a while, with a page for what is not there."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import IO, Any

COMPRESSED = frozenset({".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".xml"})
"""Pictures, fonts and archives are small already."""
KEPT = "max-age=600"


@contextmanager
def hosted(site: Path) -> Iterator[str]:
    """The address at which the folder ``site`` is served meanwhile."""
    with _Server(("127.0.0.1", 0), partial(_Handler, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@cache
def compressed(file: Path, changed: int) -> bytes:
    """What travels for a file, as it is since it was ``changed``."""
    content = file.read_bytes()
    return gzip.compress(content, 6, mtime=0) if file.suffix in COMPRESSED else content


def transferred(file: Path) -> int:
    """The bytes that travel for a file of the site."""
    return len(compressed(file, file.stat().st_mtime_ns))


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that is closed cuts its connections."""


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # a connection serves many requests

    def send_head(self) -> BytesIO | IO[bytes] | None:  # type: ignore[override]
        """The head of the answer; what is compressed comes out of memory."""
        file = Path(self.translate_path(self.path))
        if file.is_dir() and self.path.endswith("/"):
            file /= "index.html"
        if not file.is_file() or file.suffix not in COMPRESSED or "gzip" not in self.headers.get("Accept-Encoding", ""):
            return super().send_head()
        body = compressed(file, file.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return BytesIO(body)

    def guess_type(self, path: Any) -> str:
        kind = super().guess_type(path)
        return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind

    def end_headers(self) -> None:
        self.send_header("Cache-Control", KEPT)
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
