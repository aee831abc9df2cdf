"""Breaks blocks of the guide one at a time, and counts what turns red.

    python3 scripts/mutate.py                     every mutant of every chapter
    python3 scripts/mutate.py --chapter 1.2       of one chapter
    python3 scripts/mutate.py --sample 5          five of each chapter, chosen by --seed

Writes the score to results/mutation.json when all chapters were tried whole.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import results  # noqa: E402  (the path comes first)
from scripts.chapters import Guide, PageError  # noqa: E402
from scripts.runner.directory import RunError  # noqa: E402
from scripts.runner.mutation import Outcome, Trials, mutants  # noqa: E402
from scripts.runner.performer import Options, Performer  # noqa: E402
from scripts.runner.standins import published  # noqa: E402

VARIANT = {"tool": "uv", "os": "linux"}


def try_chapter(guide: Guide, number: str, sample: int | None, seed: int) -> list[Outcome]:
    chapter = guide.chapters[number]
    chance = random.Random(f"{seed}/{number}")
    text = (ROOT / chapter.page).read_text(encoding="utf-8")
    made = list(mutants(chapter, text, VARIANT, chance))
    chosen = made if sample is None or sample >= len(made) else chance.sample(made, sample)
    performer = Performer(guide, VARIANT, ROOT, ROOT / ".cache", Options(keep=False, standins=published(ROOT)))
    outcomes = list[Outcome]()
    try:
        for outcome in Trials(guide, chapter, performer).run(chosen):
            outcomes.append(outcome)
            mutant = outcome.mutant
            red = f"red at {outcome.red}" if outcome.red else "SURVIVED"
            print(f"{mutant.block.place} {mutant.kind}: {mutant.what} → {red}", flush=True)
    finally:
        performer.close()
    return outcomes


def score(by_chapter: dict[str, list[Outcome]], seconds: float, seed: int, whole: bool) -> dict[str, object]:
    outcomes = [o for of_chapter in by_chapter.values() for o in of_chapter]
    return {
        "mutants": len(outcomes),
        "killed": sum(o.red is not None for o in outcomes),
        "at_the_line": sum(o.at_its_line for o in outcomes),
        "survivors": [
            {"place": str(o.mutant.block.place), "kind": o.mutant.kind, "what": o.mutant.what}
            for o in outcomes
            if o.red is None
        ],
        "chapters": {
            number: {"mutants": len(some), "killed": sum(o.red is not None for o in some)}
            for number, some in by_chapter.items()
        },
        "seconds": round(seconds),
        "seed": seed,
        "whole": whole,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chapter", action="append", metavar="N", help="only this chapter (may be repeated)")
    parser.add_argument("--sample", type=int, metavar="N", help="at most N mutants of a chapter")
    parser.add_argument("--seed", type=int, default=0, help="chooses the sample and the mistakes (default 0)")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        guide = Guide.load(ROOT)
        numbers = arguments.chapter or [c.number for c in guide.chapters.values()]
        if unknown := [n for n in numbers if n not in guide.chapters]:
            raise RunError(f"there is no chapter {unknown[0]} (there are {', '.join(guide.chapters)})")
        by_chapter = {n: try_chapter(guide, n, arguments.sample, arguments.seed) for n in numbers}
    except (PageError, RunError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    whole = arguments.sample is None and not arguments.chapter
    data = score(by_chapter, time.monotonic() - started, arguments.seed, whole)
    print(f"{data['killed']} of {data['mutants']} mutants turned the page red, {data['at_the_line']} at their own line")
    if whole:
        results.save(ROOT, data, results.MUTATION)
    return 0


if __name__ == "__main__":
    sys.exit(main())
