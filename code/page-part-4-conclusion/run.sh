#!/usr/bin/env bash
# Part 4 - Conclusion
# Made from docs/part-4/conclusion.md: change that page, not this file.
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

# 010-for-project-in-mlops-guide-mlops
# setup, which the page does not show
for project in mlops-guide mlops-guide-notebook
do mkdir -p $project/.venv/bin && touch $project/params.yaml
done
mkdir -p mlops-guide.git/hooks object-store/data/mlops-guide-data/predictions ci-server/logs registry/docker mlops-guide/.dvc/cache/files/md5/0a something-else
touch mlops-guide/.dvc/cache/files/md5/0a/1b
chmod 444 mlops-guide/.dvc/cache/files/md5/0a/1b

# 020-ls-d-mlops-guide-object-store-ci
ls -d mlops-guide* object-store ci-server registry

# 030-rm-rf-mlops-guide-mlops-guide-no
if [ "$guide_place" = laptop ]; then
rm -rf mlops-guide mlops-guide-notebook mlops-guide.git object-store ci-server registry
fi

# 040-gh-repo-delete-github-owner-gith
if [ "$guide_place" = cloud ]; then
gh repo delete "$GITHUB_OWNER/$GITHUB_REPO" --yes
fi

# 050-rm-rf-mlops-guide-mlops-guide-no
if [ "$guide_place" = cloud ]; then
rm -rf mlops-guide mlops-guide-notebook registry
fi

# 060-podman-pod-ls-quiet-filter-name
if [ "$guide_cluster" = podman ]; then
podman pod ls --quiet --filter name=planets | while read -r pod; do podman pod rm --force "$pod" > /dev/null; done
podman pod ls --quiet --filter name=planets | wc -l | tr -d ' '
fi

# 080-kind-delete-cluster-name-planets
if [ "$guide_cluster" = kind ]; then
kind delete cluster --name planets
fi

# 090-ls-d-mlops-guide-mlops-guide-not
ls -d mlops-guide mlops-guide-notebook registry 2> /dev/null || echo "nothing is left of it"

# 110-test-e-something-else
# check, which the page does not show
test -e something-else

touch "$guide_start/.guide-part-4-conclusion"
