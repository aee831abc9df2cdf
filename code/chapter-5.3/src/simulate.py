"""Play a colleague who labels. Nobody looks at the pictures: the answers are made up, with a known share of errors."""

import argparse
import random
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from annotations import picture_of
from label_studio import LabelStudio
from params import load_params
from pool import hidden_name, pictures


@dataclass(frozen=True)
class Colleague:
    """How somebody labels: shares of all tasks, from 0 to 1."""

    errors: float
    skips: float
    decides: bool = False  # whether the answer stands against all others


COLLEAGUES = {
    "anna": Colleague(errors=0.02, skips=0.01),
    "ben": Colleague(errors=0.10, skips=0.02),
    "astronomer": Colleague(errors=0, skips=0, decides=True),
}
MISTAKEN_FOR = {
    "ceres": ["moon", "rhea"],
    "earth": ["neptune"],
    "europa": ["ganymede", "rhea"],
    "ganymede": ["europa", "moon"],
    "io": ["titan", "venus"],
    "jupiter": ["saturn"],
    "mars": ["io"],
    "mercury": ["ceres", "moon"],
    "moon": ["ganymede", "mercury"],
    "neptune": ["earth", "uranus"],
    "pluto": ["ganymede", "mars"],
    "rhea": ["ceres", "europa"],
    "saturn": ["jupiter"],
    "titan": ["venus"],
    "uranus": ["neptune"],
    "venus": ["jupiter", "titan"],
}


def truth() -> dict[str, str]:
    """Return the right label of each picture of the pool. In life, nobody has this."""
    found = (one for archive in load_params("labelling") for one in pictures(archive))
    return {hidden_name(content): PurePosixPath(name).parent.name for name, content in found}


def answer(name: str, colleague: Colleague, picture: str, right: str) -> str | None:
    """Return what somebody says of a picture, or None if it is skipped. The same each time."""
    draw = random.Random(f"{name} {picture}")
    if draw.random() < colleague.skips:
        return None
    return draw.choice(MISTAKEN_FOR[right]) if draw.random() < colleague.errors else right


def annotation(label: str | None, decides: bool) -> dict:
    """Return an annotation as Label Studio wants it: a label, or a skip."""
    choice = {"from_name": "body", "to_name": "picture", "type": "choices", "value": {"choices": [label]}}
    return {"result": [choice] if label else [], "was_cancelled": label is None, "ground_truth": decides}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=COLLEAGUES)
    parser.add_argument("--first", type=int, default=1, help="where in the list of tasks to begin")
    parser.add_argument("--last", type=int, help="where to end")
    parser.add_argument("--questions", type=Path, help="a file with the numbers of the tasks to look at")
    arguments = parser.parse_args()

    studio, colleague, right = LabelStudio.from_environment(), COLLEAGUES[arguments.name], truth()
    tasks = studio.tasks(studio.project())[arguments.first - 1 : arguments.last]
    if arguments.questions:
        wanted = set(arguments.questions.read_text().split())
        tasks = [task for task in tasks if str(task["id"]) in wanted]
    labels = {task["id"]: answer(arguments.name, colleague, picture_of(task), right[picture_of(task)]) for task in tasks}
    for task, label in labels.items():
        studio.ask("POST", f"/api/tasks/{task}/annotations", json=annotation(label, colleague.decides))
    skipped = sum(label is None for label in labels.values())
    wrong = sum(labels[task["id"]] not in (None, right[picture_of(task)]) for task in tasks)
    print(f"{arguments.name}: {len(tasks)} tasks, {skipped} skipped, {wrong} answered wrongly")


if __name__ == "__main__":
    main()
