"""Test what Label Studio gets when it asks the model, with pictures and without."""

from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from backend import Backend, application
from classifier import Classifier

PICTURES = sorted(Path("data/raw").glob("*/*_0000.jpg"))[:5]


@pytest.fixture
def pool(tmp_path) -> Path:
    """A pool with five pictures, and one that is broken."""
    for path in PICTURES:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    return tmp_path


@pytest.fixture
def backend(pool) -> Backend:
    return Backend(Path("serving"), pool, "planets:0123456789ab")


@pytest.fixture
def client(backend) -> TestClient:
    return TestClient(application(backend))


def task(number: int, name: str) -> dict:
    return {"id": number, "data": {"picture": f"/data/local-files/?d=pool/{name}"}}


def ask(client: TestClient, *names: str) -> list[dict]:
    answer = client.post("/predict", json={"tasks": [task(number, name) for number, name in enumerate(names)]})
    assert answer.status_code == 200
    assert len(answer.json()["results"]) == len(names)
    return answer.json()["results"]


def label(prediction: dict) -> str:
    return prediction["result"][0]["value"]["choices"][0]


def test_it_is_well_and_says_which_model_it_is(client):
    assert client.get("/health").json()["status"] == "UP"
    assert client.post("/setup", json={}).json() == {"model_version": "planets:0123456789ab"}
    assert client.post("/webhook", json={"action": "ANNOTATION_CREATED"}).status_code == 200


def test_several_tasks_are_one_pass_and_the_answers_of_the_service(client, backend, monkeypatch):
    passes = []
    probabilities = backend.classifier.probabilities
    monkeypatch.setattr(backend.classifier, "probabilities", lambda x: passes.append(len(x)) or probabilities(x))
    found = ask(client, *(path.name for path in PICTURES))
    assert passes == [5]
    classifier = Classifier(Path("serving"))
    for prediction, path in zip(found, PICTURES):
        expected = classifier.predict(path.read_bytes())
        assert label(prediction) == expected.label
        assert prediction["score"] == pytest.approx(expected.confidence, abs=1e-5)
        assert prediction["model_version"] == "planets:0123456789ab"


@pytest.mark.parametrize("name", ["gone.jpg", "broken.jpg", "", "../../etc/passwd"])
def test_a_picture_that_is_gone_does_no_harm_to_the_others(client, name):
    first, gone, last = ask(client, PICTURES[0].name, name, PICTURES[1].name)
    assert (gone["result"], gone["score"]) == ([], 0)
    assert first["result"] and last["result"]


def test_no_tasks_no_answers(client):
    assert ask(client) == []


def test_what_is_no_question_is_refused(client):
    assert client.post("/predict", json={"tasks": "all"}).status_code == 422


def test_nothing_outside_of_the_pool_is_read(backend, pool):
    (pool.parent / "secret.jpg").write_bytes(PICTURES[0].read_bytes())
    assert backend.predict([]) == []
    (answer,) = ask(TestClient(application(backend)), "../secret.jpg")
    assert answer["result"] == []


def test_rows_of_probabilities_sum_to_one(backend):
    x = np.stack([backend.classifier.prepare(path.read_bytes()) for path in PICTURES])
    assert backend.classifier.probabilities(x).sum(axis=1) == pytest.approx(np.ones(5))
