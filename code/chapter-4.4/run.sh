#!/usr/bin/env bash
# Chapter 4.4 - Trigger drift alerts with the CI/CD workflow
# Made from docs/part-4/chapter-4.4.md: change that page, not this file.
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

# Chapter 4.3 comes first.
if [ ! -e .guide-4.3 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-4.3/run.sh"
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

# 090-src-alert.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/alert.py <<'END'
"""Tell people what the monitor has found: one issue for each incident, and none on a quiet day."""

import argparse
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TITLE = "The pictures have changed"
LABEL = "drift"


@dataclass(frozen=True)
class Issue:
    """An open issue, with all that has been said in it."""

    number: int
    text: str


class Tracker(Protocol):
    """Where issues are kept."""

    def find(self) -> Issue | None:
        """Return the open issue about drift, if there is one."""

    def open(self, text: str) -> int:
        """Open an issue, and return its number."""

    def comment(self, number: int, text: str) -> None: ...
    def close(self, number: int) -> None: ...


class Folder:
    """A file for each issue, as in chapter 2.5."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> dict[int, Path]:
        return {int(file.name.split("-")[0]): file for file in self.folder.glob("[0-9]*-*.md")}

    def find(self) -> Issue | None:
        texts = {number: file.read_text() for number, file in self.files().items() if file.stem.endswith(f"-{LABEL}")}
        return next((Issue(number, text) for number, text in texts.items() if "**State:** open" in text), None)

    def open(self, text: str) -> int:
        number = max(self.files(), default=0) + 1
        self.folder.mkdir(exist_ok=True)
        file = self.folder / f"{number}-{LABEL}.md"
        file.write_text(f"# {number}. {TITLE}\n\n**State:** open\n\n{text}\n")
        return number

    def comment(self, number: int, text: str) -> None:
        with self.files()[number].open("a") as file:
            file.write(f"\n{text}\n")

    def close(self, number: int) -> None:
        file = self.files()[number]
        file.write_text(file.read_text().replace("**State:** open", "**State:** closed", 1))


class GitHub:
    """The issues of a repository at GitHub that have a label."""

    def __init__(self, repository: str) -> None:
        self.issues = f"repos/{repository}/issues"

    def ask(self, *words: str):
        return json.loads(subprocess.run(["gh", "api", *words], check=True, stdout=subprocess.PIPE).stdout)

    def find(self) -> Issue | None:
        for issue in self.ask(f"{self.issues}?state=open&labels={LABEL}"):
            comments = self.ask(f"{self.issues}/{issue['number']}/comments?per_page=100")
            return Issue(issue["number"], "\n".join(one["body"] for one in [issue, *comments]))
        return None

    def open(self, text: str) -> int:
        words = ["--raw-field", f"title={TITLE}", "--raw-field", f"body={text}", "--raw-field", f"labels[]={LABEL}"]
        return self.ask(self.issues, *words)["number"]

    def comment(self, number: int, text: str) -> None:
        self.ask(f"{self.issues}/{number}/comments", "--raw-field", f"body={text}")

    def close(self, number: int) -> None:
        self.ask("--method", "PATCH", f"{self.issues}/{number}", "--raw-field", "state=closed")


def describe(verdict: dict) -> str:
    """Say in Markdown what a verdict says. The time of its last picture makes it unique."""
    window = verdict["window"]
    span = f"{verdict['pictures']} pictures, from {window['from']} to {window['to']}, answered by {verdict['model']}"
    if verdict["verdict"] == "quiet":
        return f"**Over:** {span}, are like the reference again."
    columns = "\n".join(f"- {column}: p = {verdict['p_values'][column]:.1e}" for column in verdict["drifted"])
    return f"**Seen:** {span}, are not like the reference:\n\n{columns}"


def tell(verdict: dict, tracker: Tracker) -> str:
    """Open, comment or close the issue about drift, and say what was done. Telling a verdict twice changes nothing."""
    if verdict["verdict"] == "too few":
        return f"no issue: {verdict['pictures']} pictures are too few to say anything"
    issue, text = tracker.find(), describe(verdict)
    if issue is None:
        if verdict["verdict"] == "quiet":
            return "no issue: all is quiet"
        return f"issue {tracker.open(text)}: opened"
    is_new = text not in issue.text
    if is_new:
        tracker.comment(issue.number, text)
    if verdict["verdict"] == "quiet":
        tracker.close(issue.number)
        return f"issue {issue.number}: closed"
    return f"issue {issue.number}: {'goes on' if is_new else 'says so already'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verdict", type=Path)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--folder", type=lambda name: Folder(Path(name)), dest="tracker", help="keep issues as files")
    place.add_argument("--github", type=GitHub, dest="tracker", help="OWNER/NAME of a repository there")
    arguments = parser.parse_args()
    print(tell(json.loads(arguments.verdict.read_text()), arguments.tracker))


if __name__ == "__main__":
    main()
END

# 100-tests-test-alert.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_alert.py <<'END'
"""Test who is told what, and how often."""

import pytest

from alert import Folder, describe, tell


def verdict(said: str, hour: int) -> dict:
    return {
        "verdict": said,
        "drifted": ["sky", "contrast"] if said == "drift" else [],
        "p_values": {"contrast": 1e-5, "sky": 1e-9, "red": 0.5},
        "label_mix": {"changed": False, "p_value": 0.5},
        "model": "planets:0",
        "pictures": 100,
        "window": {"from": f"2026-01-01T{hour:02}:00:00Z", "to": f"2026-01-01T{hour:02}:30:00Z"},
    }


TOO_FEW = {"verdict": "too few", "pictures": 0, "window": None}


@pytest.fixture
def tracker(tmp_path):
    folder = tmp_path / "issues"
    folder.mkdir()
    (folder / "7-longer-training.md").write_text("# 7. Another one\n\n**State:** open\n")
    return Folder(folder)


def told(tracker, *verdicts: dict) -> list[str]:
    return [tell(one, tracker) for one in verdicts]


def test_nobody_is_told_when_there_is_nothing(tracker):
    assert told(tracker, verdict("quiet", 1), TOO_FEW) == [
        "no issue: all is quiet",
        "no issue: 0 pictures are too few to say anything",
    ]
    assert len(tracker.files()) == 1


def test_an_incident_is_one_issue_from_its_beginning_to_its_end(tracker):
    days = [("drift", 1), ("drift", 2), ("too few", 3), ("drift", 4), ("quiet", 5), ("quiet", 6)]
    assert told(tracker, *(TOO_FEW if said == "too few" else verdict(said, hour) for said, hour in days)) == [
        "issue 8: opened",
        "issue 8: goes on",
        "no issue: 0 pictures are too few to say anything",
        "issue 8: goes on",
        "issue 8: closed",
        "no issue: all is quiet",
    ]
    text = tracker.files()[8].read_text()
    assert text.startswith("# 8. The pictures have changed\n\n**State:** closed\n")
    assert [text.count(words) for words in ("**Seen:**", "**Over:**")] == [3, 1]
    assert "**State:** open" in tracker.files()[7].read_text()


def test_the_next_incident_is_another_issue(tracker):
    told(tracker, verdict("drift", 1), verdict("quiet", 2))
    assert told(tracker, verdict("drift", 3)) == ["issue 9: opened"]


def test_a_verdict_is_told_once(tracker):
    assert told(tracker, verdict("drift", 1), verdict("drift", 1)) == ["issue 8: opened", "issue 8: says so already"]
    assert tracker.find().text.count("**Seen:**") == 1


def test_what_was_interrupted_is_brought_to_its_end(tracker):
    told(tracker, verdict("drift", 1))
    tracker.comment(8, describe(verdict("quiet", 2)))  # and then the machine has stopped
    assert told(tracker, verdict("quiet", 2)) == ["issue 8: closed"]
    assert tracker.files()[8].read_text().count("**Over:**") == 1


def test_it_names_what_has_drifted_the_most_first():
    assert describe(verdict("drift", 1)).endswith("like the reference:\n\n- sky: p = 1.0e-09\n- contrast: p = 1.0e-05")
END

# 110-pytest-tests-test-alert.py
pytest tests/test_alert.py

# 130-github-workflows-monitor.yml
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
    permissions:
      contents: write # to keep issues
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

      - name: Tell people
        run: |
          python3 src/alert.py monitoring/report/verdict.json --folder issues
          git add issues
          if git diff --cached --quiet; then exit; fi
          git -c user.name=monitor -c user.email=monitor@example.com commit --quiet --message "Issue about drift [skip ci]"
          git pull --quiet --rebase origin main
          git push --quiet origin HEAD:main
END
fi

# 140-gitlab-ci.yml
# not done: excerpt (needs a schedule, which is made in the browser)

# 150-github-workflows-monitor.yml
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
      issues: write # to tell people
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

      - name: Tell people
        run: python3 src/alert.py monitoring/report/verdict.json --github "$GITHUB_REPOSITORY"
        env:
          GH_TOKEN: ${{ github.token }}
END
fi

# 160-git-add
git add .
git commit --quiet --message "Open an issue for each incident [skip ci]"
git push --quiet

# 170-hour-cd-remote-url-hooks-clock-m
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
hour() { (cd "$REMOTE_URL" && hooks/clock monitor) && git pull --quiet; } # let an hour pass
hour
python3 src/send.py data/sets/control.zip --seed 2
hour
ls issues
fi

# 190-python3-src-send.py-data-sets-ci
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
python3 src/send.py data/sets/city.zip --seed 2
hour
python3 src/send.py data/sets/city.zip --seed 3
hour
ls issues
fi

# 210-python3-src-send.py-data-sets-co
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
python3 src/send.py data/sets/control.zip --seed 3
hour
cat issues/2-drift.md
git log --format='%an: %s' --max-count 3
fi

# 230-python3-src-send.py-data-sets-ci
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
python3 src/send.py data/sets/city.zip --seed 2
ci/ship
ci/judge
python3 src/alert.py monitoring/report/verdict.json --folder issues
fi

# 250-python3-src-send.py-data-sets-ci
if [ "$guide_place" = cloud ]; then
python3 src/send.py data/sets/city.zip --seed 2
sleep 60
gh workflow run monitor.yml
sleep 5
gh run watch "$(gh run list --workflow monitor.yml --json databaseId --jq '.[0].databaseId')"
gh issue list --label drift
fi

# 260-blind
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
set +e
(
set -e
sed 's/^SECRET_ACCESS_KEY=.*/SECRET_ACCESS_KEY=nonsense/' ../object-store/keys.env > ../ci-server/secrets.env
(cd "$REMOTE_URL" && hooks/clock monitor)
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "260-blind: ended with status $guide_status, not 1" >&2; exit 1; fi
fi

# 280-cp-..-object-store-keys.env-..-c
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
cp ../object-store/keys.env ../ci-server/secrets.env
ls issues
fi

# 300-test-git-rev-parse-head-git-rev
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
# check, which the page does not show
test "$(git rev-parse HEAD)" = "$(git rev-parse origin/main)"
test -z "$(git ls-remote origin main | grep -v "$(git rev-parse HEAD)")"
fi

# 310-kubernetes-monitoring-config-rul
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

      - alert: MonitorSilent
        expr: time() - max(drift_verdict_time_seconds) > 2.5 * 3600 or absent(drift_verdict_time_seconds)
        for: 5m
        labels:
          severity: ticket
        annotations:
          summary: The monitor should have said something each hour, and has not.
END

# 320-kubernetes-monitoring-config-rul
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

  - name: the monitor gives a verdict each hour, even if it is that there was nothing
    interval: 1m
    input_series:
      - {series: drift_verdict_time_seconds, values: 0x59 3600x59 7200x59 10800x59}
    alert_rule_test:
      - {alertname: MonitorSilent, eval_time: 3h30m, exp_alerts: []}

  - name: its last verdict gets old, then it is gone
    interval: 1m
    input_series:
      - {series: drift_verdict_time_seconds, values: 0x200}
    alert_rule_test:
      - {alertname: MonitorSilent, eval_time: 2h30m, exp_alerts: []}
      - &silent
        alertname: MonitorSilent
        eval_time: 2h40m
        exp_alerts:
          - exp_labels: {severity: ticket}
            exp_annotations: {summary: "The monitor should have said something each hour, and has not."}
      - {<<: *silent, eval_time: 4h}
END

# 330-promtool-docker-run-rm-volume-pw
promtool() { docker run --rm --volume "$PWD/kubernetes/monitoring/config:/config:ro" --entrypoint promtool prom/prometheus:v3.5.0 "$@"; }
promtool test rules /config/rules.test.yml

# 350-asleep
set +e
(
set -e
mkdir ../config
cp kubernetes/monitoring/config/* ../config
sed 's/ or absent(drift_verdict_time_seconds)//' kubernetes/monitoring/config/rules.yml > ../config/rules.yml
docker run --rm --volume "$PWD/../config:/config:ro" --entrypoint promtool prom/prometheus:v3.5.0 test rules /config/rules.test.yml 2>&1
)
guide_status=$?
set -e
if [ "$guide_status" != 1 ]; then echo "350-asleep: ended with status $guide_status, not 1" >&2; exit 1; fi

# 370-rm-rf-..-config
# teardown, which the page does not show
rm -rf ../config

# 380-grep-c-seen-issues-2-drift.md
if [ "$guide_forge" = github ] && [ "$guide_place" = laptop ]; then
grep -c 'Seen' issues/2-drift.md
grep 'State' issues/2-drift.md
git status --short
fi

# 400-git-status-short
if [ "$guide_forge" = gitlab ] && [ "$guide_place" = laptop ]; then
git status --short
fi

# 410-gh-issue-list-label-drift-state
if [ "$guide_place" = cloud ]; then
gh issue list --label drift --state all
fi

# 420-git-add-kubernetes
git add kubernetes
git commit --quiet --message "Notice that the monitor is silent [skip ci]"
git push --quiet
git status --short --branch

# 440-ci-ship
if [ "$guide_cluster" = podman ]; then
ci/ship
kubectl kustomize kubernetes/laptop > ../laptop.yaml
podman kube down ../laptop.yaml > /dev/null
rm ../laptop.yaml
fi

# 450-mix
cp src/alert.py ../alert.py
cat > tests/test_mix.py << 'END'
from alert import describe
from test_alert import verdict


def test_another_mix_is_told_when_it_is_over():
    said = verdict("quiet", 1)
    assert "other labels than usual" not in describe(said | {"label_mix": {"changed": False}})
    assert "other labels than usual" in describe(said | {"label_mix": {"changed": True}})
END
python3 - << 'END'
from pathlib import Path

file = Path("src/alert.py")
before = 'return f"**Over:** {span}, are like the reference again."'
after = """mix = " They show other labels than usual." if verdict["label_mix"]["changed"] else ""
        return f"**Over:** {span}, are like the reference again.{mix}\""""
assert before in file.read_text()
file.write_text(file.read_text().replace(before, after))
END
pytest tests/test_alert.py tests/test_mix.py
rm tests/test_mix.py
mv ../alert.py src/alert.py

touch "$guide_start/.guide-4.4"
