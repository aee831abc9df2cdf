"""Test what becomes of people's answers."""

import numpy as np
import pytest

from agreement import agreement, by_label, pairs_of
from annotations import answers, decide, picture_of
from suspects import doubt, is_from_one, labelled


def answer(person: int, label: str | None, decides: bool = False) -> dict:
    choice = {"from_name": "body", "to_name": "picture", "type": "choices", "value": {"choices": [label]}}
    return {
        "id": person,
        "completed_by": person,
        "was_cancelled": label is None,
        "ground_truth": decides,
        "result": [choice] if label else [],
    }


def task(*annotations: dict, number: int = 1, picture: str = "a.jpg") -> dict:
    data = {"picture": f"/data/local-files/?d=pool/{picture}"}
    return {"id": number, "data": data, "annotations": list(annotations)}


@pytest.mark.parametrize(
    ("annotations", "label"),
    [
        ([], None),
        ([answer(2, None)], None),
        ([answer(2, "mars")], "mars"),
        ([answer(2, "mars"), answer(3, None)], "mars"),
        ([answer(2, "mars"), answer(3, "mars")], "mars"),
        ([answer(2, "mars"), answer(3, "io")], None),
        ([answer(2, "mars"), answer(3, "io"), answer(4, "io", decides=True)], "io"),
        ([answer(2, "mars"), answer(3, "mars"), answer(4, "io", decides=True)], "io"),
    ],
)
def test_a_label_is_what_all_say_or_what_the_arbiter_says(annotations, label):
    assert decide(task(*annotations)) == label


def test_the_last_answer_of_a_person_counts():
    first, second = answer(2, "mars"), answer(2, "io") | {"id": 9}
    assert answers(task(second, first)) == {2: "io"}


def test_agreement_is_measured_on_what_both_have_answered():
    tasks = [task(answer(2, "mars"), answer(3, "mars")), task(answer(2, "io"), answer(3, "mars"))]
    tasks += [task(answer(2, "io"), answer(3, None)), task(answer(2, "io")), task(answer(3, "io"), answer(4, "io"))]
    assert pairs_of(tasks) == ((2, 3), [("mars", "mars"), ("io", "mars")])


def test_nobody_agrees_with_nobody():
    with pytest.raises(SystemExit, match="no task has been labelled by two people"):
        pairs_of([task(answer(2, "mars")), task(answer(3, "mars"))])


def test_kappa_is_nothing_where_chance_would_agree_as_often():
    half = [("mars", "mars"), ("mars", "io"), ("io", "mars"), ("io", "io")]
    assert agreement(half) == (0.5, 0)
    assert agreement([("mars", "mars"), ("io", "io")]) == (1, 1)
    assert by_label(half) == {"io": (3, 1), "mars": (3, 1)}


def test_a_picture_that_was_imported_twice_counts_once():
    tasks = [task(answer(2, "mars")), task(answer(3, "io"), number=2), task(answer(3, None), number=3, picture="b.jpg")]
    assert {name: one["id"] for name, one in labelled(tasks).items()} == {"a.jpg": 1}
    assert picture_of(tasks[2]) == "b.jpg"


def test_only_what_nobody_has_confirmed_is_doubted():
    assert is_from_one(task(answer(2, "mars"), answer(3, None)))
    assert not is_from_one(task(answer(2, "mars"), answer(3, "mars")))
    assert not is_from_one(task(answer(4, "mars", decides=True)))


def test_doubt_grows_with_what_the_model_believes_instead():
    probabilities = np.array([[0.9, 0.1, 0], [0.1, 0.9, 0], [0.5, 0.5, 0]])
    assert doubt(probabilities, np.array([0, 0, 0])) == pytest.approx([-0.8, 0.8, 0])
