"""Talk to Label Studio over its API, with the rights of whoever a token belongs to."""

from __future__ import annotations

import os
from typing import Any

import httpx

TITLE = "Planets and moons"


class LabelStudio:
    """A running Label Studio. What it refuses ends the program, with what it has said."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=120)

    @classmethod
    def from_environment(cls) -> LabelStudio:
        """Return the one that ../label-studio/settings.env names."""
        try:
            return cls(os.environ["LABEL_STUDIO_URL"], os.environ["LABEL_STUDIO_TOKEN"])
        except KeyError as missing:
            raise SystemExit(f"{missing.args[0]} is not set: load ../label-studio/settings.env") from None

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Send a request, and return the JSON of the answer."""
        try:
            response = self.http.request(method, path, **options)
        except httpx.ConnectError:
            raise SystemExit(f"no Label Studio at {self.http.base_url}: start labelling/start") from None
        if response.is_error:
            raise SystemExit(f"{method} {path}: {response.status_code} {response.text[:300]}")
        return response.json() if response.content else None

    def project(self) -> int:
        """Return the number of our project, or 0 if there is none yet."""
        found = self.ask("GET", "/api/projects", params={"page_size": 1000})["results"]
        return next((project["id"] for project in found if project["title"] == TITLE), 0)

    def tasks(self, project: int) -> list[dict]:
        """Return all tasks, with their annotations, in the order in which they were imported."""
        tasks: list[dict] = []
        while True:
            query = {"project": project, "page": len(tasks) // 500 + 1, "page_size": 500, "fields": "all"}
            page = self.ask("GET", "/api/tasks", params=query)
            tasks += page["tasks"]
            if len(tasks) >= page["total"]:
                return sorted(tasks, key=lambda task: task["id"])
