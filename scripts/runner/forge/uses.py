"""Actions that workflows use: those of the repository itself, and small ones here that stand in for the known ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .workflows import CHECKOUT, Use, WorkflowError, uses

ACTIONS = Path(__file__).parent / "actions"
FILES = ("action.yml", "action.yaml")


def local_repositories(clone: Path, workflow: str) -> list[str]:
    """Where act finds the actions of a workflow, as OWNER/NAME@REF=FOLDER. Raises WorkflowError for one without."""
    found = dict[str, None]()
    for use in needed(clone, workflow):
        action, at, ref = use.what.partition("@")
        owner, _, rest = action.partition("/")
        name, _, inside = rest.partition("/")
        folder = ACTIONS / owner / name
        if not at or not name or not (folder / inside / "action.yml").exists():
            raise WorkflowError(f"{use.place}: nothing stands in for the action {use.what} here")
        found[f"{owner}/{name}@{ref}={folder}"] = None
    return list(found)


def needed(clone: Path, path: str, seen: set[str] | None = None) -> Iterator[Use]:
    """Actions of others that a file uses, directly or through files of its own repository."""
    seen = seen if seen is not None else set()
    if path in seen:
        return
    seen.add(path)
    for use in uses(path, (clone / path).read_text()):
        if use.what.startswith("./"):
            inside = clone / use.what
            for place in (inside, *(inside / name for name in FILES)):
                if place.is_file():
                    yield from needed(clone, str(place.relative_to(clone)), seen)
        elif not use.what.startswith(CHECKOUT):  # act does that one itself
            yield use
