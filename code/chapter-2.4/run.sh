#!/usr/bin/env bash
# Chapter 2.4 - Track model evolution in the CI/CD pipeline
# Made from docs/part-2/chapter-2.4.md: change that page, not this file.
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

# Chapter 2.3 comes first.
if [ ! -e .guide-2.3 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-2.3/run.sh"
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
failed_steps() { # of the run for a commit
  local id
  id=$(forge GET "actions/runs?head_sha=$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["workflow_runs"][0]["id"])')
  forge GET "actions/runs/$id/jobs" | python3 -c '
import json, sys
for job in json.load(sys.stdin)["jobs"]:
    for step in job["steps"]:
        if step["conclusion"] == "failure":
            print(step["name"])'
}
fi

# 030-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env

# 040-params.yaml
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
  epochs: 10
  batch_size: 32
  conv_filters: 32
  dense_units: 64

evaluate:
  open_test_set: false # see chapter 1.2 before you change this

quality:
  tolerance: 0.03 # between the metrics of a commit and those of a new training of it
  accuracy_floor: 0.8 # on the validation pictures, whatever main has
  accuracy_drop: 0.02 # that a change may cost, compared with main
END

# 050-src-gate.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/gate.py <<'END'
"""Refuse a model that is worse than we accept: python3 src/gate.py REVISION"""

import json
import sys

from compare import METRICS, committed
from params import load_params


def problems(before: dict[str, float], now: dict[str, float], limits: dict[str, float]) -> list[str]:
    """Say which limits the accuracy (0 to 1) breaks."""
    found = []
    if now["accuracy"] < limits["accuracy_floor"]:
        found.append(f"accuracy is {now['accuracy']:.3f}, and must be {limits['accuracy_floor']} at least")
    if now["accuracy"] < before["accuracy"] - limits["accuracy_drop"]:
        lost = before["accuracy"] - now["accuracy"]
        found.append(
            f"accuracy falls by {lost:.3f}, from {before['accuracy']:.3f} to {now['accuracy']:.3f}, "
            f"and may fall by {limits['accuracy_drop']} at most"
        )
    return found


def main(revision: str) -> None:
    now = json.loads(METRICS.read_text())["validation"]
    if found := problems(committed(revision), now, load_params("quality")):
        sys.exit("\n".join(found))
    print(f"accuracy {now['accuracy']:.3f}: good enough")


if __name__ == "__main__":
    main(*sys.argv[1:])
END

# 060-tests-test-gate.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_gate.py <<'END'
"""Test that the gate stops what is worse, and lets through what is not."""

import pytest

from gate import problems

LIMITS = {"accuracy_floor": 0.8, "accuracy_drop": 0.02}


@pytest.mark.parametrize(("before", "now"), [(0.9, 0.95), (0.9, 0.9), (0.9, 0.885), (0.8, 0.8)])
def test_good_enough(before, now):
    assert problems({"accuracy": before}, {"accuracy": now}, LIMITS) == []


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [(0.9, 0.87, "falls by 0.030"), (0.79, 0.79, "must be 0.8"), (0.81, 0.795, "must be 0.8")],
)
def test_worse(before, now, told):
    (found,) = problems({"accuracy": before}, {"accuracy": now}, LIMITS)
    assert told in found
END

# 070-pytest-tests-test-gate.py
pytest tests/test_gate.py
python3 src/gate.py main

# 090-src-report.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/report.py <<'END'
"""Write what a change does to parameters, metrics and plots: python3 src/report.py REVISION"""

import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

REPORT = Path("report")
HISTORY = Path("training/history.csv")
CONFUSION = Path("evaluation/confusion_matrix.png")


def dvc(*arguments: str) -> str:
    """Run a command of DVC, and return what it prints."""
    done = subprocess.run(["dvc", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"dvc {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def changes(what: str, revision: str) -> str:
    """Return DVC's table of what has changed in params or metrics, or a sentence where it is empty."""
    table = dvc(what, "diff", "--md", revision)
    return table if table.count("\n") > 1 else f"No {what} have changed."


def load_history(path: Path) -> list[float]:
    """Read the validation accuracy, epoch by epoch."""
    with path.open(newline="") as file:
        return [float(row["val_accuracy"]) for row in csv.DictReader(file)]


def save_curves(path: Path, before: list[float], now: list[float]) -> None:
    """Draw two trainings into one figure."""
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axis = figure.subplots()
    axis.plot(range(1, len(before) + 1), before, "s--", label="before")
    axis.plot(range(1, len(now) + 1), now, "o-", label="now")
    axis.set(xlabel="epoch", ylabel="validation accuracy")
    axis.legend()
    figure.savefig(path)


def main(revision: str) -> None:
    shutil.rmtree(REPORT, ignore_errors=True)
    REPORT.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        for path in (HISTORY, CONFUSION):
            dvc("get", ".", path.as_posix(), "--rev", revision, "--out", f"{folder}/{path.name}")
        before = Path(folder)
        save_curves(REPORT / "curves.png", load_history(before / HISTORY.name), load_history(HISTORY))
        shutil.copy(before / CONFUSION.name, REPORT / "confusion-before.png")
    shutil.copy(CONFUSION, REPORT / "confusion-now.png")
    (REPORT / "report.md").write_text(
        f"""\
## What this change does to the model

{changes("params", revision)}

{changes("metrics", revision)}

![Validation accuracy, epoch by epoch, before and now](curves.png)

### Confusion, before and now

![Confusion matrix before](confusion-before.png)
![Confusion matrix now](confusion-now.png)
"""
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
END

# 100-gitignore
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/.gitignore <<'END'

# What src/report.py writes
/report/
END

# 110-python3-src-report.py-main
python3 src/report.py main
sed -n '3,8p' report/report.md
ls report

# 130-github-workflows-experiment.yml
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
        run: dvc pull data/raw
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
END
fi

# 140-github-workflows-experiment.yml
if [ "$guide_forge" = github ] && [ "$guide_place" = cloud ]; then
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
        run: dvc pull data/raw

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
END
fi

# 150-gitlab-ci.yml
if [ "$guide_forge" = gitlab ]; then
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
    - dvc pull data/raw
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

# 160-ci-post-receive
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/post-receive <<'END'
#!/usr/bin/env bash
# A CI service for one machine. Git calls it in the bare repository after each push.
set -eo pipefail
repository=$PWD
server=$(cd ../ci-server && pwd)

# A fresh machine knows nothing of the environment that you have activated, or of the push.
if [ -n "$VIRTUAL_ENV" ]; then PATH=${PATH//"$VIRTUAL_ENV/bin:"/}; fi
PATH=$server/.venv/bin:$PATH
unset VIRTUAL_ENV GIT_DIR

plain() { # without colours and empty lines
  sed $'s/\e\\[[0-9;]*m//g' | grep '[^ ]'
}

show() { # one line for each step, and the last words of one that fails
  local line words
  while IFS= read -r line; do
    case $line in
      *" Run Main "*) words= ;;
      *"]   | "*) words+="    ${line#*|}"$'\n' ;;
      *"  Success - Main "*) line=${line#*Main } && echo "ok      ${line% [*}" ;;
      *"  Failure - Main "*) line=${line#*Main } && echo "FAILED  ${line% [*}" && printf %s "$words" | plain | tail -n 8 ;;
    esac
  done
}

work() { # do what the workflow says about an event, a branch and its commit, in an empty folder
  local folder
  folder=$(mktemp -d)
  trap 'rm -rf "$folder" "$server/act"' RETURN
  git clone --quiet "$repository" "$folder" && cd "$folder" && git merge --quiet --no-edit "$3" &&
    act "$1" --platform ubuntu-24.04=-self-hosted --no-cache-server --action-cache-path "$server/act" \
      --secret-file "$server/secrets.env" \
      --local-repository "astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867=$server/actions/setup-uv" \
      --local-repository "actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f=$server/actions/upload-artifact" \
      --env ARTIFACTS="$server/kept/$2" 2>&1
}

while read -r old new ref; do
  branch=${ref#refs/heads/} event=pull_request
  if [ "$branch" = main ]; then event=push; fi
  if [[ $new =~ ^0+$ ]]; then continue; fi # the branch was deleted
  # act does not look at the filters below "on", so this is their place.
  if [ $event = push ] && git diff --quiet "$old" "$new" -- ':!*.md'; then continue; fi
  log=$server/logs/${new:0:7}.txt
  echo "The machine works on ${new:0:7} of $branch"
  if work $event "$branch" "$new" | tee "$log" | show; then echo "All is well"; else echo "This commit is BROKEN: see $log"; fi
done
END
fi

# 170-ci-actions-upload-artifact-actio
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/ci/actions/upload-artifact
cat >"$guide_start"/mlops-guide/ci/actions/upload-artifact/action.yml <<'END'
name: Keep files
description: Copies a folder to the place that the CI service has for the branch.
inputs:
  name:
    description: How the copy is called
    required: true
  path:
    description: The folder
    required: true
runs:
  using: composite
  steps:
    - name: Copy the folder
      run: rm -rf "$ARTIFACTS/$NAME" && mkdir -p "$ARTIFACTS" && cp -R "$FOLDER" "$ARTIFACTS/$NAME"
      shell: bash
      env:
        NAME: ${{ inputs.name }}
        FOLDER: ${{ inputs.path }}
END
fi

# 180-cp-r-ci-actions-..-ci-server
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
cp -R ci/actions ../ci-server/
fi

# 190-ci-post-receive
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/post-receive <<'END'
#!/usr/bin/env bash
# A CI service for one machine. Git calls it in the bare repository after each push.
set -eo pipefail
repository=$PWD
server=$(cd ../ci-server && pwd)

# A fresh machine knows nothing of the environment that you have activated, or of the push.
if [ -n "$VIRTUAL_ENV" ]; then PATH=${PATH//"$VIRTUAL_ENV/bin:"/}; fi
PATH=$server/node_modules/.bin:$server/.venv/bin:$PATH
unset VIRTUAL_ENV GIT_DIR

show() { # the commands, how each job ends, and the last words of one that fails
  grep --line-buffered -E '^[a-z]+ +\$ |^ (PASS|FAIL) |^  > '
}

work() { # do what the pipeline says about an event, a branch and its commit, in an empty folder
  local folder
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' RETURN
  git clone --quiet "$repository" "$folder" && cd "$folder" && git checkout --quiet -B "$2" "$3" &&
    sed 's/=/: /' "$server/secrets.env" > .gitlab-ci-local-variables.yml &&
    gitlab-ci-local --force-shell-executor --shell-isolation=false --variable CI_PIPELINE_SOURCE="$1" \
      --ignore-predefined-vars CI_PIPELINE_SOURCE 2>&1
  local status=$?
  rm -rf "$server/kept/$2" && mkdir -p "$server/kept/$2" && cp -R report "$server/kept/$2/" 2> /dev/null
  return $status
}

while read -r _ new ref; do
  branch=${ref#refs/heads/} event=merge_request_event
  if [ "$branch" = main ]; then event=push; fi
  if [[ $new =~ ^0+$ ]]; then continue; fi # the branch was deleted
  log=$server/logs/${new:0:7}.txt
  echo "The machine works on ${new:0:7} of $branch"
  if work $event "$branch" "$new" | tee "$log" | show; then echo "All is well"; else echo "This commit is BROKEN: see $log"; fi
done
END
fi

# 200-cp-ci-post-receive-remote-url-ho
if [ "$guide_place" = laptop ]; then
cp ci/post-receive "$REMOTE_URL/hooks/post-receive"
fi

# 210-github-workflows-experiment.yml
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
    runs-on: ubuntu-24.04
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
        run: dvc pull data/raw

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
END
fi

# 220-dvc-push-quiet
dvc push --quiet
git add .
git commit --quiet --message "Report on each proposal, and refuse a worse model"

# 230-begin
if [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote:
fi

# 260-git-push-quiet
if [ "$guide_place" = cloud ]; then
git push --quiet
fi

# 270-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
fi

# 280-git-switch-quiet-create-larger-b
git switch --quiet --create larger-batches
sed 's/batch_size: 32/batch_size: 256/' params.yaml > ../params.yaml
mv ../params.yaml params.yaml

# 290-dvc-repro-quiet
dvc repro --quiet
git add .
git commit --quiet --message "Train with larger batches"
dvc push --quiet

# 300-worse
if [ "$guide_place" = laptop ]; then
git push --set-upstream origin larger-batches 2>&1 | grep remote:
fi

# 330-cat-..-ci-server-kept-larger-bat
if [ "$guide_place" = laptop ]; then
cat ../ci-server/kept/larger-batches/report/report.md
ls ../ci-server/kept/larger-batches/report
fi

# 350-git-push-quiet-set-upstream-orig
if [ "$guide_place" = cloud ]; then
git push --quiet --set-upstream origin larger-batches
fi

# 360-gh-pr-create-title-train-with-la
if [ "$guide_place" = cloud ]; then
gh pr create --title "Train with larger batches" --body "Eight times as many pictures per step: the training is faster."
gh pr checks --watch
gh pr view --comments
fi

# 370-if-n-forge-api-without-an-accoun
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
if [ -n "$FORGE_API" ]  # without an account, the stand-in opens the pull request
then forge POST pulls '{"title": "Train with larger batches", "head": "larger-batches", "base": "main", "body": ""}' > /dev/null
fi
fi

# 380-test-run-of-git-rev-parse-head-f
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = failure
test "$(failed_steps "$(git rev-parse HEAD)")" = "Refuse a worse model"
number=$(forge GET "pulls?head=$GITHUB_OWNER:larger-batches" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["number"])')
forge GET "issues/$number/comments" > ../comments.json
python3 - <<'END'
import json
(comment,) = json.load(open("../comments.json"))
assert comment["body"].startswith("<!" + "-- report of the experiment"), comment
assert "| train.batch_size |" in comment["body"] or "train.batch_size" in comment["body"], comment
assert comment["body"].count("?raw=true)") == 3, comment
END
rm ../comments.json
if [ -n "$FORGE_API" ]; then grep -q "What this change does" ~/../remotes/forge/"$GITHUB_OWNER/$GITHUB_REPO.state"/runs/*/summary.md; fi
fi

# 390-git-push-quiet-origin-delete-lar
if [ "$guide_place" = laptop ]; then
git push --quiet origin --delete larger-batches
fi

# 400-gh-pr-close-larger-batches-comme
if [ "$guide_place" = cloud ]; then
gh pr close larger-batches --comment "It costs too much accuracy: see the report."
fi

# 410-git-push-quiet-origin-delete-lar
if [ "$guide_place" = cloud ]; then
git push --quiet origin --delete larger-batches
fi

# 420-git-switch-quiet-main
git switch --quiet main
git branch --quiet -D larger-batches
dvc checkout --quiet
dvc status

# 440-python3-src-gate.py-origin-mian
set +e
(
set -e
python3 src/gate.py origin/mian
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "440-python3-src-gate.py-origin-mian: ended with status $guide_status, not 1" >&2; exit 1; fi

# 460-git-status-short-branch
git status --short --branch
git branch
python3 src/gate.py main

# 480-python3-end
python3 - <<'END'
import csv
from collections import Counter

rows = list(csv.DictReader(open("evaluation/predictions.csv")))
total = Counter(row["actual"] for row in rows)
right = Counter(row["actual"] for row in rows if row["actual"] == row["predicted"])
recall = {name: right[name] / total[name] for name in total}
worst = min(recall, key=recall.get)
print(f"{worst}: {recall[worst]:.2f}")
END

touch "$guide_start/.guide-2.4"
