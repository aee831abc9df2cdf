"""Measure how far two people agree who have labelled the same pictures."""

import argparse
from collections import Counter
from itertools import combinations
from pathlib import Path

from sklearn.metrics import cohen_kappa_score

from annotations import answers, decide, load_tasks

Pair = tuple[str, str]  # what the first and the second say of one picture


def pairs_of(tasks: list[dict]) -> tuple[tuple[int, int], list[Pair]]:
    """Return the two people with the most tasks in common, and what they say of each of these."""
    said = [answers(task) for task in tasks]
    common = Counter(pair for answer in said for pair in combinations(sorted(answer), 2))
    if not common:
        raise SystemExit("no task has been labelled by two people")
    ((first, second), _), *_ = common.most_common(1)
    return (first, second), [(one[first], one[second]) for one in said if {first, second} <= one.keys()]


def agreement(pairs: list[Pair]) -> tuple[float, float]:
    """Return the share of equal answers, and Cohen's kappa: 0 is what chance would give, 1 is perfect."""
    first, second = zip(*pairs)
    return sum(a == b for a, b in pairs) / len(pairs), float(cohen_kappa_score(first, second))


def by_label(pairs: list[Pair]) -> dict[str, tuple[int, int]]:
    """Return for each label how many pictures at least one, and how many both have called so."""
    labels = sorted({label for pair in pairs for label in pair})
    return {label: (sum(label in pair for pair in pairs), pairs.count((label, label))) for label in labels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, help="where to write the numbers of the disputed tasks")
    arguments = parser.parse_args()

    tasks = load_tasks()
    (first, second), pairs = pairs_of(tasks)
    raw, kappa = agreement(pairs)
    print(f"{first} and {second} have {len(pairs)} tasks in common: agreement {raw:.2f}, kappa {kappa:.2f}")
    ordered = sorted(by_label(pairs).items(), key=lambda one: one[1][1] / one[1][0])
    for label, (either, both) in ordered[:5]:
        print(f"  {label:10} both say so of {both} of {either}")
    for (one, other), count in Counter(tuple(sorted(p)) for p in pairs if p[0] != p[1]).most_common(3):
        print(f"  {one} or {other}: {count}")
    undecided = [task for task in tasks if decide(task) is None]
    disputed = [task for task in undecided if answers(task)]
    print(f"{len(disputed)} tasks are disputed, {len(undecided) - len(disputed)} have no answer")
    if arguments.questions:
        arguments.questions.write_text("".join(f"{task['id']}\n" for task in disputed))


if __name__ == "__main__":
    main()
