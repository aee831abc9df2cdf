"""A container engine for the reader: Podman or Docker, with nothing of the user's own touched."""

from __future__ import annotations

import sys
from pathlib import Path

from ..environment import find
from .base import BACKGROUND, FOLDER, Engine
from .docker import Docker
from .podman import Podman

__all__ = ["BACKGROUND", "Engine", "clean", "engines"]


def engines(root: Path, cache: Path) -> list[Engine]:
    """The engine for the run in ``root``: none where the machine has none. ``cache`` keeps images for later runs."""
    if sys.platform == "linux" and find("podman"):
        return [Podman(root, cache / "runs" / root.name, cache / "images")]
    if find("docker"):
        return [Docker(root)]
    return []


def clean(root: Path) -> list[str]:
    """Remove the containers that a run in ``root`` has left when it died. Says what that was."""
    folder = root / FOLDER
    kinds = [kind for kind in (Podman, Docker) if kind.was_used(folder) and find(kind.program)]
    return [told for kind in kinds for told in kind.of_dead_run(root).clear()]
