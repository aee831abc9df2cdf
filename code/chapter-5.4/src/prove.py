"""Measure the model on pictures that stay sealed until there is a decision to take."""

import json
from pathlib import Path, PurePosixPath

from classifier import Classifier
from dataset import load_test_set
from params import load_params
from pool import pictures

RAW = Path("data/raw")
TEST_SET = Path("data/test-set.sha256")
PROOF = Path("evaluation/proof.json")

Labelled = list[tuple[str, bytes]]  # the right answer, and the picture


def sealed_sets() -> dict[str, Labelled]:
    """Return the pictures from which nobody learns, set by set."""
    sets = {"test set": [(name.split("/")[0], (RAW / name).read_bytes()) for name in load_test_set(TEST_SET)]}
    for archive in load_params("labelling"):
        sealed = pictures(archive, sealed=True)
        sets[f"{archive}, sealed"] = [(PurePosixPath(name).parent.name, content) for name, content in sealed]
    return sets


def measure(classifier: Classifier, labelled: Labelled) -> dict:
    """Count the pictures and the right answers, in all and for each label."""
    labels: dict[str, list[int]] = {}
    for label, picture in labelled:
        counts = labels.setdefault(label, [0, 0])
        counts[0] += classifier.predict(picture).label == label
        counts[1] += 1
    right = sum(found for found, _ in labels.values())
    return {"pictures": len(labelled), "accuracy": right / len(labelled), "right_of": dict(sorted(labels.items()))}


def prove(model: Path) -> dict[str, dict]:
    """Measure an exported model on each sealed set."""
    classifier = Classifier(model)
    return {name: measure(classifier, labelled) for name, labelled in sealed_sets().items()}


def main() -> None:
    opened = load_params("evaluate")["open_test_set"]
    PROOF.write_text(json.dumps(prove(Path("serving")) if opened else {}, indent=2) + "\n")


if __name__ == "__main__":
    main()
