"""The figures of the experiment, each saved as a PNG file.

Figure is used without pyplot: no window, no shared state, nothing to close.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure


def save_pictures(
    path: Path, x: np.ndarray, titles: Sequence[str], columns: int = 6
) -> None:
    """Draw pictures of shape (number, height, width, 1 or 3), a title above each."""
    rows = -(-len(x) // columns)  # rounded up
    figure = Figure(figsize=(1.6 * columns, 1.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, picture, title in zip(axes, x, titles):
        axis.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize=9)
    for axis in axes:
        axis.axis("off")
    figure.savefig(path)


def save_history(path: Path, history: dict[str, list[float]]) -> None:
    """Draw loss and accuracy, for training and validation, epoch by epoch."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axis, metric in zip(figure.subplots(1, 2), ("loss", "accuracy")):
        epochs = range(1, len(history[metric]) + 1)
        axis.plot(epochs, history[metric], "o-", label="training")
        axis.plot(epochs, history[f"val_{metric}"], "s--", label="validation")
        axis.set(xlabel="epoch", ylabel=metric)
        axis.legend()
    figure.savefig(path)


def save_confusion(path: Path, matrix: np.ndarray, labels: Sequence[str]) -> None:
    """Draw a confusion matrix, rows actual and columns predicted, with its counts."""
    figure = Figure(figsize=(7.5, 7), layout="constrained")
    axis = figure.subplots()
    axis.imshow(matrix, cmap="Blues")
    axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    axis.set(xlabel="predicted", ylabel="actual")
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if count > matrix.max() / 2 else "black"
        axis.text(column, row, count, ha="center", va="center", color=colour)
    figure.savefig(path)
