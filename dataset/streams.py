"""Random numbers: one frozen stream for each key."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.random import RandomState

Range = tuple[float, float]


def stream(*key: object) -> RandomState:
    """The random stream that belongs to ``key``, for instance ``(seed, set, class, index)``.

    ``RandomState`` rather than ``Generator``, because NumPy promises never to change its streams (NEP 19).
    """
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return RandomState(np.frombuffer(digest, dtype="<u4"))


def uniform(random: RandomState, bounds: Range) -> float:
    """One draw between the two bounds."""
    low, high = bounds
    return low + (high - low) * random.random_sample()
