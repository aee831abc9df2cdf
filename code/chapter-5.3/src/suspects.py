"""Find labels that are probably wrong: those that a model finds hard to believe which has not learned from them."""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

import model
from annotations import answers, decide, load_tasks, picture_of
from dataset import load_split
from params import load_params
from pool import POOL
from preprocessing import preprocess

PREPARED = Path("data/prepared")


def labelled(tasks: list[dict]) -> dict[str, dict]:
    """Return a task for each picture that has a label. A picture that was imported twice counts once."""
    return {picture_of(task): task for task in reversed(tasks) if decide(task)}


def is_from_one(task: dict) -> bool:
    """Say whether nobody has confirmed the label. Two people are rarely wrong together, and the arbiter never is."""
    return len(answers(task)) == 1 and not any(one["ground_truth"] for one in task["annotations"])


def out_of_fold(x: np.ndarray, y: np.ndarray, labels: list[str], folds: int, seeds: int) -> np.ndarray:
    """Return what models say of pictures that they have not learned from: probabilities (pictures, labels)."""
    params, known = load_params("train"), load_split(PREPARED / "train.npz")
    names = json.loads((PREPARED / "metadata.json").read_text())["labels"]
    known_y = np.array([labels.index(name) for name in names])[known.y]
    total = np.zeros((len(x), len(labels)))
    for seed in range(seeds):
        for learn, judge in StratifiedKFold(folds, shuffle=True, random_state=seed).split(x, y):
            model.make_reproducible(seed)
            network = model.build(
                x.shape[1:], len(labels), params["conv_filters"], params["dense_units"], params["learning_rate"]
            )
            network.fit(
                np.concatenate([known.x, x[learn]]),
                np.concatenate([known_y, y[learn]]),
                epochs=params["epochs"],
                batch_size=params["batch_size"],
                verbose=0,
            )
            total[judge] += model.predict(network, x[judge])
    return total / seeds


def doubt(probabilities: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return how much more probable the best other label is than the given one: from -1, no doubt, to 1."""
    rows = np.arange(len(y))
    others = probabilities.copy()
    others[rows, y] = 0
    return others.max(axis=1) - probabilities[rows, y]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=60, help="how many to ask about")
    parser.add_argument("--questions", type=Path, required=True, help="where to write the numbers of their tasks")
    arguments = parser.parse_args()

    tasks = labelled(load_tasks())
    given = [decide(task) for task in tasks.values()]
    names = json.loads((PREPARED / "metadata.json").read_text())
    labels = sorted({*given, *names["labels"]})
    x = np.stack([preprocess(POOL / name, **names["image"]) for name in tasks])
    y = np.array([labels.index(label) for label in given])
    probabilities = out_of_fold(x, y, labels, **load_params("suspects"))

    doubts = doubt(probabilities, y)
    once = np.array([is_from_one(task) for task in tasks.values()])
    asked = [row for row in np.argsort(-doubts) if once[row]][: arguments.number]
    rows = list(tasks.items())
    for row in asked[:3]:
        name, task = rows[row]
        other = labels[probabilities[row].argmax()]
        print(f"task {task['id']}, {name}: {given[row]} is the label, the model says {other}")
    print(f"{len(asked)} of {sum(once)} labels of one person are worth a question")
    arguments.questions.write_text("".join(f"{rows[row][1]['id']}\n" for row in asked))


if __name__ == "__main__":
    main()
