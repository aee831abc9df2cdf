"""From the bytes of a picture to an answer: what everybody calls who uses the model."""

import json
from pathlib import Path
from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from preprocessing import preprocess


class Classifier:
    """A model, the preparation of its pictures, and the names of its classes."""

    def __init__(self, folder: Path) -> None:
        metadata = json.loads((folder / "metadata.json").read_text())
        self.labels: list[str] = metadata["labels"]
        self.image: dict = metadata["image"]
        self.network = Interpreter(str(folder / "model.tflite")).get_signature_runner()
        (self.input,), (self.output,) = self.network.get_input_details(), self.network.get_output_details()
        self.lock = Lock()  # it computes one batch at a time

    def prepare(self, picture: bytes) -> np.ndarray:
        """Return float32 (height, width, channels). Raises OSError for what is no picture."""
        return preprocess(picture, **self.image)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return float32 (number, classes) for prepared pictures."""
        with self.lock:
            logits = self.network(**{self.input: x})[self.output]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def classify(self, picture: bytes) -> dict[str, float]:
        """Return the probability of each class."""
        answer = self.probabilities(self.prepare(picture)[np.newaxis])[0]
        return dict(zip(self.labels, answer.tolist()))
