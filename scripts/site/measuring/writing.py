"""What authors wait for: a build of the site, and the answer to an edit while it is served."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config

from scripts.site.building import CONFIG, build

from .reading import MeasureError

ROOT = CONFIG.parent
LONGEST_ANSWER = 2.0
"""Seconds from an edit of a page until it is served."""
COPIED = ("docs", "scripts", "dataset", "code", "presentation", "results")


def builds(runs: int) -> tuple[float, float]:
    """CPU seconds of a build of the site, with what is kept between builds, and of a plain one of the same pages."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        build(out / "site")
        ours, plain = [], []
        for _ in range(runs):  # in turns, so that both meet the same machine
            ours.append(seconds(lambda: build(out / "site")))
            plain.append(seconds(lambda: build_plainly(out / "plain")))
    return statistics.median(ours), statistics.median(plain)


def seconds(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def build_plainly(out: Path) -> None:
    """Build the same pages with the same theme, and with nothing that is ours."""
    logger = logging.getLogger("mkdocs")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        config = load_config(str(CONFIG), site_dir=str(out), hooks=[], plugins=["search"], strict=False)
        config.markdown_extensions = [name for name in config.markdown_extensions if not name.startswith("scripts.")]
        config.mdx_configs["pymdownx.superfences"] = {"preserve_tabs": True}  # without our fences
        config.plugins.on_startup(command="build", dirty=False)
        mkdocs_build(config)
    finally:
        logger.setLevel(level)


# ---------------------------------------------------------------- serving


def answers(runs: int) -> float:
    """Seconds from an edit of the longest chapter, in a copy of this checkout, until it is served."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder) / "guide")
        page = max(copy.glob("docs/part-*/chapter-*.md"), key=lambda path: path.stat().st_size)
        with served(copy) as address:
            url = f"{address}/{page.parent.name}/{page.stem}/"
            wait(url, "</html>", 120)
            times = []
            for number in range(runs):
                time.sleep(1)  # nobody saves a page at the moment at which it is built
                words = f"Edited for the {number}th time."
                page.write_text(page.read_text(encoding="utf-8") + f"\n{words}\n", encoding="utf-8")
                times.append(wait(url, words, 60))
    return statistics.median(times)


def copied(copy: Path) -> Path:
    """What the site is made from, with what is kept between builds."""
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in [CONFIG, *ROOT.glob("requirements*.txt"), ROOT / "LICENSE"]:
        shutil.copy(file, copy)
    for name in ("dataset", "deck", "big-picture"):
        if (ROOT / ".cache" / name).is_dir():
            shutil.copytree(ROOT / ".cache" / name, copy / ".cache" / name)
    return copy


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The address at which ``scripts/build_site.py --serve`` shows the site meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, str(root / "scripts/build_site.py"), "--serve", "--port", str(port)]
    with (root / "serve.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def wait(url: str, words: str, patience: float) -> float:
    """Seconds until the page has the words."""
    started = time.monotonic()
    while (waited := time.monotonic() - started) < patience:
        try:
            with urllib.request.urlopen(url, timeout=patience) as answer:
                if words.encode() in answer.read():
                    return time.monotonic() - started
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.02)
    raise MeasureError(f"{url} does not show an edit after {waited:.0f} s")
