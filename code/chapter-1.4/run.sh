#!/usr/bin/env bash
# Chapter 1.4 - Reproduce the ML experiment with DVC
# Made from docs/part-1/chapter-1.4.md: change that page, not this file.
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

# Chapter 1.3 comes first.
if [ ! -e .guide-1.3 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-1.3/run.sh"
fi

# 010-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
rm -r data/prepared model training evaluation

# 020-gitignore
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.gitignore <<'END'
# The environment and the caches of Python
.venv/
__pycache__/
END

# 030-dvc-stage-add-quiet-name-prepare
dvc stage add --quiet --name prepare \
  --params image,prepare \
  --deps data/raw --deps src/prepare.py --deps src/dataset.py \
  --deps src/params.py --deps src/plots.py --deps src/preprocessing.py \
  --outs data/prepared \
  python3 src/prepare.py

# 050-dvc.yaml
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/dvc.yaml <<'END'
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
END

# 060-python3-end
# check, which the page does not show
python3 - <<'END'
import ast
import re
from pathlib import Path

import yaml

SRC = Path("src")


def imported(path):
    """The files of the project that a script is made of, itself included."""
    found, names = {path}, set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    for name in names:
        if (other := SRC / f"{name}.py").exists():
            found |= imported(other)
    return found


stages = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
assert list(stages) == ["prepare", "train", "evaluate"]
reads = {
    "prepare": {"data/raw"},
    "train": {"data/prepared"},
    "evaluate": {"data/prepared", "model"},
}
for name, stage in stages.items():
    script = SRC / f"{name}.py"
    assert stage["cmd"] == f"python3 {script}"
    files = {path.as_posix() for path in imported(script)}
    assert set(stage["deps"]) == files | reads[name], set(stage["deps"]) ^ (files | reads[name])
    assert len(stage["deps"]) == len(set(stage["deps"]))
    asked = set(re.findall(r'load_params\("(\w+)"\)', script.read_text()))
    assert asked == set(stage["params"]), (name, asked)
    # Every folder that the script names is read or written by the stage.
    folders = set(re.findall(r'Path\("([\w/]+)"\)', script.read_text()))
    outputs = [*stage["outs"], *(path for metric in stage.get("metrics", ()) for path in metric)]
    declared = set(reads[name]) | {o if "." not in o else str(Path(o).parent) for o in outputs}
    assert folders == declared, (name, folders ^ declared)
END

# 070-dvc-dag
dvc dag

# 090-dvc-repro
dvc repro

# 110-python3-end
# check, which the page does not show
python3 - <<'END'
import json
from pathlib import Path

import yaml

metrics = json.loads(Path("evaluation/metrics.json").read_text())
assert list(metrics) == ["validation"] and 0.2 < metrics["validation"]["accuracy"] < 0.5, metrics
# Whatever the scripts have written is an output of a stage.
lock = yaml.safe_load(Path("dvc.lock").read_text())["stages"]
outputs = [Path(out["path"]) for stage in lock.values() for out in stage["outs"]]
for folder in ("data/prepared", "model", "training", "evaluation"):
    for path in Path(folder).rglob("*"):
        if path.name != ".gitignore":
            assert any(path == out or out in path.parents for out in outputs), path
END

# 120-sed-n-1-14p-dvc.lock
sed -n 1,14p dvc.lock

# 160-touch-src-train.py
touch src/train.py
dvc repro

# 180-echo-a-comment-changes-the-file
echo '# A comment changes the file, but not the model.' >> src/train.py
dvc status

# 200-dvc-repro
dvc repro

# 220-git-restore-src-train.py
git restore src/train.py
dvc repro

# 240-python3-end
# check, which the page does not show
python3 - <<'END'
# Each file and each parameter that a stage reads makes that stage run, and no other.
import ast
import re
from pathlib import Path

import yaml
from dvc.repo import Repo

SRC, PARAMS = Path("src"), Path("params.yaml")


def imported(path):
    """The files of the project that a script is made of, itself included."""
    found, names = {path}, set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    for name in names:
        if (other := SRC / f"{name}.py").exists():
            found |= imported(other)
    return found


def affected():
    with Repo() as repo:
        return set(repo.status())


def after(path, text):
    """The stages that would run if a file were another one. It is as before afterwards."""
    before = path.read_bytes() if path.exists() else None
    path.write_text(text)
    try:
        return affected()
    finally:
        path.unlink() if before is None else path.write_bytes(before)


stages = list(yaml.safe_load(Path("dvc.yaml").read_text())["stages"])
scripts = {stage: (SRC / f"{stage}.py") for stage in stages}
assert affected() == set()
for path in sorted(SRC.glob("*.py")):
    readers = {stage for stage, script in scripts.items() if path in imported(script)}
    assert after(path, path.read_text() + "\n") == readers, (path, readers)

params = yaml.safe_load(PARAMS.read_text())
readers = {
    section: {stage for stage, script in scripts.items() if f'load_params("{section}")' in script.read_text()}
    for section in params
}
for section, values in params.items():
    for name, value in values.items():
        other = not value if isinstance(value, bool) else value + 1
        changed = {**params, section: {**values, name: other}}
        assert after(PARAMS, yaml.safe_dump(changed)) == readers[section], (section, name)

assert after(Path("data/raw/earth/new.jpg"), "new") == {"data/raw.dvc", "prepare"}
assert after(Path("data/prepared/new.npz"), "new") == {"prepare", "train", "evaluate"}
assert after(Path("model/new"), "new") == {"train", "evaluate"}
END
dvc status --quiet

# 250-dvc.yaml
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/dvc.yaml <<'END'
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

# 260-dvc-repro
dvc repro

# 280-python3-end
# check, which the page does not show
python3 - <<'END'
import csv
from pathlib import Path

import yaml

plots = yaml.safe_load(Path("dvc.yaml").read_text())["plots"]
drawn = {name: plot for entry in plots if isinstance(entry, dict) for name, plot in entry.items()}
shown = [entry for entry in plots if isinstance(entry, str)]
assert list(drawn) == ["Accuracy", "Loss", "Confusion matrix"], drawn
assert drawn["Confusion matrix"]["template"] == "confusion"
assert shown == ["data/prepared/preview.png", "evaluation/predictions.png"]
assert all(Path(path).exists() for path in shown)
for name, plot in drawn.items():
    ((path, columns),) = plot["y"].items()
    columns = columns if isinstance(columns, list) else [columns]
    header = next(csv.reader(Path(path).open()))
    assert {plot["x"], *columns} <= set(header) and len({plot["x"], *columns}) == len(columns) + 1
    assert name in {"Confusion matrix", columns[0].title()}, name
END
dvc plots show --out ../plots > /dev/null
test "$(grep -c 'vegaEmbed(' ../plots/index.html)" -eq 3
rm -r ../plots

# 290-readme.md
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/README.md <<'END'
# Planets and moons

Names the planet or moon of our solar system on a picture: eleven classes.

Install the locked packages, then run the experiment:

    python3 -m venv .venv
    source .venv/bin/activate
    pip install -r requirements.txt
    dvc repro

The parameters are in `params.yaml`, the results in `evaluation/`.
END

# 300-grep-x-dvc-repro-readme.md
# check, which the page does not show
grep -x '    dvc repro' README.md
if grep 'src/' README.md; then exit 1; fi

# 310-cp-dvc.lock-..-first.lock
cp dvc.lock ../first.lock
dvc repro --force

# 330-cmp-..-first.lock-dvc.lock-echo
cmp ../first.lock dvc.lock && echo "same results"
rm ../first.lock

# 350-python3-end
# check, which the page does not show
python3 - <<'END'
import hashlib
from pathlib import Path

import yaml

# The lock tells the truth about files and folders alike.
lock = yaml.safe_load(Path("dvc.lock").read_text())["stages"]
for stage in lock.values():
    for out in stage["outs"]:
        path = Path(out["path"])
        if path.is_file():
            assert hashlib.md5(path.read_bytes()).hexdigest() == out["md5"], path
        else:
            assert sum(1 for p in path.rglob("*") if p.is_file()) == out["nfiles"], path
END

# 360-git-add
git add .
git status --short

# 380-git-commit-quiet-message-describ
git commit --quiet --message "Describe the experiment as a DVC pipeline"
git log --format=%s

# 400-test-z-git-status-porcelain
# check, which the page does not show
test -z "$(git status --porcelain)"
dvc status --quiet
test "$(cat data/.gitignore evaluation/.gitignore | sort | tr '\n' ' ')" = '/confusion_matrix.png /predictions.csv /predictions.png /prepared /raw '

# 410-grep-v-src-preprocessing.py-dvc
grep -v 'src/preprocessing.py' dvc.yaml > ../changed
mv ../changed dvc.yaml
sed 's/BILINEAR/NEAREST/' src/preprocessing.py > ../changed
mv ../changed src/preprocessing.py
dvc repro

# 430-git-restore-dvc.yaml-src-preproc
git restore dvc.yaml src/preprocessing.py
dvc status

# 450-test-z-git-status-porcelain
# check, which the page does not show
test -z "$(git status --porcelain)"

touch "$guide_start/.guide-1.4"
