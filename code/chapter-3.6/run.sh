#!/usr/bin/env bash
# Chapter 3.6 - Continuous deployment of the model with the CI/CD pipeline
# Made from docs/part-3/chapter-3.6.md: change that page, not this file.
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

# Chapter 3.5 comes first.
if [ ! -e .guide-3.5 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-3.5/run.sh"
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

# 050-ci-deploy
if [ "$guide_cluster" = podman ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/deploy <<'END'
#!/usr/bin/env bash
# Run an image in place of what runs now. Go back if it does not answer well: ci/deploy REGISTRY/NAME DIGEST
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

run() { # what the manifests below a folder say
  kubectl kustomize "$1/laptop" > "$folder/manifest.yaml"
  (cd "$folder" && podman kube play --replace --tls-verify=false manifest.yaml > log 2>&1) # it leaves notes where it works
}

answers() { # as the pipeline would
  export SERVICE=http://127.0.0.1:3000
  curl --silent --fail --retry 30 --retry-delay 1 --retry-all-errors --output /dev/null "$SERVICE/readyz" &&
    pytest tests/test_service.py
}

ci/pin "$1" "$2"
if run kubernetes && answers; then
  echo "deployed $2"
  exit
fi
good=$(git log -1 --format=%H -- kubernetes/base/image.yaml)
echo "It does not answer as it should. Going back to what ran before: ${good:0:7}"
git archive "$good" kubernetes | tar -x -C "$folder"
run "$folder/kubernetes" && answers
exit 1
END
fi

# 060-ci-deploy
if [ "$guide_cluster" = kind ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/deploy <<'END'
#!/usr/bin/env bash
# Run an image in place of what runs now. Go back if it does not answer well: ci/deploy REGISTRY/NAME DIGEST
set -euo pipefail

answers() { # as the pipeline would, through a port of this machine
  kubectl port-forward service/planets 3900:80 > /dev/null &
  local forward=$!
  export SERVICE=http://127.0.0.1:3900
  curl --silent --fail --retry 30 --retry-delay 1 --retry-all-errors --output /dev/null "$SERVICE/readyz" &&
    pytest tests/test_service.py
  local status=$?
  kill "$forward"
  return "$status"
}

ci/pin "$1" "$2"
kubectl apply --kustomize kubernetes/base
if kubectl rollout status deployment/planets --timeout 3m && answers; then
  echo "deployed $2"
  exit
fi
echo "It does not answer as it should. Going back to what ran before."
kubectl rollout undo deployment/planets
kubectl rollout status deployment/planets --timeout 3m
exit 1
END
fi

# 070-chmod-x-ci-deploy
if [ "$guide_cluster" = podman ]; then
chmod +x ci/deploy
ci/deploy "$REGISTRY/planets" "$(sed -n 's/.*digest: //p' kubernetes/base/image.yaml)"
fi

# 090-chmod-x-ci-deploy
if [ "$guide_cluster" = kind ]; then
chmod +x ci/deploy
ci/deploy "$REGISTRY/planets" "$(sed -n 's/.*digest: //p' kubernetes/base/image.yaml)"
fi

# 100-github-workflows-experiment.yml
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

# 110-ci-post-receive
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
  if [[ $(git log -1 --format=%s "$new") == *"[skip ci]"* ]]; then continue; fi # as forges do
  # act does not look at the filters below "on", so this is their place.
  if [ $event = push ] && git diff --quiet "$old" "$new" -- ':!*.md'; then continue; fi
  log=$server/logs/${new:0:7}.txt
  echo "The machine works on ${new:0:7} of $branch"
  if work $event "$branch" "$new" | tee "$log" | show; then echo "All is well" && touch "$server/approved/$new"; else echo "This commit is BROKEN: see $log"; fi
done
END
fi

# 120-cp-ci-post-receive-remote-url-ho
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
cp ci/post-receive "$REMOTE_URL/hooks/post-receive"
fi

# 130-gitlab-ci.yml
# not done: excerpt (needs a runner with a container engine)

# 140-deployer-deployer-gcp-project.ia
if [ "$guide_place" = cloud ]; then
DEPLOYER=deployer@$GCP_PROJECT.iam.gserviceaccount.com
POOL=projects/$(gcloud projects describe "$GCP_PROJECT" --format 'value(projectNumber)')/locations/global/workloadIdentityPools/github
gcloud iam service-accounts create deployer --project "$GCP_PROJECT" --display-name "Deploys in CI"
gcloud projects add-iam-policy-binding "$GCP_PROJECT" \
  --member "serviceAccount:$DEPLOYER" --role roles/container.developer
gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" \
  --member "serviceAccount:$DEPLOYER" --role roles/storage.objectViewer
gcloud iam service-accounts add-iam-policy-binding "$DEPLOYER" --project "$GCP_PROJECT" \
  --member "principal://iam.googleapis.com/$POOL/subject/repo:$GITHUB_OWNER/$GITHUB_REPO:ref:refs/heads/main" \
  --role roles/iam.workloadIdentityUser
gh variable set GCP_DEPLOYER --body "$DEPLOYER"
gh variable set CLUSTER --body planets
fi

# 150-github-workflows-experiment.yml
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

# 160-src-page-index.html
mkdir -p "$guide_start"/mlops-guide/src/page
cat >"$guide_start"/mlops-guide/src/page/index.html <<'END'
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Which body is it?</title>
<style>
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
  img { width: 12rem; image-rendering: pixelated; }
  ol { padding: 0; }
  li { display: grid; grid-template-columns: 7rem 1fr 4rem; gap: 0.5rem; }
  meter { width: 100%; }
</style>
<h1>Planet or moon?</h1>
<p><label>Choose a picture of a planet or a moon: <input type="file" accept="image/*"></label></p>
<p id="answer" role="status"></p>
<img alt="" hidden>
<ol hidden></ol>
<script>
  const [input, answer, image, list] = ["input", "#answer", "img", "ol"].map((name) => document.querySelector(name));
  const percent = (value) => `${(100 * value).toFixed(1)} %`;

  input.onchange = async () => {
    const [file] = input.files;
    image.hidden = list.hidden = true;
    if (!file) return;
    answer.textContent = "Asking the model …";
    const form = new FormData();
    form.append("image", file);
    try {
      const response = await fetch("/predict", { method: "POST", body: form });
      const said = await response.json();
      if (response.ok) show(file, said);
      else answer.textContent = `The service refuses: ${(said[0] ?? said).error}`;
    } catch {
      answer.textContent = "The service does not answer.";
    }
  };

  function show(file, said) {
    answer.textContent = `This is ${said.label} (${percent(said.confidence)}), says ${said.model}.`;
    image.src = URL.createObjectURL(file);
    image.alt = `Your picture: ${file.name}`;
    const likely = Object.entries(said.probabilities).sort((a, b) => b[1] - a[1]).slice(0, 3);
    list.replaceChildren(...likely.map(([label, value]) => {
      const row = document.createElement("li"), meter = document.createElement("meter");
      meter.value = value;
      meter.title = label;
      row.append(label, meter, percent(value));
      return row;
    }));
    image.hidden = list.hidden = false;
  }
</script>
</html>
END

# 170-git-add
git add .
git commit --quiet --message "Deploy each commit on main, and ask friendlier"

# 180-deployed
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | sed -n '/Keep the list/,$p'
fi

# 200-curl-silent-http-127.0.0.1-3000
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
curl --silent http://127.0.0.1:3000/page/ | grep h1
git pull --quiet
git log --format='%an: %s' --max-count 2
podman ps --filter name=service --format '{{.Image}}' | grep -c "$(sed -n 's/.*digest: //p' kubernetes/base/image.yaml)"
fi

# 220-git-push-2-1-grep-remote-tail-n
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | tail -n 1
fi

# 240-git-push-quiet
if [ "$guide_place" = cloud ]; then
git push --quiet
fi

# 250-sleep-5
if [ "$guide_place" = cloud ]; then
sleep 5
gh run watch --exit-status "$(gh run list --commit "$(git rev-parse HEAD)" --json databaseId --jq '.[0].databaseId')"
git pull --quiet
git log --format='%an: %s' --max-count 2
fi

# 260-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
fi

# 270-git-switch-quiet-create-smaller
git switch --quiet --create smaller-bento
sed 's/"door.py", //' src/bento.py > ../bento.py
mv ../bento.py src/bento.py
git commit --quiet --all --message "Leave out what nobody needs"

# 280-broken
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
git push --set-upstream origin smaller-bento 2>&1 | grep remote: | sed -n '/Build the image/,$p'
curl --silent http://127.0.0.1:3000/page/ | grep h1
fi

# 300-log-..-ci-server-logs-git-rev-pa
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
# check, which the page does not show
log=../ci-server/logs/$(git rev-parse --short=7 HEAD).txt
grep -q "No module named 'door'" "$log"
if grep -q 'Deploy, or go back' "$log"; then exit 1; fi
fi

# 310-git-switch-quiet-main
git switch --quiet main
git branch --quiet --delete --force smaller-bento

# 320-sed-s-memory-512mi-memory-24mi-s
sed 's/memory: 512Mi/memory: 24Mi/; s/memory: 256Mi/memory: 16Mi/' kubernetes/base/deployment.yaml > ../deployment.yaml
mv ../deployment.yaml kubernetes/base/deployment.yaml

# 330-back
if [ "$guide_cluster" = podman ]; then
set +e
(
set -e
ci/deploy "$REGISTRY/planets" "$(sed -n 's/.*digest: //p' kubernetes/base/image.yaml)"
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "330-back: ended with status $guide_status, not 1" >&2; exit 1; fi
fi

# 350-undone
if [ "$guide_cluster" = kind ]; then
set +e
(
set -e
ci/deploy "$REGISTRY/planets" "$(sed -n 's/.*digest: //p' kubernetes/base/image.yaml)"
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "350-undone: ended with status $guide_status, not 1" >&2; exit 1; fi
fi

# 360-git-restore-kubernetes
git restore kubernetes
git status --short --branch

# 380-grep-q-memory-512mi-kubernetes-b
# check, which the page does not show
grep -q 'memory: 512Mi' kubernetes/base/deployment.yaml

# 390-podman-ps-filter-name-service-fo
if [ "$guide_cluster" = podman ]; then
podman ps --filter name=service --format '{{.Image}}' | grep -c "$(sed -n 's/.*digest: //p' kubernetes/base/image.yaml)"
SERVICE=http://127.0.0.1:3000 pytest tests/test_service.py
fi

# 410-kubectl-kustomize-kubernetes-lap
if [ "$guide_cluster" = podman ]; then
kubectl kustomize kubernetes/laptop > ../laptop.yaml
podman kube down ../laptop.yaml > /dev/null
rm ../laptop.yaml
fi

# 420-kubectl-get-deployment-planets-o
if [ "$guide_cluster" = kind ]; then
kubectl get deployment planets --output jsonpath='{.spec.template.spec.containers[0].image}'
kubectl get pods --selector app=planets
fi

# 430-git-log-format-h-kubernetes-base
git log --format=%h -- kubernetes/base/image.yaml | sed -n 2p
git show "$(git log --format=%h -- kubernetes/base/image.yaml | sed -n 2p):kubernetes/base/image.yaml" | grep -c 'digest: sha256:'

touch "$guide_start/.guide-3.6"
