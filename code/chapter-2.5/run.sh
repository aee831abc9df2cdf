#!/usr/bin/env bash
# Chapter 2.5 - Work efficiently and collaboratively with Git
# Made from docs/part-2/chapter-2.5.md: change that page, not this file.
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

# Chapter 2.4 comes first.
if [ ! -e .guide-2.4 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-2.4/run.sh"
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

# 040-ci-update
if [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/update <<'END'
#!/usr/bin/env bash
# main takes the merge of a branch that the machine has approved. Git calls this before it moves a branch.
ref=$1 new=$3
if [ "$ref" != refs/heads/main ]; then exit 0; fi
if ! proposal=$(git rev-parse --verify --quiet "$new^2"); then
  echo "main takes proposals only: push a branch, let the machine look at it, then merge it"
  exit 1
fi
if [ ! -e "../ci-server/approved/$proposal" ]; then
  echo "the machine has not approved ${proposal:0:7}"
  exit 1
fi
END
fi

# 050-ci-post-receive
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
  if work $event "$branch" "$new" | tee "$log" | show; then echo "All is well" && touch "$server/approved/$new"; else echo "This commit is BROKEN: see $log"; fi
done
END
fi

# 060-ci-post-receive
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
  if work $event "$branch" "$new" | tee "$log" | show; then echo "All is well" && touch "$server/approved/$new"; else echo "This commit is BROKEN: see $log"; fi
done
END
fi

# 070-mkdir-..-ci-server-approved
if [ "$guide_place" = laptop ]; then
mkdir ../ci-server/approved
cp ci/post-receive ci/update "$REMOTE_URL/hooks/"
chmod +x "$REMOTE_URL/hooks/update"
fi

# 080-ci-ruleset.json
if [ "$guide_place" = cloud ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/ruleset.json <<'END'
{
  "name": "main takes approved proposals",
  "target": "branch",
  "enforcement": "active",
  "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
  "rules": [
    {
      "type": "pull_request",
      "parameters": {
        "required_approving_review_count": 0,
        "dismiss_stale_reviews_on_push": true,
        "require_code_owner_review": false,
        "require_last_push_approval": false,
        "required_review_thread_resolution": true
      }
    },
    {
      "type": "required_status_checks",
      "parameters": {
        "strict_required_status_checks_policy": false,
        "required_status_checks": [{"context": "Train and compare"}]
      }
    }
  ]
}
END
fi

# 090-gh-api-silent-repos-github-owner
if [ "$guide_place" = cloud ]; then
gh api --silent "repos/$GITHUB_OWNER/$GITHUB_REPO/rulesets" --input ci/ruleset.json
fi

# 100-if-n-forge-api-then-forge-post-r
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
if [ -n "$FORGE_API" ]; then forge POST rulesets "$(cat ci/ruleset.json)" > /dev/null; fi
fi

# 110-refused
set +e
(
set -e
git add ci
git commit --quiet --message "Let main take approved proposals only"
git push
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "110-refused: ended with status $guide_status, not 1" >&2; exit 1; fi

# 140-git-switch-quiet-create-approved
git switch --quiet --create approved-proposals
git branch --force main origin/main

# 150-issues-1-longer-training.md
if [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/issues
cat >"$guide_start"/mlops-guide/issues/1-longer-training.md <<'END'
# 1. The model could still learn when its training ends

**Seen:** in the report, the validation accuracy still rises in the tenth epoch.

**Idea:** train for 20 epochs.

**Settled when:** the validation accuracy rises by 0.01 at least, or a report shows that it does not. A training may
take a minute.
END
fi

# 160-gh-issue-create-title-the-model
if [ "$guide_place" = cloud ]; then
gh issue create --title "The model could still learn when its training ends" --body \
"**Seen:** in the report, the validation accuracy still rises in the tenth epoch.
**Idea:** train for 20 epochs.
**Settled when:** the validation accuracy rises by 0.01 at least, or a report shows that it does not. A training may take a minute."
fi

# 170-if-n-forge-api-then-forge-post-i
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
if [ -n "$FORGE_API" ]; then forge POST issues '{"title": "The model could still learn when its training ends"}' > /dev/null; fi
fi

# 180-git-branch-move-longer-training
git branch --move longer-training

# 190-params.yaml
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
  epochs: 20
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

# 200-dvc-repro-quiet
dvc repro --quiet

# 210-dvc-params-diff
dvc params diff
dvc metrics diff

# 230-git-add
git add .
git commit --quiet --message "Train for 20 epochs"
dvc push --quiet

# 240-propose
if [ "$guide_place" = laptop ]; then
git push --set-upstream origin longer-training 2>&1 | grep remote:
fi

# 270-git-push-quiet-set-upstream-orig
if [ "$guide_place" = cloud ]; then
git push --quiet --set-upstream origin longer-training
fi

# 280-issue-gh-issue-list-search-in-ti
if [ "$guide_place" = cloud ]; then
ISSUE=$(gh issue list --search "in:title could still learn" --json number --jq '.[0].number')
gh pr create --title "Train for 20 epochs" --body "Closes #$ISSUE"
gh pr checks --watch
fi

# 290-if-n-forge-api
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
if [ -n "$FORGE_API" ]
then
  number=$(forge GET issues | python3 -c 'import json, sys; print(next(i["number"] for i in json.load(sys.stdin) if "still learn" in i["title"]))')
  forge POST pulls "{\"title\": \"Train for 20 epochs\", \"head\": \"longer-training\", \"base\": \"main\", \"body\": \"Closes #$number\"}" > /dev/null
fi
fi

# 300-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
fi

# 310-git-diff-main...longer-training
if [ "$guide_place" = laptop ]; then
git diff main...longer-training --stat
sed -n '/| Path/,/^$/p' ../ci-server/kept/longer-training/report/report.md
fi

# 330-params.yaml
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
END

# 340-dvc-status
dvc status
git commit --quiet --all --message "Say why 20 epochs"

# 360-answer
if [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | tail -n 1
fi

# 380-git-push-quiet
if [ "$guide_place" = cloud ]; then
git push --quiet
fi

# 390-gh-pr-checks-watch
if [ "$guide_place" = cloud ]; then
gh pr checks --watch
gh pr view --comments
fi

# 400-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
number=$(forge GET "pulls?head=$GITHUB_OWNER:longer-training" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["number"])')
forge GET "issues/$number/comments" > ../comments.json
python3 - <<'END'
import json
(comment,) = json.load(open("../comments.json"))
assert "train.epochs" in comment["body"], comment
assert comment["updated_at"] > comment["created_at"], comment
END
rm ../comments.json
fi

# 410-git-switch-quiet-main
if [ "$guide_place" = laptop ]; then
git switch --quiet main
git merge --quiet --no-ff longer-training --message "Merge: train for 20 epochs (issue 1)"
dvc checkout --quiet
fi

# 420-merge
if [ "$guide_place" = laptop ]; then
git push 2>&1 | grep remote: | tail -n 1
fi

# 440-git-push-quiet-origin-delete-lon
if [ "$guide_place" = laptop ]; then
git push --quiet origin --delete longer-training
git branch --quiet --delete longer-training
fi

# 450-gh-pr-merge-longer-training-merg
if [ "$guide_place" = cloud ]; then
gh pr merge longer-training --merge --delete-branch
fi

# 460-if-n-forge-api
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
if [ -n "$FORGE_API" ]
then
  number=$(forge GET "pulls?head=$GITHUB_OWNER:longer-training" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["number"])')
  forge PUT "pulls/$number/merge" '{"merge_method": "merge"}' > /dev/null
  forge DELETE git/refs/heads/longer-training
fi
fi

# 470-git-switch-quiet-main
if [ "$guide_place" = cloud ]; then
git switch --quiet main
git pull --quiet --prune
git branch --quiet --delete longer-training
dvc checkout --quiet
fi

# 480-test-run-of-git-rev-parse-head-s
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
test "$(run_of "$(git rev-parse HEAD)")" = success
forge GET "issues?state=all" | python3 -c 'import json, sys; print(*(i["state"] for i in json.load(sys.stdin) if "still learn" in i["title"]))' | grep -x closed
fi

# 490-git-log-graph-format-s-max-count
git log --graph --format=%s --max-count 4
dvc status

# 510-unseen
set +e
(
set -e
git switch --quiet --create in-a-hurry
git commit --quiet --allow-empty --message "Nobody has seen this"
git switch --quiet main
git merge --quiet --no-ff in-a-hurry --message "Merge: in a hurry"
git push
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "510-unseen: ended with status $guide_status, not 1" >&2; exit 1; fi

# 540-git-reset-quiet-hard-origin-main
git reset --quiet --hard origin/main
git branch --quiet -D in-a-hurry
git status --short --branch

# 560-rm-remote-url-hooks-update
if [ "$guide_place" = laptop ]; then
rm "$REMOTE_URL/hooks/update"
fi

# 570-gh-api-silent-method-delete-repo
if [ "$guide_place" = cloud ]; then
gh api --silent --method DELETE "repos/$GITHUB_OWNER/$GITHUB_REPO/rulesets/$(gh api "repos/$GITHUB_OWNER/$GITHUB_REPO/rulesets" --jq '.[0].id')"
fi

# 580-if-n-forge-api
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
if [ -n "$FORGE_API" ]
then forge DELETE "rulesets/$(forge GET rulesets | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')"
fi
fi

# 590-git-fetch-quiet-prune
git fetch --quiet --prune
git status --short --branch
git branch
dvc metrics show
dvc status --cloud

# 610-for-change-in-dense-units-64-96
for change in dense_units:64:96 batch_size:32:48
do
  IFS=: read -r name old new <<< "$change"
  git switch --quiet --create "try-$name" main
  sed "s/$name: $old/$name: $new/" params.yaml > ../params.yaml
  mv ../params.yaml params.yaml
  dvc repro --quiet
  git commit --quiet --all --message "Set $name to $new"
done
git switch --quiet main
git merge --quiet --no-ff try-dense_units --message "Merge: more units"

# 620-git-merge-no-ff-try-batch-size-m
set +e
(
set -e
git merge --no-ff try-batch_size --message "Merge: larger batches"
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "620-git-merge-no-ff-try-batch-size-m: ended with status $guide_status, not 1" >&2; exit 1; fi

# 640-git-checkout-quiet-ours-dvc.lock
git checkout --quiet --ours dvc.lock evaluation/metrics.json
dvc repro --quiet
git add .
git commit --quiet --message "Merge: larger batches"
dvc status
sed -n '/^train:/,/^$/p' params.yaml

# 660-git-reset-quiet-hard-origin-main
git reset --quiet --hard origin/main
git branch --quiet -D try-dense_units try-batch_size
dvc checkout --quiet
dvc status

touch "$guide_start/.guide-2.5"
