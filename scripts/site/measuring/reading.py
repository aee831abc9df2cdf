"""What readers get: Lighthouse's scores for a page, and what travels until it is there."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.runner.capabilities import browser

from .programs import lighthouse

FORMS = {"desktop": ("--preset=desktop",), "phone": ()}
"""A phone is Lighthouse's default: a slow one, on a slow network."""
WANTED = {"accessibility": 100, "best-practices": 100, "seo": 100}
WANTED_PERFORMANCE = {"desktop": 100, "phone": 95}
HEAVIEST = 400_000
"""Bytes that may travel for a chapter, pictures apart."""
METRICS = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
    "cumulative-layout-shift": "layout shift",
}


class MeasureError(Exception):
    """Something cannot be measured. One line for people."""


@dataclass(frozen=True)
class Visit:
    """A first visit of a page, with nothing of the site in the browser's cache."""

    page: str
    form: str
    scores: Mapping[str, int]
    metrics: Mapping[str, str]
    shift: float
    bytes: int
    """All that travelled but pictures, as the host compresses it, with the heads of the answers."""
    pictures: int
    foreign: tuple[str, ...]
    """What came from other hosts."""
    found: tuple[str, ...]
    """What Lighthouse complains about, speed apart."""

    def complaints(self) -> list[str]:
        """What is not as it should be, a line each."""
        wanted = {"performance": WANTED_PERFORMANCE[self.form], **WANTED}
        lines = []
        for name, least in wanted.items():
            if self.scores[name] < least:
                why = self.metrics.items() if name == "performance" else ()
                reasons = ", ".join([f"{key} {value}" for key, value in why] or self.found)
                lines.append(f"{name} is {self.scores[name]}, and should be {least} at least ({reasons})")
        if self.shift >= 0.0005:
            lines.append(f"the layout shifts by {self.shift:.3f}")
        if "/chapter-" in self.page and self.bytes > HEAVIEST:
            lines.append(f"{self.bytes / 1000:.0f} kB travel without pictures: {HEAVIEST / 1000:.0f} are enough")
        lines += [f"{url} comes from another host" for url in self.foreign]
        return [f"{self.page} on a {self.form}: {line}" for line in lines]


def visit(address: str, page: str, form: str, runs: int) -> Visit:
    """The visit in the middle of some, by performance. Raises MeasureError and NodeError."""
    visits = sorted(
        (read(audit(address + page, form), page, form) for _ in range(runs)), key=lambda v: v.scores["performance"]
    )
    return visits[statistics.median_low(range(runs))]


def audit(url: str, form: str) -> dict[str, Any]:
    """Lighthouse's report."""
    chrome = browser()
    if chrome is None:
        raise MeasureError("there is no browser: install Chromium or Google Chrome")
    flags = "--headless=new" + (" --no-sandbox" if os.geteuid() == 0 else "")
    command = [*lighthouse(), url, "--output=json", "--quiet", f"--chrome-flags={flags}", *FORMS[form]]
    with tempfile.TemporaryDirectory() as folder:  # also for the profile of the browser
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [*command, f"--output-path={report}"],
            env={**os.environ, "CHROME_PATH": chrome, "TMPDIR": folder},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
            raise MeasureError(f"Lighthouse does not get to its end with {url}: {last}")
        data: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    if data.get("runtimeError"):
        raise MeasureError(f"Lighthouse does not get to its end with {url}: {data['runtimeError']['message']}")
    return data


def read(report: Mapping[str, Any], page: str, form: str) -> Visit:
    audits, categories = report["audits"], report["categories"]
    requests = [r for r in audits["network-requests"]["details"]["items"] if r["url"].startswith("http")]
    host = urlsplit(report["finalDisplayedUrl"]).netloc
    pictures = sum(r["transferSize"] for r in requests if r["resourceType"] == "Image")
    weighed = [ref["id"] for name in WANTED for ref in categories[name]["auditRefs"] if ref["weight"]]
    return Visit(
        page,
        form,
        {name: round(100 * (category["score"] or 0)) for name, category in categories.items()},
        {name: audits[key]["displayValue"].replace("\N{NO-BREAK SPACE}", " ") for key, name in METRICS.items()},
        audits["cumulative-layout-shift"]["numericValue"],
        sum(r["transferSize"] for r in requests) - pictures,
        pictures,
        tuple(sorted({r["url"] for r in requests if urlsplit(r["url"]).netloc != host})),
        tuple(audits[key]["title"] for key in weighed if audits[key]["score"] not in (None, 1)),
    )


def pages_to_measure(site: Path) -> Sequence[str]:
    """The landing page, the syllabus, the shortest and the longest chapter, and the slides."""
    chapters = sorted(site.glob("part-*/chapter-*/index.html"), key=lambda page: page.stat().st_size)
    ends = [f"/{page.parent.relative_to(site)}/" for page in (chapters[0], chapters[-1])]
    return ["/", "/introduction/syllabus/", *ends, "/presentation/index.html"]
