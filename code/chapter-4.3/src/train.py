"""Train the model on the prepared pictures."""

import csv
import json
from pathlib import Path

import model
from dataset import load_split
from params import load_params
from plots import save_history

PREPARED = Path("data/prepared")
MODEL = Path("model")
TRAINING = Path("training")


def save_csv(path: Path, history: dict[str, list[float]]) -> None:
    """Write the history of a training, one row per epoch."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["epoch", *history])
        for epoch, values in enumerate(zip(*history.values()), start=1):
            writer.writerow([epoch, *values])


def main() -> None:
    params = load_params("train")
    metadata = json.loads((PREPARED / "metadata.json").read_text())
    train = load_split(PREPARED / "train.npz")
    validation = load_split(PREPARED / "validation.npz")

    model.make_reproducible(params["seed"])
    network = model.build(
        input_shape=train.x.shape[1:],
        classes=len(metadata["labels"]),
        conv_filters=params["conv_filters"],
        dense_units=params["dense_units"],
        learning_rate=params["learning_rate"],
    )
    history = network.fit(
        train.x,
        train.y,
        validation_data=(validation.x, validation.y),
        epochs=params["epochs"],
        batch_size=params["batch_size"],
        verbose=2,  # one line per epoch: good on a screen and in a log file
    ).history

    model.save(network, metadata, MODEL)
    TRAINING.mkdir(exist_ok=True)
    save_csv(TRAINING / "history.csv", history)
    save_history(TRAINING / "history.png", history)


if __name__ == "__main__":
    main()
