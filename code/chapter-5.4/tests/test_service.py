"""Test the service from outside, as those see it who ask it."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

import model
from dataset import load_split, load_test_set

RAW = Path("data/raw")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def serve(folder: Path, logs: Path):
    """The service with the model of this commit, from a store and on a port of its own."""
    environment = {**os.environ, "BENTOML_HOME": str(folder), "LOGS": str(logs)}
    subprocess.run([sys.executable, "src/package.py"], check=True, env=environment)
    port = str(free_port())
    command = ["bentoml", "serve", "--working-dir", "src", "service:Planets", "--port", port]
    with (
        subprocess.Popen(command, env=environment) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        try:
            while not is_ready(client):
                assert server.poll() is None, "the service has ended"
                time.sleep(0.1)
            yield client
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    if address := os.environ.get("SERVICE"):  # one that is running already
        with httpx.Client(base_url=address, timeout=30) as client:
            yield client
        return
    with serve(tmp_path_factory.mktemp("bentoml"), tmp_path_factory.getbasetemp() / "logs") as client:
        yield client


def counts(client) -> dict[str, float]:
    """How many predictions are in the journal, and how many are lost."""
    found = re.findall(r"^predictions_(logged|lost)_total ([0-9.]+)$", client.get("/metrics").text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def ask(client, picture: bytes, name: str = "image"):
    return client.post("/predict", files={name: ("picture.jpg", picture, "image/jpeg")})


def test_served_answers_are_those_of_the_pipeline(client):
    """Compares answers with answers: the labels of the test set stay sealed."""
    model.make_reproducible()
    test = load_split(Path("data/prepared/test.npz"))
    network, metadata = model.load(Path("model"))
    expected = model.predict(network, test.x)
    answers = [ask(client, (RAW / name).read_bytes()).json() for name in test.files]
    served = [[answer["probabilities"][label] for label in metadata["labels"]] for answer in answers]
    assert len(served) == len(load_test_set(Path("data/test-set.sha256")))
    assert np.abs(np.array(served) - expected).max() < 1e-5


def file_of(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


NOISE = file_of(Image.effect_noise((96, 96), 50))
REFUSED = {
    "no picture": (b"hello", 400, "not a picture"),
    "an empty file": (b"", 400, "empty"),
    "half a picture": (NOISE[:1500], 400, "can't be read"),
    "too many bytes": (bytes(6_000_000), 413, "at most"),
    "too many pixels": (file_of(Image.new("L", (4000, 3000))), 400, "pixels"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses_clearly(client, what):
    picture, status, words = REFUSED[what]
    answer = ask(client, picture)
    assert answer.status_code == status
    assert words in answer.json()[0]["error"]


def test_refuses_other_forms(client):
    assert ask(client, NOISE, name="photo").status_code == 400
    assert client.post("/predict", files={"image": (None, "http://127.0.0.1/")}).status_code == 400
    assert client.post("/predict", content=NOISE, headers={"Content-Type": "image/jpeg"}).status_code == 415


@pytest.mark.parametrize("path", ["/readyz", "/livez", "/metrics", "/docs.json", "/page/"])
def test_answers_those_who_operate_it(client, path):
    assert client.get(path).status_code == 200


def test_each_prediction_is_logged_once(client, tmp_path_factory):
    before = counts(client)
    answers = [ask(client, NOISE) for _ in range(5)]
    ask(client, b"not a picture")
    assert counts(client) == {"logged": before["logged"] + 5, "lost": 0}
    names = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(names)) == 5
    if "SERVICE" not in os.environ:  # its files are here
        lines = "".join(file.read_text() for file in (tmp_path_factory.getbasetemp() / "logs").iterdir()).splitlines()
        entries = [json.loads(line) for line in lines[-5:]]
        assert [entry["request"] for entry in entries] == names
        for entry, answer in zip(entries, answers):
            said = answer.json()
            assert (entry["model"], entry["label"]) == (said["model"], said["label"])
            assert entry["confidence"] == pytest.approx(said["confidence"], abs=1e-5)


@pytest.mark.skipif("SERVICE" in os.environ, reason="it has been started already")
def test_answers_all_the_same_when_it_cannot_log(tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    with serve(tmp_path / "bentoml", tmp_path / "logs") as client:
        assert ask(client, NOISE).status_code == 200
        assert counts(client) == {"logged": 0, "lost": 1}
