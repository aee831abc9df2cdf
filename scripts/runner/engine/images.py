"""The images of Docker Hub that the guide names: pulled, or made from Debian's packages where that cannot be.

Each is kept as an archive, for all run directories: the same image everywhere, fetched once.
Remove the folder of archives to have them anew.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .caller import Caller

HUB, DEBIAN = "Docker Hub", "Debian packages"
FILES = Path(__file__).parent
ASKING, PULLING, MAKING = 10.0, 900.0, 900.0
"""Seconds: to find out whether an image can be pulled, to pull it, to make it."""
RELEASE = "bookworm"
# As in Debian's own images: what nobody reads in a container.
NO_DOCUMENTS = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "info", "locale", "man")]


class Missing(Exception):
    """An image that this machine cannot have. Says why and the way out."""


@dataclass(frozen=True)
class Image:
    """An image of Docker Hub, and how to make one like it.

    ``hooks`` are shell commands of mmdebstrap with the new root in ``$1``; ``changes`` are lines of a Dockerfile.
    """

    name: str
    packages: tuple[str, ...]
    hooks: tuple[str, ...]
    changes: tuple[str, ...]

    @property
    def slug(self) -> str:
        return self.name.removeprefix("docker.io/library/").replace("/", "-").replace(":", "-")


PUBLISHED = (
    Image(
        "docker.io/library/python:3.11-slim-bookworm",
        ("python3", "python3-venv", "ca-certificates"),
        (
            # Python and pip as in the real image: below /usr/local, where pip may install.
            'chroot "$1" python3 -m venv /usr/local',
            'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
        ),
        (
            "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
            "ENV LANG=C.UTF-8",
            'CMD ["python3"]',
        ),
    ),
    Image(
        "docker.io/library/registry:2",
        ("docker-registry", "ca-certificates"),
        (
            'ln -sf docker-registry "$1/usr/bin/registry" && mkdir -p "$1/var/lib/registry"',
            f'cp "{FILES}/registry/config.yml" "$1/etc/docker/registry/config.yml"',
            f'install -m 755 "{FILES}/registry/entrypoint.sh" "$1/entrypoint.sh"',
        ),
        (
            "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "VOLUME /var/lib/registry",
            "EXPOSE 5000",
            'ENTRYPOINT ["/entrypoint.sh"]',
            'CMD ["/etc/docker/registry/config.yml"]',
        ),
    ),
    Image(
        "docker.io/prom/prometheus:v3.5.0",
        ("prometheus", "ca-certificates"),
        (
            'install -d -o 65534 -g 65534 "$1/prometheus"',  # as in the real image, of its user
            'rm -r "$1/usr/share/javascript"',  # most of its size, for pages that nobody looks at here
        ),
        (
            "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "USER nobody",
            "WORKDIR /prometheus",
            "VOLUME /prometheus",
            "EXPOSE 9090",
            'ENTRYPOINT ["/bin/prometheus"]',
            'CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]',
        ),
    ),
)


def told(origins: set[str]) -> str:
    """How the name of an engine tells where images come from."""
    if origins == {HUB}:
        return "with images of Docker Hub"
    return "images of Docker Hub made from Debian packages" if DEBIAN in origins else "images of Docker Hub"


def note(made: Path, name: str) -> Path:
    """What is known of an archive: where the image comes from, and its id."""
    slug = next(image.slug for image in PUBLISHED if image.name == name)
    return made / f"{slug}.json"


def origin(made: Path, name: str) -> str:
    return str(json.loads(note(made, name).read_text())["origin"])


def origins(made: Path) -> set[str]:
    return {origin(made, image.name) for image in PUBLISHED if note(made, image.name).exists()}


def provide(image: Image, made: Path, podman: Caller) -> str:
    """The id of an image in the storage that ``podman`` leads to; brings it there. Raises Missing."""
    made.mkdir(parents=True, exist_ok=True)
    archive, known = made / f"{image.slug}.tar", note(made, image.name)
    with (made / f"{image.slug}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (known.exists() and archive.exists()):
            _keep(image, archive, known, podman)
    identity = str(json.loads(known.read_text())["id"])
    if podman("image", "exists", identity).returncode:
        loaded = podman("load", "--quiet", "--input", str(archive))
        if loaded.returncode:
            raise Missing(f"{image.name} cannot be loaded from {archive}: {last_line(loaded.stderr)}")
    return identity


def _keep(image: Image, archive: Path, known: Path, podman: Caller) -> None:
    """Pull or make an image, and keep it as an archive."""
    prefix = f".part-{image.slug}-"
    for left in archive.parent.glob(f"{prefix}*"):  # of one that was killed: nobody else has the lock
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=archive.parent) as folder:
        part = Path(folder, "image.tar")
        if pulled := _pull(image, podman):
            identity, source = pulled, HUB
        else:
            identity, source = _make(image, Path(folder), podman), DEBIAN
        saved = podman("save", "--quiet", "--output", str(part), image.name)
        if saved.returncode:
            raise Missing(f"{image.name} cannot be kept in {archive.parent}: {last_line(saved.stderr)}")
        # Loaded from the archive once more, as each other storage does: its id and its digest may differ from those
        # of what was pulled or made, and a Dockerfile of the reader names the digest.
        podman("rmi", "--force", identity)
        podman("load", "--quiet", "--input", str(part))
        identity = podman("image", "inspect", "--format", "{{.Id}}", image.name).stdout.strip()
        part.replace(archive)
        known.write_text(json.dumps({"name": image.name, "id": identity, "origin": source}))


def _pull(image: Image, podman: Caller) -> str:
    """The id of the real image, or nothing when Docker Hub cannot be reached."""
    try:
        if podman("manifest", "inspect", image.name, timeout=ASKING).returncode:
            return ""
        return podman("pull", "--quiet", image.name, timeout=PULLING).stdout.strip()
    except subprocess.TimeoutExpired:
        return ""


def _make(image: Image, folder: Path, podman: Caller) -> str:
    """The id of an image like it, made from Debian's packages."""
    if not (program := shutil.which("mmdebstrap")):
        raise Missing(f"{image.name} cannot be pulled from Docker Hub: install mmdebstrap to have one like it made")
    root = folder / "root.tar"
    made = subprocess.run(
        [
            *(program, "--variant=minbase", *NO_DOCUMENTS, f"--include={','.join(image.packages)}"),
            *(f"--customize-hook={hook}" for hook in image.hooks),
            *(RELEASE, str(root)),
        ],
        # Made away from the run's own files: of it, a killed one could leave parts that are hard to remove.
        env={**podman.environment, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=MAKING,
        check=False,
    )
    if made.returncode:
        raise Missing(
            f"{image.name} can neither be pulled from Docker Hub nor made with mmdebstrap: {last_line(made.stderr)}"
        )
    changes = [word for change in image.changes for word in ("--change", change)]
    imported = podman("import", "--quiet", *changes, str(root), image.name)
    if imported.returncode:
        raise Missing(f"{image.name} cannot be imported: {last_line(imported.stderr)}")
    return imported.stdout.strip()


def last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
