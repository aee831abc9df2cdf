"""Refuse a model that is worse than we accept: python3 src/gate.py REVISION"""

import json
import sys

from compare import METRICS, committed
from params import load_params


def problems(before: dict[str, float], now: dict[str, float], limits: dict[str, float]) -> list[str]:
    """Say which limits the accuracy (0 to 1) breaks."""
    found = []
    if now["accuracy"] < limits["accuracy_floor"]:
        found.append(f"accuracy is {now['accuracy']:.3f}, and must be {limits['accuracy_floor']} at least")
    if now["accuracy"] < before["accuracy"] - limits["accuracy_drop"]:
        lost = before["accuracy"] - now["accuracy"]
        found.append(
            f"accuracy falls by {lost:.3f}, from {before['accuracy']:.3f} to {now['accuracy']:.3f}, "
            f"and may fall by {limits['accuracy_drop']} at most"
        )
    return found


def main(revision: str) -> None:
    now = json.loads(METRICS.read_text())["validation"]
    if found := problems(committed(revision), now, load_params("quality")):
        sys.exit("\n".join(found))
    print(f"accuracy {now['accuracy']:.3f}: good enough")


if __name__ == "__main__":
    main(*sys.argv[1:])
