"""What is kept of a picture: a few numbers in its place. For the service and for the reference alike."""

import numpy as np

from classifier import Prediction


def measure(x: np.ndarray) -> dict[str, float]:
    """Return what somebody at the telescope would notice of a prepared picture (height, width, channels)."""
    x = np.broadcast_to(x, (*x.shape[:2], 3))  # gives a grey picture its three colours
    gray = x.mean(axis=2)
    middle = gray[1:-1, 1:-1]
    around = (gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]) / 4
    red, green, blue = x.mean(axis=(0, 1))
    light = max(red + green + blue, 1e-6)  # a black picture has no colour
    return {
        "brightness": gray.mean(),
        "contrast": gray.std(),
        "sharpness": abs(middle - around).mean(),  # how far a pixel is from its neighbours
        "sky": np.partition(gray.ravel(), gray.size // 10)[gray.size // 10],  # what is behind the body
        "red": red / light,
        "blue": blue / light,
    }


def describe(prediction: Prediction) -> dict:
    """Return what is kept of a prediction, in place of the picture."""
    p = np.array(list(prediction.probabilities.values()))
    numbers = {
        "confidence": prediction.confidence,
        "entropy": -(p * np.log(np.maximum(p, 1e-12))).sum(),  # 0 when it is sure
        **measure(prediction.x),
    }
    return {
        "label": prediction.label,
        **{name: round(float(value), 5) for name, value in numbers.items()},
        "embedding": np.round(prediction.embedding.astype(float), 3).tolist(),
    }
