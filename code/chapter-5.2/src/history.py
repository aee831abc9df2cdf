"""What the monitor has said so far: until when it has judged, a page for people, and figures for Prometheus."""

import argparse
import html
import json
import math
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest

WIDTH, HEIGHT, LOWEST = 720, 160, -12  # of the chart, in pixels; where its scale of p-values ends, as a power of ten
BEGINNING = "1970-01-01T00:00:00Z"


def load(folder: Path) -> list[tuple[str, dict]]:
    """Return all verdicts below a folder, with the names of their folders, the oldest first."""
    return [(file.parent.name, json.loads(file.read_text())) for file in sorted(folder.glob("*/verdict.json"))]


def judged(verdicts: list[tuple[str, dict]]) -> list[tuple[str, dict]]:
    """Leave out those of too few pictures: they judge nothing."""
    return [(name, verdict) for name, verdict in verdicts if verdict["verdict"] != "too few"]


def since(verdicts: list[tuple[str, dict]], mark: str = BEGINNING) -> str:
    """Return after which time the next window begins: that of the newest picture that was judged, or of a later mark."""
    return max([mark, *(verdict["window"]["to"] for _, verdict in judged(verdicts))])


def metrics(verdicts: list[tuple[str, dict]]) -> str:
    """Return the newest verdict in the text format of Prometheus."""
    registry = CollectorRegistry()
    if verdicts:
        told = datetime.fromisoformat(verdicts[-1][1]["time"]).timestamp()
        Gauge("drift_verdict_time_seconds", "When the monitor has last said something", registry=registry).set(told)
    if known := judged(verdicts):
        _, verdict = known[-1]
        detected = Gauge("drift_detected", "1 when the last window that was judged has drifted", registry=registry)
        detected.set(verdict["verdict"] == "drift")
        p_value = Gauge("drift_p_value", "Of the last window that was judged", ["column"], registry=registry)
        for column, value in verdict["p_values"].items():
            p_value.labels(column).set(value)
    return generate_latest(registry).decode()


def height(p_value: float) -> float:
    """Return where a p-value stands in the chart: 1 at the top, on a logarithmic scale, in pixels."""
    power = max(math.log10(p_value), LOWEST) if p_value > 0 else LOWEST
    return HEIGHT * power / LOWEST


def chart(known: list[tuple[str, dict]]) -> str:
    """Draw the smallest p-value of each judged window, and the threshold, as SVG."""
    step = WIDTH / (len(known) + 1)
    marks = []
    for number, (name, verdict) in enumerate(known, 1):
        column = min(verdict["p_values"], key=verdict["p_values"].get)
        x, y = step * number, height(verdict["p_values"][column])
        shape = f"M{x - 6:.1f} {y:.1f}l6 -6 6 6 -6 6z" if verdict["verdict"] == "drift" else f"M{x - 4:.1f} {y:.1f}h8"
        words = f"{name}: {verdict['verdict']}, {column} {verdict['p_values'][column]:.1e}"
        marks.append(f'<path class="{verdict["verdict"]}" d="{shape}"><title>{html.escape(words)}</title></path>')
    limit = height(known[-1][1]["thresholds"]["drift"])
    return (
        f'<svg viewBox="0 -8 {WIDTH} {HEIGHT + 16}" role="img" aria-label="Smallest p-value of each window">'
        f'<path class="limit" d="M0 {limit:.1f}H{WIDTH}"/>{"".join(marks)}</svg>'
    )


def row(name: str, verdict: dict) -> str:
    """Return a row of the table."""
    window = " – ".join(verdict["window"].values()) if verdict["window"] else ""
    cells = [verdict["time"], verdict["verdict"], verdict["pictures"], ", ".join(verdict["drifted"]), verdict["model"], window]
    shown = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells)
    link = f'<a href="{html.escape(name)}/report.html">report</a>' if verdict["p_values"] else ""
    return f"<tr>{shown}<td>{link}</td></tr>"


def page(verdicts: list[tuple[str, dict]]) -> str:
    """Return the history as a page that needs nothing else."""
    known = judged(verdicts)
    heads = ("Told", "Verdict", "Pictures", "Drifted", "Model", "Window", "Details")
    return PAGE.format(
        chart=chart(known) if known else "<p>Nothing has been judged yet.</p>",
        heads="".join(f'<th scope="col">{head}</th>' for head in heads),
        rows="\n".join(row(*one) for one in reversed(verdicts)),
    )


PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Drift, window by window</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }}
  svg {{ width: 100%; border-block: 1px solid; }}
  path {{ stroke: currentColor; stroke-width: 2; fill: none; }}
  path.drift {{ fill: #c5221f; }}
  path.limit {{ stroke-dasharray: 6 6; stroke-width: 1; }}
  table {{ border-collapse: collapse; }}
  th, td {{ text-align: left; padding: 0.2rem 1rem 0.2rem 0; }}
</style>
<h1>Drift, window by window</h1>
<p>Smallest p-value of each window: a dash is quiet, a diamond has drifted, the broken line is the threshold.</p>
{chart}
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, help="a folder with a folder for each report")
    parser.add_argument("--since", action="store_true", help="only print until when it has judged")
    arguments = parser.parse_args()
    verdicts = load(arguments.reports)
    if arguments.since:
        mark = arguments.reports / "begin.txt"  # see ci/mark
        print(since(verdicts, mark.read_text().strip() if mark.exists() else BEGINNING))
        return
    (arguments.reports / "index.html").write_text(page(verdicts))
    (arguments.reports / "metrics.txt").write_text(metrics(verdicts))


if __name__ == "__main__":
    main()
