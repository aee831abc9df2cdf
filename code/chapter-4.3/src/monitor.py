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
