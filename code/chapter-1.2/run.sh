#!/usr/bin/env bash
# Chapter 1.2 - Adapt and move the Jupyter Notebook to Python scripts
# Made from docs/part-1/chapter-1.2.md: change that page, not this file.
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

# Chapter 1.1 comes first.
if [ ! -e .guide-1.1 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-1.1/run.sh"
fi

# 010-mkdir-mlops-guide
mkdir mlops-guide
cd mlops-guide
cp -r ../mlops-guide-notebook/data .
cp ../mlops-guide-notebook/constraints.txt .

# 020-requirements.in
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/requirements.in <<'END'
keras
matplotlib
numpy
pillow
pyyaml
scikit-learn
tensorflow
END

# 030-uv-venv-python-3.11-3.14
if [ "$guide_tool" = uv ]; then
uv venv --python '>=3.11,<3.14'
source .venv/bin/activate
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes \
  --output-file requirements.txt
uv pip sync requirements.txt
fi

# 040-grep-a-1-tensorflow-requirements
if [ "$guide_tool" = uv ]; then
grep -A 1 '^tensorflow==' requirements.txt
fi

# 060-printf-six-s-hash-sha256-064d-n
if [ "$guide_tool" = uv ]; then
# check, which the page does not show
# The lock's own entry of a small package, with another fingerprint.
printf 'six==%s --hash=sha256:%064d\n' "$(sed -n 's/^six==\([0-9.]*\).*/\1/p' requirements.txt)" 0 > ../wrong.txt
if uv pip install --target ../wrong --no-deps --requirements ../wrong.txt 2> ../wrong.log
then echo 'a package with another hash was accepted'; exit 1
fi
grep 'Hash mismatch' ../wrong.log
rm -rf ../wrong ../wrong.txt ../wrong.log
fi

# 070-python3-m-venv-.venv
if [ "$guide_tool" = pip ]; then
python3 -m venv .venv
source .venv/bin/activate
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 080-python3-end
# check, which the page does not show
python3 - <<'END'
import re
from importlib.metadata import version
from pathlib import Path

locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", Path("requirements.txt").read_text(), re.M))
allowed = dict(re.findall(r"^([\w.-]+)==([\w.]+)", Path("constraints.txt").read_text(), re.M))
assert len(locked) > 30, locked
for name in ("keras", "tensorflow", "scikit-learn"):
    assert version(name) == locked[name] == allowed[name], name
END

# 090-params.yaml
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/params.yaml <<'END'
# How a picture becomes numbers: the same for training and for every later use.
image:
  size: 32 # width and height, in pixels
  grayscale: true

prepare:
  seed: 77
  validation_share: 0.2
  test_share: 0.2

train:
  seed: 77
  learning_rate: 0.0001 # not 1e-4: YAML reads that as text
  epochs: 5
  batch_size: 32
  conv_filters: 32
  dense_units: 64

evaluate:
  open_test_set: false # see chapter 1.2 before you change this
END

# 100-src-params.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/params.py <<'END'
"""The one place that reads params.yaml."""

from pathlib import Path

import yaml


def load_params(section: str) -> dict:
    """Return one section of params.yaml, such as "train"."""
    return yaml.safe_load(Path("params.yaml").read_text())[section]
END

# 110-src-preprocessing.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/preprocessing.py <<'END'
"""From a picture to the numbers that the model sees.

Training and every later use of the model import this module: nothing else decodes,
resizes or scales a picture.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def preprocess(
    picture: str | Path | bytes | Image.Image, size: int, grayscale: bool
) -> np.ndarray:
    """Make of a picture what the model expects.

    picture: a path, the bytes of an image file, or a Pillow image.
    Returns float32 of shape (size, size, 1 or 3) with values from 0 to 1.
    Raises OSError if the picture cannot be read.
    """
    mode = "L" if grayscale else "RGB"
    if isinstance(picture, Image.Image):
        image = picture.convert(mode)
    else:
        source = BytesIO(picture) if isinstance(picture, bytes) else picture
        with Image.open(source) as opened:
            image = opened.convert(mode)
    # The filter is named because libraries differ in their defaults, and a model
    # notices. Pillow averages over all the pixels that it merges; some others do not.
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, dtype=np.float32) / 255
    return pixels.reshape(size, size, -1)  # gives a grey picture its channel axis
END

# 120-pythonpath-src-python3-end
# check, which the page does not show
PYTHONPATH=src python3 - <<'END'
from pathlib import Path

import numpy as np
from PIL import Image

from preprocessing import preprocess

path = Path("data/raw/saturn/saturn_0000.jpg")
for grayscale, channels in ((True, 1), (False, 3)):
    first = preprocess(path, 32, grayscale)
    assert first.shape == (32, 32, channels) and first.dtype == np.float32
    assert 0 <= first.min() < first.max() <= 1
    with Image.open(path) as image:
        for other in (str(path), path.read_bytes(), image):
            assert np.array_equal(first, preprocess(other, 32, grayscale))
for broken in (b"", b"no picture", path.read_bytes()[:500]):
    try:
        preprocess(broken, 32, True)
    except OSError:
        continue
    raise SystemExit(f"accepted {broken[:20]!r}")
END

# 130-src-dataset.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/dataset.py <<'END'
"""The data set on disk: the raw pictures, and the arrays made of them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np


class Split(NamedTuple):
    """Pictures that are used together, such as the training set."""

    x: np.ndarray  # float32 (number, height, width, channels), from 0 to 1
    y: np.ndarray  # int64 (number,), positions in the list of labels
    files: np.ndarray  # str (number,), the picture behind each row, below data/raw


def find_pictures(raw: Path) -> list[Path]:
    """List the pictures <raw>/<label>/<name>.jpg, in an order that never changes."""
    pictures = sorted(raw.glob("*/*.jpg"))
    if not pictures:
        raise FileNotFoundError(f"no pictures like {raw}/<label>/<name>.jpg")
    return pictures


def save_split(path: Path, split: Split) -> None:
    """Write a split as an .npz file. The same split always gives the same bytes."""
    np.savez(path, **split._asdict())


def load_split(path: Path) -> Split:
    """Read a split that save_split wrote."""
    with np.load(path) as arrays:
        return Split(**arrays)
END

# 140-src-plots.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/plots.py <<'END'
"""The figures of the experiment, each saved as a PNG file.

Figure is used without pyplot: no window, no shared state, nothing to close.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure


def save_pictures(
    path: Path, x: np.ndarray, titles: Sequence[str], columns: int = 6
) -> None:
    """Draw pictures of shape (number, height, width, 1 or 3), a title above each."""
    rows = -(-len(x) // columns)  # rounded up
    figure = Figure(figsize=(1.6 * columns, 1.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, picture, title in zip(axes, x, titles):
        axis.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize=9)
    for axis in axes:
        axis.axis("off")
    figure.savefig(path)


def save_history(path: Path, history: dict[str, list[float]]) -> None:
    """Draw loss and accuracy, for training and validation, epoch by epoch."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axis, metric in zip(figure.subplots(1, 2), ("loss", "accuracy")):
        epochs = range(1, len(history[metric]) + 1)
        axis.plot(epochs, history[metric], "o-", label="training")
        axis.plot(epochs, history[f"val_{metric}"], "s--", label="validation")
        axis.set(xlabel="epoch", ylabel=metric)
        axis.legend()
    figure.savefig(path)


def save_confusion(path: Path, matrix: np.ndarray, labels: Sequence[str]) -> None:
    """Draw a confusion matrix, rows actual and columns predicted, with its counts."""
    figure = Figure(figsize=(7.5, 7), layout="constrained")
    axis = figure.subplots()
    axis.imshow(matrix, cmap="Blues")
    axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    axis.set(xlabel="predicted", ylabel="actual")
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if count > matrix.max() / 2 else "black"
        axis.text(column, row, count, ha="center", va="center", color=colour)
    figure.savefig(path)
END

# 150-src-prepare.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/prepare.py <<'END'
"""Make arrays of the raw pictures, and split them for training, validation and test."""

import json
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from dataset import Split, find_pictures, save_split
from params import load_params
from plots import save_pictures
from preprocessing import preprocess

RAW = Path("data/raw")
PREPARED = Path("data/prepared")


def split_indices(
    y: np.ndarray, validation_share: float, test_share: float, seed: int
) -> dict[str, np.ndarray]:
    """Share out the positions of y so that each split has the same mix of classes."""
    rest, test = train_test_split(
        np.arange(len(y)), test_size=test_share, stratify=y, random_state=seed
    )
    train, validation = train_test_split(
        rest,
        test_size=validation_share / (1 - test_share),  # as a share of the rest
        stratify=y[rest],
        random_state=seed,
    )
    return {"train": train, "validation": validation, "test": test}


def main() -> None:
    image = load_params("image")
    pictures = find_pictures(RAW)
    labels = sorted({picture.parent.name for picture in pictures})

    x = np.stack([preprocess(picture, **image) for picture in pictures])
    y = np.array([labels.index(picture.parent.name) for picture in pictures])
    files = np.array([picture.relative_to(RAW).as_posix() for picture in pictures])

    PREPARED.mkdir(parents=True, exist_ok=True)
    for name, chosen in split_indices(y, **load_params("prepare")).items():
        save_split(PREPARED / f"{name}.npz", Split(x[chosen], y[chosen], files[chosen]))
        print(f"{name}: {len(chosen)} pictures of {len(labels)} classes")

    # What a model that learns from these arrays must carry along to be of use.
    metadata = {"image": image, "labels": labels}
    (PREPARED / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")

    one_of_each = [int(np.argmax(y == label)) for label in range(len(labels))]
    save_pictures(PREPARED / "preview.png", x[one_of_each], labels)


if __name__ == "__main__":
    main()
END

# 160-src-model.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/model.py <<'END'
"""The network: build it, save it, load it. The only module that knows TensorFlow."""

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
END

# 170-src-train.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/train.py <<'END'
"""Train the model on the prepared pictures."""

import csv
import json
from pathlib import Path

import model
from dataset import load_split
from params import load_params
from plots import save_history

PREPARED = Path("data/prepared")
MODEL = Path("model")
TRAINING = Path("training")


def save_csv(path: Path, history: dict[str, list[float]]) -> None:
    """Write the history of a training, one row per epoch."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["epoch", *history])
        for epoch, values in enumerate(zip(*history.values()), start=1):
            writer.writerow([epoch, *values])


def main() -> None:
    params = load_params("train")
    metadata = json.loads((PREPARED / "metadata.json").read_text())
    train = load_split(PREPARED / "train.npz")
    validation = load_split(PREPARED / "validation.npz")

    model.make_reproducible(params["seed"])
    network = model.build(
        input_shape=train.x.shape[1:],
        classes=len(metadata["labels"]),
        conv_filters=params["conv_filters"],
        dense_units=params["dense_units"],
        learning_rate=params["learning_rate"],
    )
    history = network.fit(
        train.x,
        train.y,
        validation_data=(validation.x, validation.y),
        epochs=params["epochs"],
        batch_size=params["batch_size"],
        verbose=2,  # one line per epoch: good on a screen and in a log file
    ).history

    model.save(network, metadata, MODEL)
    TRAINING.mkdir(exist_ok=True)
    save_csv(TRAINING / "history.csv", history)
    save_history(TRAINING / "history.png", history)


if __name__ == "__main__":
    main()
END

# 180-src-evaluate.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/evaluate.py <<'END'
"""Measure the model on pictures that it has not learned from."""

import csv
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss

import model
from dataset import Split, load_split
from params import load_params
from plots import save_confusion, save_pictures

PREPARED = Path("data/prepared")
MODEL = Path("model")
EVALUATION = Path("evaluation")


def measure(y: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Score probabilities (number, classes) against the true classes (number,)."""
    predicted = probabilities.argmax(axis=1)
    classes = range(probabilities.shape[1])
    return {
        "accuracy": float(accuracy_score(y, predicted)),
        "loss": float(log_loss(y, probabilities, labels=classes)),
        "macro_f1": float(f1_score(y, predicted, average="macro", zero_division=0)),
    }


def save_predictions(split: Split, predicted: np.ndarray, labels: list[str]) -> None:
    """Write what the model says of each picture: as a table and as two figures."""
    with (EVALUATION / "predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "actual", "predicted"])
        for name, actual, guess in zip(split.files, split.y, predicted):
            writer.writerow([name, labels[actual], labels[guess]])
    matrix = confusion_matrix(split.y, predicted, labels=range(len(labels)))
    save_confusion(EVALUATION / "confusion_matrix.png", matrix, labels)
    titles = [f"{labels[a]}\n→ {labels[p]}" for a, p in zip(split.y, predicted)]
    save_pictures(EVALUATION / "predictions.png", split.x[:24], titles[:24])


def main() -> None:
    model.make_reproducible()
    network, metadata = model.load(MODEL)
    validation = load_split(PREPARED / "validation.npz")
    probabilities = model.predict(network, validation.x)
    metrics = {"validation": measure(validation.y, probabilities)}
    if load_params("evaluate")["open_test_set"]:
        test = load_split(PREPARED / "test.npz")
        metrics["test"] = measure(test.y, model.predict(network, test.x))

    EVALUATION.mkdir(exist_ok=True)
    (EVALUATION / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    # Of the test set only numbers are shown: whoever has seen its pictures and the
    # answers to them takes decisions with them in mind.
    save_predictions(validation, probabilities.argmax(axis=1), metadata["labels"])


if __name__ == "__main__":
    main()
END

# 190-readme.md
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/README.md <<'END'
# Planets and moons

Names the planet or moon of our solar system on a picture: eleven classes.

Install the locked packages, then run the experiment:

    python3 -m venv .venv
    source .venv/bin/activate
    pip install -r requirements.txt
    python3 src/prepare.py
    python3 src/train.py
    python3 src/evaluate.py

The parameters are in `params.yaml`, the results in `evaluation/`.
END

# 200-test-grep-readme.md-sed-s-tr-n-p
# check, which the page does not show
# What the colleague is told to type is there to be typed.
test "$(grep '^    ' README.md | sed 's/^ *//' | tr '\n' ';')" = "python3 -m venv .venv;source .venv/bin/activate;pip install -r requirements.txt;python3 src/prepare.py;python3 src/train.py;python3 src/evaluate.py;"

# 210-python3-src-prepare.py
python3 src/prepare.py

# 230-pythonpath-src-python3-end
# check, which the page does not show
PYTHONPATH=src python3 - <<'END'
from pathlib import Path

import numpy as np

from dataset import load_split

splits = {p.stem: load_split(p) for p in Path("data/prepared").glob("*.npz")}
assert set(splits) == {"train", "validation", "test"}
files = [name for split in splits.values() for name in split.files]
assert len(set(files)) == len(files) == 1650, "a picture is in two splits"
for name, count in (("train", 90), ("validation", 30), ("test", 30)):
    assert (np.bincount(splits[name].y) == count).all(), f"{name} is not stratified"
END

# 240-python3-src-train.py
python3 src/train.py

# 260-python3-src-evaluate.py
python3 src/evaluate.py
cat evaluation/metrics.json

# 280-python3-end
# check, which the page does not show
python3 - <<'END'
# What the scripts import is what requirements.in names, and nothing else.
import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

trees = [ast.parse(path.read_text()) for path in Path("src").glob("*.py")]
nodes = [node for tree in trees for node in ast.walk(tree)]
names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
modules = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
modules -= {path.stem for path in Path("src").glob("*.py")}
owners = packages_distributions()
imported = {owners[module][0].lower() for module in modules}
assert imported == set(Path("requirements.in").read_text().split()), imported
END

# 290-python3-end
# check, which the page does not show
python3 - <<'END'
import csv
import json
from collections import Counter

metrics = json.load(open("evaluation/metrics.json"))
assert list(metrics) == ["validation"], "the test set is sealed"
assert 0.2 < metrics["validation"]["accuracy"] < 0.5, metrics
rows = list(csv.DictReader(open("evaluation/predictions.csv")))
assert set(Counter(row["actual"] for row in rows).values()) == {30}
right = Counter(row["actual"] for row in rows if row["actual"] == row["predicted"])
assert abs(right.total() / len(rows) - metrics["validation"]["accuracy"]) < 1e-9
# What the page says of the figures.
called = Counter(row["predicted"] for row in rows)
assert right["saturn"] >= 24 and called.most_common(1)[0][0] == "venus", called
assert sum(called[name] < 10 for name in {row["actual"] for row in rows}) >= 3, called
assert metrics["validation"]["macro_f1"] < metrics["validation"]["accuracy"]
history = list(csv.DictReader(open("training/history.csv")))
assert len(history) == 5 and history[-1]["val_loss"] < history[-2]["val_loss"]
assert abs(float(history[-1]["val_loss"]) - metrics["validation"]["loss"]) < 1e-4
END

# 300-mkdir-p-..-opened-data
# check, which the page does not show
mkdir -p ../opened/data
cp -r src model params.yaml ../opened
cp -r data/prepared ../opened/data
(
  cd ../opened
  python3 - <<'END'
from pathlib import Path

path = Path("params.yaml")
path.write_text(path.read_text().replace("open_test_set: false", "open_test_set: true"))
END
  python3 src/evaluate.py
  python3 - <<'END'
import json

metrics = json.load(open("evaluation/metrics.json"))
assert list(metrics) == ["validation", "test"]
assert 0.2 < metrics["test"]["accuracy"] < 0.5, metrics
END
)
rm -r ../opened

# 310-cp-r-evaluation-..-first-evaluat
cp -r evaluation ../first-evaluation
cp -r model ../first-model
rm -r data/prepared model training evaluation
python3 src/prepare.py
python3 src/train.py
python3 src/evaluate.py

# 320-cmp-..-first-evaluation-metrics
cmp ../first-evaluation/metrics.json evaluation/metrics.json &&
  diff -r ../first-model model &&
  echo "same metrics, same model"
rm -r ../first-evaluation ../first-model

# 340-ls-1-data-prepared-model-trainin
ls -1 data/prepared model training evaluation

# 360-pythonpath-src-python3-end
PYTHONPATH=src python3 - <<'END'
from pathlib import Path

import model
import numpy as np
from dataset import load_split
from PIL import Image

model.make_reproducible()
network, metadata = model.load(Path("model"))
split = load_split(Path("data/prepared/validation.npz"))

def careless(file):
    with Image.open(Path("data/raw") / file) as picture:
        small = picture.convert("L").resize((32, 32), Image.Resampling.NEAREST)
    return np.asarray(small, dtype=np.float32).reshape(32, 32, 1) / 255

other = np.stack([careless(file) for file in split.files])
ours = model.predict(network, split.x).argmax(axis=1)
theirs = model.predict(network, other).argmax(axis=1)
print(f"mean difference of a pixel: {abs(other - split.x).mean():.3f}")
print(f"predictions that change: {(ours != theirs).mean():.2f}")
print(f"accuracy: {(ours == split.y).mean():.2f} before, {(theirs == split.y).mean():.2f} now")
END

touch "$guide_start/.guide-1.2"
