#!/usr/bin/env bash
# Chapter 3.4 - Build and publish the model with BentoML and Docker in the CI/CD pipeline
# Made from docs/part-3/chapter-3.4.md: change that page, not this file.
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

# Chapter 3.3 comes first.
if [ ! -e .guide-3.3 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-3.3/run.sh"
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

# 050-ci-try
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/try <<'END'
#!/usr/bin/env bash
# Start an image with as few rights as in production, and test it: ci/try NAME
set -euo pipefail
container=$(docker run --detach --publish 127.0.0.1::3000 --read-only --tmpfs /tmp \
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

# 060-chmod-x-ci-try
chmod +x ci/try
ci/build planets
ci/try planets

# 080-github-workflows-experiment.yml
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

  image:
    name: Build, test and publish
    needs: experiment
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
        if: github.event_name != 'pull_request'
        run: |
          digest=$(ci/publish "$IMAGE")
          echo "$IMAGE has the digest $digest" | tee published/digest.txt >> "$GITHUB_STEP_SUMMARY"

      - name: Keep the list and the digest
        uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: image
          path: published
END
fi

# 090-ci-post-receive
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
      --secret-file "$server/secrets.env" --var-file "$server/variables.env" \
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
  if work $event "$branch" "$new" | tee "$log" | show; then echo "All is well" && touch "$server/approved/$new"; else echo "This commit is BROKEN: see $log"; fi
done
END
fi

# 100-echo-registry-registry-..-ci-ser
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
echo "REGISTRY=$REGISTRY" > ../ci-server/variables.env
cp ci/post-receive "$REMOTE_URL/hooks/post-receive"
fi

# 110-gitlab-ci.yml
# not done: excerpt (needs a runner with a container engine)

# 120-gcloud-services-enable-artifactr
if [ "$guide_place" = cloud ]; then
gcloud services enable artifactregistry.googleapis.com --project "$GCP_PROJECT"
gcloud artifacts repositories create planets --project "$GCP_PROJECT" --location europe-west6 --repository-format docker
fi

# 130-publisher-publisher-gcp-project
if [ "$guide_place" = cloud ]; then
PUBLISHER=publisher@$GCP_PROJECT.iam.gserviceaccount.com
POOL=projects/$(gcloud projects describe "$GCP_PROJECT" --format 'value(projectNumber)')/locations/global/workloadIdentityPools/github
gcloud iam service-accounts create publisher --project "$GCP_PROJECT" --display-name "Publishes in CI"
gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" \
  --member "serviceAccount:$PUBLISHER" --role roles/storage.objectViewer
gcloud artifacts repositories add-iam-policy-binding planets --project "$GCP_PROJECT" --location europe-west6 \
  --member "serviceAccount:$PUBLISHER" --role roles/artifactregistry.writer
gcloud iam service-accounts add-iam-policy-binding "$PUBLISHER" --project "$GCP_PROJECT" \
  --member "principal://iam.googleapis.com/$POOL/subject/repo:$GITHUB_OWNER/$GITHUB_REPO:ref:refs/heads/main" \
  --role roles/iam.workloadIdentityUser
gh variable set GCP_PUBLISHER --body "$PUBLISHER"
gh variable set REGISTRY --body "europe-west6-docker.pkg.dev/$GCP_PROJECT/planets"
fi

# 140-github-workflows-experiment.yml
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

  image:
    name: Build, test and publish
    needs: experiment
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
        if: github.event_name != 'pull_request'
        run: |
          digest=$(ci/publish "$IMAGE")
          echo "$IMAGE has the digest $digest" | tee published/digest.txt >> "$GITHUB_STEP_SUMMARY"

      - name: Keep the list and the digest
        uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: image
          path: published
END
fi

# 150-git-add
git add .
git commit --quiet --message "Build, test and publish an image of each commit on main"

# 160-published
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | sed -n '/Refuse a worse model/,$p'
fi

# 180-cat-..-ci-server-kept-main-image
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
cat ../ci-server/kept/main/image/digest.txt
digest=$(sed 's/.* //' ../ci-server/kept/main/image/digest.txt)
docker pull --quiet "$REGISTRY/planets@$digest" > /dev/null
docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$REGISTRY/planets@$digest"
git rev-parse HEAD
fi

# 200-test-docker-image-inspect-format
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
# check, which the page does not show
test "$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$REGISTRY/planets@$digest")" = "$(git rev-parse HEAD)"
python3 -c 'import json; assert len(json.load(open("../ci-server/kept/main/image/sbom.json"))["components"]) > 100'
log=../ci-server/logs/$(git rev-parse --short=7 HEAD).txt
grep -q '12 passed' "$log"
if docker ps --format '{{.Names}}' | grep -vx registry; then exit 1; fi
fi

# 210-git-push-2-1-grep-remote-tail-n
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | tail -n 1
fi

# 230-git-push-quiet
if [ "$guide_place" = cloud ]; then
git push --quiet
fi

# 240-sleep-5
if [ "$guide_place" = cloud ]; then
sleep 5
gh run watch --exit-status "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')"
gh run download --name image --dir ../image
cat ../image/digest.txt
fi

# 250-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
fi

# 260-sed-s-door.py-src-bento.py-..-be
sed 's/"door.py", //' src/bento.py > ../bento.py
mv ../bento.py src/bento.py

# 270-refused
set +e
(
set -e
ci/build planets
ci/try planets
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "270-refused: ended with status $guide_status, not 1" >&2; exit 1; fi

# 290-git-restore-src-bento.py
git restore src/bento.py

# 300-tags
curl --silent "http://$REGISTRY/v2/planets/tags/list" | python3 -c 'import json, sys; print(*(len(tag) for tag in sorted(json.load(sys.stdin)["tags"], key=len)))'

# 340-tag-git-rev-parse-short-12-head
tag=$(git rev-parse --short=12 HEAD~2)
docker pull --quiet "$REGISTRY/planets:$tag" > /dev/null
good=$(docker image inspect --format '{{.Id}}' "$REGISTRY/planets:$tag")
docker pull --quiet python:3.11-slim-bookworm > /dev/null
docker tag python:3.11-slim-bookworm "$REGISTRY/planets:$tag"
ci/publish "$REGISTRY/planets:$tag" > /dev/null
docker run --rm "$REGISTRY/planets:$tag" python3 -c 'print("I am not a model")'

# 360-docker-tag-good-registry-planets
docker tag "$good" "$REGISTRY/planets:$tag"
ci/publish "$REGISTRY/planets:$tag" > /dev/null
docker pull --quiet "$REGISTRY/planets:$tag" > /dev/null
test "$(docker image inspect --format '{{.Id}}' "$REGISTRY/planets:$tag")" = "$good" && echo "the model is back"

touch "$guide_start/.guide-3.4"
