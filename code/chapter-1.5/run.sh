#!/usr/bin/env bash
# Chapter 1.5 - Track model evolution with DVC
# Made from docs/part-1/chapter-1.5.md: change that page, not this file.
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

# Chapter 1.4 comes first.
if [ ! -e .guide-1.4 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-1.4/run.sh"
fi

# 010-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
dvc metrics show

# 030-params.yaml
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/params.yaml <<'END'
# How a picture becomes numbers: the same for training and for every later use.
image:
  size: 32 # width and height, in pixels
  grayscale: false

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

# 040-dvc-repro
dvc repro

# 060-dvc-params-diff
dvc params diff

# 080-dvc-metrics-diff
dvc metrics diff

# 100-python3-end
# check, which the page does not show
python3 - <<'END'
import json
import subprocess

before = json.loads(subprocess.check_output(["git", "show", "HEAD:evaluation/metrics.json"]))["validation"]
now = json.load(open("evaluation/metrics.json"))["validation"]
assert now["accuracy"] > before["accuracy"] + 0.1, (before, now)
assert now["loss"] < before["loss"] - 0.1 and now["macro_f1"] > before["macro_f1"] + 0.1
END

# 110-dvc-plots-diff
dvc plots diff
grep -o 'src="http[^"]*"' dvc_plots/index.html

# 130-curl-fssl-o-.dvc-plots.html-http
curl -fsSL -o .dvc/plots.html https://mlops.swiss-ai-center.ch/downloads/plots-template.html
dvc config plots.html_template plots.html

# 150-gitignore
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.gitignore <<'END'
# The environment and the caches of Python
.venv/
__pycache__/

# Reports of DVC, drawn again at any time
dvc_plots/
/model
/training
END

# 160-dvc-plots-diff
dvc plots diff
grep -o 'src="http[^"]*"' dvc_plots/index.html || echo "nothing comes from another host"

# 180-git-check-ignore-quiet-no-index
# check, which the page does not show
git check-ignore --quiet --no-index dvc_plots/index.html
python3 - <<'END'
import re
from html.parser import HTMLParser
from pathlib import Path

text = Path("dvc_plots/index.html").read_text()
pictures = []


class Loads(HTMLParser):
    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in {"src", "srcset", "href", "data", "action", "poster"} and value:
                assert not re.match(r"(?:https?:)?//", value), f"<{tag} {name}={value}>"
                if tag == "img":
                    pictures.append(value)


Loads().feed(text)
assert len(pictures) == 4 and all((Path("dvc_plots") / name).is_file() for name in pictures), pictures
assert not re.search(r"@import|url\(\s*['\"]?https?:", text)
specifications = re.findall(r"var spec = (\{.*\});", text)
assert len(specifications) == 3 and not any('"url"' in spec for spec in specifications)
assert "vegaEmbed=" in text.replace(" ", "") or ".vegaEmbed" in text
END

# 190-python3-end
# check, which the page does not show
python3 - <<'END'
# Without any network, a browser draws the three plots.
import shutil
import subprocess
import tempfile
from pathlib import Path

names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
browser = next(filter(None, map(shutil.which, names)), "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    page = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000", "--dump-dom"),
            Path("dvc_plots/index.html").resolve().as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        start_new_session=True,
    ).stdout
assert page.count("<canvas") == 3, page.count("<canvas")
END

# 200-python3-end
# check, which the page does not show
python3 - <<'END'
import csv
import io
import subprocess
from collections import Counter


def matrix(text):
    rows = list(csv.DictReader(io.StringIO(text)))
    return Counter((row["actual"], row["predicted"]) for row in rows)


read = "import dvc.api; print(dvc.api.read('evaluation/predictions.csv', rev='HEAD'), end='')"
gray = matrix(subprocess.check_output(["python3", "-c", read], text=True))
colour = matrix(open("evaluation/predictions.csv").read())
for name in ("neptune", "uranus"):
    assert gray[name, name] <= 8 and colour[name, name] > 15, (name, gray, colour)
for counts in (gray, colour):
    assert sum(n for (_, said), n in counts.items() if said == "mars") <= 3, counts
assert colour["mars", "titan"] > 15, colour
history = list(csv.DictReader(open("training/history.csv")))
assert float(history[-1]["val_accuracy"]) > float(history[-2]["val_accuracy"]) + 0.02
before = "import dvc.api; print(dvc.api.read('training/history.csv', rev='HEAD'), end='')"
old = list(csv.DictReader(io.StringIO(subprocess.check_output(["python3", "-c", before], text=True))))
for a, b in zip(old, history):
    assert float(a["val_loss"]) > float(b["val_loss"]) and float(a["val_accuracy"]) < float(b["val_accuracy"])
END

# 210-git-add
git add .
git status --short
git commit --quiet --message "Show the pictures to the model in colour"

# 230-dvc-exp-run-name-rate-set-param
dvc exp run --name rate --set-param train.learning_rate=0.001

# 250-dvc-exp-run-name-epochs-set-para
dvc exp run --name epochs --set-param train.epochs=10

# 270-dvc-exp-run-name-filters-set-par
dvc exp run --name filters --set-param train.conv_filters=16

# 290-dvc-exp-show-only-changed-hide-w
dvc exp show --only-changed --hide-workspace --drop 'Created|model|.*loss|.*macro' --md

# 310-dvc-plots-diff-main-rate-epochs
dvc plots diff main rate epochs filters

# 330-python3-end
# check, which the page does not show
python3 - <<'END'
import re
from pathlib import Path

text = Path("dvc_plots/index.html").read_text()
specifications = re.findall(r"var spec = (\{.*\});", text)
assert len(specifications) == 3
for spec in specifications:
    for name in ("main", "rate", "epochs", "filters"):
        assert f'"rev": "{name}"' in spec, name
END

# 340-python3-end
# check, which the page does not show
python3 - <<'END'
import json
import subprocess

names = ("main", "rate", "epochs", "filters")


def accuracy(name):
    text = subprocess.check_output(["dvc", "metrics", "show", "--json"] if name == "" else
                                   ["dvc", "metrics", "diff", "--json", "--all", name, "filters"])
    return json.loads(text)["evaluation/metrics.json"]["validation.accuracy"]["old"]


main, rate, epochs, filters = map(accuracy, names)
assert rate > main + 0.15, (main, rate)
assert epochs > rate + 0.02, (rate, epochs)
assert abs(epochs - filters) < 0.035, (epochs, filters)
assert epochs >= 0.85
END

# 350-dvc-exp-apply-epochs
dvc exp apply epochs

# 380-dvc-exp-remove-rate-epochs-filte
dvc exp remove rate epochs filters
dvc exp list

# 400-dvc-params-diff-head-1
dvc params diff HEAD~1
dvc metrics diff HEAD~1

# 420-python3-end
# check, which the page does not show
python3 - <<'END'
import json

metrics = json.load(open("evaluation/metrics.json"))
assert list(metrics) == ["validation"], "the test set stays sealed"
assert metrics["validation"]["accuracy"] >= 0.85, metrics
END
dvc status --quiet

# 430-git-add
git add .
git status --short
git commit --quiet --message "Train with a higher rate, for ten epochs"
git log --format=%s -n 2

# 450-git-checkout-quiet-head-2
git checkout --quiet HEAD~2
dvc checkout --quiet
dvc metrics show
dvc status

# 470-git-switch-quiet-main
git switch --quiet main
dvc checkout --quiet
dvc status

# 490-test-z-git-status-porcelain
# check, which the page does not show
test -z "$(git status --porcelain)"
test "$(git branch --show-current)" = main
PYTHONPATH=src python3 - <<'END'
# The model in the workspace is the one that the metrics of main belong to.
import json
from pathlib import Path

import model
from dataset import load_split

model.make_reproducible()
network, metadata = model.load(Path("model"))
split = load_split(Path("data/prepared/validation.npz"))
assert metadata["image"] == {"size": 32, "grayscale": False} and split.x.shape == (330, 32, 32, 3)
right = (model.predict(network, split.x).argmax(axis=1) == split.y).mean()
metrics = json.loads(Path("evaluation/metrics.json").read_text())
assert abs(right - metrics["validation"]["accuracy"]) < 1e-9
END

# 500-dvc-exp-run-name-gray-set-param
dvc exp run --name gray --set-param image.grayscale=true

# 520-dvc-metrics-diff
dvc metrics diff

# 540-dvc-exp-remove-gray
dvc exp remove gray
git restore .
dvc checkout --quiet
dvc status

# 560-test-z-git-status-porcelain
# check, which the page does not show
test -z "$(git status --porcelain)"
test -z "$(dvc exp list --name-only)"

touch "$guide_start/.guide-1.5"
