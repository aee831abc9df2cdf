"""What happens before the first call of an engine in a run: images get the state that the chapter starts from.

python3 -m scripts.runner.engine.prepare PODMAN SETTINGS IMAGES NAMES
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from pathlib import Path

from . import images, names
from .caller import Caller
from .podman import settings_of, short


def prepare(program: str, settings: Path, made: Path, kept: Path) -> None:
    """Raises images.Missing when an image cannot be had."""
    podman = Caller(program, {**os.environ, **settings_of(settings, settings.parent / "home")})

    with (settings / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two terminals may call at once
        if (settings / "ready").exists():
            return
        own(short(settings.parent))
        wanted = names.load(kept)
        published = {image.name: images.provide(image, made, podman) for image in images.PUBLISHED}
        lost = names.restore(podman, {**wanted, **published})
        standing_in = [name for name in published if images.origin(made, name) != images.HUB]
        (settings / "standing-in").write_text("".join(f"{short}\n" for n in standing_in for short in spellings(n)))
        if lost:
            told = f"images of earlier chapters are gone: {', '.join(lost)}: do those again with --fresh"
            (settings / "problem").write_text(told)
        (settings / "ready").touch()


def own(folder: Path) -> None:
    """Make a folder that nobody else may read or write, as others may make one of that name before us."""
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise images.Missing(f"{folder} belongs to somebody else: remove it")


def spellings(name: str) -> list[str]:
    """How commands call an image of Docker Hub."""
    return [name, *(name.removeprefix(prefix) for prefix in ("docker.io/library/", "docker.io/"))]


def main() -> int:
    program, *places = sys.argv[1:]
    settings, made, kept = map(Path, places)
    try:
        prepare(program, settings, made, kept)
    except images.Missing as error:
        (settings / "problem").write_text(str(error))
        print(error, file=sys.stderr)
        return 125  # as engines do for an image that they cannot have
    return 0


if __name__ == "__main__":
    sys.exit(main())
