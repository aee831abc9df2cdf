#!/usr/bin/env bash
# Chapter 4.2 - Detect drift locally with Evidently AI
# Made from docs/part-4/chapter-4.2.md: change that page, not this file.
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

# Chapter 4.1 comes first.
if [ ! -e .guide-4.1 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-4.1/run.sh"
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
bentoml serve --working-dir src service:Planets --port 3001
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:3001/readyz; do
  kill -0 $! 2>/dev/null || { echo "050-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 060-requirements.in
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/requirements.in <<'END'
evidently
httpx
pandas
scipy
END

# 070-uv-pip-compile-requirements.in-c
if [ "$guide_tool" = uv ]; then
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes --output-file requirements.txt
uv pip sync requirements.txt
fi

# 080-pip-install-r-requirements.in-c
if [ "$guide_tool" = pip ]; then
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 090-grep-qe-evidently-requirements.t
# check, which the page does not show
grep -qE '^evidently==' requirements.txt
if grep -qE '^pandas==3\.[1-9]' requirements.txt; then exit 1; fi

# 100-mkdir-data-sets
mkdir data/sets
for name in control mild city probe new-bodies
do
  curl -fsSL --output "data/sets/$name.zip" "https://mlops.swiss-ai-center.ch/downloads/$name.zip"
  curl -fsSL "https://mlops.swiss-ai-center.ch/downloads/$name.zip.sha256"
done > ../sets.sha256
(
  cd data/sets
  if command -v sha256sum > /dev/null
  then sha256sum --check ../../../sets.sha256
  else shasum -a 256 --check ../../../sets.sha256
  fi
)
rm ../sets.sha256

# 120-dvc-add-quiet-data-sets
dvc add --quiet data/sets

# 150-src-records.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/records.py <<'END'
"""What is kept of pictures: lines of JSON, and the arrays made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LOGGED = ["brightness", "contrast", "sharpness", "sky", "red", "blue", "confidence"]


@dataclass(frozen=True)
class Records:
    """What is kept of pictures that are looked at together."""

    labels: np.ndarray  # str (pictures,), what the model says
    numbers: np.ndarray  # float64 (pictures, LOGGED)
    embeddings: np.ndarray  # float64 (pictures, units)

    @classmethod
    def of(cls, entries: list[dict]) -> Records:
        """Make arrays of entries of the journal."""
        return cls(
            np.array([entry["label"] for entry in entries]),
            np.array([[entry[name] for name in LOGGED] for entry in entries]),
            np.array([entry["embedding"] for entry in entries]),
        )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Records:
        """Return some of the pictures, by position or by a mask."""
        return Records(self.labels[rows], self.numbers[rows], self.embeddings[rows])


def load_entries(*files: Path) -> tuple[list[dict], int]:
    """Return the entries of files of JSON lines, and how many lines can't be read."""
    entries, broken = [], 0
    for file in files:
        for line in file.read_text(errors="replace").splitlines():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                broken += 1
    return entries, broken


def save_entries(file: Path, entries: Iterable[dict]) -> None:
    """Write entries as JSON lines. Equal entries give equal bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
END

# 160-src-reference.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/reference.py <<'END'
"""Describe the pictures that we know, as the service would: the reference, and the sets to calibrate and to prove with."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZipFile

from classifier import Classifier
from dataset import load_split
from features import describe
from records import save_entries

RAW = Path("data/raw")
PREPARED = Path("data/prepared")
SETS = Path("data/sets")
MONITORING = Path("monitoring")


def held_out() -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the pictures that the training has not seen. Their labels stay sealed."""
    for split in "test", "validation":
        for name in load_split(PREPARED / f"{split}.npz").files:
            yield str(name), (RAW / name).read_bytes()


def pictures_of(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the pictures in a zip file."""
    with ZipFile(archive) as opened:
        for name in sorted(opened.namelist()):
            if name.endswith(".jpg"):
                yield name, opened.read(name)


def describe_all(classifier: Classifier, pictures: Iterable[tuple[str, bytes]]) -> Iterator[dict]:
    """Yield for each picture its name, and what the service would keep of it."""
    for name, content in pictures:
        yield {"picture": name, **describe(classifier.predict(content))}


def main() -> None:
    classifier = Classifier(Path("serving"))
    save_entries(MONITORING / "reference.jsonl", describe_all(classifier, held_out()))
    for archive in sorted(SETS.glob("*.zip")):
        save_entries(MONITORING / "sets" / f"{archive.stem}.jsonl", describe_all(classifier, pictures_of(archive)))


if __name__ == "__main__":
    main()
END

# 170-dvc.yaml
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
  reference:
    cmd: python3 src/reference.py
    deps:
    - data/prepared
    - data/raw
    - data/sets
    - serving
    - src/classifier.py
    - src/dataset.py
    - src/features.py
    - src/preprocessing.py
    - src/records.py
    - src/reference.py
    outs:
    - monitoring/reference.jsonl
    - monitoring/sets
  calibrate:
    cmd: python3 src/calibrate.py
    deps:
    - monitoring/reference.jsonl
    - monitoring/sets
    - src/calibrate.py
    - src/drift.py
    - src/params.py
    - src/records.py
    params:
    - monitor
    outs:
    - monitoring/threshold.json:
        cache: false
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

# 180-params.yaml
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/params.yaml <<'END'
# How a picture becomes numbers: the same for training and for every later use.
image:
  size: 32 # width and height, in pixels
  grayscale: false

validate:
  picture_size: 96 # width and height of a raw picture, in pixels
  min_pictures: 50 # of each class
  min_difference: 0.01 # from each test picture, on a scale from 0 to 1

prepare:
  seed: 77
  validation_share: 0.25 # of the pictures that are not in the test set

train:
  seed: 77
  learning_rate: 0.001  # not 1e-4: YAML reads that as text
  epochs: 20 # the validation accuracy rises until about here
  batch_size: 32
  conv_filters: 32
  dense_units: 64

evaluate:
  open_test_set: false # see chapter 1.2 before you change this

quality:
  tolerance: 0.03 # between the metrics of a commit and those of a new training of it
  accuracy_floor: 0.8 # on the validation pictures, whatever main has
  accuracy_drop: 0.02 # that a change may cost, compared with main

monitor:
  window: 100 # pictures that are looked at together, and the fewest that allow a verdict
  windows: 1000 # clean ones, drawn to choose the threshold
  false_alarms: 0.005 # the share of clean windows that may raise an alarm
  label_mix: 0.001 # the p-value below which the mix of labels has changed
  seed: 77
END

# 190-monitoring-.gitignore
mkdir -p "$guide_start"/mlops-guide/monitoring
cat >"$guide_start"/mlops-guide/monitoring/.gitignore <<'END'
/reference.jsonl
/sets
/report/
END

# 200-dvc-repro-quiet-reference-2-dev
dvc repro --quiet reference 2> /dev/null
wc -l monitoring/reference.jsonl monitoring/sets/*.jsonl | awk '{print $1, $2}'

# 220-pythonpath-src-python3-w-ignore
PYTHONPATH=src python3 -W ignore - <<'END'
from pathlib import Path

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

from records import LOGGED, load_entries

entries, _ = load_entries(Path("monitoring/reference.jsonl"), Path("monitoring/sets/control.jsonl"))
known = pd.DataFrame(entries)[LOGGED]
for size in 660, 1320:
    reference, control = known.head(size), known.tail(660)
    alarms = 0
    for seed in range(10):
        report = Report([DataDriftPreset()]).run(control.sample(100, random_state=seed), reference).dict()
        alarms += report["metrics"][0]["value"]["count"] > 0
    print(f"{size} pictures: {alarms} of 10 windows have drifted")
END

# 240-src-drift.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/drift.py <<'END'
"""Compare pictures with a reference: the same camera, the same bodies?"""

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp

from records import LOGGED, Records

COLUMNS = [*LOGGED, "novelty"]


def novelty(pictures: Records, known: Records) -> np.ndarray:
    """Return how far the embedding of each picture is from the nearest one that we know."""
    distances = cdist(pictures.embeddings, known.embeddings)
    distances[distances == 0] = np.inf  # a picture is not its own neighbour
    return distances.min(axis=1)


def columns(pictures: Records, known: Records) -> np.ndarray:
    """Return what is compared: float64 (pictures, COLUMNS)."""
    return np.column_stack([pictures.numbers, novelty(pictures, known)])


def place(pictures: Records, reference: Records) -> np.ndarray:
    """Return the place of each number among those of the reference with the same label.

    0 is below all of them, 1 above. As long as camera and bodies are the same, the places are spread
    evenly between, whatever the mix of the labels. Returns float64 (pictures, COLUMNS).
    """
    places = np.empty((len(pictures), len(COLUMNS)))
    for label in set(pictures.labels):
        rows = pictures.labels == label
        same = reference.take(reference.labels == label)
        if not len(same):  # the model has never said it of the reference: compare with all
            same = reference
        values, known = columns(pictures.take(rows), same)[:, np.newaxis], columns(same, same)
        places[rows] = ((known < values).mean(axis=1) + (known <= values).mean(axis=1)) / 2
    return places


def p_values(window: Records, reference: Records) -> dict[str, float]:
    """Compare the places with the test of Kolmogorov and Smirnov, column by column."""
    pairs = zip(place(reference, reference).T, place(window, reference).T)
    return {name: float(ks_2samp(before, now).pvalue) for name, (before, now) in zip(COLUMNS, pairs)}
END

# 250-tests-test-drift.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_drift.py <<'END'
"""Test the comparison on numbers that we make ourselves, so that we know what has changed."""

import numpy as np
import pytest

from calibrate import choose, clean_windows, draw
from drift import COLUMNS, p_values, place
from records import LOGGED, Records

MIDDLES = {"moon": 0.2, "saturn": 0.5, "venus": 0.8}  # bodies differ, much more than their pictures do


def pictures(counts: dict[str, int], seed: int, change: float = 0) -> Records:
    """Invent pictures: so many of each label, all numbers around the middle of the label, and changed."""
    random = np.random.default_rng(seed)
    labels = np.repeat(list(counts), list(counts.values()))
    middles = np.array([MIDDLES[label] for label in labels])[:, np.newaxis]
    return Records(
        labels,
        middles + random.normal(change, 0.05, (len(labels), len(LOGGED))),
        middles + random.normal(change, 0.05, (len(labels), 8)),
    )


REFERENCE = pictures({"moon": 200, "saturn": 200, "venus": 200}, seed=1)
EVEN, MOONS = {"moon": 34, "saturn": 33, "venus": 33}, {"moon": 90, "saturn": 5, "venus": 5}


def test_places_of_the_reference_are_spread_evenly():
    places = np.sort(place(REFERENCE, REFERENCE), axis=0)
    even = (np.arange(len(REFERENCE)) + 0.5) / len(REFERENCE)
    assert places.shape == (600, len(COLUMNS))
    assert np.abs(places - even[:, np.newaxis]).max() < 0.01


@pytest.mark.parametrize("counts", [EVEN, MOONS])
def test_the_same_camera_is_no_drift_whatever_it_looks_at(counts):
    for seed in range(2, 12):
        assert min(p_values(pictures(counts, seed), REFERENCE).values()) > 1e-4


@pytest.mark.parametrize("counts", [EVEN, MOONS])
def test_a_small_change_within_each_label_is_drift(counts):
    """Over all labels together it would be hidden: they are ten times as far apart."""
    found = p_values(pictures(counts, seed=2, change=0.05), REFERENCE)
    assert all(found[column] < 1e-6 for column in LOGGED)


def test_something_unknown_is_far_from_all_that_is_known():
    window = pictures(EVEN, seed=2)
    strange = Records(window.labels, window.numbers, 10 + window.embeddings)
    found = p_values(strange, REFERENCE)
    assert found["novelty"] < 1e-6
    assert min(found[column] for column in LOGGED) > 1e-4


def test_a_label_that_the_reference_lacks_is_compared_with_all():
    window = pictures(EVEN, seed=2)
    renamed = Records(np.full(len(window), "pluto"), window.numbers, window.embeddings)
    assert np.isfinite(place(renamed, REFERENCE)).all()


def test_a_window_has_no_picture_twice_and_a_mix_of_its_own():
    random = np.random.default_rng(1)
    windows = [draw(REFERENCE.labels, 100, random) for _ in range(20)]
    assert all(len(set(window)) == 100 for window in windows)
    moons = [(REFERENCE.labels[window] == "moon").mean() for window in windows]
    assert min(moons) < 0.1
    assert max(moons) > 0.6


def test_no_window_shares_a_picture_with_its_reference(monkeypatch):
    pairs = []
    monkeypatch.setattr("calibrate.p_values", lambda *pair: pairs.append(pair) or {"sky": 0.5})
    clean_windows(REFERENCE, size=400, window=50, windows=5, seed=1)
    for window, reference in pairs:
        assert (len(window), len(reference)) == (50, 400)
        assert not set(map(tuple, window.numbers)) & set(map(tuple, reference.numbers))


def test_the_threshold_is_the_largest_that_is_quiet_enough():
    rates = {0.1: 0.6, 0.01: 0.1, 0.001: 0.004, 0.0001: 0.0}
    assert choose(rates, 0.005) == 0.001
    with pytest.raises(ValueError):
        choose({0.1: 0.6}, 0.005)
END

# 260-src-calibrate.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/calibrate.py <<'END'
"""Choose the p-value below which a window is an alarm, so that the known camera hardly ever raises one."""

import json
from pathlib import Path

import numpy as np

from drift import p_values
from params import load_params
from records import Records, load_entries

MONITORING = Path("monitoring")
CANDIDATES = [10.0**-power for power in range(1, 9)]


def halves_of_control() -> tuple[list[dict], list[dict]]:
    """Return the control pictures that set the threshold, and those that prove that it is right."""
    entries, _ = load_entries(MONITORING / "sets/control.jsonl")
    first = [int(Path(entry["picture"]).stem.split("_")[-1]) < 30 for entry in entries]
    return (
        [entry for entry, is_first in zip(entries, first) if is_first],
        [entry for entry, is_first in zip(entries, first) if not is_first],
    )


def draw(labels: np.ndarray, window: int, random: np.random.Generator) -> np.ndarray:
    """Return the positions of different pictures. Their mix of labels is drawn too: no day is like another."""
    found, which = np.unique(labels, return_inverse=True)
    weights = random.dirichlet(np.ones(len(found)))[which]
    return random.choice(len(labels), window, replace=False, p=weights / weights.sum())


def clean_windows(known: Records, size: int, window: int, windows: int, seed: int) -> np.ndarray:
    """Return the smallest p-value of each of so many windows of pictures from the known camera.

    Each window is compared with a reference of its own, of the given size, that shares no picture with
    it. So the result does not depend on the luck of one reference.
    """
    random = np.random.default_rng(seed)
    smallest = []
    for _ in range(windows):
        shuffled = known.take(random.permutation(len(known)))
        rest = shuffled.take(np.arange(size, len(known)))
        drawn = rest.take(draw(rest.labels, window, random))
        smallest.append(min(p_values(drawn, shuffled.take(np.arange(size))).values()))
    return np.array(smallest)


def choose(rates: dict[float, float], most: float) -> float:
    """Return the largest threshold with no more false alarms than allowed. Raises ValueError if there is none."""
    return max(threshold for threshold, rate in rates.items() if rate <= most)


def main() -> None:
    params = load_params("monitor")
    reference, _ = load_entries(MONITORING / "reference.jsonl")
    calibration, _ = halves_of_control()
    known = Records.of(reference + calibration)
    smallest = clean_windows(known, len(reference), params["window"], params["windows"], params["seed"])
    rates = {threshold: float((smallest < threshold).mean()) for threshold in CANDIDATES}
    for threshold, rate in rates.items():
        print(f"p < {threshold:g}: {rate:.2%} of {len(smallest)} clean windows raise an alarm")
    chosen = {"threshold": choose(rates, params["false_alarms"]), "false_alarms": rates}
    (MONITORING / "threshold.json").write_text(json.dumps(chosen, indent=2) + "\n")


if __name__ == "__main__":
    main()
END

# 270-pytest-tests-test-drift.py
pytest tests/test_drift.py
dvc repro calibrate | grep alarm
dvc status

# 290-python3-c-import-json-print-json
python3 -c 'import json; print(json.load(open("monitoring/threshold.json"))["threshold"])'

# 310-src-version.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/version.py <<'END'
"""The version of the model: its hash in dvc.lock, which is the same on each machine."""

from pathlib import Path

import yaml

MODEL = Path("serving")


def model_version() -> str:
    """Return the version of the model that belongs to this commit, such as planets:0123456789ab."""
    outs = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["export"]["outs"]
    digest = next(out["md5"] for out in outs if out["path"] == MODEL.as_posix())
    return f"planets:{digest[:12]}"
END

# 320-src-package.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/package.py <<'END'
"""Put the trained model into the model store of BentoML, with what tells where it comes from."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import bentoml
from bentoml.exceptions import NotFound

from version import MODEL, model_version

METRICS = Path("evaluation/metrics.json")


def ask(*command: str) -> str:
    """Return what a command prints. Ends when it fails: it has said why."""
    asked = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if asked.returncode:
        sys.exit(f"{command[0]} has failed")
    return asked.stdout.strip()


def check() -> None:
    """End when the model is not the one of dvc.lock."""
    if json.loads(ask("dvc", "status", "--json", "export")):
        sys.exit("The model is not the one of dvc.lock. Run dvc repro, or dvc checkout.")


def main() -> None:
    check()
    # The same model has the same name on every machine, and a name never gets another model.
    tag = model_version()
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

# 330-src-monitor.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/monitor.py <<'END'
"""Look at the newest predictions: is it still what the model was made for?"""

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.core.report import Snapshot
from evidently.metrics import ValueDrift

from drift import COLUMNS, place
from params import load_params
from records import Records, load_entries
from version import model_version

MONITORING = Path("monitoring")


def choose_window(entries: list[dict], model: str, size: int, since: str = "") -> tuple[list[dict], int]:
    """Return the newest predictions of a model, and how many in that time are of other models."""
    recent = {entry["request"]: entry for entry in entries if entry["time"] >= since}  # none of them twice
    ours = sorted((entry for entry in recent.values() if entry["model"] == model), key=lambda entry: entry["time"])
    return ours[-size:], len(recent) - len(ours)


def make_report(window: Records, reference: Records, threshold: float, mix_threshold: float) -> Snapshot:
    """Compare with Evidently. Every test and threshold is named: which ones it takes else depends on the sizes."""
    definition = DataDefinition(numerical_columns=COLUMNS, categorical_columns=["label"])
    tables = [
        pd.DataFrame(place(pictures, reference), columns=COLUMNS).assign(label=pictures.labels)
        for pictures in (window, reference)
    ]
    tests = [ValueDrift(column=column, method="ks", threshold=threshold) for column in COLUMNS]
    tests.append(ValueDrift(column="label", method="chisquare", threshold=mix_threshold))
    return Report(tests, include_tests=True).run(*(Dataset.from_pandas(table, definition) for table in tables))


def judge(report: Snapshot, threshold: float, mix_threshold: float) -> dict:
    """Say what a report means. Another mix of labels is told, but is no drift."""
    p = {metric["config"]["column"]: float(metric["value"]) for metric in report.dict()["metrics"]}
    mix = p.pop("label")
    drifted = sorted((column for column in p if p[column] < threshold), key=p.get)
    return {
        "verdict": "drift" if drifted else "quiet",
        "drifted": drifted,
        "p_values": p,
        "label_mix": {"changed": mix < mix_threshold, "p_value": mix},
    }


def in_a_line(verdict: dict) -> str:
    """Say a verdict to people."""
    line = f"{verdict['verdict']}: {verdict['pictures']} pictures"
    if verdict["ignored"]["other_model"]:
        line += f", and {verdict['ignored']['other_model']} that another model has answered"
    if verdict["p_values"]:
        least = min(verdict["p_values"], key=verdict["p_values"].get)
        line += f", smallest p-value {verdict['p_values'][least]:.1g} ({least})"
    if verdict["drifted"]:
        line += f", drifted: {', '.join(verdict['drifted'])}"
    if verdict["label_mix"]["changed"]:
        line += "; other labels than usual are more frequent"
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=Path, default=Path(os.environ.get("LOGS", "logs")))
    parser.add_argument("--out", type=Path, default=MONITORING / "report")
    parser.add_argument("--since", default="", help="leave out what is older, such as 2026-11-28T12:00")
    arguments = parser.parse_args()

    params, model = load_params("monitor"), model_version()
    threshold = json.loads((MONITORING / "threshold.json").read_text())["threshold"]
    entries, broken = load_entries(*sorted(arguments.logs.rglob("*.jsonl")))
    window, others = choose_window(entries, model, params["window"], arguments.since)
    verdict = {
        "verdict": "too few",
        "drifted": [],
        "p_values": {},
        "label_mix": {"changed": False, "p_value": None},
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "model": model,
        "pictures": len(window),
        "window": {"from": window[0]["time"], "to": window[-1]["time"]} if window else None,
        "ignored": {"other_model": others, "broken": broken},
        "thresholds": {"drift": threshold, "label_mix": params["label_mix"]},
    }

    arguments.out.mkdir(parents=True, exist_ok=True)
    page = arguments.out / "report.html"
    page.unlink(missing_ok=True)  # an old one does not belong to this verdict
    if len(window) == params["window"]:
        reference, _ = load_entries(MONITORING / "reference.jsonl")
        report = make_report(Records.of(window), Records.of(reference), threshold, params["label_mix"])
        report.save_html(str(page))
        verdict |= judge(report, threshold, params["label_mix"])
    (arguments.out / "verdict.json").write_text(json.dumps(verdict, indent=2) + "\n")
    print(in_a_line(verdict))


if __name__ == "__main__":
    main()
END

# 340-src-send.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/send.py <<'END'
"""Ask a running service about pictures of an archive, as users would: python3 src/send.py ZIP"""

import argparse
import random
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import httpx


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--host", default="http://127.0.0.1:3000")
    parser.add_argument("--number", type=int, default=100)
    parser.add_argument("--only", default="*.jpg", help="a pattern for the names, such as '*/moon/*'")
    parser.add_argument("--seed", type=int, default=77)
    arguments = parser.parse_args()

    right = 0
    with ZipFile(arguments.archive) as archive, httpx.Client(base_url=arguments.host, timeout=30) as client:
        names = [name for name in sorted(archive.namelist()) if fnmatch(name, arguments.only)]
        for name in random.Random(arguments.seed).sample(names, arguments.number):
            answer = client.post("/predict", files={"image": (name, archive.read(name), "image/jpeg")})
            right += answer.raise_for_status().json()["label"] == PurePosixPath(name).parent.name
    print(f"{arguments.number} pictures sent, {right} named as the folder says")


if __name__ == "__main__":
    main()
END

# 350-rm-logs-.jsonl
rm logs/*.jsonl
python3 src/monitor.py

# 370-python3-src-send.py-data-sets-co
python3 src/send.py data/sets/control.zip --only '*_00[345]?.jpg' --host http://127.0.0.1:3001
python3 src/monitor.py

# 390-changes
for name in mild city probe new-bodies
do
  echo "$name:"
  python3 src/send.py "data/sets/$name.zip" --host http://127.0.0.1:3001
  python3 src/monitor.py
done

# 410-python3-end
# check, which the page does not show
python3 - <<'END'
import json
verdict = json.load(open("monitoring/report/verdict.json"))
assert verdict["verdict"] == "drift" and verdict["pictures"] == 100, verdict
assert {"novelty", "confidence"} <= set(verdict["drifted"]) and not {"sky", "sharpness"} & set(verdict["drifted"]), verdict
assert max(verdict["p_values"][name] for name in verdict["drifted"][:1]) < 1e-10, verdict
END

# 420-python3-src-send.py-data-sets-co
python3 src/send.py data/sets/control.zip --only '*_00[345]?.jpg' --number 80 --host http://127.0.0.1:3001
python3 src/send.py data/sets/control.zip --only '*/moon/*_00[345]?.jpg' --number 20 --host http://127.0.0.1:3001
python3 src/monitor.py

# 440-cat-monitoring-report-verdict.js
cat monitoring/report/verdict.json

# 460-guide-python-end
# check, which the page does not show
guide-python - <<'END'
from pathlib import Path

from scripts.runner.browser import page_of

with page_of(Path("monitoring/report/report.html").resolve().as_uri()) as page:
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_function("document.body.textContent.includes('novelty')")
    page.wait_for_timeout(2000)
    assert not [url for url in asked if url.startswith("http")], asked
END

# 470-tests-test-monitor.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_monitor.py <<'END'
"""Test that the monitor is silent when nothing has changed, and speaks when something has."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import monitor
from calibrate import MONITORING, draw, halves_of_control
from classifier import Classifier
from dataset import load_split
from drift import p_values
from features import describe
from params import load_params
from records import Records, load_entries

WINDOW = load_params("monitor")["window"]
THRESHOLD = json.loads((MONITORING / "threshold.json").read_text())["threshold"]


def load(file: Path) -> Records:
    entries, broken = load_entries(file)
    assert not broken
    return Records.of(entries)


@pytest.fixture(scope="module")
def reference() -> Records:
    return load(MONITORING / "reference.jsonl")


@pytest.fixture(scope="module")
def proof() -> Records:
    """Pictures of the known camera that are not in the reference, and have not set the threshold."""
    return Records.of(halves_of_control()[1])


def is_alarm(window: Records, reference: Records) -> bool:
    return min(p_values(window, reference).values()) < THRESHOLD


def test_the_reference_is_what_the_service_would_log_of_pictures_that_were_not_learned():
    entries, _ = load_entries(MONITORING / "reference.jsonl")
    learned = set(load_split(Path("data/prepared/train.npz")).files)
    assert len(entries) >= 600
    assert not learned & {entry["picture"] for entry in entries}
    classifier = Classifier(Path("serving"))
    for entry in entries[::50]:
        picture = (Path("data/raw") / entry["picture"]).read_bytes()
        assert entry == {"picture": entry["picture"], **describe(classifier.predict(picture))}


def test_the_known_camera_hardly_ever_raises_an_alarm(reference, proof):
    random = np.random.default_rng(1)
    even = [random.choice(len(proof), WINDOW, replace=False) for _ in range(100)]
    mixed = [draw(proof.labels, WINDOW, random) for _ in range(100)]
    for windows in even, mixed:
        alarms = [is_alarm(proof.take(window), reference) for window in windows]
        assert np.mean(alarms) <= 0.05


def test_three_times_as_many_moons_are_no_drift(reference, proof):
    random = np.random.default_rng(1)
    weights = np.where(proof.labels == "moon", 3, 1)
    windows = [random.choice(len(proof), WINDOW, replace=False, p=weights / weights.sum()) for _ in range(100)]
    alarms = [is_alarm(proof.take(window), reference) for window in windows]
    assert np.mean(alarms) <= 0.05


@pytest.mark.parametrize("name", ["city", "mild", "new-bodies", "probe"])
def test_a_change_raises_an_alarm_within_one_window(reference, name):
    changed, random = load(MONITORING / f"sets/{name}.jsonl"), np.random.default_rng(1)
    for _ in range(20):
        assert is_alarm(changed.take(random.choice(len(changed), WINDOW, replace=False)), reference)


def entry(request: str, time: str, model: str = "planets:1") -> dict:
    return {"request": request, "time": time, "model": model}


def test_the_window_has_the_newest_of_one_model_and_none_twice():
    entries = [entry("b", "2"), entry("a", "1"), entry("d", "4", "planets:0"), entry("c", "3"), entry("c", "3")]
    window, others = monitor.choose_window(entries, "planets:1", size=2)
    assert [one["request"] for one in window] == ["b", "c"]
    assert others == 1
    window, _ = monitor.choose_window(entries, "planets:1", size=2, since="3")
    assert [one["request"] for one in window] == ["c"]


@pytest.fixture
def watch(tmp_path, monkeypatch):
    """Run the monitor on a journal, and return its verdict."""

    def run(entries: list[dict]) -> dict:
        times = [f"2026-11-28T12:{number // 60:02}:{number % 60:02}.000000Z" for number in range(len(entries))]
        common = {"model": monitor.model_version()}
        lines = [json.dumps({**e, **common, "request": time, "time": time}) for e, time in zip(entries, times)]
        logs, out = tmp_path / "logs" / "pod-1", tmp_path / "out"
        logs.mkdir(parents=True)
        (logs / "predictions-1.jsonl").write_text("\n".join([*lines, '{"half a li']))
        monkeypatch.setattr(sys, "argv", ["monitor.py", "--logs", str(tmp_path / "logs"), "--out", str(out)])
        monitor.main()
        return json.loads((out / "verdict.json").read_text()) | {"report": (out / "report.html").exists()}

    return run


def test_too_few_pictures_allow_no_verdict(watch):
    verdict = watch(halves_of_control()[1][: WINDOW - 1])
    assert (verdict["verdict"], verdict["pictures"], verdict["report"]) == ("too few", WINDOW - 1, False)


def test_another_mix_is_told_and_is_no_drift(watch):
    moons = [entry for entry in halves_of_control()[1] if entry["label"] == "moon"][:25]
    others = [entry for entry in halves_of_control()[1] if entry["label"] != "moon"][:: 4][:75]
    verdict = watch(moons + others)
    assert verdict["verdict"] == "quiet"
    assert verdict["label_mix"]["changed"]


def test_evidently_computes_what_was_calibrated(watch, reference):
    entries = load_entries(MONITORING / "sets/city.jsonl")[0][::6][:WINDOW]
    verdict = watch(entries)
    assert verdict["p_values"] == pytest.approx(p_values(Records.of(entries), reference), rel=1e-9, abs=0)
    assert (verdict["verdict"], verdict["report"]) == ("drift", True)
    assert verdict["drifted"] == sorted(verdict["drifted"], key=verdict["p_values"].get)
    assert verdict["ignored"] == {"other_model": 0, "broken": 1}
END

# 480-pytest.ini
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/pytest.ini <<'END'
[pytest]
pythonpath = src
addopts = --quiet --tb=short
filterwarnings =
    ignore:invalid escape sequence
    ignore::DeprecationWarning:keras
    ignore::DeprecationWarning:evidently
    ignore::DeprecationWarning:litestar
END

# 490-pytest-tests-test-monitor.py
pytest tests/test_monitor.py

# 510-pythonpath-src-python3-end
PYTHONPATH=src python3 - <<'END'
import json

import numpy as np

from calibrate import MONITORING, draw, halves_of_control
from drift import p_values
from records import Records, load_entries

reference = Records.of(load_entries(MONITORING / "reference.jsonl")[0])
proof = Records.of(halves_of_control()[1])
threshold = json.loads((MONITORING / "threshold.json").read_text())["threshold"]
random = np.random.default_rng(2)
windows = [proof.take(draw(proof.labels, 100, random)) for _ in range(500)]
smallest = [min(p_values(window, reference).values()) for window in windows]
for limit in 0.05, threshold:
    print(f"p < {limit}: {sum(p < limit for p in smallest) / len(windows):.1%} of {len(windows)} clean windows")
END

# 530-github-workflows-experiment.yml
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/.github/workflows
cat >"$guide_start"/mlops-guide/.github/workflows/experiment.yml <<'END'
name: Experiment

on:
  push:
    branches: [main]
    paths-ignore: ["**.md"] # what you write about an experiment does not change it
  pull_request: # a proposal: what main would be after the merge
  workflow_dispatch: # a button

permissions:
  contents: read

concurrency: # a newer push makes the run of an older one pointless
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: true

jobs:
  experiment:
    name: Train and compare
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    env:
      TF_CPP_MIN_LOG_LEVEL: "2"
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          fetch-depth: 0 # all branches, to compare with main
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"

      - name: Get the pictures
        run: dvc pull data/raw data/sets
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}

      - name: Run the whole experiment again
        run: dvc repro --force

      - name: Test the code and the model
        run: pytest

      - name: Compare the metrics with those of the commit
        run: python3 src/compare.py

      - name: Report what the change does
        run: |
          python3 src/report.py origin/main
          grep -v '^!' report/report.md >> "$GITHUB_STEP_SUMMARY"
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}

      - name: Keep the report
        id: keep
        uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: report
          path: report

      - name: Refuse a worse model
        run: python3 src/gate.py origin/main

  image:
    name: Build, test and publish
    needs: experiment
    outputs:
      digest: ${{ steps.publish.outputs.digest }}
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    env:
      BENTOML_DO_NOT_TRACK: "True"
      SYFT_CHECK_FOR_APP_UPDATE: "false"
      IMAGE: ${{ vars.REGISTRY }}/planets:${{ github.sha }}
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"
          echo "BENTOML_HOME=$PWD/.bentoml" >> "$GITHUB_ENV"

      - name: Get the model, and the pictures to test it
        run: dvc pull
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}

      - name: Build the image
        run: ci/build "$IMAGE"

      - name: Test the image
        run: ci/try "$IMAGE"

      - name: List what is in it
        run: |
          mkdir published
          docker save --output image.tar "$IMAGE"
          syft scan --quiet docker-archive:image.tar --output cyclonedx-json=published/sbom.json

      - name: Publish it
        id: publish
        if: github.event_name != 'pull_request'
        run: |
          digest=$(ci/publish "$IMAGE")
          echo "$IMAGE has the digest $digest" | tee published/digest.txt >> "$GITHUB_STEP_SUMMARY"
          echo "digest=$digest" >> "$GITHUB_OUTPUT"

      - name: Keep the list and the digest
        uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: image
          path: published

  deploy:
    name: Deploy
    needs: image
    if: github.event_name != 'pull_request'
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    concurrency: deploy # one after the other, and none in the middle of another
    permissions:
      contents: write # to record what runs
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          fetch-depth: 0 # what ran before is in the history
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"

      - name: Get what the tests compare with
        run: dvc pull
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}

      - name: Deploy, or go back
        run: ci/deploy "$IMAGE" "$DIGEST"
        env:
          IMAGE: ${{ vars.REGISTRY }}/planets
          DIGEST: ${{ needs.image.outputs.digest }}

      - name: Record what runs
        run: |
          git add kubernetes/base/image.yaml
          git -c user.name=deploy -c user.email=deploy@example.com commit --quiet --message "Deploy $COMMIT [skip ci]"
          git pull --quiet --rebase origin main
          git push --quiet origin HEAD:main
        env:
          COMMIT: ${{ github.sha }}
END
fi

# 540-gitlab-ci.yml
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.gitlab-ci.yml <<'END'
workflow: # what starts it: a push to the default branch, or a person
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
    - if: $CI_PIPELINE_SOURCE == "merge_request_event" # a proposal

experiment:
  image: python:3.13
  timeout: 20 minutes
  interruptible: true # a newer push makes the run of an older one pointless
  variables:
    TF_CPP_MIN_LOG_LEVEL: "2"
    UV_CACHE_DIR: $CI_PROJECT_DIR/.uv-cache
    GIT_DEPTH: 0 # the whole history, to compare with main
    AWS_ACCESS_KEY_ID: $ACCESS_KEY_ID
    AWS_SECRET_ACCESS_KEY: $SECRET_ACCESS_KEY
  cache:
    key:
      files: [requirements.txt]
    paths: [.uv-cache]
  script:
    - command -v uv || pip install --quiet uv
    - uv venv --python '>=3.11,<3.14'
    - uv pip sync --quiet requirements.txt
    - source .venv/bin/activate
    - dvc pull data/raw data/sets
    - dvc repro --force
    - pytest
    - python3 src/compare.py
    - git fetch --quiet origin "+refs/heads/main:refs/remotes/origin/main"
    - python3 src/report.py origin/main
    - python3 src/gate.py origin/main
  artifacts:
    when: always # also when the gate has refused
    expose_as: What this change does to the model
    paths: [report/]
END
fi

# 550-github-workflows-experiment.yml
if [ "$guide_place" = cloud ]; then
mkdir -p "$guide_start"/mlops-guide/.github/workflows
cat >"$guide_start"/mlops-guide/.github/workflows/experiment.yml <<'END'
name: Experiment

on:
  push:
    branches: [main]
    paths-ignore: ["**.md"] # what you write about an experiment does not change it
  pull_request: # a proposal: what main would be after the merge
  workflow_dispatch: # a button

permissions:
  contents: read

concurrency: # a newer push makes the run of an older one pointless
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: true

jobs:
  experiment:
    name: Train and compare
    # A machine of your own for what has been reviewed, a rented one for proposals.
    runs-on: ${{ github.event_name != 'pull_request' && vars.RUNNER || 'ubuntu-24.04' }}
    timeout-minutes: 20
    outputs:
      report: ${{ steps.keep.outcome }}
    permissions:
      contents: read
      id-token: write # to let GitHub state which repository this is
    env:
      TF_CPP_MIN_LOG_LEVEL: "2"
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          fetch-depth: 0 # all branches, to compare with main
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"

      - name: Become the service account
        uses: google-github-actions/auth@7c6bc770dae815cd3e89ee6cdf493a5fab2cc093 # v3.0.0
        with:
          workload_identity_provider: ${{ vars.GCP_IDENTITY_PROVIDER }}
          service_account: ${{ vars.GCP_SERVICE_ACCOUNT }}

      - name: Get the pictures
        run: dvc pull data/raw data/sets

      - name: Run the whole experiment again
        run: dvc repro --force

      - name: Test the code and the model
        run: pytest

      - name: Compare the metrics with those of the commit
        run: python3 src/compare.py

      - name: Report what the change does
        run: |
          python3 src/report.py origin/main
          grep -v '^!' report/report.md >> "$GITHUB_STEP_SUMMARY"

      - name: Keep the report
        id: keep
        uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: report
          path: report

      - name: Refuse a worse model
        run: python3 src/gate.py origin/main

  comment:
    name: Comment on the pull request
    needs: experiment
    if: ${{ !cancelled() && github.event_name == 'pull_request' && needs.experiment.outputs.report == 'success' }}
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: write # for the pictures, on a branch of their own
      pull-requests: write # for the comment
    env:
      GH_TOKEN: ${{ github.token }}
      NUMBER: ${{ github.event.pull_request.number }}
    steps:
      - name: Get the report
        uses: actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131 # v7.0.0
        with:
          name: report
          path: report

      - name: Put the pictures on a branch that holds nothing else
        id: pictures
        working-directory: report
        run: |
          gh auth setup-git
          git init --quiet
          git add -- *.png
          git -c user.name=report -c user.email=report@example.com commit --quiet --message "Pictures for #$NUMBER"
          git push --quiet --force "https://github.com/$GITHUB_REPOSITORY" "HEAD:refs/heads/reports/$NUMBER"
          echo "address=https://github.com/$GITHUB_REPOSITORY/blob/$(git rev-parse HEAD)" >> "$GITHUB_OUTPUT"

      - name: Comment, or renew the comment
        env:
          ADDRESS: ${{ steps.pictures.outputs.address }}
        run: |
          mark="<!-- report of the experiment -->"
          { echo "$mark"; sed "s#](\(.*\.png\))#]($ADDRESS/\1?raw=true)#" report/report.md; } > comment.md
          issues=repos/$GITHUB_REPOSITORY/issues
          found=$(gh api --paginate "$issues/$NUMBER/comments" --jq ".[] | select(.body | startswith(\"$mark\")) | .id" | head -n 1)
          if [ -n "$found" ]
          then gh api --silent --method PATCH "$issues/comments/$found" --field body=@comment.md
          else gh api --silent "$issues/$NUMBER/comments" --field body=@comment.md
          fi

  image:
    name: Build, test and publish
    needs: experiment
    outputs:
      digest: ${{ steps.publish.outputs.digest }}
    if: ${{ vars.REGISTRY != '' }}
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    permissions:
      contents: read
      id-token: write # to become the service account, which may publish
    env:
      BENTOML_DO_NOT_TRACK: "True"
      SYFT_CHECK_FOR_APP_UPDATE: "false"
      IMAGE: ${{ vars.REGISTRY }}/planets:${{ github.sha }}
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"
          echo "BENTOML_HOME=$PWD/.bentoml" >> "$GITHUB_ENV"

      - name: Become the service account
        uses: google-github-actions/auth@7c6bc770dae815cd3e89ee6cdf493a5fab2cc093 # v3.0.0
        with:
          workload_identity_provider: ${{ vars.GCP_IDENTITY_PROVIDER }}
          service_account: ${{ vars.GCP_PUBLISHER }}

      - name: Log in to the registry
        run: gcloud auth configure-docker --quiet "${REGISTRY%%/*}"
        env:
          REGISTRY: ${{ vars.REGISTRY }}

      - name: Get the model, and the pictures to test it
        run: dvc pull

      - name: Build the image
        run: ci/build "$IMAGE"

      - name: Test the image
        run: ci/try "$IMAGE"

      - name: List what is in it
        run: |
          mkdir published
          docker save --output image.tar "$IMAGE"
          syft scan --quiet docker-archive:image.tar --output cyclonedx-json=published/sbom.json

      - name: Publish it
        id: publish
        if: github.event_name != 'pull_request'
        run: |
          digest=$(ci/publish "$IMAGE")
          echo "$IMAGE has the digest $digest" | tee published/digest.txt >> "$GITHUB_STEP_SUMMARY"
          echo "digest=$digest" >> "$GITHUB_OUTPUT"

      - name: Keep the list and the digest
        uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: image
          path: published

  deploy:
    name: Deploy
    needs: image
    if: ${{ vars.CLUSTER != '' && github.event_name != 'pull_request' }}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    concurrency: deploy # one after the other, and none in the middle of another
    permissions:
      contents: write # to record what runs
      id-token: write # to become the service account, which may deploy
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          fetch-depth: 0 # what ran before is in the history
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"

      - name: Become the service account
        uses: google-github-actions/auth@7c6bc770dae815cd3e89ee6cdf493a5fab2cc093 # v3.0.0
        with:
          workload_identity_provider: ${{ vars.GCP_IDENTITY_PROVIDER }}
          service_account: ${{ vars.GCP_DEPLOYER }}

      - name: Get access to the cluster
        run: |
          gcloud components install --quiet gke-gcloud-auth-plugin
          gcloud container clusters get-credentials "$CLUSTER" --region europe-west6
        env:
          CLUSTER: ${{ vars.CLUSTER }}

      - name: Get what the tests compare with
        run: dvc pull

      - name: Deploy, or go back
        run: ci/deploy "$IMAGE" "$DIGEST"
        env:
          IMAGE: ${{ vars.REGISTRY }}/planets
          DIGEST: ${{ needs.image.outputs.digest }}

      - name: Record what runs
        run: |
          gh auth setup-git
          git add kubernetes/base/image.yaml
          git -c user.name=deploy -c user.email=deploy@example.com commit --quiet --message "Deploy $COMMIT [skip ci]"
          git pull --quiet --rebase origin main
          git push --quiet origin HEAD:main
        env:
          COMMIT: ${{ github.sha }}
          GH_TOKEN: ${{ github.token }}
END
fi

# 560-git-add
git add .
git status --short

# 580-git-commit-quiet-message-tell-a
git commit --quiet --message "Tell a change of the pictures from chance"
dvc push --quiet
dvc status --cloud

# 600-pushed
if [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | tail -n 1
git pull --quiet
fi

# 620-git-push-quiet
if [ "$guide_place" = cloud ]; then
git push --quiet
fi

# 630-sleep-5
if [ "$guide_place" = cloud ]; then
sleep 5
gh run watch --exit-status "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')"
git pull --quiet
fi

# 640-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
fi

# 650-dvc-repro-dry-force-downstream-e
dvc repro --dry --force --downstream export 2> /dev/null | grep '^Running'

# 670-inside
if [ "$guide_cluster" = podman ]; then
python3 src/send.py data/sets/probe.zip
mkdir ../pod
podman exec "$(podman ps --quiet --filter name=service)" sh -c 'cat /logs/*.jsonl' > ../pod/predictions.jsonl
python3 src/monitor.py --logs ../pod
rm -r ../pod
fi

# 690-kubectl-kustomize-kubernetes-lap
if [ "$guide_cluster" = podman ]; then
kubectl kustomize kubernetes/laptop > ../laptop.yaml
podman kube down ../laptop.yaml > /dev/null
rm ../laptop.yaml
fi

# 700-python3-src-send.py-data-sets-pr
if [ "$guide_cluster" = kind ]; then
python3 src/send.py data/sets/probe.zip
mkdir ../pod
for pod in $(kubectl get pods --selector app=planets --output name)
do kubectl exec "$pod" -- sh -c 'cat /logs/*.jsonl' > "../pod/${pod#pod/}.jsonl"
done
python3 src/monitor.py --logs ../pod
rm -r ../pod
fi

# 710-pythonpath-src-python3-end
PYTHONPATH=src python3 - <<'END'
import json

import numpy as np

from calibrate import MONITORING
from drift import p_values
from records import Records, load_entries

reference = Records.of(load_entries(MONITORING / "reference.jsonl")[0])
threshold = json.loads((MONITORING / "threshold.json").read_text())["threshold"]
random = np.random.default_rng(1)
for name in "city", "probe", "mild", "new-bodies":
    changed = Records.of(load_entries(MONITORING / f"sets/{name}.jsonl")[0])
    shares = []
    for size in 10, 20, 30, 50:
        windows = [changed.take(random.choice(len(changed), size, replace=False)) for _ in range(50)]
        shares.append(np.mean([min(p_values(window, reference).values()) < threshold for window in windows]))
    print(f"{name:10}", *(f"{share:5.0%}" for share in shares))
END

touch "$guide_start/.guide-4.2"
