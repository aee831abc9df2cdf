#!/usr/bin/env bash
# Chapter 3.2 - Serve the model locally with BentoML
# Made from docs/part-3/chapter-3.2.md: change that page, not this file.
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

# Chapter 3.1 comes first.
if [ ! -e .guide-3.1 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-3.1/run.sh"
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

# 020-forge-method-path-body-ask-githu
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
forge() { # METHOD PATH [BODY]: ask GitHub, or what stands in for it
  local where=repos/$GITHUB_OWNER/$GITHUB_REPO/$2
  if [ -n "$FORGE_API" ]
  then curl -sS --fail-with-body --unix-socket "$FORGE_API" -X "$1" ${3:+--data "$3"} "http://localhost/$where"
  elif [ -n "$3" ]; then gh api -X "$1" "$where" --input - <<< "$3"
  else gh api -X "$1" "$where"
  fi
}
run_of() { # how the run for a commit ended, once it has
  local found
  for _ in $(seq 1600)
  do
    found=$(forge GET "actions/runs?head_sha=$1" |
      python3 -c 'import json, sys; print(*(run["conclusion"] or "" for run in json.load(sys.stdin)["workflow_runs"]))')
    if [ -n "${found// /}" ]; then echo "$found"; return; fi
    sleep 0.5
  done
  echo "no run of $1 has ended"
  return 1
}
fi

# 030-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env

# 040-src-service.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/service.py <<'END'
"""The service: says over HTTP what is on a picture."""

from pathlib import Path

import bentoml
from bentoml.exceptions import InvalidArgument
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, Field
from starlette.staticfiles import StaticFiles

from classifier import Classifier
from door import Door

Image.MAX_IMAGE_PIXELS = 5_000_000  # a picture with more than twice as many is refused

page = StaticFiles(directory=Path(__file__).parent / "page", html=True)


class Answer(BaseModel):
    """What the model says of a picture."""

    label: str = Field(description="the most probable class")
    confidence: float = Field(description="its probability, from 0 to 1")
    probabilities: dict[str, float] = Field(description="the probability of each class")
    model: str = Field(description="the version of the model")


@bentoml.service(name="planets", workers=1, traffic={"timeout": 10})
@bentoml.asgi_app(page, path="/page")
class Planets:
    """Names the planet or moon of our solar system on a picture."""

    entry = bentoml.models.BentoModel("planets:latest")

    def __init__(self) -> None:
        self.classifier = Classifier(Path(self.entry.path))

    @bentoml.api
    def predict(self, image: Path) -> Answer:
        """Say what is on a picture."""
        picture = image.read_bytes()
        try:
            probabilities = self.classifier.classify(picture)
        except UnidentifiedImageError:
            raise InvalidArgument("this is not a picture") from None
        except (OSError, Image.DecompressionBombError) as error:
            raise InvalidArgument(f"this picture can't be read: {error}") from None
        label = max(probabilities, key=probabilities.get)
        return Answer(
            label=label,
            confidence=probabilities[label],
            probabilities=probabilities,
            model=str(self.entry.tag),
        )


Planets.add_asgi_middleware(Door, most_bytes=5_000_000)
END

# 050-src-door.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/door.py <<'END'
"""The door of the service: looks at what is posted before anything is done with it."""

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

FIELD = "image"


class Door:
    """Lets in one file of a form that is not too large. Answers everything else itself."""

    def __init__(self, app, most_bytes: int) -> None:
        self.app, self.most_bytes = app, most_bytes

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        try:
            body = await self.read(Request(scope, receive))
            await self.check(Request(scope, replay(body)))
        except HTTPException as problem:
            answer = JSONResponse([{"error": problem.detail}], problem.status_code)
            await answer(scope, receive, send)
        else:
            await self.app(scope, replay(body), send)

    async def read(self, request: Request) -> bytes:
        """Return the body. What is too large is not read to its end."""
        kind = request.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            raise HTTPException(415, "send the picture as a file of a form: multipart/form-data")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > self.most_bytes:
                raise HTTPException(413, f"send at most {self.most_bytes:,} bytes")
        return body

    async def check(self, request: Request) -> None:
        """Raise an HTTPException unless the form has a file of the right name that is not empty."""
        async with request.form() as form:
            file = form.get(FIELD)
            if not isinstance(file, UploadFile):
                raise HTTPException(400, f'the form has no file with the name "{FIELD}"')
            if not file.size:
                raise HTTPException(400, "the file is empty")


def replay(body: bytes):
    """Return a function that hands over a body once more."""

    async def receive() -> dict:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
END

# 060-src-page-index.html
mkdir -p "$guide_start"/mlops-guide/src/page
cat >"$guide_start"/mlops-guide/src/page/index.html <<'END'
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Which body is it?</title>
<style>
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
  img { width: 12rem; image-rendering: pixelated; }
  ol { padding: 0; }
  li { display: grid; grid-template-columns: 7rem 1fr 4rem; gap: 0.5rem; }
  meter { width: 100%; }
</style>
<h1>Which body is it?</h1>
<p><label>Choose a picture of a planet or a moon: <input type="file" accept="image/*"></label></p>
<p id="answer" role="status"></p>
<img alt="" hidden>
<ol hidden></ol>
<script>
  const [input, answer, image, list] = ["input", "#answer", "img", "ol"].map((name) => document.querySelector(name));
  const percent = (value) => `${(100 * value).toFixed(1)} %`;

  input.onchange = async () => {
    const [file] = input.files;
    image.hidden = list.hidden = true;
    if (!file) return;
    answer.textContent = "Asking the model …";
    const form = new FormData();
    form.append("image", file);
    try {
      const response = await fetch("/predict", { method: "POST", body: form });
      const said = await response.json();
      if (response.ok) show(file, said);
      else answer.textContent = `The service refuses: ${(said[0] ?? said).error}`;
    } catch {
      answer.textContent = "The service does not answer.";
    }
  };

  function show(file, said) {
    answer.textContent = `This is ${said.label} (${percent(said.confidence)}), says ${said.model}.`;
    image.src = URL.createObjectURL(file);
    image.alt = `Your picture: ${file.name}`;
    const likely = Object.entries(said.probabilities).sort((a, b) => b[1] - a[1]).slice(0, 3);
    list.replaceChildren(...likely.map(([label, value]) => {
      const row = document.createElement("li"), meter = document.createElement("meter");
      meter.value = value;
      meter.title = label;
      row.append(label, meter, percent(value));
      return row;
    }));
    image.hidden = list.hidden = false;
  }
</script>
</html>
END

# 070-cd-mlops-guide
set -m
(
if [ -e "$guide_state/third-terminal" ]; then . "$guide_state/third-terminal"; else cd "$guide_start"; fi
cd mlops-guide
source .venv/bin/activate
source .env
bentoml serve --working-dir src service:Planets --port 3000
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:3000/readyz; do
  kill -0 $! 2>/dev/null || { echo "070-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 080-curl-silent-form-image-data-raw
curl --silent --form image=@data/raw/saturn/saturn_0000.jpg http://127.0.0.1:3000/predict | python3 -m json.tool

# 100-python3-end
python3 - <<'END'
from pathlib import Path

import bentoml

with bentoml.SyncHTTPClient("http://127.0.0.1:3000") as client:
    for body in "mars", "venus", "titan":
        answer = client.predict(image=Path(f"data/raw/{body}/{body}_0001.jpg"))
        print(f"{body}: {answer['label']}, {answer['confidence']:.1%}")
END

# 120-guide-python-end
# check, which the page does not show
guide-python - <<'END'
from scripts.runner.browser import page_of

with page_of("http://127.0.0.1:3000/page/") as page:
    page.set_input_files("input", "data/raw/saturn/saturn_0000.jpg")
    page.wait_for_function("document.querySelector('#answer').textContent.startsWith('This is saturn (')")
    assert page.locator("li").count() == 3 and page.locator("img").is_visible()
    page.set_input_files("input", "README.md")
    page.wait_for_function("document.querySelector('#answer').textContent === 'The service refuses: this is not a picture'")
    assert not page.locator("img").is_visible()
END

# 130-for-path-in-livez-readyz-metrics
for path in /livez /readyz /metrics /docs.json
do curl --silent --output /dev/null --write-out "%{http_code} $path\n" "http://127.0.0.1:3000$path"
done

# 150-curl-s-http-127.0.0.1-3000-docs
# check, which the page does not show
curl -s http://127.0.0.1:3000/docs.json | python3 -c '
import json, sys
schemas = json.load(sys.stdin)["components"]["schemas"]
assert set(schemas["AnswerIODescriptor"]["properties"]) == {"label", "confidence", "probabilities", "model"}'
curl -s http://127.0.0.1:3000/metrics | grep -c '^bentoml_service_request_total{endpoint="/predict",http_response_code="200"'

# 160-ask-curl-silent-write-out-http-c
ask() { curl --silent --write-out ' %{http_code}\n' "$@" http://127.0.0.1:3000/predict; }
head -c 1500 data/raw/earth/earth_0000.jpg > ../half.jpg
: > ../empty.jpg
head -c 6000000 /dev/zero > ../huge.jpg
ask --form image=@README.md
ask --form image=@../half.jpg
ask --form image=@../empty.jpg
ask --form image=@../huge.jpg
ask --form photo=@data/raw/earth/earth_0000.jpg
ask --form image=http://127.0.0.1:3000/metrics
ask --header 'Content-Type: image/jpeg' --data-binary @data/raw/earth/earth_0000.jpg
rm ../half.jpg ../empty.jpg ../huge.jpg

# 180-tests-test-service.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_service.py <<'END'
"""Test the service from outside, as those see it who ask it."""

import os
import socket
import subprocess
import sys
import time
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


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The service with the model of this commit, from a store and on a port of its own."""
    environment = {**os.environ, "BENTOML_HOME": str(tmp_path_factory.mktemp("bentoml"))}
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
END

# 190-pytest-tests-test-service.py
pytest tests/test_service.py

# 210-pythonpath-src-python3-end
PYTHONPATH=src python3 - <<'END'
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from classifier import Classifier
from dataset import load_split


class Careless(Classifier):
    def prepare(self, picture):
        image = Image.open(BytesIO(picture)).convert("RGB").resize((32, 32))
        return np.asarray(image, dtype=np.float32) / 255


validation = load_split(Path("data/prepared/validation.npz"))
pictures = [(Path("data/raw") / name).read_bytes() for name in validation.files]
answers = {}
for kind in Classifier, Careless:
    one = kind(Path("model"))
    answers[kind] = one.probabilities(np.stack([one.prepare(picture) for picture in pictures]))
    right = (answers[kind].argmax(axis=1) == validation.y).mean()
    print(f"{kind.__name__:10} accuracy {right:.3f}")
changed = (answers[Classifier].argmax(axis=1) != answers[Careless].argmax(axis=1)).sum()
difference = np.abs(answers[Classifier] - answers[Careless]).max()
print(f"{changed} of {len(pictures)} answers differ, a probability by {difference:.2f}")
END

# 230-requirements.in
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/requirements.in <<'END'
ai-edge-litert
locust
END

# 240-uv-pip-compile-requirements.in-c
if [ "$guide_tool" = uv ]; then
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes --output-file requirements.txt
uv pip sync requirements.txt
fi

# 250-pip-install-r-requirements.in-c
if [ "$guide_tool" = pip ]; then
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 260-src-load.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/load.py <<'END'
"""Measure how many answers a service gives, and how long one takes."""

import gevent.monkey

gevent.monkey.patch_all()  # the clients share one process, and take turns while they wait

import argparse
import random
from pathlib import Path

import gevent
from locust import FastHttpUser, constant, task
from locust.env import Environment

PICTURES = [path.read_bytes() for path in sorted(Path("data/raw").glob("*/*.jpg"))[::20]]


class Client(FastHttpUser):
    """Asks, waits for the answer, and asks again."""

    wait_time = constant(0)

    @task
    def predict(self) -> None:
        picture = random.choice(PICTURES)
        self.client.post("/predict", files={"image": ("picture.jpg", picture, "image/jpeg")})


def measure(host: str, clients: int, seconds: float) -> str:
    """Let some clients ask for some seconds, and say in a line how it went."""
    environment = Environment(user_classes=[Client], host=host)
    runner = environment.create_local_runner()
    runner.start(clients, spawn_rate=clients)
    gevent.sleep(1)  # what is slow only in the beginning does not count
    environment.stats.reset_all()
    gevent.sleep(seconds)
    total = environment.stats.total
    line = (
        f"{clients:2} clients: {total.num_requests / seconds:4.0f} answers a second, "
        f"half within {total.median_response_time:.0f} ms, "
        f"95 % within {total.get_response_time_percentile(0.95):.0f} ms, {total.num_failures} failed"
    )
    runner.quit()
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="http://127.0.0.1:3000")
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    for clients in 1, 32:
        print(measure(arguments.host, clients, arguments.seconds))


if __name__ == "__main__":
    main()
END

# 270-python3-src-load.py
python3 src/load.py

# 290-src-batched.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/batched.py <<'END'
"""A trial: the service of service.py, with batches."""

from pathlib import Path

import bentoml
import numpy as np

from classifier import Classifier
from service import Answer


@bentoml.service(workers=1, traffic={"timeout": 10})
class Network:
    def __init__(self) -> None:
        self.classifier = Classifier(Path(bentoml.models.get("planets:latest").path))

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=200)
    def probabilities(self, x: np.ndarray) -> np.ndarray:
        return self.classifier.probabilities(x)


@bentoml.service(name="batched", workers=1, traffic={"timeout": 10})
class Batched:
    network = bentoml.depends(Network)
    entry = bentoml.models.BentoModel("planets:latest")

    def __init__(self) -> None:
        self.classifier = Classifier(Path(self.entry.path))

    @bentoml.api
    async def predict(self, image: Path) -> Answer:
        x = self.classifier.prepare(image.read_bytes())
        (found,) = await self.network.to_async.probabilities(x[np.newaxis])
        probabilities = dict(zip(self.classifier.labels, found.tolist()))
        label = max(probabilities, key=probabilities.get)
        return Answer(label=label, confidence=probabilities[label], probabilities=probabilities, model=str(self.entry.tag))
END

# 300-cd-mlops-guide
set -m
(
if [ -e "$guide_state/fourth-terminal" ]; then . "$guide_state/fourth-terminal"; else cd "$guide_start"; fi
cd mlops-guide
source .venv/bin/activate
source .env
bentoml serve --working-dir src batched:Batched --port 3001
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:3001/readyz; do
  kill -0 $! 2>/dev/null || { echo "300-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 310-python3-src-load.py-host-http-12
python3 src/load.py --host http://127.0.0.1:3001

# 330-rm-src-batched.py
rm src/batched.py

# 340-src-model.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/model.py <<'END'
"""The network: build it, save it, load it. The only module that knows TensorFlow."""

import contextlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read while TensorFlow is imported


@contextmanager
def _muted_stderr() -> Iterator[None]:
    """Keep the notes on missing graphics cards off the screen: no setting does."""
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


with _muted_stderr():  # a failing import still raises its exception
    import keras
    import tensorflow as tf


def make_reproducible(seed: int = 0) -> None:
    """Make the same code give the same numbers, again and again, on one machine."""
    keras.utils.set_random_seed(seed)  # for Python, NumPy and TensorFlow
    # Threads finish in any order, and the sum of floats depends on the order.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    conv_filters: int,
    dense_units: int,
    learning_rate: float,
) -> keras.Model:
    """Return a small convolutional network, ready to be trained. It outputs logits."""
    layers = keras.layers
    network = keras.Sequential(
        [
            layers.Input(input_shape),
            layers.Conv2D(conv_filters, 3, activation="relu"),
            layers.MaxPooling2D(3),
            layers.Flatten(),
            layers.Dense(dense_units, activation="relu"),
            layers.Dense(classes),
        ]
    )
    network.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return network


def save(network: keras.Model, metadata: dict, folder: Path) -> None:
    """Write a network into a folder, with all that one has to know to use it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(network.to_json(indent=2) + "\n")
    network.save_weights(folder / "model.weights.h5")
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")


def load(folder: Path) -> tuple[keras.Model, dict]:
    """Return a network that save wrote, ready to predict, and its metadata."""
    network = keras.models.model_from_json((folder / "model.json").read_text())
    network.load_weights(folder / "model.weights.h5")
    return network, json.loads((folder / "metadata.json").read_text())


def predict(network: keras.Model, x: np.ndarray) -> np.ndarray:
    """Return the probability of each class: float32 (number of pictures, classes)."""
    logits = network.predict(x, verbose=0)
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def to_lite(network: keras.Model) -> bytes:
    """Return the network in the format of LiteRT. It computes the same logits."""
    with contextlib.redirect_stdout(io.StringIO()), _muted_stderr():  # a page of details
        return tf.lite.TFLiteConverter.from_keras_model(network).convert()
END

# 350-src-export.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/export.py <<'END'
"""Write the model for those who only ask it: it can't be trained, and needs no TensorFlow."""

import shutil
from pathlib import Path

import model

MODEL = Path("model")
SERVING = Path("serving")


def main() -> None:
    network, _ = model.load(MODEL)
    SERVING.mkdir(exist_ok=True)
    (SERVING / "model.tflite").write_bytes(model.to_lite(network))
    shutil.copy(MODEL / "metadata.json", SERVING)


if __name__ == "__main__":
    main()
END

# 360-dvc.yaml
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/dvc.yaml <<'END'
stages:
  validate:
    cmd: python3 src/validate.py
    deps:
    - data/raw
    - data/test-set.sha256
    - src/dataset.py
    - src/params.py
    - src/preprocessing.py
    - src/validate.py
    params:
    - validate
    outs:
    - data/profile.json:
        cache: false
  prepare:
    cmd: python3 src/prepare.py
    deps:
    - data/profile.json
    - data/raw
    - data/test-set.sha256
    - src/dataset.py
    - src/params.py
    - src/plots.py
    - src/prepare.py
    - src/preprocessing.py
    params:
    - image
    - prepare
    outs:
    - data/prepared
  train:
    cmd: python3 src/train.py
    deps:
    - data/prepared
    - src/dataset.py
    - src/model.py
    - src/params.py
    - src/plots.py
    - src/train.py
    params:
    - train
    outs:
    - model
    - training
  export:
    cmd: python3 src/export.py
    deps:
    - model
    - src/export.py
    - src/model.py
    outs:
    - serving
  evaluate:
    cmd: python3 src/evaluate.py
    deps:
    - data/prepared
    - model
    - src/dataset.py
    - src/evaluate.py
    - src/model.py
    - src/params.py
    - src/plots.py
    params:
    - evaluate
    outs:
    - evaluation/confusion_matrix.png
    - evaluation/predictions.csv
    - evaluation/predictions.png
    metrics:
    - evaluation/metrics.json:
        cache: false
plots:
- Accuracy:
    x: epoch
    y:
      training/history.csv: [accuracy, val_accuracy]
- Loss:
    x: epoch
    y:
      training/history.csv: [loss, val_loss]
- Confusion matrix:
    template: confusion
    x: predicted
    y:
      evaluation/predictions.csv: actual
- data/prepared/preview.png
- evaluation/predictions.png
END

# 370-gitignore
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/.gitignore <<'END'
/serving
END

# 380-dvc-repro-quiet-dev-null
dvc repro --quiet > /dev/null
dvc status
ls serving

# 400-was-git-show-head-dvc.lock-grep
# check, which the page does not show
was=$(git show HEAD:dvc.lock | grep -A2 'path: model$' | grep 'md5:' | sort -u)
grep -A2 'path: model$' dvc.lock | grep 'md5:' | sort -u | grep -xF -e "$was"

# 410-src-classifier.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/classifier.py <<'END'
"""From the bytes of a picture to an answer: what everybody calls who uses the model."""

import json
from pathlib import Path
from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from preprocessing import preprocess


class Classifier:
    """A model, the preparation of its pictures, and the names of its classes."""

    def __init__(self, folder: Path) -> None:
        metadata = json.loads((folder / "metadata.json").read_text())
        self.labels: list[str] = metadata["labels"]
        self.image: dict = metadata["image"]
        self.network = Interpreter(str(folder / "model.tflite")).get_signature_runner()
        (self.input,), (self.output,) = self.network.get_input_details(), self.network.get_output_details()
        self.lock = Lock()  # it computes one batch at a time

    def prepare(self, picture: bytes) -> np.ndarray:
        """Return float32 (height, width, channels). Raises OSError for what is no picture."""
        return preprocess(picture, **self.image)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return float32 (number, classes) for prepared pictures."""
        with self.lock:
            logits = self.network(**{self.input: x})[self.output]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def classify(self, picture: bytes) -> dict[str, float]:
        """Return the probability of each class."""
        answer = self.probabilities(self.prepare(picture)[np.newaxis])[0]
        return dict(zip(self.labels, answer.tolist()))
END

# 420-src-package.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/package.py <<'END'
"""Put the trained model into the model store of BentoML, with what tells where it comes from."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import bentoml
import yaml
from bentoml.exceptions import NotFound

MODEL = Path("serving")
METRICS = Path("evaluation/metrics.json")
NAME = "planets"


def ask(*command: str) -> str:
    """Return what a command prints. Ends when it fails: it has said why."""
    asked = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if asked.returncode:
        sys.exit(f"{command[0]} has failed")
    return asked.stdout.strip()


def recorded_hash() -> str:
    """Return the hash that dvc.lock has of the model. Ends when the model is another one."""
    if json.loads(ask("dvc", "status", "--json", "export")):
        sys.exit("The model is not the one of dvc.lock. Run dvc repro, or dvc checkout.")
    outs = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["export"]["outs"]
    return next(out["md5"] for out in outs if out["path"] == MODEL.as_posix())


def main() -> None:
    # The same model has the same name on every machine, and a name never gets another model.
    tag = f"{NAME}:{recorded_hash()[:12]}"
    try:
        bentoml.models.get(tag)
        print(f"{tag} is in the store already")
        return
    except NotFound:
        pass
    metadata = json.loads(METRICS.read_text())["validation"]
    labels = {"commit": ask("git", "rev-parse", "HEAD")}
    with bentoml.models.create(tag, labels=labels, metadata=metadata) as entry:
        for file in sorted(MODEL.iterdir()):
            shutil.copy(file, entry.path_of(file.name))
    print(f"{tag} is in the store now")


if __name__ == "__main__":
    main()
END

# 430-tests-test-classifier.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_classifier.py <<'END'
"""Test that whoever uses the model gets the answers of the pipeline."""

from pathlib import Path

import numpy as np
import pytest

import model
from classifier import Classifier
from dataset import load_split

RAW = Path("data/raw")


@pytest.fixture(scope="module")
def classifier():
    model.make_reproducible()
    return Classifier(Path("serving"))


def test_same_answers_as_the_pipeline(classifier):
    validation = load_split(Path("data/prepared/validation.npz"))
    network, _ = model.load(Path("model"))
    expected = model.predict(network, validation.x)
    answers = [classifier.classify((RAW / name).read_bytes()) for name in validation.files]
    probabilities = np.array([[answer[label] for label in classifier.labels] for answer in answers])
    assert np.abs(probabilities - expected).max() < 1e-5


def test_refuses_what_is_no_picture(classifier):
    with pytest.raises(OSError, match="cannot identify"):
        classifier.classify(b"not a picture")
END

# 440-python3-src-package.py
python3 src/package.py
pytest tests/test_classifier.py tests/test_service.py

# 460-cd-mlops-guide
set -m
(
if [ -e "$guide_state/fifth-terminal" ]; then . "$guide_state/fifth-terminal"; else cd "$guide_start"; fi
cd mlops-guide
source .venv/bin/activate
source .env
bentoml serve --working-dir src service:Planets --port 3002
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:3002/readyz; do
  kill -0 $! 2>/dev/null || { echo "460-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 470-python3-src-load.py-host-http-12
python3 src/load.py --host http://127.0.0.1:3002

# 490-python3-src-load.py-host-http-12
# check, which the page does not show
python3 src/load.py --host http://127.0.0.1:3002 --seconds 2 | tail -n 1 | grep ' 0 failed$'

# 500-packages-python3-c-import-site-p
packages=$(python3 -c 'import site; print(site.getsitepackages()[0])')
size() { du -skL "$@" | awk '{sum += $1} END {printf "%.2f GB\n", sum / 1e6}'; }
size "$packages/tensorflow" "$packages/keras"
size "$packages/ai_edge_litert"

# 520-said-bentoml-serve-working-dir-s
# check, which the page does not show
said=$(bentoml serve --working-dir src service:Planets --port 3002 2>&1 || true)
grep -qi "address already in use" <<< "$said"
said=$(BENTOML_HOME=$(mktemp -d) bentoml serve --working-dir src service:Planets --port 3009 2>&1 || true)
grep -qF "Model planets:latest could not be found locally" <<< "$said"

# 530-pytest
pytest
git status --short

# 550-git-add-.gitignore-dvc.lock-dvc
git add .gitignore dvc.lock dvc.yaml requirements.in requirements.txt src tests
git commit --quiet --message "Serve the model, with LiteRT"
dvc push --quiet

# 560-git-push-2-1-grep-remote-tail-n
if [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | tail -n 1
fi

# 580-git-push-quiet
if [ "$guide_place" = cloud ]; then
git push --quiet
fi

# 590-gh-run-watch-exit-status-gh-run
if [ "$guide_place" = cloud ]; then
gh run watch --exit-status "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')"
fi

# 600-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
fi

# 610-forgotten
set +e
(
set -e
sed 's/return preprocess(picture, \*\*self.image)/return preprocess(picture, size=32, grayscale=True).repeat(3, axis=2)/' \
  src/classifier.py > ../classifier.py
mv ../classifier.py src/classifier.py
pytest tests/test_classifier.py tests/test_service.py 2>&1 | grep ^FAILED | cut -d ' ' -f 2
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "610-forgotten: ended with status $guide_status, not 1" >&2; exit 1; fi

# 630-git-restore-src-classifier.py
git restore src/classifier.py

touch "$guide_start/.guide-3.2"
