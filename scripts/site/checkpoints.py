"""The state of the reader's project at the end of each chapter, for download.

What the tests have left as a checkpoint is packed again: only the reader's directory, without scratch
files, with a list in place of each environment, and so that the same picture in data/ and in DVC's
cache takes its place once.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import lzma
import tarfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from scripts import start_from
from scripts.chapters import DEFAULT, Guide
from scripts.runner.checkpoints import ARCHIVE
from scripts.runner.objects import Archive
from scripts.runner.performer import Performer

from .downloads import place

FOLDER = "checkpoints"
# It looks 64 MB back: far enough to see that DVC's cache repeats data/. Other presets take twice as long and more, for
# a few percent: what is not repeated is pictures and layers.
PACKING = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 64 * 1024**2}]
SCRATCH = {"__pycache__", ".ipynb_checkpoints", ".pytest_cache"}


def publish(downloads: Path, root: Path) -> list[str]:
    """Put an archive and its checksum for each chapter into ``downloads``/checkpoints.

    Returns the chapters that have none, since the tests have not passed here as the page is now. An
    archive that does not fit its page any more is removed.
    """
    out, kept = downloads / FOLDER, root / ".cache" / "published"
    for folder in (out, kept):
        folder.mkdir(parents=True, exist_ok=True)
    missing, current = list[str](), set[str]()
    guide = Guide.load(root)
    performer = Performer(guide, DEFAULT, root, root / ".cache")
    known = performer.checkpoints
    for chapter in guide.chapters.values():
        if not chapter.number[:1].isdigit():
            continue
        key = performer.key(chapter)
        name, packed = f"{chapter.slug}.tar.xz", kept / f"{key[:24]}.tar.xz"
        # By hash only before it is packed: all of them together are many gigabytes.
        if known.records(key) is None or not (packed.exists() or known.is_whole(key)):
            missing.append(chapter.slug)
            continue
        if not packed.exists():
            repack(known.place(key) / ARCHIVE, packed)
        place(packed, out / name)
        digest = hashlib.sha256(packed.read_bytes()).hexdigest()
        (out / f"{name}.sha256").write_text(f"{digest}  {name}\n")
        current |= {name, f"{name}.sha256", packed.name}
    for old in [*out.iterdir(), *kept.iterdir()]:
        if old.name not in current:
            old.unlink()
    return missing


def repack(checkpoint: Path, target: Path) -> None:
    """The reader's directory out of a checkpoint, packed well, and what its environments hold."""
    part = target.with_suffix(".part")
    with (
        Archive.open(checkpoint) as source,
        lzma.open(part, "wb", filters=PACKING) as stream,
        tarfile.open(fileobj=stream, mode="w") as packed,
    ):
        for member in source:
            parts = Path(member.name).parts
            if parts[0] == "work" and not SCRATCH & set(parts) and not is_scratch_of_dvc(parts):
                whole, content = source.whole(member)
                with content or nullcontext():
                    packed.addfile(whole, content)
        text = json.dumps(start_from.installed(checkpoint.parent), indent=1).encode()
        about = tarfile.TarInfo(start_from.ENVIRONMENTS)
        about.size = len(text)
        packed.addfile(about, io.BytesIO(text))
    part.replace(target)


def is_scratch_of_dvc(parts: Sequence[str]) -> bool:
    return any(pair == (".dvc", "tmp") for pair in itertools.pairwise(parts))
