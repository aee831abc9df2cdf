#!/usr/bin/env bash
# Clean up
# Made from docs/clean-up.md: change that page, not this file.
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

# Chapter 5.4 comes first.
if [ ! -e .guide-5.4 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-5.4/run.sh"
fi

# 010-ls-d-mlops-guide-object-store-ci
ls -d mlops-guide* object-store ci-server registry label-studio 2> /dev/null

# 030-mkdir-p-something-else
# setup, which the page does not show
mkdir -p something-else
touch something-else/mlops-guide

# 040-podman-pod-ls-quiet-filter-name
if [ "$guide_cluster" = podman ]; then
podman pod ls --quiet --filter name=planets | while read -r pod
do podman pod rm --force --time 3 "$pod" > /dev/null
done
podman ps --all --format '{{.Names}}' | grep -E 'planets|registry|prometheus' || echo "nothing of it runs"
fi

# 060-ours-planets-docker.io-library-r
if [ "$guide_cluster" = podman ]; then
ours='planets|docker.io/library/registry:2|docker.io/prom/prometheus:v3.5.0'
podman images --format '{{.ID}} {{.Repository}}:{{.Tag}}' | grep -E "$ours" | cut -d ' ' -f 1 | sort -u | while read -r id
do podman rmi --force "$id" > /dev/null
done
podman images --format '{{.Repository}}:{{.Tag}}' | grep -cE "$ours" || true
fi

# 080-kind-delete-cluster-name-planets
if [ "$guide_cluster" = kind ]; then
kind delete cluster --name planets
fi

# 090-docker-images-format-.id-.reposi
if [ "$guide_cluster" = kind ]; then
docker images --format '{{.ID}} {{.Repository}}:{{.Tag}}' | grep planets | cut -d ' ' -f 1 | sort -u | while read -r id
do docker rmi --force "$id" > /dev/null
done
fi

# 100-crontab-l-grep-v-hooks-clock-mon
# not done: reminder (only if you have written such a line)

# 110-source-mlops-guide-.env
# not done: costs-money (deletes your project at Google Cloud)

# 120-source-mlops-guide-.env
if [ "$guide_place" = cloud ]; then
source mlops-guide/.env
gh repo delete "$GITHUB_OWNER/$GITHUB_REPO" --yes
fi

# 130-gcloud-auth-revoke-all
# not done: reminder (logs you out for all projects)

# 140-rm-rf-mlops-guide-mlops-guide-no
rm -rf mlops-guide mlops-guide-notebook mlops-guide.git object-store ci-server registry label-studio

# 150-uv-cache-clean
# not done: reminder (other projects of yours use these, too)

# 160-gone
left() ( # what is left of the guide on this machine, a line for each
  set +e # a search that finds nothing is what we hope for
  for folder in mlops-guide mlops-guide-notebook mlops-guide.git object-store ci-server registry label-studio
  do if [ -e "$folder" ]; then echo "$folder"; fi
  done
  for port in 3000 3001 3002 5000 8080 8333 8900 9090 9091
  do
    curl --silent --max-time 2 --output /dev/null "http://127.0.0.1:$port"
    if [ $? != 7 ]; then echo "something listens on port $port"; fi # 7: nobody does
  done
  for engine in podman docker
  do
    if ! command -v "$engine" > /dev/null; then continue; fi
    "$engine" ps --all --format '{{.Names}}' | grep -E 'planets|prometheus|^registry$'
    "$engine" images --format '{{.Repository}}:{{.Tag}}' | grep planets
  done
  if command -v crontab > /dev/null; then crontab -l 2> /dev/null | grep 'hooks/clock'; fi
)
left > left.txt
if [ -s left.txt ]; then cat left.txt; else echo "nothing is left"; fi
test ! -s left.txt
rm left.txt

# 180-test-e-something-else-mlops-guid
# check, which the page does not show
test -e something-else/mlops-guide
mkdir mlops-guide
test "$(left)" = mlops-guide
rmdir mlops-guide
python3 -c 'import socket, time; server = socket.create_server(("127.0.0.1", 8900)); time.sleep(20)' &
server=$!
for _ in $(seq 50); do if left | grep -q 8900; then break; fi; sleep 0.2; done
test "$(left)" = "something listens on port 8900"
kill "$server"

touch "$guide_start/.guide-clean-up"
