#!/usr/bin/env bash
# Chapter 5.3 - Link the model to Label Studio
# Made from docs/part-5/chapter-5.3.md: change that page, not this file.
#
# Does what the chapter says, below the folder that you start it in:
#     bash run.sh                  with the tabs for uv
#     TOOL=pip bash run.sh         with the tabs for pip
#     PLACE=cloud bash run.sh      with the tabs for GitHub and Google Cloud
#     FORGE=gitlab bash run.sh     with the tabs for GitLab CI
#     CLUSTER=kind bash run.sh     with the tabs for kind
set -eo pipefail
guide_tool=${TOOL:-uv}
guide_place=${PLACE:-laptop}
guide_forge=${FORGE:-github}
guide_cluster=${CLUSTER:-podman}
guide_os=linux
if [ "$(uname)" = Darwin ]; then guide_os=macos; fi
guide_start=$PWD
guide_state=$(mktemp -d)
guide_servers=()
guide_stop() { # a server that has ended by itself is no mistake here
  for guide_server in "${guide_servers[@]}"; do kill -- "-$guide_server" 2>/dev/null || true; done
  wait
  rm -rf "$guide_state"
}
trap guide_stop EXIT

# Chapter 5.2 comes first.
if [ ! -e .guide-5.2 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-5.2/run.sh"
fi

guide_leave() {
  {
    declare -f
    declare -p | grep -Ev '^declare -([A-Za-z]*r|[^ ]+ (BASH|DIRSTACK|FUNCNAME|GROUPS|PIPESTATUS))'
    printf 'cd %q\n' "$PWD"
  } >"$guide_state/$1"
}

# 010-cd-object-store
if [ "$guide_place" = laptop ]; then
set -m
(
if [ -e "$guide_state/second-terminal" ]; then . "$guide_state/second-terminal"; else cd "$guide_start"; fi
cd object-store
source keys.env
.venv/bin/rclone serve s3 --addr 127.0.0.1:8333 --auth-key "$ACCESS_KEY_ID,$SECRET_ACCESS_KEY" data
) </dev/null &
set +m
guide_servers+=($!)
until (exec 3<>"/dev/tcp/127.0.0.1/8333") 2>/dev/null; do
  kill -0 $! 2>/dev/null || { echo "010-cd-object-store: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done
fi

# 020-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env
set -a
source ../label-studio/settings.env
set +a

# 030-requirements.in
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/requirements.in <<'END'
pydantic
starlette
uvicorn
END

# 040-uv-pip-compile-requirements.in-c
if [ "$guide_tool" = uv ]; then
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes --output-file requirements.txt
uv pip sync requirements.txt
fi

# 050-pip-install-r-requirements.in-c
if [ "$guide_tool" = pip ]; then
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 060-grep-qe-starlette-requirements.t
# check, which the page does not show
grep -qE '^starlette==' requirements.txt
grep -qE '^uvicorn==' requirements.txt

# 070-src-classifier.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/classifier.py <<'END'
"""From the bytes of a picture to an answer: what everybody calls who uses the model."""

import json
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from preprocessing import preprocess


@dataclass(frozen=True)
class Prediction:
    """What the model says of a picture, and what it has seen of it."""

    probabilities: dict[str, float]
    x: np.ndarray  # float32 (height, width, channels), the prepared picture
    embedding: np.ndarray  # float32 (units,), what the layer before the last makes of it

    @property
    def label(self) -> str:
        """The most probable class."""
        return max(self.probabilities, key=self.probabilities.get)

    @property
    def confidence(self) -> float:
        """The probability of that class, from 0 to 1."""
        return self.probabilities[self.label]


class Classifier:
    """A model, the preparation of its pictures, and the names of its classes."""

    def __init__(self, folder: Path) -> None:
        metadata = json.loads((folder / "metadata.json").read_text())
        self.labels: list[str] = metadata["labels"]
        self.image: dict = metadata["image"]
        self.network = Interpreter(str(folder / "model.tflite")).get_signature_runner()
        (self.input,) = self.network.get_input_details()
        self.lock = Lock()  # it computes one batch at a time

    def prepare(self, picture: bytes) -> np.ndarray:
        """Return float32 (height, width, channels). Raises OSError for what is no picture."""
        return preprocess(picture, **self.image)

    def predict(self, picture: bytes) -> Prediction:
        """Let the model look at a picture, once. Raises OSError for what is no picture."""
        x = self.prepare(picture)
        with self.lock:
            outputs = self.network(**{self.input: x[np.newaxis]})
            logits, embedding = outputs["logits"][0], outputs["embedding"][0]
        powers = np.exp(logits - logits.max())
        probabilities = powers / powers.sum()
        return Prediction(dict(zip(self.labels, probabilities.tolist())), x, embedding)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Let the model look at prepared pictures (number, height, width, channels). Returns float64 (number, classes)."""
        with self.lock:
            logits = self.network(**{self.input: x})["logits"].astype(float)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def classify(self, picture: bytes) -> dict[str, float]:
        """Return the probability of each class."""
        return self.predict(picture).probabilities
END

# 080-src-label-studio.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/label_studio.py <<'END'
"""Talk to Label Studio over its API, with the rights of whoever a token belongs to."""

from __future__ import annotations

import os
from typing import Any

import httpx

TITLE = "Planets and moons"
FIELD, PICTURE = "body", "picture"  # as labelling/interface.xml calls them


class LabelStudio:
    """A running Label Studio. What it refuses ends the program, with what it has said."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=120)

    @classmethod
    def from_environment(cls) -> LabelStudio:
        """Return the one that ../label-studio/settings.env names."""
        try:
            return cls(os.environ["LABEL_STUDIO_URL"], os.environ["LABEL_STUDIO_TOKEN"])
        except KeyError as missing:
            raise SystemExit(f"{missing.args[0]} is not set: load ../label-studio/settings.env") from None

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Send a request, and return the JSON of the answer."""
        try:
            response = self.http.request(method, path, **options)
        except httpx.ConnectError:
            raise SystemExit(f"no Label Studio at {self.http.base_url}: start labelling/start") from None
        if response.is_error:
            raise SystemExit(f"{method} {path}: {response.status_code} {response.text[:300]}")
        return response.json() if response.content else None

    def project(self) -> int:
        """Return the number of our project, or 0 if there is none yet."""
        found = self.ask("GET", "/api/projects", params={"page_size": 1000})["results"]
        return next((project["id"] for project in found if project["title"] == TITLE), 0)

    def tasks(self, project: int) -> list[dict]:
        """Return all tasks, with their annotations, in the order in which they were imported."""
        tasks: list[dict] = []
        while True:
            query = {"project": project, "page": len(tasks) // 500 + 1, "page_size": 500, "fields": "all"}
            page = self.ask("GET", "/api/tasks", params=query)
            tasks += page["tasks"]
            if len(tasks) >= page["total"]:
                return sorted(tasks, key=lambda task: task["id"])
END

# 090-src-backend.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/backend.py <<'END'
"""Answer Label Studio's questions with our model: what it thinks of the pictures of some tasks, and how sure it is."""

import logging
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, urlsplit

import numpy as np
import uvicorn
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from classifier import Classifier
from label_studio import FIELD, PICTURE
from pool import POOL
from version import model_version

logger = logging.getLogger("backend")


class Task(BaseModel):
    """What we need of a task."""

    id: int
    data: dict[str, str]


class Question(BaseModel):
    """What Label Studio sends to /predict."""

    tasks: list[Task]


class Backend:
    """A model that looks at the pictures of many tasks in one pass."""

    def __init__(self, model: Path, pool: Path, version: str) -> None:
        self.classifier, self.pool, self.version = Classifier(model), pool, version

    def prepare(self, task: Task) -> np.ndarray | None:
        """Return the prepared picture of a task, or None if it is gone or broken. Reads nothing outside of the pool."""
        query = parse_qs(urlsplit(task.data.get(PICTURE, "")).query)
        name = PurePosixPath(query.get("d", [""])[0]).name
        try:
            return self.classifier.prepare((self.pool / name).read_bytes())
        except OSError as error:
            logger.warning("task %s: %s", task.id, error)
            return None

    def predict(self, tasks: list[Task]) -> list[dict]:
        """Return a prediction for each task, in their order. Who can't be predicted gets an empty one."""
        prepared = [self.prepare(task) for task in tasks]
        seen = [x for x in prepared if x is not None]
        answers = iter(self.classifier.probabilities(np.stack(seen)) if seen else [])
        return [self.empty() if x is None else self.prediction(next(answers)) for x in prepared]

    def empty(self) -> dict:
        return {"model_version": self.version, "score": 0.0, "result": []}

    def prediction(self, probabilities: np.ndarray) -> dict:
        """Put a row of probabilities into the form of Label Studio."""
        best = int(probabilities.argmax())
        choice = {"choices": [self.classifier.labels[best]]}
        result = [{"from_name": FIELD, "to_name": PICTURE, "type": "choices", "value": choice}]
        return {"model_version": self.version, "score": float(probabilities[best]), "result": result}


def application(backend: Backend) -> Starlette:
    """Return the four addresses that Label Studio calls."""

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "UP", "model_class": "Planets"})

    async def setup(_: Request) -> JSONResponse:
        return JSONResponse({"model_version": backend.version})

    async def predict(request: Request) -> JSONResponse:
        try:
            question = Question.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"detail": error.errors(include_url=False, include_input=False)}, status_code=422)
        results = await run_in_threadpool(backend.predict, question.tasks)
        return JSONResponse({"results": results, "model_version": backend.version})

    async def webhook(request: Request) -> JSONResponse:
        """Take note of what people do. Training is nothing that starts by itself: see chapter 5.4."""
        logger.info("Label Studio says: %s", (await request.json()).get("action"))
        return JSONResponse({"status": "noted"})

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/setup", setup, methods=["POST"]),
            Route("/predict", predict, methods=["POST"]),
            Route("/webhook", webhook, methods=["POST"]),
        ]
    )


def main() -> None:
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    backend = Backend(Path("serving"), POOL, model_version())
    uvicorn.run(application(backend), host="127.0.0.1", port=9091, log_level="warning")


if __name__ == "__main__":
    main()
END

# 100-tests-test-backend.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_backend.py <<'END'
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
END

# 110-pytest.ini
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/pytest.ini <<'END'
[pytest]
pythonpath = src
addopts = --quiet --tb=short
filterwarnings =
    ignore:invalid escape sequence
    ignore:Using .httpx. with
    ignore::DeprecationWarning:keras
    ignore::DeprecationWarning:evidently
    ignore::DeprecationWarning:litestar
END

# 120-pytest-tests-test-backend.py
pytest tests/test_backend.py

# 140-cd-mlops-guide
set -m
(
if [ -e "$guide_state/third-terminal" ]; then . "$guide_state/third-terminal"; else cd "$guide_start"; fi
cd mlops-guide
source .venv/bin/activate
python3 src/backend.py
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:9091/health; do
  kill -0 $! 2>/dev/null || { echo "140-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 150-labelling-start
mkdir -p "$guide_start"/mlops-guide/labelling
cat >"$guide_start"/mlops-guide/labelling/start <<'END'
#!/usr/bin/env bash
# Start Label Studio on this machine, for this machine only: labelling/start
set -euo pipefail
cd "$(dirname "$0")/../../label-studio"
set -a # what the file sets, Label Studio sees
# shellcheck source=/dev/null
source settings.env
set +a
export LABEL_STUDIO_BASE_DATA_DIR=$PWD/data
export LABEL_STUDIO_USER_TOKEN=$LABEL_STUDIO_TOKEN
export LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN=true # a token that programs can use as it is
export LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK=true # who has no invitation gets no account

# Pictures are served from storages below this folder, and from nowhere else.
export LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true
export LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=$PWD/pictures

# Nothing is reported to anybody.
export COLLECT_ANALYTICS=false LATEST_VERSION_CHECK=false SENTRY_DSN='' FRONTEND_SENTRY_DSN=''

# It calls the model on this machine, and nothing in our networks or in those of a cloud.
export USE_DEFAULT_BANNED_SUBNETS=false
export USER_ADDITIONAL_BANNED_SUBNETS=0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,169.254.0.0/16,172.16.0.0/12,192.168.0.0/16,fc00::/7,fe80::/10

exec .venv/bin/label-studio start --no-browser --host "$LABEL_STUDIO_URL" --internal-host 127.0.0.1 --port "${LABEL_STUDIO_URL##*:}"
END

# 160-cd-mlops-guide
set -m
(
if [ -e "$guide_state/fourth-terminal" ]; then . "$guide_state/fourth-terminal"; else cd "$guide_start"; fi
cd mlops-guide
labelling/start
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:8080/health; do
  kill -0 $! 2>/dev/null || { echo "160-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 170-src-link.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/link.py <<'END'
"""Link the model to our project in Label Studio: python3 src/link.py"""

from label_studio import LabelStudio

BACKEND = "http://127.0.0.1:9091"


def link(studio: LabelStudio, project: int) -> int:
    """Tell Label Studio where the model answers, once, and return the number of the link."""
    wanted = {"project": project, "url": BACKEND, "title": "planets", "is_interactive": False, "timeout": 60}
    for known in studio.ask("GET", "/api/ml", params={"project": project}):
        if known["url"] == BACKEND:
            return studio.ask("PATCH", f"/api/ml/{known['id']}", json=wanted)["id"]
    return studio.ask("POST", "/api/ml", json=wanted)["id"]


def main() -> None:
    studio = LabelStudio.from_environment()
    project = studio.project()
    number = link(studio, project)
    state = studio.ask("GET", f"/api/ml/{number}")
    print(f"{state['url']} is {state['readable_state'].lower()}, and answers as {state['model_version']}")


if __name__ == "__main__":
    main()
END

# 180-python3-src-project.py
python3 src/project.py
python3 src/link.py

# 200-version-pythonpath-src-python3-c
# check, which the page does not show
version=$(PYTHONPATH=src python3 -c 'from version import model_version; print(model_version())')
python3 src/link.py | grep -q "answers as $version$"

# 210-src-prelabel.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/prelabel.py <<'END'
"""Let the model say what it thinks of each task, and put the tasks in order: those first of which it is least sure."""

from annotations import decide
from label_studio import LabelStudio

BATCH = 100  # tasks for one call of the model
VIEW = "Least sure first"


def ask_model(studio: LabelStudio, project: int, tasks: list[int]) -> None:
    """Let Label Studio ask the model about some tasks. It leaves out those that this version has answered."""
    selected = {"selectedItems": {"all": False, "included": tasks}}
    query = {"id": "retrieve_tasks_predictions", "project": project}
    studio.ask("POST", "/api/dm/actions", params=query, json=selected)


def put_in_order(studio: LabelStudio, project: int, version: str) -> None:
    """Make a tab that begins with what this version is least sure of, and let the label stream do the same."""
    wanted = {"model_version": version, "sampling": "Uncertainty sampling"}
    studio.ask("PATCH", f"/api/projects/{project}", json=wanted)
    data = {"title": VIEW, "ordering": ["tasks:predictions_score"], "type": "list"}
    views = studio.ask("GET", "/api/dm/views", params={"project": project})
    if not any(view["data"]["title"] == VIEW for view in views):
        studio.ask("POST", "/api/dm/views", json={"project": project, "data": data})


def newest(task: dict) -> dict:
    """Return the newest prediction of a task."""
    return max(task["predictions"], key=lambda prediction: prediction["id"])


def said(prediction: dict) -> str | None:
    """Return the label of a prediction, or None if the model could not see the picture."""
    return prediction["result"][0]["value"]["choices"][0] if prediction["result"] else None


def main() -> None:
    studio = LabelStudio.from_environment()
    project = studio.project()
    numbers = [task["id"] for task in studio.tasks(project)]
    for start in range(0, len(numbers), BATCH):
        ask_model(studio, project, numbers[start : start + BATCH])
    tasks = studio.tasks(project)
    version = newest(tasks[0])["model_version"]
    put_in_order(studio, project, version)

    tasks = sorted((task for task in tasks if decide(task)), key=lambda task: newest(task)["score"])
    print(f"{len(tasks)} tasks have a label of people, and a prediction of {version}")
    for part in range(4):
        quarter = tasks[part * len(tasks) // 4 : (part + 1) * len(tasks) // 4]
        agree = sum(said(newest(task)) == decide(task) for task in quarter) / len(quarter)
        print(f"score from {newest(quarter[0])['score']:.2f} to {newest(quarter[-1])['score']:.2f}: {agree:.2f} of them as people say")


if __name__ == "__main__":
    main()
END

# 220-prelabel
python3 src/prelabel.py

# 240-pythonpath-src-python3-end
PYTHONPATH=src python3 - << 'END'
from label_studio import LabelStudio
from prelabel import VIEW, newest, said

studio = LabelStudio.from_environment()
project = studio.project()
views = studio.ask("GET", "/api/dm/views", params={"project": project})
view = next(view["id"] for view in views if view["data"]["title"] == VIEW)
page = studio.ask("GET", "/api/tasks", params={"project": project, "view": view, "page_size": 5, "fields": "all"})
for task in page["tasks"]:
    print(f"{newest(task)['score']:.2f}  {said(newest(task))}")
END

# 260-src-order.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/order.py <<'END'
"""Does it pay to label first what the model is least sure of? Measured on the city telescope, whose answers we know."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

import model
from dataset import load_split
from params import load_params
from pool import hidden_name, pictures
from preprocessing import preprocess
from reference import SETS, pictures_of

GOAL = 0.8  # accuracy on the sealed pictures of the city
MOST = 160  # labels, after which we give up

Arrays = tuple[np.ndarray, np.ndarray]  # float32 (pictures, height, width, channels), int64 (pictures,)
Chooser = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def entropy(p: np.ndarray) -> np.ndarray:
    """Return over how many classes the doubt is spread, for probabilities (pictures, classes)."""
    return -(p * np.log(np.maximum(p, 1e-12))).sum(axis=1)


ORDERS: dict[str, Chooser] = {
    "least sure first": lambda p, random: entropy(p),
    "at random": lambda p, random: random.random(len(p)),
}


def arrays(found: list[tuple[str, bytes]], labels: list[str]) -> Arrays:
    """Prepare pictures whose folder is the right answer."""
    x = np.stack([preprocess(content, **load_params("image")) for _, content in found])
    return x, np.array([labels.index(PurePosixPath(name).parent.name) for name, _ in found])


def needed(network, known: Arrays, pool: Arrays, sealed: Arrays, order: Chooser, seed: int, step: int) -> int:
    """Return how many labels of the pool it takes to reach the goal. Each time it learns on from what it knows."""
    random, chosen = np.random.default_rng(seed), np.array([], dtype=int)
    while (model.predict(network, sealed[0]).argmax(axis=1) == sealed[1]).mean() < GOAL and len(chosen) < MOST:
        left = np.setdiff1d(np.arange(len(pool[1])), chosen)
        value = order(model.predict(network, pool[0][left]), random)
        chosen = np.concatenate([chosen, left[np.argsort(-value)[:step]]])
        x, y = (np.concatenate([all_known, new[chosen]]) for all_known, new in zip(known, pool))
        network.fit(x, y, epochs=4, batch_size=32, verbose=0)
    return len(chosen)


def main() -> None:
    model.make_reproducible()
    _, metadata = model.load(Path("model"))
    labels, train = metadata["labels"], load_split(Path("data/prepared/train.npz"))
    later = {hidden_name(content) for _, content in pictures("city")}  # a model of today may have learned from them
    first = np.array([PurePosixPath(name).name not in later for name in train.files])
    known, city = (train.x[first], train.y[first]), arrays(list(pictures("city")), labels)
    sealed = arrays(list(pictures("city", sealed=True)), labels)
    others = arrays(list(pictures_of(SETS / "control.zip")), labels)
    pools = {"the city only": (city, 10), "two known for one of the city": (tuple(map(np.concatenate, zip(city, others))), 20)}
    params = load_params("train")
    print(f"labels for an accuracy of {GOAL} on {len(sealed[1])} sealed pictures of the city, with five seeds")
    for pool_name, (pool, step) in pools.items():
        counts: dict[str, list[int]] = {name: [] for name in ORDERS}
        for seed in range(1, 6):
            model.make_reproducible(seed)
            shape = train.x.shape[1:]
            start = model.build(shape, len(labels), params["conv_filters"], params["dense_units"], params["learning_rate"])
            start.fit(*known, epochs=10, batch_size=params["batch_size"], verbose=0)
            weights = start.get_weights()
            for name, order in ORDERS.items():
                start.set_weights(weights)
                counts[name].append(needed(start, known, pool, sealed, order, seed, step))
        for name, values in counts.items():
            print(f"{pool_name}, {name}: {', '.join(map(str, values))}; mean {np.mean(values):.0f}")


if __name__ == "__main__":
    main()
END

# 270-order
python3 src/order.py 2> /dev/null

# 290-there-ls-..-label-studio-picture
there=$(ls ../label-studio/pictures/pool | sed -n 1p)
curl --silent http://127.0.0.1:9091/predict --data '{"tasks": [
  {"id": 1, "data": {"picture": "/data/local-files/?d=pool/gone.jpg"}},
  {"id": 2, "data": {"picture": "/data/local-files/?d=pool/'"$there"'"}}]}' |
  python3 -c 'import json, sys; print([len(one["result"]) for one in json.load(sys.stdin)["results"]])'

# 310-curl-silent-header-authorization
curl --silent --header "Authorization: Token $LABEL_STUDIO_TOKEN" "$LABEL_STUDIO_URL/api/webhooks/" |
  python3 -c 'import json, sys; print(*(hook["url"] for hook in json.load(sys.stdin)))'

# 330-dvc-repro-quiet-dev-null-2-1
dvc repro --quiet > /dev/null 2>&1
git add .
git status --short
git commit --quiet --message "Let the model propose labels [skip ci]"
dvc push --quiet
git push --quiet

# 350-git-status-short-branch
git status --short --branch

# 370-pythonpath-src-python3-end
PYTHONPATH=src python3 - << 'END'
from collections import Counter

from annotations import decide
from label_studio import LabelStudio
from prelabel import newest, said

studio = LabelStudio.from_environment()
tasks = [task for task in studio.tasks(studio.project()) if decide(task)]
for body in "ceres", "europa", "io", "pluto", "rhea":
    names = Counter(said(newest(task)) for task in tasks if decide(task) == body)
    print(f"{body:7}", ", ".join(f"{name} {count}" for name, count in names.most_common(3)))
END

touch "$guide_start/.guide-5.3"
