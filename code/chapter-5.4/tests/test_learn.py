"""Test what becomes of an export: what is refused, what is left out, and where pictures end up."""

from pathlib import Path

import pytest

from annotations import load_tasks
from dataset import find_pictures
from learn import INTERFACE, offered, place, problems, settle

LABELS = {"mars", "pluto"}


def task(number: int, picture: str, *labels: str | None) -> dict:
    """Invent a task with one answer by each person. None is a task that was skipped."""
    annotations = [
        {
            "id": 100 * number + person,
            "completed_by": person,
            "was_cancelled": label is None,
            "ground_truth": False,
            "result": [{"type": "choices", "from_name": "body", "value": {"choices": [label]}}] if label else [],
        }
        for person, label in enumerate(labels)
    ]
    return {"id": number, "data": {"picture": f"/data/local-files/?d=pool/{picture * 12}.jpg"}, "annotations": annotations}


def test_the_export_has_the_form_that_we_rely_on():
    assert problems(load_tasks(), offered(INTERFACE)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one["annotations"][0].pop("ground_truth"), "annotations.0.ground_truth: Field required"),
        (lambda one: one["data"].update(picture="/etc/passwd"), "data.picture: String should match"),
        (lambda one: one["annotations"][0]["result"][0]["value"].update(choices=["mars", "pluto"]), "at most 1 item"),
        (lambda one: one["annotations"][0]["result"][0]["value"].update(choices=["nibiru"]), "nobody was offered 'nibiru'"),
    ],
)
def test_another_form_is_refused(change, told):
    wrong = task(7, "a", "mars")
    change(wrong)
    (found,) = problems([task(1, "b", "mars", None), wrong], LABELS)
    assert found.startswith("task 7: ")
    assert told in found


def test_a_picture_has_one_label_or_none():
    tasks = [task(1, "a", "mars"), task(2, "a", "mars"), task(3, "b", "mars"), task(4, "b", "pluto"), task(5, "c", None)]
    labels, left_out = settle([*tasks, task(6, "d", "mars", "pluto")])
    assert labels == {"a" * 12 + ".jpg": "mars"}
    assert list(left_out) == [letter * 12 + ".jpg" for letter in "bcd"]


def test_learning_twice_changes_nothing_and_a_correction_moves_a_picture(tmp_path):
    (tmp_path / "mars").mkdir()
    (tmp_path / "mars/mars_0000.jpg").write_bytes(b"old")
    contents = {"1.jpg": b"one", "2.jpg": b"two", "3.jpg": b"old"}
    labels = {"1.jpg": "mars", "2.jpg": "pluto", "3.jpg": "mars"}
    for _ in range(2):
        assert place(labels, contents, tmp_path) == (2, 1)
        assert names(tmp_path) == ["mars/1.jpg", "mars/mars_0000.jpg", "pluto/2.jpg"]
    place(labels | {"1.jpg": "pluto"}, contents, tmp_path)
    assert names(tmp_path) == ["mars/mars_0000.jpg", "pluto/1.jpg", "pluto/2.jpg"]


def names(raw: Path) -> list[str]:
    return [path.relative_to(raw).as_posix() for path in find_pictures(raw)]
