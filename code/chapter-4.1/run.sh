#!/usr/bin/env bash
# Chapter 4.1 - Log predictions and features locally
# Made from docs/part-4/chapter-4.1.md: change that page, not this file.
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

# Chapter 3.8 comes first.
if [ ! -e .guide-3.8 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-3.8/run.sh"
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

# 030-docker-run-rm-name-registry-publ
set -m
(
if [ -e "$guide_state/third-terminal" ]; then . "$guide_state/third-terminal"; else cd "$guide_start"; fi
docker run --rm --name registry --publish 127.0.0.1:5000:5000 --volume "$PWD/registry:/var/lib/registry" registry:2
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:5000/v2/; do
  kill -0 $! 2>/dev/null || { echo "030-docker-run-rm-name-registry-publ: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 040-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env

# 050-cd-mlops-guide
set -m
(
if [ -e "$guide_state/fourth-terminal" ]; then . "$guide_state/fourth-terminal"; else cd "$guide_start"; fi
cd mlops-guide
source .venv/bin/activate
source .env
bentoml serve --working-dir src service:Planets --port 3002
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:3002/readyz; do
  kill -0 $! 2>/dev/null || { echo "050-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 060-src-model.py
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
    """Return the network in the format of LiteRT. Its outputs: "logits", and the "embedding" before them."""
    outputs = {"logits": network.layers[-1].output, "embedding": network.layers[-2].output}
    both = keras.Model(network.inputs, outputs)
    with contextlib.redirect_stdout(io.StringIO()), _muted_stderr():  # a page of details
        return tf.lite.TFLiteConverter.from_keras_model(both).convert()
END

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

    def classify(self, picture: bytes) -> dict[str, float]:
        """Return the probability of each class."""
        return self.predict(picture).probabilities
END

# 080-tests-test-classifier.py
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


def test_one_pass_gives_the_answer_and_the_embedding(classifier, monkeypatch):
    network, passes = classifier.network, []

    def counted(**inputs):
        passes.append(inputs)
        return network(**inputs)

    monkeypatch.setattr(classifier, "network", counted)
    validation = load_split(Path("data/prepared/validation.npz"))
    embeddings = [classifier.predict((RAW / name).read_bytes()).embedding for name in validation.files]
    assert len(passes) == len(validation.files)

    expected = validation.x
    for layer in model.load(Path("model"))[0].layers[:-1]:
        expected = layer(expected)
    assert np.abs(np.array(embeddings) - expected).max() < 1e-4


def test_refuses_what_is_no_picture(classifier):
    with pytest.raises(OSError, match="cannot identify"):
        classifier.classify(b"not a picture")
END

# 090-dvc-repro-quiet-dev-null
dvc repro --quiet > /dev/null
dvc status
pytest tests/test_classifier.py

# 110-hash-of-grep-a2-path-1-grep-md5
# check, which the page does not show
hash_of() { grep -A2 "path: $1\$" | grep 'md5:' | sort -u; }
test "$(git show HEAD:dvc.lock | hash_of model)" = "$(hash_of model < dvc.lock)"
test "$(git show HEAD:dvc.lock | hash_of serving)" != "$(hash_of serving < dvc.lock)"

# 120-src-features.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/features.py <<'END'
"""What is kept of a picture: a few numbers in its place. For the service and for the reference alike."""

import numpy as np

from classifier import Prediction


def measure(x: np.ndarray) -> dict[str, float]:
    """Return what somebody at the telescope would notice of a prepared picture (height, width, channels)."""
    x = np.broadcast_to(x, (*x.shape[:2], 3))  # gives a grey picture its three colours
    gray = x.mean(axis=2)
    middle = gray[1:-1, 1:-1]
    around = (gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]) / 4
    red, green, blue = x.mean(axis=(0, 1))
    light = max(red + green + blue, 1e-6)  # a black picture has no colour
    return {
        "brightness": gray.mean(),
        "contrast": gray.std(),
        "sharpness": abs(middle - around).mean(),  # how far a pixel is from its neighbours
        "sky": np.partition(gray.ravel(), gray.size // 10)[gray.size // 10],  # what is behind the body
        "red": red / light,
        "blue": blue / light,
    }


def describe(prediction: Prediction) -> dict:
    """Return what is kept of a prediction, in place of the picture."""
    p = np.array(list(prediction.probabilities.values()))
    numbers = {
        "confidence": prediction.confidence,
        "entropy": -(p * np.log(np.maximum(p, 1e-12))).sum(),  # 0 when it is sure
        **measure(prediction.x),
    }
    return {
        "label": prediction.label,
        **{name: round(float(value), 5) for name, value in numbers.items()},
        "embedding": np.round(prediction.embedding.astype(float), 3).tolist(),
    }
END

# 130-tests-test-features.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_features.py <<'END'
"""Test that each number sees what it is named after, and nothing that it should not see."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from features import measure

NAMES = ["brightness", "contrast", "sharpness", "sky", "red", "blue"]


@pytest.fixture
def picture() -> Image.Image:
    """A grey disc with a rough surface before a dark sky."""
    noise = np.random.default_rng(77).normal(0.6, 0.1, (32, 32))
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    gray = np.where(x**2 + y**2 < 0.5, noise, 0.05).clip(0, 1)
    return Image.fromarray((gray * 255).astype(np.uint8)).convert("RGB")


def numbers(picture: Image.Image) -> dict[str, float]:
    return measure(np.asarray(picture, dtype=np.float32) / 255)


CHANGES = {
    "brightness": lambda p: p.point(lambda value: value * 0.5),
    "contrast": lambda p: p.point(lambda value: 60 + value * 0.5),
    "sharpness": lambda p: p.filter(ImageFilter.GaussianBlur(1)),
    "sky": lambda p: p.point(lambda value: max(value, 60)),
    "red": lambda p: Image.merge("RGB", [p.getchannel(0).point(lambda value: value * 0.8), *p.split()[1:]]),
    "blue": lambda p: Image.merge("RGB", [*p.split()[:2], p.getchannel(2).point(lambda value: value * 0.8)]),
}


@pytest.mark.parametrize("name", NAMES)
def test_sees_what_it_is_named_after(picture, name):
    before, after = numbers(picture), numbers(CHANGES[name](picture))
    assert list(before) == NAMES
    assert abs(after[name] - before[name]) > 0.1 * before[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_mirrored_picture_has_the_same_numbers(picture, name):
    assert numbers(picture)[name] == pytest.approx(numbers(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))[name])


@pytest.mark.parametrize("shape", [(32, 32, 3), (32, 32, 1)])
def test_works_without_light_and_without_colour(shape):
    assert set(measure(np.zeros(shape, dtype=np.float32)).values()) == {0}
END

# 140-pytest-tests-test-features.py
pytest tests/test_features.py

# 160-src-journal.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/journal.py <<'END'
"""The journal of the service: a line of JSON for each answer, on a disk that it never fills."""

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock


class Journal:
    """Lines in files of bounded size, of which the newest are kept.

    Files only grow. None is renamed or written anew, so others can copy them at any time.
    """

    def __init__(self, folder: Path, most_bytes: int = 5_000_000, most_files: int = 20) -> None:
        self.folder, self.most_bytes, self.most_files = folder, most_bytes, most_files
        self.file: Path | None = None
        self.lock = Lock()  # requests are answered side by side

    def write(self, entry: dict) -> None:
        """Append an entry, with the time. Raises OSError if the disk does not take the whole line."""
        with self.lock:
            now = datetime.now(UTC)
            line = json.dumps({"time": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}", **entry}) + "\n"
            if not self.has_room(len(line)):
                self.begin(now)
            append(self.file, line.encode())

    def has_room(self, more: int) -> bool:
        """Say whether so many bytes fit into the present file."""
        return (
            self.file is not None
            and self.file.exists()  # somebody may have cleaned up
            and self.file.stat().st_size + more <= self.most_bytes
        )

    def begin(self, now: datetime) -> None:
        """Begin a new file. Remove the oldest ones, so that there are not too many."""
        self.folder.mkdir(parents=True, exist_ok=True)
        files = sorted(self.folder.glob("predictions-*.jsonl"))  # by time: it is in the name
        for old in files[: max(len(files) + 1 - self.most_files, 0)]:
            old.unlink()
        self.file = self.folder / f"predictions-{now:%Y%m%dT%H%M%S%fZ}.jsonl"


def append(file: Path, line: bytes) -> None:
    """Write a line at the end of a file. Of one that does not fit, nothing is left."""
    with file.open("ab", buffering=0) as end:
        before = end.tell()
        if end.write(line) < len(line):
            end.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
END

# 170-tests-test-journal.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_journal.py <<'END'
"""Test the journal: each line once and whole, old ones removed, a full disk reported."""

import json
import resource

import pytest

from journal import Journal


def files_of(folder):
    return sorted(folder.glob("*.jsonl"))


def entries_of(folder):
    return [json.loads(line) for file in files_of(folder) for line in file.read_text().splitlines()]


def test_keeps_what_is_written(tmp_path):
    journal = Journal(tmp_path / "logs")
    for number in range(3):
        journal.write({"number": number})
    entries = entries_of(tmp_path / "logs")
    assert [entry["number"] for entry in entries] == [0, 1, 2]
    assert entries == sorted(entries, key=lambda entry: entry["time"])


def test_the_newest_lines_stay_and_the_disk_never_fills(tmp_path):
    journal = Journal(tmp_path, most_bytes=200, most_files=3)
    for number in range(50):
        journal.write({"number": number})
        assert len(files_of(tmp_path)) <= 3
    assert all(file.stat().st_size <= 200 for file in files_of(tmp_path))
    numbers = [entry["number"] for entry in entries_of(tmp_path)]
    assert numbers == list(range(numbers[0], 50))
    assert len(numbers) > 3


def test_a_restart_begins_a_new_file(tmp_path):
    Journal(tmp_path).write({"number": 0})
    Journal(tmp_path).write({"number": 1})
    assert len(files_of(tmp_path)) == 2


@pytest.fixture
def full_disk():
    """Files of this process can't get larger than 100 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_of_a_line_that_does_not_fit_nothing_is_left(tmp_path, full_disk):
    journal = Journal(tmp_path)
    journal.write({"number": 0})
    for _ in range(2):
        with pytest.raises(OSError):
            journal.write({"number": 1, "text": "x" * 50})
    assert [entry["number"] for entry in entries_of(tmp_path)] == [0]


def test_a_folder_that_is_a_file_is_an_error_of_the_disk(tmp_path):
    (tmp_path / "logs").write_text("")
    with pytest.raises(OSError):
        Journal(tmp_path / "logs").write({"number": 0})


def test_goes_on_where_somebody_has_cleaned_up(tmp_path):
    journal = Journal(tmp_path / "logs")
    journal.write({"number": 0})
    (file,) = files_of(tmp_path / "logs")
    file.unlink()
    file.parent.rmdir()
    journal.write({"number": 1})
    assert [entry["number"] for entry in entries_of(tmp_path / "logs")] == [1]
END

# 180-pytest-tests-test-journal.py
pytest tests/test_journal.py

# 200-src-service.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/service.py <<'END'
"""The service: says over HTTP what is on a picture."""

import logging
import os
from pathlib import Path
from uuid import uuid4

import bentoml
from bentoml.exceptions import InvalidArgument
from PIL import Image, UnidentifiedImageError
from prometheus_client import Counter
from pydantic import BaseModel, Field
from starlette.staticfiles import StaticFiles

from classifier import Classifier, Prediction
from door import Door
from features import describe
from journal import Journal

Image.MAX_IMAGE_PIXELS = 5_000_000  # a picture with more than twice as many is refused

LOGGED = Counter("predictions_logged", "predictions that are in the journal")
LOST = Counter("predictions_lost", "predictions that the journal could not take")

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
        self.journal = Journal(Path(os.environ.get("LOGS", "logs")).resolve())

    @bentoml.api
    def predict(self, image: Path, context: bentoml.Context) -> Answer:
        """Say what is on a picture."""
        picture = image.read_bytes()
        try:
            prediction = self.classifier.predict(picture)
        except UnidentifiedImageError:
            raise InvalidArgument("this is not a picture") from None
        except (OSError, Image.DecompressionBombError) as error:
            raise InvalidArgument(f"this picture can't be read: {error}") from None
        context.response.headers["X-Request-Id"] = self.log(prediction)
        return Answer(
            label=prediction.label,
            confidence=prediction.confidence,
            probabilities=prediction.probabilities,
            model=str(self.entry.tag),
        )

    def log(self, prediction: Prediction) -> str:
        """Write a prediction into the journal, and return the name of the request. Never fails."""
        request = uuid4().hex
        try:
            self.journal.write({"request": request, "model": str(self.entry.tag), **describe(prediction)})
            LOGGED.inc()
        except Exception as error:  # whatever it is: who asks gets the answer all the same
            LOST.inc()
            logging.getLogger("bentoml").error("request %s is not in the journal: %s", request, error)
        return request


Planets.add_asgi_middleware(Door, most_bytes=5_000_000)
END

# 210-env
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/.env <<'END'
# Where the service writes its journal.
export LOGS=$PWD/logs
END

# 220-gitignore
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/.gitignore <<'END'

# What the service has said
/logs/
END

# 230-source-.env
source .env
echo "$LOGS"
python3 src/package.py

# 250-cd-mlops-guide
set -m
(
if [ -e "$guide_state/fifth-terminal" ]; then . "$guide_state/fifth-terminal"; else cd "$guide_start"; fi
cd mlops-guide
source .venv/bin/activate
source .env
bentoml serve --working-dir src service:Planets --port 3001
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:3001/readyz; do
  kill -0 $! 2>/dev/null || { echo "250-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 260-curl-silent-output-dev-null-dump
curl --silent --output /dev/null --dump-header ../headers.txt --form image=@data/raw/saturn/saturn_0000.jpg http://127.0.0.1:3001/predict
request=$(tr -d '\r' < ../headers.txt | sed -n 's/^x-request-id: //p')
rm ../headers.txt
grep -h "$request" logs/*.jsonl | python3 -m json.tool | sed -n 1,14p

# 280-for-picture-in-data-raw-0007.jpg
for picture in data/raw/*/*_0007.jpg README.md
do curl --silent --output /dev/null --form "image=@$picture" http://127.0.0.1:3001/predict
done
cat logs/*.jsonl | wc -l | tr -d ' '
curl --silent http://127.0.0.1:3001/metrics | grep '^predictions_'

# 300-tests-test-service.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_service.py <<'END'
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
END

# 310-pytest-tests-test-service.py
pytest tests/test_service.py

# 330-speed
python3 src/load.py --host http://127.0.0.1:3002
python3 src/load.py --host http://127.0.0.1:3001

# 350-curl-s-http-127.0.0.1-3001-metri
# check, which the page does not show
curl -s http://127.0.0.1:3001/metrics | grep '^predictions_lost_total 0.0$'
counted() { curl -s http://127.0.0.1:3001/metrics | sed -n 's/^predictions_logged_total \([0-9]*\).*/\1/p'; }
lines=$(cat logs/*.jsonl | wc -l) before=$(counted)
curl -sf -o /dev/null --form image=@data/raw/saturn/saturn_0000.jpg http://127.0.0.1:3001/predict
test "$(counted)" -eq $((before + 1)) && test "$(cat logs/*.jsonl | wc -l)" -eq $((lines + 1))

# 360-pythonpath-src-python3-2-dev-nul
PYTHONPATH=src python3 - 2> /dev/null <<'END'
import json
from pathlib import Path

import numpy as np

from classifier import Classifier

first = json.loads(min(Path("logs").iterdir()).read_text().splitlines()[0])
classifier = Classifier(Path("serving"))
pictures = sorted(Path("data/raw").glob("*/*.jpg"))
embeddings = np.array([classifier.predict(picture.read_bytes()).embedding for picture in pictures])
distances = np.linalg.norm(embeddings - first["embedding"], axis=1)
print(f"{pictures[distances.argmin()].name} is {distances.min():.2f} away")
END

# 380-src-bento.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/bento.py <<'END'
"""Put the service, its model and the lock of its packages into one file: bento.py FILE"""

import sys
from pathlib import Path

import bentoml

PARTS = [
    *("classifier.py", "door.py", "features.py", "journal.py", "preprocessing.py", "service.py"),
    *("page/index.html", "serving.txt"),
]


def main(file: str) -> None:
    bento = bentoml.bentos.build("service:Planets", build_ctx="src", include=PARTS)
    bentoml.bentos.export_bento(bento.tag, str(Path(file).resolve()))
    bentoml.bentos.delete(bento.tag)  # the file is all that we want


if __name__ == "__main__":
    main(sys.argv[1])
END

# 390-dockerfile
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/Dockerfile <<'END'
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

RUN useradd --uid 10001 planets && install --directory --mode 1777 /logs
WORKDIR /bento

# Packages change less often than the model, so their layer comes first and is kept from build to build.
COPY src/serving.txt src/
RUN pip install --no-cache-dir --no-compile --require-hashes --requirement src/serving.txt

COPY . .
ENV BENTOML_HOME=/tmp/bentoml BENTOML_DO_NOT_TRACK=True LOGS=/logs
USER 10001
EXPOSE 3000
CMD ["bentoml", "serve", ".", "--host", "0.0.0.0", "--port", "3000"]
END

# 400-kubernetes-base-deployment.yaml
mkdir -p "$guide_start"/mlops-guide/kubernetes/base
cat >"$guide_start"/mlops-guide/kubernetes/base/deployment.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: planets
  labels:
    app: planets
spec:
  replicas: 2
  selector:
    matchLabels:
      app: planets
  strategy:
    rollingUpdate:
      maxUnavailable: 0 # an old copy ends when a new one is ready, and not before
      maxSurge: 1
  template:
    metadata:
      labels:
        app: planets
    spec:
      automountServiceAccountToken: false # the service has nothing to ask the cluster
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: service
          image: planets # kubernetes/base/image.yaml says which one
          ports:
            - name: http
              containerPort: 3000
          startupProbe: # give it a minute to start
            httpGet:
              path: /readyz
              port: http
            periodSeconds: 2
            failureThreshold: 30
          readinessProbe: # no requests for a copy that can't answer
            httpGet:
              path: /readyz
              port: http
            periodSeconds: 5
          livenessProbe: # a copy that hangs is started anew
            httpGet:
              path: /livez
              port: http
            periodSeconds: 10
          resources:
            requests: # what the cluster keeps free for it
              cpu: 100m
              memory: 256Mi
            limits: # what it never gets more of
              memory: 512Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            - name: logs
              mountPath: /logs
      volumes:
        - name: tmp
          emptyDir: {}
        - name: logs
          emptyDir:
            sizeLimit: 200Mi # twice what the journal takes
END

# 410-ci-try
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/try <<'END'
#!/usr/bin/env bash
# Start an image with as few rights as in production, and test it: ci/try NAME
set -euo pipefail
container=$(docker run --detach --publish 127.0.0.1::3000 --read-only --tmpfs /tmp --tmpfs /logs \
  --cap-drop all --security-opt no-new-privileges --memory 512m "$1")
trap 'docker rm --force "$container" > /dev/null' EXIT

SERVICE=http://$(docker port "$container" 3000 | head -n 1)
export SERVICE
if ! curl --silent --fail --retry 30 --retry-delay 1 --retry-all-errors --output /dev/null "$SERVICE/readyz"; then
  docker logs "$container" 2>&1 | tail -n 5
  echo "the service in $1 does not become ready" >&2
  exit 1
fi
pytest tests/test_service.py
END

# 420-kubectl-kustomize-kubernetes-bas
kubectl kustomize kubernetes/base > ../base.yaml
kubernetes-validate --strict --quiet ../base.yaml
rm ../base.yaml
ci/build planets
ci/try planets

# 440-container-docker-run-detach-publ
container=$(docker run --detach --publish 127.0.0.1::3000 --read-only --tmpfs /tmp --tmpfs /logs:size=16k planets)
service=http://$(docker port "$container" 3000 | head -n 1)
curl --silent --fail --retry 30 --retry-delay 1 --retry-all-errors --output /dev/null "$service/readyz"
for _ in $(seq 40)
do curl --silent --output /dev/null --write-out '%{http_code}\n' --form image=@data/raw/saturn/saturn_0000.jpg "$service/predict"
done > ../answers.txt
grep -c '^200$' ../answers.txt
curl --silent "$service/metrics" | grep '^predictions_'
docker exec "$container" python3 -c '
import json, pathlib
print(len([json.loads(line) for file in pathlib.Path("/logs").iterdir() for line in file.open()]), "whole lines")'

# 460-docker-logs-container-2-1-grep-i
docker logs "$container" 2>&1 | grep 'is not in the journal' | grep -o 'No space left on device' | uniq
docker rm --force "$container" > /dev/null

# 480-container-docker-run-detach-publ
container=$(docker run --detach --publish 127.0.0.1::3000 --read-only --tmpfs /tmp planets)
service=http://$(docker port "$container" 3000 | head -n 1)
curl --silent --fail --retry 30 --retry-delay 1 --retry-all-errors --output /dev/null "$service/readyz"
curl --silent --form image=@data/raw/saturn/saturn_0000.jpg "$service/predict" | python3 -m json.tool | sed -n 2p
curl --silent "$service/metrics" | grep '^predictions_'
docker rm --force "$container" > /dev/null
rm ../answers.txt

# 500-git-add
git add .
git status --short
git commit --quiet --message "Keep a journal of what the service says"
dvc push --quiet

# 520-deployed
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | sed -n '/Test the image/,$p'
git pull --quiet
fi

# 540-git-push-2-1-grep-remote-tail-n
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | tail -n 1
fi

# 560-git-push-quiet
if [ "$guide_place" = cloud ]; then
git push --quiet
fi

# 570-sleep-5
if [ "$guide_place" = cloud ]; then
sleep 5
gh run watch --exit-status "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')"
git pull --quiet
fi

# 580-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
fi

# 590-curl-silent-http-127.0.0.1-3000
if [ "$guide_cluster" = podman ]; then
curl --silent http://127.0.0.1:3000/metrics | grep '^predictions_lost'
podman exec "$(podman ps --quiet --filter name=service)" sh -c 'cat /logs/*.jsonl | wc -l'
fi

# 610-kubectl-kustomize-kubernetes-lap
if [ "$guide_cluster" = podman ]; then
kubectl kustomize kubernetes/laptop > ../laptop.yaml
podman kube down ../laptop.yaml > /dev/null
rm ../laptop.yaml
fi

# 620-kubectl-exec-deployment-planets
if [ "$guide_cluster" = kind ]; then
kubectl exec deployment/planets -- sh -c 'cat /logs/*.jsonl | wc -l'
fi

# 630-python3-end
python3 - <<'END'
import json
from pathlib import Path

entries = [json.loads(line) for file in Path("logs").iterdir() for line in file.open()]
for entry in sorted(entries, key=lambda entry: -entry["entropy"])[:3]:
    print(f"{entry['request'][:8]}  {entry['label']:8} {entry['entropy']:.2f}")
doubtful = sum(entry["confidence"] < 0.5 for entry in entries) / len(entries)
print(f"{doubtful:.1%} are below 0.5")
END

touch "$guide_start/.guide-4.1"
