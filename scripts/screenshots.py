"""Takes the pictures of the site that README and the guide show, from the built site.

python3 scripts/screenshots.py          after python3 scripts/build_site.py
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
from playwright.sync_api import sync_playwright  # noqa: E402

from scripts.runner.capabilities import browser  # noqa: E402

IMAGES = ROOT / "docs" / "assets" / "images"
SITE = ROOT / "site"


@dataclass(frozen=True)
class Picture:
    """A page as it looks in a window of ``width`` by ``height`` pixels."""

    name: str
    path: str
    width: int = 1280
    height: int = 800
    scheme: str = "light"


PICTURES = (Picture("readme-site.webp", "/"),)


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


def take(pictures: tuple[Picture, ...], folder: Path, chrome: str) -> None:
    """Write each picture as WebP into ``folder``."""
    with served(SITE) as address, sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox", "--disable-gpu"])
        for picture in pictures:
            page = window.new_page(
                viewport={"width": picture.width, "height": picture.height},
                color_scheme="dark" if picture.scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            page.goto(address + picture.path, wait_until="networkidle")
            Image.open(io.BytesIO(page.screenshot())).save(folder / picture.name, quality=82, method=6)
            page.close()
        window.close()


def main() -> int:
    chrome = browser()
    if chrome is None:
        print("screenshots: no browser: install Chromium or Google Chrome", file=sys.stderr)
        return 1
    if not (SITE / "index.html").exists():
        print("screenshots: no site: run python3 scripts/build_site.py first", file=sys.stderr)
        return 1
    take(PICTURES, IMAGES, chrome)
    print(f"{len(PICTURES)} pictures in {IMAGES.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
