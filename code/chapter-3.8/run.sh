#!/usr/bin/env bash
# Chapter 3.8 - Train the model on a Kubernetes pod
# Made from docs/part-3/chapter-3.8.md: change that page, not this file.
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

# Chapter 3.7 comes first.
if [ ! -e .guide-3.7 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-3.7/run.sh"
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

# 020-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env
git switch --quiet --create cluster

# 030-trainer-dockerfile
mkdir -p "$guide_start"/mlops-guide/trainer
cat >"$guide_start"/mlops-guide/trainer/Dockerfile <<'END'
FROM planets-environment

COPY --chown=runner . project
WORKDIR project
RUN dvc config --local core.no_scm true # there is the code of one commit, and no history
CMD ["trainer/train"]
END

# 040-trainer-train
mkdir -p "$guide_start"/mlops-guide/trainer
cat >"$guide_start"/mlops-guide/trainer/train <<'END'
#!/usr/bin/env bash
# In the container: train what the commit says.
set -euo pipefail
if [ -n "${S3_ENDPOINT:-}" ]; then # the object store has another address here
  dvc remote modify --local data endpointurl "$S3_ENDPOINT"
fi
dvc repro --pull # what has not changed is taken from the store, and not made again
dvc push --run-cache
END

# 050-kubernetes-training-job.yaml
mkdir -p "$guide_start"/mlops-guide/kubernetes/training
cat >"$guide_start"/mlops-guide/kubernetes/training/job.yaml <<'END'
apiVersion: batch/v1
kind: Job
metadata:
  name: train
spec:
  backoffLimit: 1 # try once more when it fails, and then give up
  activeDeadlineSeconds: 7200 # nobody pays for more than two hours
  ttlSecondsAfterFinished: 86400 # its log can be read for a day
  template:
    spec:
      restartPolicy: Never
      serviceAccountName: trainer # on a cluster in the cloud, it opens the bucket
      automountServiceAccountToken: false # it has nothing to ask the cluster
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: trainer
          image: planets-training
          envFrom:
            - secretRef:
                name: object-store
                optional: true
          resources:
            requests: # what the cluster keeps free for it
              cpu: "1"
              memory: 2Gi
            limits:
              memory: 4Gi
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]
END

# 060-kubernetes-training-account.yaml
mkdir -p "$guide_start"/mlops-guide/kubernetes/training
cat >"$guide_start"/mlops-guide/kubernetes/training/account.yaml <<'END'
apiVersion: v1
kind: ServiceAccount
metadata:
  name: trainer
END

# 070-kubernetes-training-kustomizatio
mkdir -p "$guide_start"/mlops-guide/kubernetes/training
cat >"$guide_start"/mlops-guide/kubernetes/training/kustomization.yaml <<'END'
resources:
  - account.yaml
  - job.yaml
END

# 080-kubernetes-training-laptop-kusto
mkdir -p "$guide_start"/mlops-guide/kubernetes/training-laptop
cat >"$guide_start"/mlops-guide/kubernetes/training-laptop/kustomization.yaml <<'END'
resources:
  - ../training
patches:
  - target:
      kind: Job
    patch: |
      - {op: add, path: /spec/template/spec/hostNetwork, value: true}
END

# 090-kubernetes-training-gpu-kustomiz
mkdir -p "$guide_start"/mlops-guide/kubernetes/training-gpu
cat >"$guide_start"/mlops-guide/kubernetes/training-gpu/kustomization.yaml <<'END'
resources:
  - ../training
patches:
  - target:
      kind: Job
    patch: |
      - {op: add, path: /spec/template/spec/nodeSelector, value: {cloud.google.com/gke-accelerator: nvidia-l4}}
      - {op: add, path: /spec/template/spec/containers/0/resources/limits/nvidia.com~1gpu, value: 1}
END

# 100-for-patch-in-training-training-l
for patch in training training-laptop training-gpu
do kubectl kustomize kubernetes/$patch > ../$patch.yaml
done
kubernetes-validate --strict ../training.yaml ../training-laptop.yaml ../training-gpu.yaml 2>&1 |
  sed 's/.* passed for resource/passed:/; s/against.*//' | sort | uniq -c
grep 'nvidia.com/gpu' ../training-gpu.yaml

# 120-kubernetes-pod.py
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/kubernetes
cat >"$guide_start"/mlops-guide/kubernetes/pod.py <<'END'
"""Print the Pod that a Job on the standard input would make."""

import sys

import yaml

job = next(one for one in yaml.safe_load_all(sys.stdin) if one["kind"] == "Job")
pod = {"apiVersion": "v1", "kind": "Pod", "metadata": job["metadata"], "spec": job["spec"]["template"]["spec"]}
print(yaml.safe_dump(pod))
END
fi

# 130-ci-train
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/train <<'END'
#!/usr/bin/env bash
# Train a commit in the cluster, and wait for the end: ci/train COMMIT MANIFESTS
set -euo pipefail
commit=$(git rev-parse --short=12 "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

git archive "$commit" | tar -x -C "$folder"
docker build --quiet --file "$folder/trainer/Dockerfile" --tag "planets-training:$commit" "$folder" > /dev/null
kubectl kustomize "$2" | sed "s/image: planets-training/&:$commit/; s/name: train$/&-$commit/" > "$folder/job.yaml"

python3 kubernetes/pod.py < "$folder/job.yaml" > "$folder/pod.yaml"
(cd "$folder" && podman kube play pod.yaml > log 2>&1) # it leaves notes where it works
podman logs --follow "train-$commit-trainer" 2>&1
status=$(podman wait "train-$commit-trainer")
podman kube down "$folder/pod.yaml" > /dev/null
echo "the training of $commit has ended with status $status"
exit "$status"
END
fi

# 140-chmod-x-ci-train-trainer-train
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
chmod +x ci/train trainer/train
source ../object-store/keys.env
kubectl create secret generic object-store --dry-run=client --output jsonpath='{.data}' \
  --from-literal AWS_ACCESS_KEY_ID="$ACCESS_KEY_ID" --from-literal AWS_SECRET_ACCESS_KEY="$SECRET_ACCESS_KEY" |
  podman secret create object-store - > /dev/null
podman secret ls --format '{{.Name}}'
fi

# 160-ci-train
if [ "$guide_cluster" = kind ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/train <<'END'
#!/usr/bin/env bash
# Train a commit in the cluster, and wait for the end: ci/train COMMIT MANIFESTS
set -euo pipefail
commit=$(git rev-parse --short=12 "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

git archive "$commit" | tar -x -C "$folder"
docker build --quiet --file "$folder/trainer/Dockerfile" --tag "planets-training:$commit" "$folder" > /dev/null
kubectl kustomize "$2" | sed "s/image: planets-training/&:$commit/; s/name: train$/&-$commit/" > "$folder/job.yaml"

kind load docker-image "planets-training:$commit" --name planets # on a cluster in the cloud: docker push
kubectl apply --filename "$folder/job.yaml"
kubectl wait --for condition=Ready pod --selector "job-name=train-$commit" --timeout 5m
kubectl logs --follow "job/train-$commit"
kubectl wait --for condition=Complete "job/train-$commit" --timeout 2h
END
fi

# 170-chmod-x-ci-train-trainer-train
if [ "$guide_cluster" = kind ] && [ "$guide_place" = laptop ]; then
chmod +x ci/train trainer/train
source ../object-store/keys.env
docker run --detach --rm --name object-store --network kind --volume "$PWD/../object-store/data:/data" --user "$(id -u)" \
  planets-runner rclone serve s3 --addr :8333 --auth-key "$ACCESS_KEY_ID,$SECRET_ACCESS_KEY" /data
kubectl create secret generic object-store --from-literal S3_ENDPOINT=http://object-store:8333 \
  --from-literal AWS_ACCESS_KEY_ID="$ACCESS_KEY_ID" --from-literal AWS_SECRET_ACCESS_KEY="$SECRET_ACCESS_KEY"
fi

# 180-number-gcloud-projects-describe
if [ "$guide_place" = cloud ]; then
number=$(gcloud projects describe "$GCP_PROJECT" --format 'value(projectNumber)')
pool=projects/$number/locations/global/workloadIdentityPools/$GCP_PROJECT.svc.id.goog
gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" --role roles/storage.objectUser \
  --member "principal://iam.googleapis.com/$pool/subject/ns/default/sa/trainer"
ci/train HEAD kubernetes/training-gpu
fi

# 190-git-add
git add .
git commit --quiet --message "Train in a cluster"
git switch --quiet --create more-filters
sed 's/conv_filters: 32/conv_filters: 64/' params.yaml > ../params.yaml
mv ../params.yaml params.yaml
git commit --quiet --all --message "Twice as many filters"

# 200-trained
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
ci/train HEAD kubernetes/training-laptop > ../training.log
grep -E "^Running|pushed|ended" ../training.log
fi

# 220-ci-train-head-kubernetes-trainin
if [ "$guide_cluster" = kind ] && [ "$guide_place" = laptop ]; then
ci/train HEAD kubernetes/training
fi

# 230-ci-train-head-kubernetes-trainin
if [ "$guide_place" = cloud ]; then
ci/train HEAD kubernetes/training-gpu
fi

# 240-restored
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
dvc fetch --quiet --run-cache
dvc repro --pull 2>&1 | grep -E "^Running stage|is cached"
fi

# 260-dvc-fetch-quiet-run-cache
if [ "$guide_cluster" = kind ] && [ "$guide_place" = laptop ]; then
dvc fetch --quiet --run-cache
dvc repro --pull
fi

# 270-dvc-fetch-quiet-run-cache
if [ "$guide_place" = cloud ]; then
dvc fetch --quiet --run-cache
dvc repro --pull
fi

# 280-dvc-params-diff-main
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
dvc params diff main
dvc metrics diff main
du -k model/model.weights.h5 | cut -f 1
fi

# 300-dvc-metrics-diff-main
if [ "$guide_cluster" = kind ] && [ "$guide_place" = laptop ]; then
dvc metrics diff main
fi

# 310-dvc-metrics-diff-main
if [ "$guide_place" = cloud ]; then
dvc metrics diff main
fi

# 320-git-checkout-quiet-force-cluster
git checkout --quiet --force cluster
dvc checkout --quiet
git branch --quiet --delete --force more-filters
dvc status

# 340-starved
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
set +e
(
set -e
sed 's/memory: 4Gi/memory: 64Mi/' kubernetes/training/job.yaml > ../job.yaml
mv ../job.yaml kubernetes/training/job.yaml
ci/train HEAD kubernetes/training-laptop | tail -n 1
)
guide_status=$?
set -e
if [ "$guide_status" != 137 ]; then echo "340-starved: ended with status $guide_status, not 137" >&2; exit 1; fi
fi

# 360-git-restore-kubernetes
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
git restore kubernetes
podman pod ps --quiet
git status --short
fi

# 370-grep-q-memory-4gi-kubernetes-tra
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
# check, which the page does not show
grep -q 'memory: 4Gi' kubernetes/training/job.yaml
fi

# 380-git-switch-quiet-main
git switch --quiet main
git merge --quiet --no-ff --message "Train in a cluster [skip ci]" cluster
git branch --quiet --delete cluster
git push --quiet

# 390-git-status-short-branch
git status --short --branch
git ls-files ci/train trainer 'kubernetes/training*'

# 410-podman-secret-rm-object-store-de
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
podman secret rm object-store > /dev/null
docker image ls --quiet --filter 'reference=*/planets-training' | sort -u | xargs docker image rm --force > /dev/null
podman secret ls --quiet
docker image ls --quiet --filter 'reference=*/planets-training'
fi

# 420-docker-rm-force-object-store
if [ "$guide_cluster" = kind ] && [ "$guide_place" = laptop ]; then
docker rm --force object-store
kubectl delete secret object-store
fi

# 430-again
if [ "$guide_cluster" = podman ] && [ "$guide_place" = laptop ]; then
mkdir ../again
git archive HEAD | tar -x -C ../again
cd ../again
cp ../mlops-guide/.dvc/config.local .dvc/
dvc config --local core.no_scm true
sed 's/conv_filters: 32/conv_filters: 64/' ../mlops-guide/params.yaml > params.yaml
dvc fetch --quiet --run-cache
dvc repro --pull export 2>&1 | grep -E "^Running|is cached"
cd ../mlops-guide
rm -rf ../again
fi

touch "$guide_start/.guide-3.8"
