"""File blocks: writing, changing and comparing the reader's files."""

from __future__ import annotations

from pathlib import Path

from scripts.chapters import File, patching

from . import matching
from .directory import RunError


def do(block: File, project: Path) -> str:
    """Do what a file block says in the reader's project. Returns the file's text afterwards."""
    path = project / block.path
    if block.mode == "write":
        write(path, block.body)
    elif block.mode == "append":
        write(path, read(path) + block.body)
    elif block.mode == "patch":
        try:
            write(path, patching.apply(read(path), block.body))
        except patching.PatchError as error:
            raise RunError(f"does not fit {block.path}: {error}") from None
    return read(path)


def compare(block: File, text: str) -> str | None:
    """What a ``state`` or ``excerpt`` block shows against the file as it is: None when it fits."""
    if block.mode == "excerpt":
        wanted = "\n" + block.body.strip("\n") + "\n"
        return None if wanted in "\n" + text.strip("\n") + "\n" else f"not in {block.path} as it is now:\n{text}"
    if block.mode == "state":
        return matching.difference(block.body, text)
    return None


def write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from None


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunError(f"there is no file {path.name} in {path.parent}") from None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RunError(f"{path} is not UTF-8 text") from None
