"""Prints ratios measured in one run, so that they hold on any machine.

python3 scripts/benchmark.py                 runner against plain bash for chapter 1.2
python3 scripts/benchmark.py --chapter 1.4 --pairs 3
python3 scripts/benchmark.py --profile       where the seconds of a fresh run of all chapters go
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.chapters import DEFAULT, Chapter, Guide, read_chapter  # noqa: E402  (the path comes first)
from scripts.runner.performer import Options, Performance, Performer  # noqa: E402
from scripts.runner.records import RAN  # noqa: E402
from scripts.runner.standins import stand_ins  # noqa: E402

BLOCKS = 1000


@contextmanager
def performer(guide: Guide, *, keep: bool = False) -> Iterator[Performer]:
    one = Performer(guide, DEFAULT, ROOT, ROOT / ".cache", Options(keep=keep, standins=stand_ins(ROOT, DEFAULT)))
    try:
        yield one
    finally:
        one.close()


def with_runner(guide: Guide, chapter: Chapter) -> float:
    """Seconds that the runner takes for a chapter, from the checkpoint before it."""
    with performer(guide) as one:
        performance = Performance(chapter, one)
        performance.begin()
        started = time.monotonic()
        if stop := performance.complete():
            raise SystemExit(f"{chapter.page}: {stop.problem}")
        return time.monotonic() - started


def with_bash(guide: Guide, chapter: Chapter) -> float:
    """Seconds that ``bash run.sh`` takes for the same chapter, from the same checkpoint."""
    with performer(guide) as one:
        Performance(chapter, one).begin()
        for before in guide.line(chapter)[:-1]:
            (one.run.work / f".guide-{before.number}").touch()
        script = ROOT / "code" / chapter.slug / "run.sh"
        started = time.monotonic()
        log = one.run.log / "run.sh.txt"
        with log.open("wb") as stream:
            status = subprocess.run(
                ["bash", str(script)], cwd=one.run.work, env=one.run.environment(), stdout=stream, stderr=stream
            ).returncode
        if status:
            raise SystemExit(f"{script} ended with status {status}:\n{log.read_text(errors='replace')[-2000:]}")
        return time.monotonic() - started


def reading() -> float:
    """CPU seconds to read a page with a thousand blocks."""
    block = '=== "uv"\n\n    ```sh\n    echo {n}\n    ```\n\n    ```text title="Output"\n    {n}\n    ```\n\n'
    text = '---\nchapter: "9.9"\n---\n# Many\n\n' + "".join(block.format(n=n) for n in range(BLOCKS // 2))
    started = time.process_time()
    chapter = read_chapter("many.md", text)
    assert chapter is not None
    assert len(chapter.blocks) == BLOCKS
    return time.process_time() - started


def pytest_seconds(*arguments: str) -> float:
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "chapter-", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def profile(guide: Guide) -> None:
    """Seconds by block of a fresh run, the longest first."""
    rows = list[tuple[float, str]]()
    with performer(guide, keep=True) as one:
        one.options.fresh = True
        for chapter in guide.chapters.values():
            performance = one.performance(chapter)
            performance.complete()
            for block, record in zip(performance.blocks, performance.done, strict=True):
                if record.outcome == RAN:
                    rows.append((record.seconds, f"{block.place} {block.id}"))
    total = sum(seconds for seconds, _ in rows)
    print(f"{total:8.1f} s in {len(rows)} blocks")
    for seconds, name in sorted(rows, reverse=True)[:15]:
        print(f"{seconds:8.1f} s  {seconds / total:4.0%}  {name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chapter", default="1.2", metavar="N")
    parser.add_argument("--pairs", type=int, default=2, metavar="N", help="how often to measure (default 2)")
    parser.add_argument("--profile", action="store_true", help="only the profile of a fresh run")
    options = parser.parse_args()
    guide = Guide.load(ROOT)
    if options.profile:
        profile(guide)
        return 0
    chapter = guide.chapters[options.chapter]
    ratios = list[float]()
    for pair in range(options.pairs + 1):
        ours, plain = with_runner(guide, chapter), with_bash(guide, chapter)
        if pair:  # the first fills caches
            ratios.append(ours / plain)
            print(f"chapter {chapter.number}: runner {ours:.1f} s, bash {plain:.1f} s, ratio {ratios[-1]:.3f}")
    print(f"runner / bash run.sh, chapter {chapter.number}: median {statistics.median(ratios):.3f} (promised: 1.10)")
    print(f"reading {BLOCKS} blocks: {reading():.2f} s of CPU")
    fresh, cached = pytest_seconds("--fresh"), pytest_seconds()
    print(f"pytest, all chapters: fresh {fresh:.1f} s, cached {cached:.1f} s, ratio {fresh / cached:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
