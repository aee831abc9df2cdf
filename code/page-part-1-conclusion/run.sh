#!/usr/bin/env bash
# Part 1 - Conclusion
# Made from docs/part-1/conclusion.md: change that page, not this file.
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

# 010-for-project-in-mlops-guide-noteb
# setup, which the page does not show
for project in mlops-guide-notebook mlops-guide
do mkdir -p $project/.venv/bin $project/data/raw && touch $project/params.yaml
done
mkdir -p mlops-guide/.dvc/cache/files/md5/0a
touch mlops-guide/.dvc/cache/files/md5/0a/1b something-else
chmod 444 mlops-guide/.dvc/cache/files/md5/0a/1b

# 020-ls-d-mlops-guide-notebook-mlops
ls -d mlops-guide-notebook mlops-guide

# 040-rm-rf-mlops-guide-notebook-mlops
rm -rf mlops-guide-notebook mlops-guide

# 050-test-ls-a-something-else
# check, which the page does not show
test "$(ls -A)" = something-else

touch "$guide_start/.guide-part-1-conclusion"
