"""The links of the built site to other hosts, and whether they still lead somewhere.

python3 scripts/links.py            list them, with the pages that have them
python3 scripts/links.py --check    ask each: exit status 1 if one is dead

Build the site first. What others move or take down is no reason to fail a build: check it on a schedule.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.site.checking import Page, Site  # noqa: E402  (the path comes first)

AT_ONCE = 4
TRIES = 2
REFUSED = {401, 403, 405, 406, 429, 999}
"""What hosts answer to a program, for pages that a browser gets: nothing is known of these links."""
HEADERS = {"User-Agent": "Mozilla/5.0 (links of a guide, checked)", "Accept": "text/html,*/*"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="ask each of them whether it is there")
    parser.add_argument("--site", type=Path, default=ROOT / "site", help="the built site (default: site/)")
    parser.add_argument("--timeout", type=float, default=20, help="seconds to wait for an answer (default: 20)")
    options = parser.parse_args(arguments)
    if not (options.site / "index.html").is_file():
        print(f"{options.site} has no site: build it with python3 scripts/build_site.py", file=sys.stderr)
        return 1
    links = Site(options.site, own_address(options.site), ROOT / "docs").external()
    if not options.check:
        for url, places in links.items():
            print(f"{url}  {shortened(places)}")
        return 0
    return check(links, options.timeout)


def own_address(site: Path) -> str:
    """Where the site is to be served, as its first page says."""
    first = Page((site / "index.html").read_text(encoding="utf-8"))
    return next((link.url for link in first.links if link.rel == "canonical"), "http://127.0.0.1/")


def check(links: Mapping[str, Sequence[str]], timeout: float) -> int:
    """Ask each, a few at a time, and tell which are dead."""
    dead = unknown = 0
    for url, problem in ask_all(list(links), timeout):
        if problem:
            refused = problem.startswith("refuses")
            dead, unknown = dead + (not refused), unknown + refused
            print(f"{'unknown' if refused else 'dead'}: {url} {problem}  {shortened(links[url])}", flush=True)
    print(f"{len(links)} links: {dead} dead, {unknown} that only a browser can tell")
    return 1 if dead else 0


def ask_all(urls: Sequence[str], timeout: float) -> Iterator[tuple[str, str]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from zip(urls, pool.map(lambda url: ask(url, timeout), urls), strict=True)


def ask(url: str, timeout: float) -> str:
    """What is wrong with a link, or nothing. It is asked as a browser does: some hosts answer nothing else."""
    problem = ""
    for _ in range(TRIES):
        try:
            with urlopen(Request(url, headers=HEADERS), timeout=timeout):
                return ""
        except HTTPError as error:
            error.close()
            if error.code in REFUSED:
                return f"refuses programs ({error.code})"
            problem = f"answers {error.code} {error.reason}"
        except (OSError, HTTPException, ValueError) as error:
            problem = f"gives no answer: {getattr(error, 'reason', None) or error or type(error).__name__}"
    return problem


def shortened(places: Sequence[str]) -> str:
    few = ", ".join(places[:3])
    return f"({few} and {len(places) - 3} more)" if len(places) > 3 else f"({few})"


if __name__ == "__main__":
    sys.exit(main())
