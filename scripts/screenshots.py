"""Takes the pictures of the site that README and the deck show, from the built site.

python3 scripts/screenshots.py              after python3 scripts/build_site.py
python3 scripts/screenshots.py tour-03      only this one
"""

from __future__ import annotations

import functools
import http.server
import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402  (the path comes first)
from playwright.sync_api import Page, sync_playwright  # noqa: E402

from scripts.runner.capabilities import browser  # noqa: E402

SITE = ROOT / "site"


@dataclass(frozen=True)
class Picture:
    """A page as it looks in a window of ``width`` by ``height`` pixels, of which ``scale`` are taken for each."""

    file: str
    path: str
    """Of the site. Several, with spaces between, are shown side by side as on phones."""
    width: int = 1280
    height: int = 800
    scheme: str = "light"
    scale: float = 1
    at: str = ""
    """What stands below the header: a selector, for what has no anchor."""
    click: str = ""
    """What is clicked before: a selector."""
    typed: str = ""


def tour(number: int, path: str, width: int = 620, *, scheme: str = "dark", at: str = "", **steps: str) -> Picture:
    """One of the two pictures on a slide of the tour: as sharp as a projector shows it."""
    height = round(width * 0.785)
    return Picture(f"presentation/images/tour-{number:02}.webp", path, width, height, scheme, 1100 / width, at, **steps)


SIDE_BY_SIDE = """
body { background: #080809; display: flex; gap: 20px; margin: 0; padding: 20px; }
iframe { border: 3px solid #3a3f55; border-radius: 26px; flex: 1; height: 935px; }
"""
PHONES = "/part-1/chapter-1.1/ /part-1/chapter-1.2/#prepare-the-data /introduction/syllabus/"
PICTURES = (
    Picture("docs/assets/images/readme-site.webp", "/"),
    Picture("presentation/images/proposal.webp", "/", 560, 700, "dark", 1.7),
    tour(1, "/", 900),
    tour(2, "/introduction/syllabus/#part-1-local-training-and-evaluation"),
    tour(3, "/introduction/concept/", 720, at="article figure"),
    tour(4, "/introduction/tools/#at-a-glance", 900),
    tour(5, "/introduction/setup/#install-the-basic-programs"),
    tour(6, "/introduction/setup/", 700, at="text=Are the programs there?"),
    tour(7, "/part-1/chapter-1.2/"),
    tour(8, "/part-1/chapter-1.2/", 760, at=".big-picture"),
    tour(9, "/part-1/chapter-1.2/#move-the-parameters-into-one-file"),
    tour(10, "/part-1/chapter-1.4/#reproduce-the-experiment"),
    tour(11, "/part-1/chapter-1.2/", at=".tabbed-set"),
    tour(
        12, "/part-1/chapter-1.2/", at="details:has-text('a validation and a test set')", click="details >> text=Why a"
    ),
    tour(13, "/part-1/chapter-1.4/", 760, at="div:has(> pre):has-text('data/raw.dvc |')"),
    tour(14, "/part-1/chapter-1.5/#compare-parameters-and-metrics"),
    tour(15, "/part-1/chapter-1.3/#create-the-git-repository"),
    tour(16, "/introduction/verified/#the-figures", 820),
    tour(17, PHONES, 1250),
    tour(18, "/introduction/concept/", 700, scheme="light", click="label[for=__search]", typed="drift"),
)


class _Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, served on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def take(pictures: tuple[Picture, ...], chrome: str) -> None:
    """Write each picture as WebP."""
    with served(SITE) as address, sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox", "--disable-gpu"])
        for picture in pictures:
            page = window.new_page(
                viewport={"width": picture.width, "height": picture.height},
                color_scheme="dark" if picture.scheme == "dark" else "light",
                device_scale_factor=picture.scale,
                reduced_motion="reduce",
            )
            show(picture, page, address)
            Image.open(io.BytesIO(page.screenshot())).save(ROOT / picture.file, quality=82, method=6)
            page.close()
        window.close()


def show(picture: Picture, page: Page, address: str) -> None:
    """Open what a picture shows."""
    first, *others = picture.path.split()
    page.goto(address + first, wait_until="networkidle")
    if others:
        frames = "".join(f'<iframe src="{address}{path}"></iframe>' for path in (first, *others))
        page.set_content(f"<style>{SIDE_BY_SIDE}</style>{frames}", wait_until="networkidle")
    page.add_style_tag(content=".md-top { display: none; }")
    if picture.click:
        page.click(picture.click)
    if picture.typed:
        page.keyboard.type(picture.typed)
        page.wait_for_selector(".md-search-result__item")
    if picture.at:
        below = "e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 72)"
        page.locator(picture.at).first.evaluate(below)
    page.wait_for_timeout(500)  # what slides in has come to rest


def main() -> int:
    chrome = browser()
    if chrome is None:
        print("screenshots: no browser: install Chromium or Google Chrome", file=sys.stderr)
        return 1
    if not (SITE / "index.html").exists():
        print("screenshots: no site: run python3 scripts/build_site.py first", file=sys.stderr)
        return 1
    chosen = tuple(picture for picture in PICTURES if not sys.argv[1:] or Path(picture.file).stem in sys.argv[1:])
    take(chosen, chrome)
    print(f"{len(chosen)} pictures taken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
