"""Write the model card: what the model has learned from, what it can do, and what it can't. The same run gives the same bytes."""

import csv
import json
import platform
from importlib.metadata import version
from pathlib import Path

import yaml

from annotations import EXPORT, load_tasks
from dataset import hash_file, load_split

PREPARED = Path("data/prepared")
CARD = Path("MODEL_CARD.md")
LIMITS = Path("limits.md")
PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "scikit-learn", "ai-edge-litert")


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def table(head: list[str], rows: list[list]) -> str:
    """Return a table in Markdown."""
    return "\n".join([row(*head), row(*["---"] * len(head)), *(row(*cells) for cells in rows)])


def read(file: str) -> dict:
    return json.loads(Path(file).read_text())


def data() -> str:
    """Say what the model has learned from, with hashes to check it by."""
    counts = [[name, len(load_split(PREPARED / f"{name}.npz").y)] for name in ("train", "validation", "test")]
    raw = yaml.safe_load(Path("data/raw.dvc").read_text())["outs"][0]
    sources = [
        ["pictures", f"`data/raw`, {raw['nfiles']} files", raw["md5"]],
        ["labels", f"`{EXPORT}`, {len(load_tasks())} tasks", hash_file(EXPORT)[:32]],
        ["frozen test set", "`data/test-set.sha256`", hash_file(Path("data/test-set.sha256"))[:32]],
    ]
    return table(["Split", "Pictures"], counts) + "\n\n" + table(["What", "Where", "Hash"], sources)


def by_label() -> str:
    """Count for each label the validation pictures, those that were found, and those that were taken for it wrongly."""
    with Path("evaluation/predictions.csv").open(newline="") as file:
        pairs = [(one["actual"], one["predicted"]) for one in csv.DictReader(file)]
    learned = read("data/profile.json")["classes"]
    rows = []
    for label, pictures in learned.items():
        actual = [predicted for true, predicted in pairs if true == label]
        wrongly = sum(predicted == label != true for true, predicted in pairs)
        rows.append([label, pictures, f"{actual.count(label)} of {len(actual)}", wrongly])
    return table(["Label", "Pictures in all", "Found in validation", "Others taken for it"], rows)


def proof() -> str:
    """Say what came out on sealed pictures."""
    sets = read("evaluation/proof.json")
    if not sets:
        return "They stay sealed: no decision was taken with this model."
    return table(["Pictures", "Number", "Accuracy"], [[n, one["pictures"], f"{one['accuracy']:.3f}"] for n, one in sets.items()])


def main() -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())
    metrics, threshold = read("evaluation/metrics.json")["validation"], read("monitoring/threshold.json")
    settings = [[f"{part}.{name}", value] for part in ("image", "prepare", "train") for name, value in params[part].items()]
    packages = [[name, version(name)] for name in PACKAGES]
    CARD.write_text(
        f"""\
# Model card: planets and moons

Names the body of our solar system on a picture. Made by `src/card.py`: don't edit it, change what it reports.

Model: `serving/model.tflite`, SHA-256 `{hash_file(Path("serving/model.tflite"))}`

## Data

{data()}

## Metrics

Validation: accuracy {metrics["accuracy"]:.3f}, macro F1 {metrics["macro_f1"]:.3f}, loss {metrics["loss"]:.3f}.

{by_label()}

Sealed pictures, from which nobody has learned:

{proof()}

## Monitor

A window of {params["monitor"]["window"]} pictures is an alarm below p = {threshold["threshold"]:g}. Cameras that it knows: first, {", ".join(params["monitor"]["cameras"])}.

{LIMITS.read_text().strip()}

## Settings and versions

{table(["Parameter", "Value"], settings)}

{table(["Package", "Version"], [["Python", platform.python_version()], *packages])}
"""
    )


if __name__ == "__main__":
    main()
