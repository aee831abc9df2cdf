"""From the bytes of a picture to an answer: what everybody calls who uses the model."""

import json
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from preprocessing import preprocess


@dataclass(frozen=True)
class Prediction:
    """What the model says of a picture, and what it has seen of it."""

    probabilities: dict[str, float]
    x: np.ndarray  # float32 (height, width, channels), the prepared picture
    embedding: np.ndarray  # float32 (units,), what the layer before the last makes of it

    @property
    def label(self) -> str:
        """The most probable class."""
        return max(self.probabilities, key=self.probabilities.get)

    @property
    def confidence(self) -> float:
        """The probability of that class, from 0 to 1."""
        return self.probabilities[self.label]


class Classifier:
    """A model, the preparation of its pictures, and the names of its classes."""

    def __init__(self, folder: Path) -> None:
        metadata = json.loads((folder / "metadata.json").read_text())
        self.labels: list[str] = metadata["labels"]
        self.image: dict = metadata["image"]
        self.network = Interpreter(str(folder / "model.tflite")).get_signature_runner()
        (self.input,) = self.network.get_input_details()
        self.lock = Lock()  # it computes one batch at a time

    def prepare(self, picture: bytes) -> np.ndarray:
        """Return float32 (height, width, channels). Raises OSError for what is no picture."""
        return preprocess(picture, **self.image)

    def predict(self, picture: bytes) -> Prediction:
        """Let the model look at a picture, once. Raises OSError for what is no picture."""
        x = self.prepare(picture)
        with self.lock:
            outputs = self.network(**{self.input: x[np.newaxis]})
            logits, embedding = outputs["logits"][0], outputs["embedding"][0]
        powers = np.exp(logits - logits.max())
        probabilities = powers / powers.sum()
        return Prediction(dict(zip(self.labels, probabilities.tolist())), x, embedding)

    def classify(self, picture: bytes) -> dict[str, float]:
        """Return the probability of each class."""
        return self.predict(picture).probabilities
