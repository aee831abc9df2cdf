#!/usr/bin/env bash
# Chapter 2.1 - Move the ML experiment code to the cloud
# Made from docs/part-2/chapter-2.1.md: change that page, not this file.
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

# Chapter 1.6 comes first.
if [ ! -e .guide-1.6 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-1.6/run.sh"
fi

# 010-env
if [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.env <<'END'
# The names that I chose. No passwords in here.
REMOTE_URL=../mlops-guide.git
END
fi

# 020-env
if [ "$guide_place" = cloud ]; then
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.env <<'END'
# The names that I chose. No passwords in here.
GITHUB_OWNER=reader
GITHUB_REPO=mlops-guide
REMOTE_URL=https://github.com/$GITHUB_OWNER/$GITHUB_REPO.git
END
fi

# 030-printf-github-owner-s-ngithub-re
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
printf 'GITHUB_OWNER=%s\nGITHUB_REPO=mlops-guide-%s\n' "$(gh api user --jq .login)" "$RANDOM$RANDOM" > mlops-guide/.env
echo "REMOTE_URL=https://github.com/\$GITHUB_OWNER/\$GITHUB_REPO.git" >> mlops-guide/.env
fi

# 040-gitignore
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/.gitignore <<'END'
# The environment and the caches of Python
.venv/
__pycache__/

# Reports of DVC, drawn again at any time
dvc_plots/

# The names that each of us chose
.env
/model
/training
END

# 050-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env
git status --short

# 070-git-commit-quiet-all-message-kee
git commit --quiet --all --message "Keep everybody's own names out of the repository"

# 080-git-check-ignore-quiet-.env
# check, which the page does not show
git check-ignore --quiet .env
test -n "$REMOTE_URL"
test -z "$(git status --porcelain)"

# 090-git-rev-list-objects-main-git-ca
git rev-list --objects main | git cat-file --batch-check='%(objectsize) %(rest)' | awk '$1 > 300000'

# 110-git-log-main-oneline-i-g-passwor
git log main --oneline -i -G'password|secret|private key|api_?key' | grep . || echo "no such commit"

# 130-git-ls-files-grep-e-.-jpg-png-np
git ls-files | grep -E '\.(jpg|png|npz|keras|pyc)$|^\.venv/|^\.env$' || echo "nothing of that kind"

# 150-git-switch-quiet-create-trap
# check, which the page does not show
# The searches find what they look for.
git switch --quiet --create trap
head -c 400000 /dev/urandom > weights.keras
echo "SECRET = 'opensesame'" > src/settings.py
git add .
git commit --quiet --message trap
git rev-list --objects trap | git cat-file --batch-check='%(objectsize) %(rest)' | awk '$1 > 300000' | grep -x '400000 weights.keras'
git log trap --oneline -i -G'password|secret|private key|api_?key' | grep ' trap$'
git ls-files | grep -E '\.(jpg|png|npz|keras|pyc)$|^\.venv/|^\.env$' | grep -x weights.keras
git switch --quiet main
git branch --quiet -D trap
test -z "$(git status --porcelain)"

# 160-git-init-quiet-bare-initial-bran
if [ "$guide_place" = laptop ]; then
git init --quiet --bare --initial-branch=main "$REMOTE_URL"
ls "$REMOTE_URL"
fi

# 180-gh-auth-login-hostname-github.co
# not done: browser (a login with a browser)

# 190-gh-repo-create-github-owner-gith
if [ "$guide_place" = cloud ]; then
gh repo create "$GITHUB_OWNER/$GITHUB_REPO" --private
fi

# 200-gh-auth-setup-git
if [ "$guide_place" = cloud ]; then
# check, which the page does not show
gh auth setup-git
gh api "repos/$GITHUB_OWNER/$GITHUB_REPO" --jq .private | grep -x true
fi

# 210-push
git remote add origin "$REMOTE_URL"
git push --set-upstream origin main

# 240-git-ls-remote-origin
git ls-remote origin
git status --short --branch

# 260-test-git-ls-remote-origin-main-c
# check, which the page does not show
test "$(git ls-remote origin main | cut -f 1)" = "$(git rev-parse main)"
test "$(git ls-remote origin | wc -l)" -eq 2
test "$(git config branch.main.remote)" = origin

# 270-unreachable
set +e
(
set -e
git ls-remote "${REMOTE_URL%.git}-typo.git"
)
guide_status=$?
set -e
if [ "$guide_status" != 128 ]; then echo "270-unreachable: ended with status $guide_status, not 128" >&2; exit 1; fi

# 300-source-.env
source .env
git remote set-url origin "$REMOTE_URL"
git ls-remote --exit-code origin main

# 320-git-clone-quiet-remote-url-..-co
git clone --quiet "$REMOTE_URL" ../colleague
cd ../colleague
git config user.name Colleague
git config user.email colleague@example.com
git log --format=%s

# 340-ls-data
set +e
(
set -e
ls data
dvc pull
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "340-ls-data: ended with status $guide_status, not 1" >&2; exit 1; fi

# 360-git-c-remote-url-config-receive
if [ "$guide_place" = laptop ]; then
git -C "$REMOTE_URL" config receive.denyNonFastForwards true
fi

# 370-echo-never-push-with-force.-if-a
echo "Never push with --force. If a push is rejected: git pull --rebase, then push again." > CONTRIBUTING.md
git add CONTRIBUTING.md
git commit --quiet --message "Say what to do when a push is rejected"
git push --quiet

# 380-readme.md
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/README.md <<'END'
# Planets and moons

Names the planet or moon of our solar system on a picture: eleven classes.

Clone this repository, install the locked packages, then run the experiment:

    python3 -m venv .venv
    source .venv/bin/activate
    pip install -r requirements.txt
    dvc repro

The parameters are in `params.yaml`, the results in `evaluation/`.
`pytest` tests the code and the trained model.
END

# 390-rejected
set +e
(
set -e
cd ../mlops-guide
git commit --quiet --all --message "Begin with a clone"
git push
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "390-rejected: ended with status $guide_status, not 1" >&2; exit 1; fi

# 420-git-push-force
if [ "$guide_place" = laptop ]; then
set +e
(
set -e
git push --force
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "420-git-push-force: ended with status $guide_status, not 1" >&2; exit 1; fi
fi

# 440-git-pull-quiet-rebase
git pull --quiet --rebase
git log --graph --format='%s (%an)' -n 3
git push --quiet

# 460-cat-contributing.md
cat CONTRIBUTING.md

# 480-git-fetch
git fetch
git status --short --branch
git diff --stat origin/main
git -C ../colleague pull --quiet --rebase
git -C ../colleague log --format='%h %s' -n 2
git log --format='%h %s' -n 2

# 500-git-clone-quiet-remote-url-..-re
git clone --quiet "$REMOTE_URL" ../rescued
git -C ../rescued fsck --no-dangling && echo "nothing is damaged"
git -C ../rescued diff --stat "$(git rev-parse main)" && echo "nothing is missing"

# 520-rm-rf-..-colleague-..-rescued
rm -rf ../colleague ../rescued

# 530-test-e-..-colleague
# check, which the page does not show
test ! -e ../colleague
test ! -e ../rescued
test -z "$(git status --porcelain)"
test "$(git rev-parse main)" = "$(git rev-parse origin/main)"
test "$(git ls-remote origin main | cut -f 1)" = "$(git rev-parse main)"
git log --format=%an -n 2 | sort | tr '\n' ' ' | grep -x 'Colleague Reader '
git show --stat --format= HEAD | grep -c '|' | grep -x 1

# 540-echo-db-password-opensesame-conn
echo "DB_PASSWORD=opensesame" > connect.txt
git add connect.txt
git commit --quiet --message "Connect to the database"
git rm --quiet connect.txt
git commit --quiet --message "Remove the password"
git grep opensesame || echo "not in the files"
git log --format=%s -S opensesame

# 560-git-log-format-s-origin-main..ma
git log --format=%s origin/main..main
git reset --quiet --hard origin/main
git log --format=%s -S opensesame | grep . || echo "gone from the history"

# 580-test-e-connect.txt
# check, which the page does not show
test ! -e connect.txt
test -z "$(git status --porcelain)"
test "$(git rev-parse main)" = "$(git ls-remote origin main | cut -f 1)"

touch "$guide_start/.guide-2.1"
