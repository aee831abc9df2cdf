"""Compare the model with that of another revision, on pictures from which neither has learned: side_by_side.py REVISION"""

import subprocess
import sys
import tempfile
from pathlib import Path

from prove import prove


def data_changed(revision: str) -> bool:
    """Tell whether the pictures are others than in a revision. Their validation sets can't be compared then."""
    return subprocess.run(["git", "diff", "--quiet", revision, "--", "data/raw.dvc"], check=False).returncode != 0


def compare(revision: str) -> dict[str, tuple[int, float, float]]:
    """Return for each sealed set its size, and the accuracy before and now."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "serving"
        got = subprocess.run(
            ["dvc", "get", "--quiet", ".", "serving", "--rev", revision, "--out", str(model)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if got.returncode:
            reason, *_ = got.stderr.splitlines() or ["without a reason"]
            sys.exit(f"cannot get the model of {revision}: {reason}")
        before, now = prove(model), prove(Path("serving"))
    return {name: (now[name]["pictures"], before[name]["accuracy"], now[name]["accuracy"]) for name in now}


def table(compared: dict[str, tuple[int, float, float]]) -> str:
    """Return a comparison in Markdown."""
    lines = ["| Pictures | Number | Before | Now |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {name} | {size} | {before:.3f} | {now:.3f} |" for name, (size, before, now) in compared.items()]
    return "\n".join(lines)


def losses(compared: dict[str, tuple[int, float, float]], most: float) -> list[str]:
    """Say on which set the accuracy falls by more than it may."""
    return [
        f"{name}: accuracy falls by {before - now:.3f}, from {before:.3f} to {now:.3f}, and may fall by {most} at most"
        for name, (_, before, now) in compared.items()
        if before - now > most
    ]


if __name__ == "__main__":
    print(table(compare(*sys.argv[1:])))
