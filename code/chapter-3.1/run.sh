#!/usr/bin/env bash
# Chapter 3.1 - Save and load the model with BentoML
# Made from docs/part-3/chapter-3.1.md: change that page, not this file.
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

# Chapter 2.5 comes first.
if [ ! -e .guide-2.5 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-2.5/run.sh"
fi

# 010-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env

# 020-requirements.in
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/requirements.in <<'END'
bentoml
END

# 030-uv-pip-compile-requirements.in-c
if [ "$guide_tool" = uv ]; then
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes --output-file requirements.txt
uv pip sync requirements.txt
fi

# 040-pip-install-r-requirements.in-c
if [ "$guide_tool" = pip ]; then
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 050-env
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/.env <<'END'
# BentoML: models are kept in this project, and nothing is sent to its makers.
export BENTOML_HOME=$PWD/.bentoml
export BENTOML_DO_NOT_TRACK=True
END

# 060-gitignore
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/.gitignore <<'END'

# Packaged models, made by src/package.py
/.bentoml/
END

# 070-source-.env
source .env
bentoml --version

# 090-src-classifier.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/classifier.py <<'END'
"""From the bytes of a picture to an answer: what everybody calls who uses the model."""

import json
from pathlib import Path

import numpy as np

import model
from preprocessing import preprocess


class Classifier:
    """A model, the preparation of its pictures, and the names of its classes."""

    def __init__(self, folder: Path) -> None:
        metadata = json.loads((folder / "metadata.json").read_text())
        self.labels: list[str] = metadata["labels"]
        self.image: dict = metadata["image"]
        self.network, _ = model.load(folder)

    def prepare(self, picture: bytes) -> np.ndarray:
        """Return float32 (height, width, channels). Raises OSError for what is no picture."""
        return preprocess(picture, **self.image)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return float32 (number, classes) for prepared pictures."""
        logits = self.network(x, training=False).numpy()
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def classify(self, picture: bytes) -> dict[str, float]:
        """Return the probability of each class."""
        answer = self.probabilities(self.prepare(picture)[np.newaxis])[0]
        return dict(zip(self.labels, answer.tolist()))
END

# 100-tests-test-classifier.py
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
    return Classifier(Path("model"))


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

# 110-pytest-tests-test-classifier.py
pytest tests/test_classifier.py

# 130-src-package.py
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

MODEL = Path("model")
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
    if json.loads(ask("dvc", "status", "--json", "train")):
        sys.exit("The model is not the one of dvc.lock. Run dvc repro, or dvc checkout.")
    outs = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["train"]["outs"]
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

# 140-python3-src-package.py
python3 src/package.py
bentoml models get planets:latest

# 160-python3-src-package.py-grep-x-pl
# check, which the page does not show
python3 src/package.py | grep -x "planets:[0-9a-f]\{12\} is in the store already"
version=$(bentoml models get planets:latest --output json | python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])')
grep -q "md5: $version" dvc.lock
test "$(bentoml models get planets:latest --output json | python3 -c 'import json, sys; print(json.load(sys.stdin)["labels"]["commit"])')" = "$(git rev-parse HEAD)"

# 170-src-classify.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/classify.py <<'END'
"""Name what is on pictures, with the packaged model: classify.py PICTURE..."""

import sys
from pathlib import Path

import bentoml

from classifier import Classifier


def main() -> None:
    entry = bentoml.models.get("planets:latest")
    classifier = Classifier(Path(entry.path))
    for name in sys.argv[1:]:
        answer = classifier.classify(Path(name).read_bytes())
        label = max(answer, key=answer.get)
        print(f"{Path(name).name}: {label}, {answer[label]:.1%}")


if __name__ == "__main__":
    main()
END

# 180-python3-src-classify.py-data-raw
python3 src/classify.py data/raw/saturn/saturn_0000.jpg data/raw/mars/mars_0000.jpg

# 200-elsewhere-mktemp-d
elsewhere=$(mktemp -d)
bentoml models export planets:latest "$elsewhere/planets.bentomodel" > /dev/null
cp data/raw/saturn/saturn_0000.jpg src/classify.py src/classifier.py src/model.py src/preprocessing.py "$elsewhere"
(cd "$elsewhere"
mkdir store
export BENTOML_HOME=$PWD/store
bentoml models import "$PWD/planets.bentomodel"
python3 classify.py saturn_0000.jpg)
rm -r "$elsewhere"

# 220-touched
set +e
(
set -e
echo >> model/metadata.json
python3 src/package.py
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "220-touched: ended with status $guide_status, not 1" >&2; exit 1; fi

# 240-dvc-checkout-force-quiet-model
dvc checkout --force --quiet model
python3 src/package.py

# 260-said-bentoml-home-mktemp-d-pytho
# check, which the page does not show
said=$(BENTOML_HOME=$(mktemp -d) python3 src/classify.py 2>&1 || true)
grep -qF "no Models with name 'planets' exist" <<< "$said"

# 270-pytest
pytest
git status --short

# 290-git-add-.gitignore-requirements
git add .gitignore requirements.in requirements.txt src tests
git commit --quiet --message "Package the model with BentoML"
git show --format=%s --name-only

# 310-commit-bentoml-models-get-planet
commit=$(bentoml models get planets:latest --output json |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["labels"]["commit"])')
git show "$commit:params.yaml" | grep -A 6 '^train:'

touch "$guide_start/.guide-3.1"
