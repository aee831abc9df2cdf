"""The user's Docker: what a run makes there is marked with a label, and removed by it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from .base import LABEL, Engine

MARK = "guide.run"


class Docker(Engine):
    """Hands calls on to the user's daemon. That is what a reader has too: no stand-in."""

    program, script, called = "docker", "docker.sh", ("docker",)
    name = "container engine: Docker"
    requests = 0
    """It is the real thing."""

    @property
    def label(self) -> str:
        """The same for each run of a directory: the next one finds what a killed one has left."""
        return f"{MARK}={hashlib.sha256(str(self.root).encode()).hexdigest()[:12]}"

    def configure(self) -> None:
        config = self.root / "home/.docker"
        config.mkdir(exist_ok=True)
        plugins = Path.home() / ".docker/cli-plugins"  # such as the one that builds
        if plugins.is_dir() and not (config / "cli-plugins").exists():
            (config / "cli-plugins").symlink_to(plugins)

    def settle(self) -> None:
        """The daemon keeps images and their names by itself."""

    def values(self) -> Mapping[str, object]:
        host = os.environ.get("DOCKER_HOST", "")
        return {**super().values(), "home": Path.home(), "label": self.label, "DOCKER_HOST": host}

    def marked(self, *kind: str) -> list[str]:
        return self.ask(*kind, "--filter", f"label={self.label}").split()

    def left(self) -> list[str]:
        if not self.used:
            return []
        return [f"container {name}" for name in self._containers("{{.Names}}")] + [
            f"volume {name} (not removed)" for name in self.marked("volume", "ls", "--quiet")
        ]

    def _containers(self, what: str) -> list[str]:
        """A property of those that do not end with a background block."""
        form = f'{what} {{{{.Label "{LABEL}"}}}}'
        told = self.ask("ps", "--all", "--filter", f"label={self.label}", "--format", form).splitlines()
        return [line.split()[0] for line in told if len(line.split()) == 1]

    def clear(self) -> list[str]:
        told = self.left()
        if self.used:
            for kind, remove in (("ps", "rm"), ("volume", "volume rm"), ("network", "network rm")):
                find = ["ps", "--all"] if kind == "ps" else [kind, "ls"]
                if left := self.marked(*find, "--quiet"):
                    self.ask(*remove.split(), "--force", *left)
        return told

    def containers(self) -> list[str]:
        return self._containers("{{.ID}}") if self.used else []

    def stop(self) -> None:
        super().stop()
        if self.used and (images := self.marked("images", "--quiet")):
            self.ask("rmi", "--force", *sorted(set(images)))
