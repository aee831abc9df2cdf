"""Compare the metrics of a new training with those that the commit claims."""

import json
import subprocess
import sys
from pathlib import Path

from params import load_params

METRICS = Path("evaluation/metrics.json")
COMPARED = ("accuracy", "macro_f1")  # both from 0 to 1, so one tolerance fits


def committed(revision: str) -> dict[str, float]:
    """Read the metrics as a commit has them."""
    command = ["git", "show", f"{revision}:{METRICS.as_posix()}"]
    shown = subprocess.run(command, check=False, capture_output=True, text=True)
    if shown.returncode:
        sys.exit(f"cannot read {METRICS} of {revision}: {shown.stderr.strip()}")
    return json.loads(shown.stdout)["validation"]


def differences(claimed: dict[str, float], measured: dict[str, float], tolerance: float) -> list[str]:
    """Say which metrics are further apart than they may be."""
    return [
        f"{name}: the commit claims {claimed[name]:.3f}, this training gives {measured[name]:.3f}"
        for name in COMPARED
        if abs(claimed[name] - measured[name]) > tolerance
    ]


def main() -> None:
    claimed = committed("HEAD")
    measured = json.loads(METRICS.read_text())["validation"]
    tolerance = load_params("quality")["tolerance"]
    for name in COMPARED:
        print(f"{name:10} claimed {claimed[name]:.3f}  measured {measured[name]:.3f}")
    if found := differences(claimed, measured, tolerance):
        found.append(f"That is more than {tolerance}. Run dvc repro, and commit what it changes.")
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
