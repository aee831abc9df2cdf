"""Gives a reader a working directory in the state in which a chapter begins.

    python3 scripts/start_from.py 1.4               in ./guide-1.4
    python3 scripts/start_from.py 1.4 elsewhere     in another folder

Takes the checkpoint that the tests have left in this checkout, or else the published one; with
--published, it is always that one. Needs Python only. What no archive can hold is made anew: the
environments, from lists of packages, and the images that later chapters build upon.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.runner.objects import Archive, Objects, sum_of  # noqa: E402  (the path comes first)

PUBLISHED = "https://github.com/swiss-ai-center/a-guide-to-mlops/releases/download/checkpoints"
"""A release: together they are too big for the site."""
INDEX = "chapters.json"
ENVIRONMENTS = "environments.json"
"""In a published archive, beside the reader's directory: its environments, and what is installed in each."""
BUILDS = {
    "environment/Dockerfile": 'build --file environment/Dockerfile --build-arg BASE="$(cat base-image.txt)"'
    " --tag planets-environment .",
    "runner/Dockerfile": "build --file runner/Dockerfile --tag planets-runner .",
}
"""How chapter 3.7 builds the images that later ones use: the recipe, and the words after docker."""


class StartError(Exception):
    """Why there is nothing to start from, and the way out."""


def before(root: Path, number: str) -> tuple[str, str]:
    """The chapter at whose end ``number`` begins, and the folder of its project, from the list of its blocks."""
    listing = root / "code" / f"chapter-{number}" / "chapter.json"
    if not listing.exists():
        known = sorted(
            p.parent.name.removeprefix("chapter-") for p in listing.parent.parent.glob("chapter-*/chapter.json")
        )
        raise StartError(f"there is no chapter {number} (there are {', '.join(known)})")
    known = json.loads(listing.read_text(encoding="utf-8"))
    if known["after"] is None:
        raise StartError(f"chapter {number} begins with nothing: start it in an empty folder")
    return known["after"], known["project"]


def local(checkpoints: Path, number: str) -> Path | None:
    """The archive that the tests have left for the end of a chapter, if it is whole."""
    index = checkpoints / INDEX
    known: dict[str, dict[str, str]] = json.loads(index.read_text()) if index.exists() else {}
    for place in known.get(number, {}).values():
        archive = checkpoints / place / "state.tar.gz"
        if archive.exists():
            sums = json.loads((checkpoints / place / "sums.json").read_text())
            needed = sums.get("objects", {})  # those of earlier versions have none
            if sums["state.tar.gz"] == sum_of(archive) and not Objects(checkpoints).damaged(needed):
                return archive
    return None


def published(number: str, folder: Path, base: str) -> Path:
    """Download the published archive of a chapter's end, and check it."""
    name = f"chapter-{number}.tar.xz"
    archive = folder / name
    try:
        for part in (name, f"{name}.sha256"):
            with urllib.request.urlopen(f"{base}/{part}", timeout=30) as answer, (folder / part).open("wb") as file:
                shutil.copyfileobj(answer, file)
    except (urllib.error.URLError, OSError) as error:
        raise StartError(
            f"no checkpoint of chapter {number} here, and none to be had from {base} ({error}): "
            f"make it with python3 scripts/guide.py test -k chapter-{number}"
        ) from None
    if (folder / f"{name}.sha256").read_text().split()[0] != sum_of(archive):
        raise StartError(f"the checkpoint from {base}/{name} is damaged: try again")
    return archive


def installed(checkpoint: Path) -> dict[str, list[str]]:
    """The environments of a checkpoint of the tests by their place in the reader's directory, with their packages."""
    places = json.loads((checkpoint / "sums.json").read_text()).get("environments", [])
    return {
        place.removeprefix("work/"): sorted(
            "==".join(found.name.removesuffix(".dist-info").split("-", 1))
            for found in (checkpoint / "environments" / str(number)).glob("lib/python*/site-packages/*.dist-info")
        )
        for number, place in enumerate(places)
    }


def unpack(archive: Path, target: Path) -> dict[str, list[str]]:
    """The reader's directory out of an archive, into a folder that must be new or empty.

    Returns its environments, which are not in it.
    """
    if target.exists() and any(target.iterdir()):
        raise StartError(f"{target} is not empty: name another folder")
    target.mkdir(parents=True, exist_ok=True)
    with Archive.open(archive) as tar:
        known: dict[str, list[str]] | None = None
        for member in tar.getmembers():
            if member.name == ENVIRONMENTS and (stream := tar.extractfile(member)):
                known = json.load(stream)
            if member.name.startswith("work/"):
                member.name = member.name.removeprefix("work/")
                extract(tar, member, target)
    return installed(archive.parent) if known is None else known


def extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        tar.extract(member, target, filter="data")
    else:  # Python 3.11 before 3.11.4; the archive is our own, and its hash was checked
        tar.extract(member, target)


def install(folder: Path, packages: Sequence[str] = ()) -> None:
    """Make the environment of a folder: of these packages, or of its list when there are none."""
    constraints = ["-c", "constraints.txt"] if (folder / "constraints.txt").exists() else []
    wanted = ["--no-deps", *packages] if packages else ["-r", "requirements.txt", *constraints]
    uv = shutil.which("uv")
    commands = (
        [[uv, "venv", "--quiet", "--python", ">=3.11,<3.14", ".venv"], [uv, "pip", "install", "--quiet", *wanted]]
        if uv
        else [
            [sys.executable, "-m", "venv", ".venv"],
            [".venv/bin/python", "-m", "pip", "install", "--quiet", *wanted],
        ]
    )
    for command in commands:
        run(command, folder)


def make_environments(target: Path, project: str, known: Mapping[str, Sequence[str]]) -> None:
    """That of the chapter's project, and those of tools, whose folders have no list of packages."""
    if (target / project / "requirements.txt").exists():
        print(f"making {target / project / '.venv'} …", flush=True)
        install(target / project)
    for place, packages in known.items():
        folder = (target / place).parent
        if packages and not (folder / "requirements.txt").exists():
            print(f"making {target / place} …", flush=True)
            install(folder, packages)


def build_images(project: Path) -> None:
    """The images that the project builds upon, if it is that far."""
    builds = [words for recipe, words in BUILDS.items() if (project / recipe).exists()]
    engine = next((name for name in ("docker", "podman") if shutil.which(name)), None)
    for words in builds:
        if engine is None:
            print(f"there is no Docker or Podman: install one, then type in {project}: docker {words}", flush=True)
        else:
            print(f"building an image: {engine} {words}", flush=True)
            run(["sh", "-c", f"{engine} {words} > /dev/null"], project)


def run(command: Sequence[str], cwd: Path) -> None:
    try:
        subprocess.run(command, cwd=cwd, check=True)
    except subprocess.CalledProcessError:
        raise StartError(f"{' '.join(command)} failed in {cwd}: its message stands above") from None


def main(arguments: Sequence[str] | None = None, root: Path = ROOT, base: str = PUBLISHED) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapter", help="the chapter to start, such as 1.4")
    parser.add_argument("folder", nargs="?", type=Path, help="where (default: guide-CHAPTER)")
    parser.add_argument("--published", metavar="URL", help=f"only what is published there, such as {PUBLISHED}")
    options = parser.parse_args(arguments)
    target = options.folder or Path(f"guide-{options.chapter}")
    try:
        number, project = before(root, options.chapter)
        with tempfile.TemporaryDirectory() as scratch:
            here = None if options.published else local(root / ".cache" / "checkpoints", number)
            archive = here or published(number, Path(scratch), options.published or base)
            known = unpack(archive, target)
        make_environments(target, project, known)
        build_images(target / project)
    except (StartError, OSError, tarfile.TarError) as error:
        print(f"start_from: {error}", file=sys.stderr)
        return 1
    print(f"{target} is as chapter {options.chapter} finds it: cd {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
