"""A stand-in for Google Cloud Storage: an emulator of its API that keeps objects on disk."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from http.server import HTTPServer
from pathlib import Path
from typing import Any


class GoogleStorage:
    """Answers what clients ask Google Cloud Storage, without accounts and permissions.

    Clients are led here by STORAGE_EMULATOR_HOST, which Google's own libraries know. A bucket is created
    with a request to the API, as ``gcloud`` would send it.
    """

    name = "Google Cloud Storage: a local emulator that keeps objects on disk"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.requests = 0
        self.problem = ""
        self._server: HTTPServer | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        if self._server is None:
            return {}
        return {
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{self._server.server_address[1]}",
            # The client would ask Google, not the emulator, for a kind of bucket that is not used here.
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }

    def start(self) -> None:
        # Only a run in the cloud variant needs it.
        from gcp_storage_emulator.server import RequestHandler  # type: ignore[import-untyped]
        from gcp_storage_emulator.storage import Storage  # type: ignore[import-untyped]

        store = self

        class Counting(RequestHandler):  # type: ignore[misc]  # it has no types
            def parse_request(self) -> bool:
                store.requests += 1
                return bool(super().parse_request())

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: the command that asked tells what went wrong."""

        self._folder.mkdir(parents=True, exist_ok=True)
        # One request at a time: the emulator's index of objects is one file.
        self._server = HTTPServer(("127.0.0.1", 0), partial(Counting, Storage(data_dir=str(self._folder))))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def settle(self) -> None:
        """Nothing goes on in the background."""
