"""The fixed environment that a reader's commands run in. The user's own stays out of reach."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# How this machine reaches its package index and which certificates it trusts.
PASSED_ON = (
    "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy", "http_proxy", "https_proxy", "no_proxy",
    "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE",
    "PIP_CERT", "PIP_DEFAULT_TIMEOUT", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_RETRIES",
    "PIP_TRUSTED_HOST",
    "UV_DEFAULT_INDEX", "UV_FIND_LINKS", "UV_HTTP_RETRIES", "UV_HTTP_TIMEOUT", "UV_INDEX", "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS",
    # Which kernels the linear algebra of this processor needs.
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE",
    # Where the browser of hidden checks is.
    "CHROME_PATH",
)  # fmt: skip
PATIENCE = {"PIP_DEFAULT_TIMEOUT": "60", "PIP_RETRIES": "10", "UV_HTTP_RETRIES": "10", "UV_HTTP_TIMEOUT": "120"}
"""A network that stutters is no mistake of a page. What the user has set goes first."""
SYSTEM_PATH = ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")
TOOLS = ("bash", "curl", "git", "uv", "kind", "kubectl", "gcloud", "gh", "grype", "cosign")
"""Programs that a reader has, beside what every system has. Engines of containers come with a wrapper."""

FIRST_COMMIT = 1_767_225_600
"""Commits are dated from 2026-01-01 on, so that their hashes are the same in every run."""

GIT_CONFIG = """\
[user]
\tname = Reader
\temail = reader@example.com
[advice]
\tdetachedHead = false
[include]
\tpath = ../state/forge.gitconfig
"""
"""The last part is written by the stand-in for a forge; without one, Git passes over it."""

JUPYTER_CONFIG = '{"ServerApp": {"open_browser": false, "allow_root": true, "ip": "127.0.0.1"}}\n'


def find(tool: str) -> str | None:
    """Where a tool is: beside this Python (the guide's own environment) or on the user's PATH."""
    beside = Path(sys.executable).with_name(tool)
    return str(beside) if beside.exists() else shutil.which(tool)


def prepare(home: Path, bin: Path) -> None:
    """Write the reader's configuration, and collect the reader's tools."""
    (home / ".gitconfig").write_text(GIT_CONFIG)
    jupyter = home / ".jupyter" / "jupyter_server_config.json"
    jupyter.parent.mkdir(parents=True, exist_ok=True)
    jupyter.write_text(JUPYTER_CONFIG)
    link_tools(bin)


def link_tools(bin: Path) -> None:
    """Collect the tools that are there in one folder, so that nothing else has to be on the PATH."""
    links = {tool: place for tool in TOOLS if (place := find(tool))}
    # The Python that this environment was made with: the reader makes environments of their own.
    links["python3"] = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
    for name, target in links.items():
        link = bin / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    # The guide's own Python, for hidden checks of what is done with a browser (browser.py).
    own = bin / "guide-python"
    own.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} "$@"\n')
    own.chmod(0o755)


def build(root: Path, token_name: str, token: str, user: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for processes of the run in ``root``."""
    home = root / "home"
    return {
        **PATIENCE,
        **{name: user[name] for name in PASSED_ON if name in user},
        token_name: token,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "TMPDIR": str(root / "tmp"),
        "PATH": os.pathsep.join([str(root / "bin"), *SYSTEM_PATH]),
        "SHELL": find("bash") or "/bin/bash",
        "USER": "reader",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "COLUMNS": "80",
        "LINES": "24",
        "NO_COLOR": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "BENTOML_DO_NOT_TRACK": "True",
        "DO_NOT_TRACK": "1",
        "DVC_NO_ANALYTICS": "1",
        # Else DVC keeps what it knows of files and remotes by their path, for all users, in /var/tmp.
        "DVC_SITE_CACHE_DIR": str(home / ".cache/dvc"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / ".config/dvc-system"),
        # Packages are shared with the user: they are only ever added to, and checked by hash.
        "UV_CACHE_DIR": shared_cache("uv", user),
        "PIP_CACHE_DIR": shared_cache("pip", user),
    }


def credentials(user: Mapping[str, str] = os.environ) -> set[str]:
    """Names and passwords inside of the addresses that are passed on: not to be shown or kept."""
    return {found for name in PASSED_ON for found in re.findall(r"://([^/@\s]+)@", user.get(name, ""))}


def shared_cache(tool: str, user: Mapping[str, str]) -> str:
    """Where ``uv`` or ``pip`` keeps downloaded packages for this user."""
    if named := user.get(f"{tool.upper()}_CACHE_DIR"):
        return named
    if sys.platform == "darwin" and tool == "pip":
        return str(Path.home() / "Library/Caches/pip")
    return str(Path(user.get("XDG_CACHE_HOME") or Path.home() / ".cache") / tool)


def commit_date(step: int) -> str:
    """The date of commits made by the ``step``-th block of a chain of chapters."""
    return f"@{FIRST_COMMIT + 60 * step} +0000"


def version(tool: str) -> str:
    """First line of ``tool --version``, or an empty text when it is not there."""
    place = find(tool)
    if place is None:
        return ""
    ended = subprocess.run([place, "--version"], capture_output=True, text=True, check=False, timeout=30)
    return ended.stdout.splitlines()[0] if ended.stdout else ""
