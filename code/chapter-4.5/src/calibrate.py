"""Choose the p-value below which a window is an alarm, so that the known camera hardly ever raises one."""

import json
from pathlib import Path

import numpy as np

from drift import p_values
from params import load_params
from records import Records, load_entries

MONITORING = Path("monitoring")
CANDIDATES = [10.0**-power for power in range(1, 9)]


def halves_of_control() -> tuple[list[dict], list[dict]]:
    """Return the control pictures that set the threshold, and those that prove that it is right."""
    entries, _ = load_entries(MONITORING / "sets/control.jsonl")
    first = [int(Path(entry["picture"]).stem.split("_")[-1]) < 30 for entry in entries]
    return (
        [entry for entry, is_first in zip(entries, first) if is_first],
        [entry for entry, is_first in zip(entries, first) if not is_first],
    )


def draw(labels: np.ndarray, window: int, random: np.random.Generator) -> np.ndarray:
    """Return the positions of different pictures. Their mix of labels is drawn too: no day is like another."""
    found, which = np.unique(labels, return_inverse=True)
    weights = random.dirichlet(np.ones(len(found)))[which]
    return random.choice(len(labels), window, replace=False, p=weights / weights.sum())


def clean_windows(known: Records, size: int, window: int, windows: int, seed: int) -> np.ndarray:
    """Return the smallest p-value of each of so many windows of pictures from the known camera.

    Each window is compared with a reference of its own, of the given size, that shares no picture with
    it. So the result does not depend on the luck of one reference.
    """
    random = np.random.default_rng(seed)
    smallest = []
    for _ in range(windows):
        shuffled = known.take(random.permutation(len(known)))
        rest = shuffled.take(np.arange(size, len(known)))
        drawn = rest.take(draw(rest.labels, window, random))
        smallest.append(min(p_values(drawn, shuffled.take(np.arange(size))).values()))
    return np.array(smallest)


def choose(rates: dict[float, float], most: float) -> float:
    """Return the largest threshold with no more false alarms than allowed. Raises ValueError if there is none."""
    return max(threshold for threshold, rate in rates.items() if rate <= most)


def main() -> None:
    params = load_params("monitor")
    reference, _ = load_entries(MONITORING / "reference.jsonl")
    calibration, _ = halves_of_control()
    known = Records.of(reference + calibration)
    smallest = clean_windows(known, len(reference), params["window"], params["windows"], params["seed"])
    rates = {threshold: float((smallest < threshold).mean()) for threshold in CANDIDATES}
    for threshold, rate in rates.items():
        print(f"p < {threshold:g}: {rate:.2%} of {len(smallest)} clean windows raise an alarm")
    chosen = {"threshold": choose(rates, params["false_alarms"]), "false_alarms": rates}
    (MONITORING / "threshold.json").write_text(json.dumps(chosen, indent=2) + "\n")


if __name__ == "__main__":
    main()
