"""Put the pictures that have got a label into data/raw: python3 src/learn.py"""

import hashlib
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from annotations import EXPORT, decide, load_tasks, picture_of
from dataset import find_pictures, hash_file
from params import load_params
from pool import hidden_name, pictures

RAW = Path("data/raw")
INTERFACE = Path("labelling/interface.xml")


class Choice(BaseModel):
    choices: list[str] = Field(min_length=1, max_length=1)


class Answer(BaseModel):
    type: Literal["choices"]
    from_name: Literal["body"]
    value: Choice


class Annotation(BaseModel):
    id: int
    completed_by: int
    was_cancelled: bool
    ground_truth: bool
    result: list[Answer] = Field(max_length=1)


class Data(BaseModel):
    picture: str = Field(pattern=r"/[0-9a-f]{12}\.jpg$")


class Task(BaseModel):
    """What we rely on in an export. Whatever else Label Studio writes is of no concern."""

    id: int
    data: Data
    annotations: list[Annotation]


def offered(interface: Path) -> set[str]:
    """Return the labels that people could choose from."""
    return {choice.attrib["value"] for choice in ElementTree.parse(interface).iter("Choice")}


def problems(tasks: list[dict], labels: set[str]) -> list[str]:
    """Say which tasks are not of the form that we rely on, or have a label that nobody was offered."""
    found = []
    for task in tasks:
        try:
            checked = Task.model_validate(task)
        except ValidationError as error:
            first = error.errors()[0]
            found.append(f"task {task.get('id')}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
            continue
        said = {answer.value.choices[0] for one in checked.annotations for answer in one.result}
        found += [f"task {checked.id}: nobody was offered {label!r}" for label in sorted(said - labels)]
    return found


def settle(tasks: list[dict]) -> tuple[dict[str, str], dict[str, str]]:
    """Return a label for each picture, and for those without one why not. A picture may be in several tasks."""
    said: dict[str, set[str]] = defaultdict(set)
    for task in tasks:
        said[picture_of(task)] |= {label} if (label := decide(task)) else set()
    labels = {name: min(found) for name, found in said.items() if len(found) == 1}
    left_out = {
        name: "its tasks have different labels" if found else "it has no label"
        for name, found in said.items()
        if len(found) != 1
    }
    return labels, left_out


def place(labels: dict[str, str], contents: dict[str, bytes], raw: Path) -> tuple[int, int]:
    """Write each picture below its label. Return how many, and how many more were in data/raw under another name.

    What an earlier export has brought is written anew, so a label that was corrected is corrected here too.
    """
    for path in find_pictures(raw):
        if path.name in contents:
            path.unlink()
    known = {hash_file(path) for path in find_pictures(raw)}
    new = {name: label for name, label in labels.items() if hashlib.sha256(contents[name]).hexdigest() not in known}
    for name, label in new.items():
        (raw / label).mkdir(exist_ok=True)
        (raw / label / name).write_bytes(contents[name])
    return len(new), len(labels) - len(new)


def main() -> None:
    tasks = load_tasks()
    if found := problems(tasks, offered(INTERFACE)):
        sys.exit("\n".join(found))
    labels, left_out = settle(tasks)
    contents = {hidden_name(content): content for archive in load_params("labelling") for _, content in pictures(archive)}
    written, known = place(labels, contents, RAW)
    print(f"{len(tasks)} tasks, {len(labels) + len(left_out)} pictures")
    for name, why in sorted(left_out.items()):
        print(f"left out {name}: {why}")
    print(f"{written} pictures of {len(set(labels.values()))} labels are in {RAW}, {known} were there already")


if __name__ == "__main__":
    main()
