"""Makes the deck's files with Marp, once for each content: as a page, PDF, PowerPoint, pictures, notes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from scripts.runner.capabilities import browser

from .errors import DeckError
from .tools import marp, run
from .writing import written

ROOT = Path(__file__).parents[2]
NAME = "a-guide-to-mlops"
FOLDERS = ("fonts", "images")
"""What the page loads beside itself."""
CONTROLS = '<div class="bespoke-marp-osc"'
LATER = """addEventListener("load", () => {
  for (const image of document.querySelectorAll("img[loading=lazy]")) image.loading = "eager"
})"""
BACKGROUND = re.compile(r"background-image:url\(&quot;(images/[^&]+)&quot;\)")
FONTS = ("inter-latin-wght-normal", "inter-latin-wght-italic", "jetbrains-mono-latin-wght-normal")


@dataclass(frozen=True)
class Format:
    """A form of the deck: what Marp is told, and the file (of pictures: the first) that it writes."""

    file: str
    options: tuple[str, ...]
    browser: bool = True


FORMATS: Mapping[str, Format] = {
    "html": Format("index.html", (), browser=False),
    "pdf": Format(f"{NAME}.pdf", ("--pdf", "--pdf-outlines")),
    "pptx": Format(f"{NAME}.pptx", ("--pptx",)),
    "png": Format(f"{NAME}.001.png", ("--images", "png")),
    "notes": Format(f"{NAME}.txt", ("--notes",), browser=False),
}


def make(names: tuple[str, ...], out: Path, root: Path = ROOT) -> list[Path]:
    """Write the deck in these formats into ``out``, and say which files. Raises DeckError."""
    with made(names, root) as folder:
        files = [file for name in names for file in written_files(folder, FORMATS[name])]
        if "html" in names:
            files += [file for name in FOLDERS for file in sorted((folder / name).iterdir())]
        try:
            return [place(file, out / file.relative_to(folder)) for file in files]
        except OSError as error:
            raise DeckError(f"{error.filename or out}: {error.strerror}: the deck is not written") from error


def publish(out: Path, root: Path = ROOT) -> bool:
    """Put the page and, where there is a browser, the PDF into a folder of the site. Whether there is a PDF."""
    names = ("html", "pdf") if browser() else ("html",)
    files = set(make(names, out, root))
    for old in [path for path in out.rglob("*") if path.is_file() and path not in files]:
        old.unlink()
    return "pdf" in names


# ---------------------------------------------------------------- making


@contextmanager
def made(names: tuple[str, ...], root: Path) -> Iterator[Path]:
    """The folder of the cache where the deck is, in these formats at least. Nobody else works there meanwhile."""
    cache = root / ".cache" / "deck"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache.parent / "deck.lock").open("w") as lock:  # beside it, where scripts/guide.py looks for locks
            fcntl.flock(lock, fcntl.LOCK_EX)
            sources = read_sources(root)
            folder = cache / f"slides-{key(sources, root)}"
            for old in cache.glob("slides-*"):
                if old != folder:
                    shutil.rmtree(old)
            for name, content in sources.items():
                target = folder / name
                if not target.is_file():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
            for name in names:
                if not written_files(folder, FORMATS[name]):
                    convert(FORMATS[name], folder, root, cache)
            yield folder
    except OSError as error:
        raise DeckError(f"{error.filename or cache}: {error.strerror}: the deck is not made") from error


def read_sources(root: Path) -> dict[str, bytes]:
    """All that Marp reads, by name. The big picture brings the rules that the pages of the site have for it."""
    presentation, assets = root / "presentation", root / "docs/assets"
    style = (presentation / "theme.css").read_bytes() + (assets / "stylesheets/big-picture.css").read_bytes()
    sources = {
        "deck.md": written(root).encode(),
        "theme.css": style,
        "marp.config.mjs": (presentation / "marp.config.mjs").read_bytes(),
    }
    for image in sorted((presentation / "images").glob("*.webp")):
        sources[f"images/{image.name}"] = image.read_bytes()
    sources["favicon.svg"] = (assets / "images/favicon.svg").read_bytes()
    for font in FONTS:
        sources[f"fonts/{font}.woff2"] = (assets / "fonts" / f"{font}.woff2").read_bytes()
    return sources


def key(sources: Mapping[str, bytes], root: Path) -> str:
    digest = hashlib.sha256((root / "presentation/package-lock.json").read_bytes() + Path(__file__).read_bytes())
    for name, content in sorted(sources.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def convert(form: Format, folder: Path, root: Path, cache: Path) -> None:
    """Run Marp. What it writes appears under its name only when it is whole."""
    environment = dict[str, str]()
    options = ["--no-stdin", "--config-file", "marp.config.mjs", *form.options]
    if form.browser:
        chrome = browser()
        if chrome is None:
            raise DeckError(f"no browser: {form.file} needs one: install Chromium or Google Chrome")
        options += ["--browser", "chrome", "--browser-path", chrome]
        if os.geteuid() == 0:  # Chrome refuses its sandbox to root
            environment["CHROME_NO_SANDBOX"] = "1"
    command = marp(root / "presentation", cache)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as fresh:
        output = Path(fresh) / form.file.replace(".001", "")
        words = [*command, *options, "--output", str(output), "deck.md"]
        run(f"make {form.file} with Marp", words, folder, log=cache / "marp.log", environment=environment)
        if output.suffix == ".html":
            page = quick(output.read_text(encoding="utf-8"), (folder / "favicon.svg").read_text(encoding="utf-8"))
            output.write_text(page, encoding="utf-8")
        for file in sorted(Path(fresh).iterdir(), reverse=True):  # the first of many comes last
            file.replace(folder / file.name)


def quick(page: str, icon: str) -> str:
    """The page with its icon inside, a name for its controls, and its first picture before all others: they come when
    the page is there, for the network of a lecture hall may not be there later."""
    links = f'<link rel="icon" href="data:image/svg+xml,{quote(icon)}">'
    if first := BACKGROUND.search(page):
        links += f'<link rel="preload" as="image" href="{first[1]}" fetchpriority="high">'
    page = page.replace("<head>", f"<head>{links}", 1).replace("<img src=", '<img loading="lazy" src=')
    page = page.replace("</body>", f"<script>{LATER}</script></body>")
    return page.replace(CONTROLS, f'{CONTROLS} role="navigation" aria-label="Slides"', 1)


def written_files(folder: Path, form: Format) -> list[Path]:
    """What there is of a format: for pictures, all of them."""
    if not (folder / form.file).exists():
        return []
    return sorted(folder.glob(form.file.replace(".001", ".*")))


def place(file: Path, target: Path) -> Path:
    """Copy a file, unless it is there already: a server that watches the folder need not build again."""
    content = file.read_bytes()
    if not target.is_file() or target.read_bytes() != content:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return target
