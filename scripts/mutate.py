"""Breaks blocks of the guide one at a time, and counts what turns red.

    python3 scripts/mutate.py                     every mutant of every chapter
    python3 scripts/mutate.py --chapter 1.2       of one chapter
    python3 scripts/mutate.py --chapter 2.3 --sample 30    thirty of them, drawn by --seed: its estimate
    python3 scripts/mutate.py --sample 20         twenty of two chapters with a score, drawn by --seed
    python3 scripts/mutate.py --sample 20 --minutes 6      no new one after six minutes: how many it were is told

The score of a chapter that was asked for goes to results/mutation.json, with how many mutants there are.
Fails when fewer than 95 of 100 mutants turn their page red, which a sample of all chapters is too small to tell, and
for a survivor whose cause is not in results/survivors.yml.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import results  # noqa: E402  (the path comes first)
from scripts.chapters import DEFAULT, Chapter, Guide, PageError  # noqa: E402
from scripts.runner.directory import RunError  # noqa: E402
from scripts.runner.mutation import Mutant, Outcome, Trials, fingerprint, mutants  # noqa: E402
from scripts.runner.performer import Options, Performer  # noqa: E402
from scripts.runner.standins import stand_ins  # noqa: E402

WANTED = 0.95
"""The share of mutants that must turn their page red."""
SAMPLED = 2
"""Chapters that a sample is drawn from: most of its time goes into doing them once."""


def try_mutants(guide: Guide, chapter: Chapter, chosen: Sequence[Mutant], end: float) -> Iterator[Outcome]:
    """Try mutants of one chapter, and tell what came of each. Begins with none after ``end``, in seconds."""
    performer = Performer(guide, DEFAULT, ROOT, ROOT / ".cache", Options(keep=False, standins=stand_ins(ROOT, DEFAULT)))
    try:
        for outcome in Trials(guide, chapter, performer).run(chosen):
            red = f"red at {outcome.red}" if outcome.red else "SURVIVED"
            print(f"{outcome.mutant.block.place} {outcome.mutant.kind}: {outcome.mutant.what} → {red}", flush=True)
            yield outcome
            if time.monotonic() > end:
                break
    finally:
        performer.close()


def score(chapter: Chapter, outcomes: Sequence[Outcome], possible: int, seconds: float) -> dict[str, Any]:
    """What results/mutation.json says of one chapter, of which ``possible`` mutants can be made."""
    causes = results.causes(ROOT).get(chapter.number, {})
    return {
        "fingerprint": fingerprint(chapter, DEFAULT),
        "mutants": len(outcomes),
        "possible": possible,
        "killed": sum(o.red is not None for o in outcomes),
        "at_the_line": sum(o.at_its_line for o in outcomes),
        "seconds": round(seconds),
        "survivors": [
            {"place": str(o.mutant.block.place), "kind": o.mutant.kind, "what": o.mutant.what, "cause": causes[told]}
            if (told := f"{o.mutant.kind}: {o.mutant.what}") in causes
            else {"place": str(o.mutant.block.place), "kind": o.mutant.kind, "what": o.mutant.what}
            for o in outcomes
            if o.red is None
        ],
    }


def totals(chapters: dict[str, Any]) -> dict[str, Any]:
    """The scores of all chapters, and their sums."""
    scores = list(chapters.values())
    return {
        "mutants": sum(s["mutants"] for s in scores),
        "killed": sum(s["killed"] for s in scores),
        "at_the_line": sum(s["at_the_line"] for s in scores),
        "survivors": [survivor for s in scores for survivor in s["survivors"]],
        "chapters": chapters,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chapter", action="append", metavar="N", help="only this chapter (may be repeated)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants")
    parser.add_argument("--seed", default="0", help="any text: draws the sample (default 0)")
    parser.add_argument("--minutes", type=float, default=math.inf, metavar="M", help="begin with none after M minutes")
    arguments = parser.parse_args()
    tried, end = dict[str, Any](), time.monotonic() + 60 * arguments.minutes
    try:
        guide = Guide.load(ROOT)
        numbers = arguments.chapter or list(guide.chapters)
        if unknown := [n for n in numbers if n not in guide.chapters]:
            raise RunError(f"there is no chapter {unknown[0]} (there are {', '.join(guide.chapters)})")
        chance = random.Random(arguments.seed)
        if arguments.sample is not None and not arguments.chapter:
            # A sample confirms a score: of a chapter that was never tried whole, there is none.
            numbers = [n for n in numbers if n in results.load(ROOT, results.MUTATION).get("chapters", {})]
            numbers = sorted(chance.sample(numbers, min(SAMPLED, len(numbers))), key=numbers.index)
        texts = {n: (ROOT / guide.chapters[n].page).read_text(encoding="utf-8") for n in numbers}
        possible = {n: list(mutants(guide.chapters[n], texts[n], DEFAULT)) for n in numbers}
        chosen = [(n, mutant) for n in numbers for mutant in possible[n]]
        if arguments.sample is not None and arguments.sample < len(chosen):
            chosen = chance.sample(chosen, arguments.sample)
        for number in numbers:
            of_chapter = [mutant for n, mutant in chosen if n == number]
            if of_chapter and time.monotonic() < end:
                chapter, started = guide.chapters[number], time.monotonic()
                outcomes = list(try_mutants(guide, chapter, of_chapter, end))
                tried[number] = score(chapter, outcomes, len(possible[number]), time.monotonic() - started)
                if arguments.chapter or arguments.sample is None:
                    known = results.load(ROOT, results.MUTATION).get("chapters", {})
                    still = {n: s for n, s in {**known, number: tried[number]}.items() if n in guide.chapters}
                    results.save(ROOT, totals(still), results.MUTATION)
    except (PageError, RunError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    # Few mutants are no measure: of a sample, only what nobody knew of is wrong.
    return tell(totals(tried), WANTED if arguments.chapter or arguments.sample is None else 0.0)


def tell(data: dict[str, Any], wanted: float) -> int:
    """Print the score. The exit status says whether it is good enough."""
    print(f"{data['killed']} of {data['mutants']} mutants turned the page red, {data['at_the_line']} at their own line")
    unexplained = [survivor for survivor in data["survivors"] if "cause" not in survivor]
    for survivor in unexplained:
        told = f"{survivor['kind']}: {survivor['what']}"
        print(f"{survivor['place']}: nobody noticed: {told} (check it, or give the cause in {results.SURVIVORS})")
    return int(bool(unexplained) or data["killed"] < wanted * data["mutants"])


if __name__ == "__main__":
    sys.exit(main())
