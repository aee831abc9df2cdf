"""Write what a change does to parameters, metrics and plots: python3 src/report.py REVISION"""

import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

REPORT = Path("report")
HISTORY = Path("training/history.csv")
CONFUSION = Path("evaluation/confusion_matrix.png")


def dvc(*arguments: str) -> str:
    """Run a command of DVC, and return what it prints."""
    done = subprocess.run(["dvc", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"dvc {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def changes(what: str, revision: str) -> str:
    """Return DVC's table of what has changed in params or metrics, or a sentence where it is empty."""
    table = dvc(what, "diff", "--md", revision)
    return table if table.count("\n") > 1 else f"No {what} have changed."


def load_history(path: Path) -> list[float]:
    """Read the validation accuracy, epoch by epoch."""
    with path.open(newline="") as file:
        return [float(row["val_accuracy"]) for row in csv.DictReader(file)]


def save_curves(path: Path, before: list[float], now: list[float]) -> None:
    """Draw two trainings into one figure."""
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axis = figure.subplots()
    axis.plot(range(1, len(before) + 1), before, "s--", label="before")
    axis.plot(range(1, len(now) + 1), now, "o-", label="now")
    axis.set(xlabel="epoch", ylabel="validation accuracy")
    axis.legend()
    figure.savefig(path)


def main(revision: str) -> None:
    shutil.rmtree(REPORT, ignore_errors=True)
    REPORT.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        for path in (HISTORY, CONFUSION):
            dvc("get", ".", path.as_posix(), "--rev", revision, "--out", f"{folder}/{path.name}")
        before = Path(folder)
        save_curves(REPORT / "curves.png", load_history(before / HISTORY.name), load_history(HISTORY))
        shutil.copy(before / CONFUSION.name, REPORT / "confusion-before.png")
    shutil.copy(CONFUSION, REPORT / "confusion-now.png")
    (REPORT / "report.md").write_text(
        f"""\
## What this change does to the model

{changes("params", revision)}

{changes("metrics", revision)}

![Validation accuracy, epoch by epoch, before and now](curves.png)

### Confusion, before and now

![Confusion matrix before](confusion-before.png)
![Confusion matrix now](confusion-now.png)
"""
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
