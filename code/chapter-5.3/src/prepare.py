"""Make arrays of the raw pictures, and split them for training, validation and test."""

import json
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from dataset import Split, find_pictures, hash_file, load_test_set, save_split
from params import load_params
from plots import save_pictures
from preprocessing import preprocess

RAW = Path("data/raw")
TEST_SET = Path("data/test-set.sha256")
PREPARED = Path("data/prepared")


def split_indices(
    y: np.ndarray, in_test_set: np.ndarray, validation_share: float, seed: int
) -> dict[str, np.ndarray]:
    """Draw two sets with the same mix of classes from what is not in the test set."""
    test, rest = np.flatnonzero(in_test_set), np.flatnonzero(~in_test_set)
    train, validation = train_test_split(
        rest, test_size=validation_share, stratify=y[rest], random_state=seed
    )
    return {"train": train, "validation": validation, "test": test}


def main() -> None:
    image = load_params("image")
    pictures = find_pictures(RAW)
    labels = sorted({picture.parent.name for picture in pictures})

    x = np.stack([preprocess(picture, **image) for picture in pictures])
    y = np.array([labels.index(picture.parent.name) for picture in pictures])
    files = np.array([picture.relative_to(RAW).as_posix() for picture in pictures])

    frozen = set(load_test_set(TEST_SET).values())
    in_test_set = np.array([hash_file(picture) in frozen for picture in pictures])
    splits = split_indices(y, in_test_set, **load_params("prepare"))

    PREPARED.mkdir(parents=True, exist_ok=True)
    for name, chosen in splits.items():
        save_split(PREPARED / f"{name}.npz", Split(x[chosen], y[chosen], files[chosen]))
        print(f"{name}: {len(chosen)} pictures of {len(labels)} classes")

    # What a model that learns from these arrays must carry along to be of use.
    metadata = {"image": image, "labels": labels}
    (PREPARED / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")

    one_of_each = [int(np.argmax(y == label)) for label in range(len(labels))]
    save_pictures(PREPARED / "preview.png", x[one_of_each], labels)


if __name__ == "__main__":
    main()
