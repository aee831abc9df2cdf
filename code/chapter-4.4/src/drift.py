"""Compare pictures with a reference: the same camera, the same bodies?"""

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp

from records import LOGGED, Records

COLUMNS = [*LOGGED, "novelty"]


def novelty(pictures: Records, known: Records) -> np.ndarray:
    """Return how far the embedding of each picture is from the nearest one that we know."""
    distances = cdist(pictures.embeddings, known.embeddings)
    distances[distances == 0] = np.inf  # a picture is not its own neighbour
    return distances.min(axis=1)


def columns(pictures: Records, known: Records) -> np.ndarray:
    """Return what is compared: float64 (pictures, COLUMNS)."""
    return np.column_stack([pictures.numbers, novelty(pictures, known)])


def place(pictures: Records, reference: Records) -> np.ndarray:
    """Return the place of each number among those of the reference with the same label.

    0 is below all of them, 1 above. As long as camera and bodies are the same, the places are spread
    evenly between, whatever the mix of the labels. Returns float64 (pictures, COLUMNS).
    """
    places = np.empty((len(pictures), len(COLUMNS)))
    for label in set(pictures.labels):
        rows = pictures.labels == label
        same = reference.take(reference.labels == label)
        if not len(same):  # the model has never said it of the reference: compare with all
            same = reference
        values, known = columns(pictures.take(rows), same)[:, np.newaxis], columns(same, same)
        places[rows] = ((known < values).mean(axis=1) + (known <= values).mean(axis=1)) / 2
    return places


def p_values(window: Records, reference: Records) -> dict[str, float]:
    """Compare the places with the test of Kolmogorov and Smirnov, column by column."""
    pairs = zip(place(reference, reference).T, place(window, reference).T)
    return {name: float(ks_2samp(before, now).pvalue) for name, (before, now) in zip(COLUMNS, pairs)}
