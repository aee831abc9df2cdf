"""What readers download: the data sets, the tested versions, and the notebook of chapter 1.1.

Everything is made from what is committed, byte for byte the same wherever it is made.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import dataset
from dataset.archives import pack, write_whole

ROOT = Path(__file__).parents[2]
NOTEBOOK = ("notebook.ipynb", "requirements.txt")


class DownloadError(Exception):
    """Something that readers download cannot be made. One line for people."""


def publish(out: Path, root: Path = ROOT) -> None:
    """Put every download into the folder ``out``.

    Pictures are rendered once and kept below ``.cache``; what is there and up to date stays as it is.
    Raises DownloadError, with the way out, for what is missing or cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / ".lock").open("w") as lock:  # two tests may need the downloads at once
            fcntl.flock(lock, fcntl.LOCK_EX)
            fill(out, root)
    except dataset.DatasetError as error:
        raise DownloadError(str(error)) from error
    except OSError as error:
        where = error.filename or out
        raise DownloadError(f"{where}: {error.strerror}: the downloads of the site are not complete") from error


def fill(out: Path, root: Path) -> None:
    """Bring each download in ``out`` up to date."""
    for archive in dataset.build(root / ".cache" / "dataset").values():
        for file in (archive, archive.with_name(f"{archive.name}.sha256")):
            place(file, out / file.name)
    for name, content in small_files(root).items():
        target = out / name
        if not target.is_file() or target.read_bytes() != content:
            write_whole(target, content)


def place(file: Path, target: Path) -> None:
    """Make a large file appear in another folder: as a link where that works, and never half of it."""
    if target.exists() and target.samefile(file):
        return
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
        fresh = Path(folder) / target.name
        try:
            os.link(file, fresh)
        except OSError:  # another disk, or one that knows no links
            shutil.copyfile(file, fresh)
        fresh.replace(target)


def small_files(root: Path) -> Mapping[str, bytes]:
    """The downloads that need no rendering, by name."""
    lock, label_studio = root / "requirements-reader.txt", root / "requirements-label-studio.txt"
    folder = root / "code" / "chapter-1.1"
    try:
        return {
            "constraints.txt": constraints(lock.read_text(encoding="utf-8")).encode(),
            "label-studio.txt": constraints(label_studio.read_text(encoding="utf-8")).encode(),
            "plots-template.html": plots_template().encode(),
            "notebook.zip": pack({name: (folder / name).read_bytes() for name in NOTEBOOK}),
            **chapters(root / "code"),
        }
    except FileNotFoundError as error:
        path = Path(error.filename).relative_to(root)
        way_out = "restore it with git" if path.parts[0] != "code" else "run python3 scripts/extract.py"
        raise DownloadError(f"{path} is missing: {way_out}") from error


def chapters(code: Path) -> Mapping[str, bytes]:
    """For each chapter a zip with the reader's files at its end, and a script that does it."""
    return {
        f"{folder.name}.zip": pack(
            {
                f"{folder.name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.is_file() and path.name != "chapter.json"
            }
        )
        for folder in sorted(code.glob("chapter-*"))
    }


def constraints(lock: str) -> str:
    """The versions of a lock, one a line, without hashes and comments: pip and uv take it as constraints."""
    lines = re.sub(r"\\\n", " ", lock).splitlines()
    plain = (re.sub(r"\s+--hash=\S+|(^|\s+)#.*", "", line).strip() for line in lines)
    return "".join(f"{line}\n" for line in plain if line)


def plots_template(folder: Path = Path(__file__).parent / "plots") -> str:
    """The frame for reports of ``dvc plots``, with all scripts that they need inside (chapter 1.5)."""
    scripts = [(folder / f"{name}.min.js").read_text(encoding="utf-8") for name in ("vega", "vega-lite", "vega-embed")]
    text = (folder / "template.html").read_text(encoding="utf-8")
    text = text.replace("<!-- the license of Vega -->", (folder / "LICENSE").read_text(encoding="utf-8").strip())
    return text.replace(
        "<!-- the scripts of Vega -->", re.sub(r"(?m)^//# sourceMappingURL=.*\n?", "", "".join(scripts))
    )
