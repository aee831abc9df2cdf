"""The network: build it, save it, load it. The only module that knows TensorFlow."""

import contextlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read while TensorFlow is imported


@contextmanager
def _muted_stderr() -> Iterator[None]:
    """Keep the notes on missing graphics cards off the screen: no setting does."""
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


with _muted_stderr():  # a failing import still raises its exception
    import keras
    import tensorflow as tf


def make_reproducible(seed: int = 0) -> None:
    """Make the same code give the same numbers, again and again, on one machine."""
    keras.utils.set_random_seed(seed)  # for Python, NumPy and TensorFlow
    # Threads finish in any order, and the sum of floats depends on the order.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    conv_filters: int,
    dense_units: int,
    learning_rate: float,
) -> keras.Model:
    """Return a small convolutional network, ready to be trained. It outputs logits."""
    layers = keras.layers
    network = keras.Sequential(
        [
            layers.Input(input_shape),
            layers.Conv2D(conv_filters, 3, activation="relu"),
            layers.MaxPooling2D(3),
            layers.Flatten(),
            layers.Dense(dense_units, activation="relu"),
            layers.Dense(classes),
        ]
    )
    network.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return network


def save(network: keras.Model, metadata: dict, folder: Path) -> None:
    """Write a network into a folder, with all that one has to know to use it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(network.to_json(indent=2) + "\n")
    network.save_weights(folder / "model.weights.h5")
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")


def load(folder: Path) -> tuple[keras.Model, dict]:
    """Return a network that save wrote, ready to predict, and its metadata."""
    network = keras.models.model_from_json((folder / "model.json").read_text())
    network.load_weights(folder / "model.weights.h5")
    return network, json.loads((folder / "metadata.json").read_text())


def predict(network: keras.Model, x: np.ndarray) -> np.ndarray:
    """Return the probability of each class: float32 (number of pictures, classes)."""
    logits = network.predict(x, verbose=0)
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def to_lite(network: keras.Model) -> bytes:
    """Return the network in the format of LiteRT. Its outputs: "logits", and the "embedding" before them."""
    outputs = {"logits": network.layers[-1].output, "embedding": network.layers[-2].output}
    both = keras.Model(network.inputs, outputs)
    with contextlib.redirect_stdout(io.StringIO()), _muted_stderr():  # a page of details
        return tf.lite.TFLiteConverter.from_keras_model(both).convert()
