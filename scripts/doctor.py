"""What this machine can do, and what to install for the rest. Needs no packages, and changes nothing.

python3 scripts/guide.py doctor
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.runner import capabilities

SYSTEMS = {
    "debian": ("Debian", "sudo apt install --yes"),
    "ubuntu": ("Ubuntu", "sudo apt install --yes"),
    "fedora": ("Fedora", "sudo dnf install --assumeyes"),
    "macos": ("macOS with Homebrew", "brew install"),
}
"""Systems whose packages are known here: what they are called, and the command that installs."""
ROOM = 40
"""GB of free disk that all chapters take."""
PODMAN = "podman runc netavark aardvark-dns iptables catatonit"


@dataclass(frozen=True)
class Need:
    """Something that a machine has or lacks.

    ``packages`` are by system; where there is none, ``otherwise`` says what to do. Without a ``basic`` one, nothing
    works; ``optional`` is what no machine has by itself.
    """

    name: str
    unlocks: str
    there: Callable[[], bool]
    packages: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""
    basic: bool = False
    optional: bool = False


def program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def capability(name: str) -> Callable[[], bool]:
    return lambda: capabilities.has(name)


def of(packages: str, *systems: str) -> dict[str, str]:
    """The same names on these systems, or on all."""
    return dict.fromkeys(systems or SYSTEMS, packages)


NEEDS = (
    Need(
        "python",
        "everything",
        lambda: importlib.util.find_spec("ensurepip") is not None,
        of("python3-venv", "debian", "ubuntu"),
        "this Python cannot make environments: install one that can",
        basic=True,
    ),
    Need("git", "everything", program("git"), of("git"), basic=True),
    Need("bash", "everything", program("bash"), of("bash"), basic=True),
    Need("curl", "chapters that fetch data or ask a server", capability("curl"), of("curl")),
    Need(
        "browser",
        "tests that look at the site and the slides, and the slides as a PDF",
        capability("browser"),
        {**of("chromium", "debian", "fedora"), "macos": "--cask google-chrome"},
        "install Google Chrome: https://www.google.com/chrome/",
    ),
    Need("rsync", "the tabs for GitLab CI", program("rsync"), of("rsync")),
    Need(
        "docker",
        "parts 3 to 5: chapters with containers",
        capability("docker"),
        {**of(PODMAN, "debian", "ubuntu", "fedora"), "macos": "colima docker"},
        "install Docker, and start it: https://docs.docker.com/get-started/get-docker/",
    ),
    Need(
        "podman",
        "chapters whose steps need Podman itself",
        capability("podman"),
        of(PODMAN, "debian", "ubuntu", "fedora"),
        "there is a Podman of its own for Linux only",
        optional=sys.platform != "linux",
    ),
    Need(
        "mmdebstrap",
        "chapters with containers where Docker Hub cannot be reached",
        program("mmdebstrap"),
        of("mmdebstrap", "debian", "ubuntu"),
        "nothing to do where Docker Hub can be reached",
        optional=True,
    ),
    Need(
        "kubernetes",
        "the tabs for kind",
        capability("kubernetes"),
        {"macos": "kind kubectl"},
        "install Docker, kind and kubectl: https://kind.sigs.k8s.io/docs/user/quick-start/",
        optional=True,
    ),
    Need(
        "cosign",
        "signatures of images",
        capability("cosign"),
        {"macos": "cosign"},
        "install cosign: https://docs.sigstore.dev/cosign/system_config/installation/",
        optional=True,
    ),
    Need(
        "grype",
        "known weaknesses of images",
        capability("grype"),
        {"macos": "grype"},
        "install Grype, then grype db update: https://oss.anchore.com/docs/installation/grype/",
        optional=True,
    ),
    Need(
        "github",
        "steps with your own account, asked for with --with github",
        capability("github"),
        {},
        "gh auth login (gh comes with .venv: .venv/bin/gh)",
        optional=True,
    ),
    Need(
        "gcloud",
        "steps with your own account, asked for with --with gcloud",
        capability("gcloud"),
        {},
        "install the Google Cloud CLI, then gcloud auth login: https://cloud.google.com/sdk/docs/install",
        optional=True,
    ),
)


def system() -> str | None:
    """Which of SYSTEMS this is, by what it says of itself; None for another one."""
    if sys.platform == "darwin":
        return "macos"
    try:
        about = platform.freedesktop_os_release()
    except OSError:
        return None
    kinds = [about.get("ID", ""), *about.get("ID_LIKE", "").split()]
    return next((kind for kind in kinds if kind in SYSTEMS), None)


def described() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"{platform.system()} {platform.release()}"
    return f"{name}, {platform.machine()}, Python {platform.python_version()}"


def way_out(need: Need, here: str | None) -> str:
    """How to get what is missing: the command where the system has a package, and else what to do."""
    packages = need.packages.get(here or "")
    if here and packages:
        return f"{SYSTEMS[here][1]} {packages}"
    return need.otherwise or f"install {need.name} with the packages of your system"


def report(needs: tuple[Need, ...], here: str | None, free: int) -> tuple[list[str], bool]:
    """The lines to print, and whether the two commands can work at all. ``free`` is in GB."""
    missing = [need for need in needs if not need.there()]
    lines = list[str]()
    for need in needs:
        state = "yes" if need not in missing else "-" if need.optional else "NO"
        lines.append(f"  {state:4} {need.name:11} {need.unlocks}")
    lines.append(f"  {'yes' if free >= ROOM else 'NO':4} {'disk':11} {free} GB are free, and all chapters take {ROOM}")
    for title, optional in (("To have the rest:", False), ("What only some steps use:", True)):
        ways: dict[str, list[str]] = {}  # two needs may have one way out
        for need in missing:
            if need.optional is optional:
                ways.setdefault(way_out(need, here), []).append(need.name)
        if ways:
            lines += ["", title, *(f"  {', '.join(names)}: {way}" for way, names in ways.items())]
    if not missing and free >= ROOM:
        lines += ["", "Nothing is missing."]
    return lines, not any(need.basic for need in missing)


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    lines, works = report(NEEDS, system(), shutil.disk_usage(root).free // 10**9)
    print("\n".join([described(), "", *lines]))
    return 0 if works else 1


if __name__ == "__main__":
    sys.exit(main())
