"""What this machine can do: which of the capabilities that pages ask for are there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from .environment import find

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def works(*command: str) -> bool:
    """Whether the command is there and ends well."""
    place = find(command[0])
    if place is None:
        return False
    try:
        return subprocess.run([place, *command[1:]], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def browser() -> str | None:
    """Where a Chromium or Chrome is."""
    named = os.environ.get("CHROME_PATH")
    places = [named, *(find(name) for name in BROWSERS), MAC_CHROME]
    return next((place for place in places if place and Path(place).exists()), None)


DETECT: dict[str, Callable[[], bool]] = {
    "browser": lambda: browser() is not None,
    "cosign": lambda: works("cosign", "version"),
    "curl": lambda: works("curl", "--version"),
    "docker": lambda: works("podman", "--version") or works("docker", "info"),
    "gcloud": lambda: works("gcloud", "auth", "print-access-token"),
    "github": lambda: works("gh", "auth", "status"),
    "grype": lambda: works("grype", "db", "status"),
    "kubernetes": lambda: works("kind", "version") and works("docker", "info"),
    "podman": lambda: sys.platform == "linux" and works("podman", "--version"),
}
# These act on the user's own accounts: only when asked for.
ON_REQUEST = frozenset({"gcloud", "github"})
# What no package of a usual system brings: a machine without them is whole all the same.
EXTRA = frozenset({"cosign", "grype", "kubernetes"})


@cache
def has(name: str) -> bool:
    return DETECT[name]()


def absent(names: tuple[str, ...], asked_for: frozenset[str] = frozenset()) -> str | None:
    """The first capability that is not there, with the way to get it; None when all are."""
    from scripts.chapters.grammar import CAPABILITIES  # needs packages: scripts/doctor.py has none yet

    for name in names:
        if name in ON_REQUEST and name not in asked_for:
            return f"{name}: uses an account of yours, ask for it with --with {name}"
        if not has(name):
            return f"{name}: {CAPABILITIES[name]}"
    return None
