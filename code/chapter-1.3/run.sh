#!/usr/bin/env bash
# Chapter 1.3 - Initialize Git and DVC for local training
# Made from docs/part-1/chapter-1.3.md: change that page, not this file.
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

# Chapter 1.2 comes first.
if [ ! -e .guide-1.2 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-1.2/run.sh"
fi

# 010-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
git init --initial-branch=main

# 030-git-config-user.name
git config user.name
git config user.email

# 050-gitignore
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.gitignore <<'END'
# The environment and the caches of Python
.venv/
__pycache__/

# Data and results are too large for Git
data/
model/
training/
evaluation/
END

# 060-git-status-short
git status --short

# 080-git-check-ignore-verbose-.venv-g
# check, which the page does not show
git check-ignore --verbose .venv | grep '^.gitignore:'
git check-ignore --verbose src/__pycache__ data model training evaluation | grep -c '^.gitignore:' | grep -x 5

# 090-git-add
git add .
git commit --quiet --message "Move the experiment from the notebook to scripts"
git ls-files

# 110-requirements.in
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/requirements.in <<'END'
dvc
keras
matplotlib
numpy
pillow
pyyaml
scikit-learn
tensorflow
END

# 120-uv-pip-compile-requirements.in-c
if [ "$guide_tool" = uv ]; then
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes --output-file requirements.txt
uv pip sync requirements.txt
fi

# 130-pip-install-r-requirements.in-c
if [ "$guide_tool" = pip ]; then
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 140-dvc-version
dvc --version

# 160-grep-dvc-dvc-version-requirement
# check, which the page does not show
grep "^dvc==$(dvc --version)" requirements.txt
grep "^dvc==$(dvc --version)" constraints.txt

# 170-dvc-init-quiet
dvc init --quiet
dvc config core.analytics false
git status --short

# 210-dvc-add-data-raw
set +e
(
set -e
dvc add data/raw
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "210-dvc-add-data-raw: ended with status $guide_status, not 1" >&2; exit 1; fi

# 230-gitignore
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.gitignore <<'END'
# The environment and the caches of Python
.venv/
__pycache__/

# What the scripts make is too large for Git
data/prepared/
model/
training/
evaluation/
END

# 240-dvc-add-data-raw
dvc add data/raw

# 280-find-.dvc-cache-files-md5-type-f
find .dvc/cache/files/md5 -type f | wc -l

# 300-python3-m-json.tool-.dvc-cache-f
python3 -m json.tool .dvc/cache/files/md5/*/*.dir | sed -n 1,9p

# 320-python3-end
# check, which the page does not show
python3 - <<'END'
import hashlib
import json
import re
from pathlib import Path

cache = Path(".dvc/cache/files/md5")
pointer = re.search(r"md5: ([0-9a-f]{32}\.dir)", Path("data/raw.dvc").read_text())[1]
listed = json.loads((cache / pointer[:2] / pointer[2:]).read_text())
assert len(listed) == 1650
for entry in listed[::50]:
    picture = (Path("data/raw") / entry["relpath"]).read_bytes()
    stored = (cache / entry["md5"][:2] / entry["md5"][2:]).read_bytes()
    assert picture == stored and hashlib.md5(picture).hexdigest() == entry["md5"]
END

# 330-rm-data-raw-saturn-saturn-0000.j
rm data/raw/saturn/saturn_0000.jpg
printf 'damaged' > data/raw/mars/mars_0000.jpg
dvc status

# 350-dvc-checkout
set +e
(
set -e
dvc checkout
)
guide_status=$?
set -e
if [ "$guide_status" != 255 ]; then echo "350-dvc-checkout: ended with status $guide_status, not 255" >&2; exit 1; fi

# 370-dvc-checkout-force
dvc checkout --force
dvc status

# 390-python3-end
# check, which the page does not show
python3 - <<'END'
from pathlib import Path

assert len(list(Path("data/raw").glob("*/*.jpg"))) == 1650
assert all(path.stat().st_size > 500 for path in Path("data/raw").glob("*/*.jpg"))
END

# 400-git-add
git add .
git status --short

# 420-git-commit-quiet-message-put-the
git commit --quiet --message "Put the pictures under DVC"
git log --format=%s

# 440-git-clone-quiet-.-..-mlops-guide
git clone --quiet . ../mlops-guide-copy
cd ../mlops-guide-copy
ls -A data

# 460-dvc-cache-dir-local-..-mlops-gui
dvc cache dir --local ../mlops-guide/.dvc/cache
dvc checkout
diff -r ../mlops-guide/data/raw data/raw && echo "same pictures"

# 480-cd-..-mlops-guide
cd ../mlops-guide
rm -rf ../mlops-guide-copy

# 490-test-e-..-mlops-guide-copy
# check, which the page does not show
test ! -e ../mlops-guide-copy
test -z "$(git status --porcelain)"
test "$(git ls-files | wc -l)" -eq 19
if git ls-files | grep '\.jpg$'; then exit 1; fi

# 500-git-switch-quiet-create-fewer-mo
git switch --quiet --create fewer-moons
rm data/raw/moon/moon_00*.jpg
dvc add --quiet data/raw
git commit --quiet --all --message "Keep fifty pictures of the Moon"
git show --format=%s --unified=1

# 520-git-switch-quiet-main
git switch --quiet main
dvc checkout
ls data/raw/moon | wc -l
git branch --quiet -D fewer-moons

# 540-dvc-status-quiet
# check, which the page does not show
dvc status --quiet
test -z "$(git status --porcelain)"
test "$(git branch --format='%(refname:short)')" = main

touch "$guide_start/.guide-1.3"
