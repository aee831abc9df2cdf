"""Make arrays of the raw pictures, and split them for training, validation and test."""

import json
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from dataset import Split, find_pictures, save_split
from params import load_params
from plots import save_pictures
from preprocessing import preprocess

RAW = Path("data/raw")
PREPARED = Path("data/prepared")


def split_indices(
    y: np.ndarray, validation_share: float, test_share: float, seed: int
) -> dict[str, np.ndarray]:
    """Share out the positions of y so that each split has the same mix of classes."""
    rest, test = train_test_split(
        np.arange(len(y)), test_size=test_share, stratify=y, random_state=seed
    )
    train, validation = train_test_split(
        rest,
        test_size=validation_share / (1 - test_share),  # as a share of the rest
        stratify=y[rest],
        random_state=seed,
    )
    return {"train": train, "validation": validation, "test": test}


def main() -> None:
    image = load_params("image")
    pictures = find_pictures(RAW)
    labels = sorted({picture.parent.name for picture in pictures})

    x = np.stack([preprocess(picture, **image) for picture in pictures])
    y = np.array([labels.index(picture.parent.name) for picture in pictures])
    files = np.array([picture.relative_to(RAW).as_posix() for picture in pictures])

    PREPARED.mkdir(parents=True, exist_ok=True)
    for name, chosen in split_indices(y, **load_params("prepare")).items():
        save_split(PREPARED / f"{name}.npz", Split(x[chosen], y[chosen], files[chosen]))
        print(f"{name}: {len(chosen)} pictures of {len(labels)} classes")

    # What a model that learns from these arrays must carry along to be of use.
    metadata = {"image": image, "labels": labels}
    (PREPARED / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")

    one_of_each = [int(np.argmax(y == label)) for label in range(len(labels))]
    save_pictures(PREPARED / "preview.png", x[one_of_each], labels)


if __name__ == "__main__":
    main()
