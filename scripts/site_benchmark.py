"""Measures the built site: scores and weight of pages, the time of a build, and the answer to an edit.

python3 scripts/site_benchmark.py            the middle of three visits to each page
python3 scripts/site_benchmark.py --runs 1   quicker, and less sure

Measure on a machine that does nothing else: performance and seconds depend on it. All else does not.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.node import NodeError  # noqa: E402  (the path comes first)
from scripts.site.building import SiteError, build  # noqa: E402
from scripts.site.hosting import hosted  # noqa: E402
from scripts.site.measuring import writing  # noqa: E402
from scripts.site.measuring.reading import FORMS, MeasureError, Visit, pages_to_measure, visit  # noqa: E402

SCORES = {"performance": "speed", "accessibility": "access", "best-practices": "practice", "seo": "search"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="how often each is measured (default: 3)")
    runs = parser.parse_args().runs
    if runs < 1:
        parser.error("--runs is 1 at least")
    logging.basicConfig(format="%(levelname)s  %(message)s", level=logging.ERROR)
    try:
        complaints = [*reading(runs), *writing_it(runs)]
    except (MeasureError, NodeError, SiteError) as error:
        print(f"site_benchmark: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for line in complaints:
        print(line, file=sys.stderr)
    return 1 if complaints else 0


def reading(runs: int) -> list[str]:
    """Print what readers get, and return what is wrong with it."""
    complaints = list[str]()
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        print(
            f"{'page':28} {'on a':8}", *(f"{name:>8}" for name in SCORES.values()), f"{'kB':>6} {'pictures':>9}", end=""
        )
        print("  first paint, largest paint, blocked, layout shift")
        with hosted(Path(folder)) as address:
            for page in pages_to_measure(Path(folder)):
                for form in FORMS:
                    one = visit(address, page, form, runs)
                    print(row(one), flush=True)
                    complaints += one.complaints()
    return complaints


def row(one: Visit) -> str:
    scores = " ".join(f"{one.scores[name]:8}" for name in SCORES)
    weight = f"{one.bytes / 1000:6.0f} {one.pictures / 1000:9.0f}"
    return f"{one.page:28} {one.form:8} {scores} {weight}  {', '.join(one.metrics.values())}"


def writing_it(runs: int) -> list[str]:
    """Print what authors wait for, and return what takes too long."""
    ours, plain = writing.builds(runs)
    print(f"\nA build takes {ours:.1f} s, a plain MkDocs build {plain:.1f} s of CPU: {ours / plain:.2f} times as long")
    answer = writing.answers(runs)
    print(f"An edit of the longest chapter is served after {answer:.1f} s")
    if answer > writing.LONGEST_ANSWER:
        return [f"an edit is served after {answer:.1f} s: {writing.LONGEST_ANSWER:.0f} s at most are promised"]
    return []


if __name__ == "__main__":
    sys.exit(main())
