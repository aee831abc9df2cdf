"""Read what people have answered, as Label Studio exports it."""

import json
from pathlib import Path, PurePosixPath

EXPORT = Path("data/labels/export.json")


def load_tasks(file: Path = EXPORT) -> list[dict]:
    """Return the tasks of an export, with their annotations, in the order of their numbers."""
    return sorted(json.loads(file.read_text()), key=lambda task: task["id"])


def picture_of(task: dict) -> str:
    """Return the file name of the picture of a task."""
    return PurePosixPath(task["data"]["picture"]).name


def label_of(annotation: dict) -> str | None:
    """Return what an annotation says, or None if the task was skipped."""
    if annotation["was_cancelled"]:
        return None
    return next((one["value"]["choices"][0] for one in annotation["result"] if one["from_name"] == "body"), None)


def answers(task: dict) -> dict[int, str]:
    """Return what each person, by number, says of a task. Who has skipped it says nothing; the last answer counts."""
    ordered = sorted(task["annotations"], key=lambda annotation: annotation["id"])
    return {one["completed_by"]: label for one in ordered if (label := label_of(one))}


def decide(task: dict) -> str | None:
    """Return the label of a task: what the arbiter says, else what all who have answered agree on, else None."""
    for annotation in task["annotations"]:
        if annotation["ground_truth"]:
            return label_of(annotation)
    said = set(answers(task).values())
    return said.pop() if len(said) == 1 else None
