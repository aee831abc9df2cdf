"""Does it pay to label first what the model is least sure of? Measured on the city telescope, whose answers we know."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

import model
from dataset import load_split
from params import load_params
from pool import hidden_name, pictures
from preprocessing import preprocess
from reference import SETS, pictures_of

GOAL = 0.8  # accuracy on the sealed pictures of the city
MOST = 160  # labels, after which we give up

Arrays = tuple[np.ndarray, np.ndarray]  # float32 (pictures, height, width, channels), int64 (pictures,)
Chooser = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def entropy(p: np.ndarray) -> np.ndarray:
    """Return over how many classes the doubt is spread, for probabilities (pictures, classes)."""
    return -(p * np.log(np.maximum(p, 1e-12))).sum(axis=1)


ORDERS: dict[str, Chooser] = {
    "least sure first": lambda p, random: entropy(p),
    "at random": lambda p, random: random.random(len(p)),
}


def arrays(found: list[tuple[str, bytes]], labels: list[str]) -> Arrays:
    """Prepare pictures whose folder is the right answer."""
    x = np.stack([preprocess(content, **load_params("image")) for _, content in found])
    return x, np.array([labels.index(PurePosixPath(name).parent.name) for name, _ in found])


def needed(network, known: Arrays, pool: Arrays, sealed: Arrays, order: Chooser, seed: int, step: int) -> int:
    """Return how many labels of the pool it takes to reach the goal. Each time it learns on from what it knows."""
    random, chosen = np.random.default_rng(seed), np.array([], dtype=int)
    while (model.predict(network, sealed[0]).argmax(axis=1) == sealed[1]).mean() < GOAL and len(chosen) < MOST:
        left = np.setdiff1d(np.arange(len(pool[1])), chosen)
        value = order(model.predict(network, pool[0][left]), random)
        chosen = np.concatenate([chosen, left[np.argsort(-value)[:step]]])
        x, y = (np.concatenate([all_known, new[chosen]]) for all_known, new in zip(known, pool))
        network.fit(x, y, epochs=4, batch_size=32, verbose=0)
    return len(chosen)


def main() -> None:
    model.make_reproducible()
    _, metadata = model.load(Path("model"))
    labels, train = metadata["labels"], load_split(Path("data/prepared/train.npz"))
    later = {hidden_name(content) for _, content in pictures("city")}  # a model of today may have learned from them
    first = np.array([PurePosixPath(name).name not in later for name in train.files])
    known, city = (train.x[first], train.y[first]), arrays(list(pictures("city")), labels)
    sealed = arrays(list(pictures("city", sealed=True)), labels)
    others = arrays(list(pictures_of(SETS / "control.zip")), labels)
    pools = {"the city only": (city, 10), "two known for one of the city": (tuple(map(np.concatenate, zip(city, others))), 20)}
    params = load_params("train")
    print(f"labels for an accuracy of {GOAL} on {len(sealed[1])} sealed pictures of the city, with five seeds")
    for pool_name, (pool, step) in pools.items():
        counts: dict[str, list[int]] = {name: [] for name in ORDERS}
        for seed in range(1, 6):
            model.make_reproducible(seed)
            shape = train.x.shape[1:]
            start = model.build(shape, len(labels), params["conv_filters"], params["dense_units"], params["learning_rate"])
            start.fit(*known, epochs=10, batch_size=params["batch_size"], verbose=0)
            weights = start.get_weights()
            for name, order in ORDERS.items():
                start.set_weights(weights)
                counts[name].append(needed(start, known, pool, sealed, order, seed, step))
        for name, values in counts.items():
            print(f"{pool_name}, {name}: {', '.join(map(str, values))}; mean {np.mean(values):.0f}")


if __name__ == "__main__":
    main()
