"""Measure the model on pictures that it has not learned from."""

import csv
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss

import model
from dataset import Split, load_split
from params import load_params
from plots import save_confusion, save_pictures

PREPARED = Path("data/prepared")
MODEL = Path("model")
EVALUATION = Path("evaluation")


def measure(y: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Score probabilities (number, classes) against the true classes (number,)."""
    predicted = probabilities.argmax(axis=1)
    classes = range(probabilities.shape[1])
    return {
        "accuracy": float(accuracy_score(y, predicted)),
        "loss": float(log_loss(y, probabilities, labels=classes)),
        "macro_f1": float(f1_score(y, predicted, average="macro", zero_division=0)),
    }


def save_predictions(split: Split, predicted: np.ndarray, labels: list[str]) -> None:
    """Write what the model says of each picture: as a table and as two figures."""
    with (EVALUATION / "predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "actual", "predicted"])
        for name, actual, guess in zip(split.files, split.y, predicted):
            writer.writerow([name, labels[actual], labels[guess]])
    matrix = confusion_matrix(split.y, predicted, labels=range(len(labels)))
    save_confusion(EVALUATION / "confusion_matrix.png", matrix, labels)
    titles = [f"{labels[a]}\n→ {labels[p]}" for a, p in zip(split.y, predicted)]
    save_pictures(EVALUATION / "predictions.png", split.x[:24], titles[:24])


def main() -> None:
    model.make_reproducible()
    network, metadata = model.load(MODEL)
    validation = load_split(PREPARED / "validation.npz")
    probabilities = model.predict(network, validation.x)
    metrics = {"validation": measure(validation.y, probabilities)}
    if load_params("evaluate")["open_test_set"]:
        test = load_split(PREPARED / "test.npz")
        metrics["test"] = measure(test.y, model.predict(network, test.x))

    EVALUATION.mkdir(exist_ok=True)
    (EVALUATION / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    # Of the test set only numbers are shown: whoever has seen its pictures and the
    # answers to them takes decisions with them in mind.
    save_predictions(validation, probabilities.argmax(axis=1), metadata["labels"])


if __name__ == "__main__":
    main()
