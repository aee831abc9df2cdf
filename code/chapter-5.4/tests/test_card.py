"""Test that the model card says what the run has found, and always in the same words."""

import json
from pathlib import Path

import card


def test_the_same_run_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(card, "CARD", tmp_path / "card.md")
    card.main()
    assert (tmp_path / "card.md").read_text() == Path("MODEL_CARD.md").read_text()


def test_it_names_each_label_and_the_measured_accuracy():
    text = Path("MODEL_CARD.md").read_text()
    labels = json.loads(Path("serving/metadata.json").read_text())["labels"]
    assert all(f"| {label} |" in text for label in labels)
    assert f"accuracy {json.loads(Path('evaluation/metrics.json').read_text())['validation']['accuracy']:.3f}" in text
