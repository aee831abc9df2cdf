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
