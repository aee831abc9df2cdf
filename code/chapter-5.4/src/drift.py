"""Compare pictures with a reference: the same cameras, the same bodies?"""

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp

from records import LOGGED, Records

COLUMNS = [*LOGGED, "novelty"]
FEWEST = 15  # pictures with which another can be compared


def distances(pictures: Records, known: Records) -> np.ndarray:
    """Return how far the embedding of each picture is from each that we know: float64 (pictures, known)."""
    found = cdist(pictures.embeddings, known.embeddings)
    found[found == 0] = np.inf  # a picture is not its own neighbour
    return found


def novelty(pictures: Records, known: Records) -> np.ndarray:
    """Return how far the embedding of each picture is from the nearest one that we know."""
    return distances(pictures, known).min(axis=1)


def columns(pictures: Records, known: Records) -> np.ndarray:
    """Return what is compared: float64 (pictures, COLUMNS)."""
    return np.column_stack([pictures.numbers, novelty(pictures, known)])


def recognise(pictures: Records, reference: Records) -> np.ndarray:
    """Return the camera of each picture: the one that has taken the picture of the reference that is nearest to it."""
    return reference.cameras[distances(pictures, reference).argmin(axis=1)]


def place(pictures: Records, reference: Records) -> np.ndarray:
    """Return the place of each number among those of the reference with the same label and camera.

    0 is below all of them, 1 above. As long as cameras and bodies are the same, the places are spread
    evenly between, whatever the mix of the labels. Returns float64 (pictures, COLUMNS).
    """
    places = np.empty((len(pictures), len(COLUMNS)))
    seen = recognise(pictures, reference)
    for label, camera in set(zip(pictures.labels, seen)):
        rows = (pictures.labels == label) & (seen == camera)
        same = (reference.labels == label) & (reference.cameras == camera)
        if same.sum() < FEWEST:  # compare with all of the camera
            same = reference.cameras == camera
        alike = reference.take(same)
        values, known = columns(pictures.take(rows), alike)[:, np.newaxis], columns(alike, alike)
        places[rows] = ((known < values).mean(axis=1) + (known <= values).mean(axis=1)) / 2
    return places


def match(window: Records, reference: Records) -> np.ndarray:
    """Return rows of the reference: as many as there are with the same mix of cameras as the window."""
    seen = recognise(window, reference)
    shares = {camera: (seen == camera).mean() for camera in sorted(set(seen))}
    most = min((reference.cameras == camera).sum() / share for camera, share in shares.items())
    random = np.random.default_rng(0)
    rows = [
        random.permutation(np.flatnonzero(reference.cameras == camera))[: round(most * share)]
        for camera, share in shares.items()
    ]
    return np.sort(np.concatenate(rows))


def p_values(window: Records, reference: Records) -> dict[str, float]:
    """Compare the places with the test of Kolmogorov and Smirnov, column by column."""
    pairs = zip(place(reference, reference)[match(window, reference)].T, place(window, reference).T)
    return {name: float(ks_2samp(before, now).pvalue) for name, (before, now) in zip(COLUMNS, pairs)}
