#!/usr/bin/env bash
# Setup
# Made from docs/introduction/setup.md: change that page, not this file.
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

# 010-git-config-global-unset-user.nam
# setup, which the page does not show
git config --global --unset user.name || true
git config --global --unset user.email || true

# 020-git-config-global-user.name-echo
git config --global user.name || echo "Git does not know your name yet"
git config --global user.email || echo "Git does not know your address yet"

# 040-my-name-sam-miller
MY_NAME="Sam Miller"
MY_EMAIL="sam.miller@example.com"
git config --global user.name "$MY_NAME"
git config --global user.email "$MY_EMAIL"

# 050-for-program-in-bash-curl-git-pyt
for program in bash curl git python3
do
  if command -v "$program" > /dev/null
  then echo "$program: found"
  else echo "$program: missing"
  fi
done

# 070-python3-end
python3 - <<'END'
import os, platform, shutil

system = platform.system(), platform.machine()
fits = system in [("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")]
disk = shutil.disk_usage(".").free / 1e9
memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
print("computer: good" if fits else f"computer: no TensorFlow for {system}")
print("disk: good" if disk >= 10 else f"disk: only {disk:.0f} GB are free")
print("memory: good" if memory >= 3.5 else f"memory: only {memory:.0f} GB")
END

# 090-uv-venv-quiet-python-3.11-3.14-s
if [ "$guide_tool" = uv ]; then
uv venv --quiet --python '>=3.11,<3.14' setup-check
uv pip install --quiet --python setup-check pyyaml
fi

# 100-python3-m-venv-setup-check
if [ "$guide_tool" = pip ]; then
python3 -m venv setup-check
setup-check/bin/python -m pip install --quiet pyyaml
fi

# 110-setup-check-bin-python-end
setup-check/bin/python - <<'END'
import sys, yaml

print("Python: good" if (3, 11) <= sys.version_info < (3, 14) else f"Python: {sys.version} does not fit")
print("packages: good" if yaml.safe_load("[1, 2]") == [1, 2] else "packages: broken")
END
rm -r setup-check

# 130-git-init-quiet-initial-branch-ma
git init --quiet --initial-branch=main setup-git
git -C setup-git commit --quiet --allow-empty --message "Check Git"
git -C setup-git log --format='%an: %s'
rm -rf setup-git

# 150-test-z-ls-a
# check, which the page does not show
test -z "$(ls -A)"

touch "$guide_start/.guide-introduction-setup"
