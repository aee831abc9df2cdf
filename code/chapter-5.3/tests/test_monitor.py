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
