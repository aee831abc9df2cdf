"""Social cards: the picture that others show beside a link to a page. Title, part, and a planet on the night sky.

Drawn with the fonts and planets of the site, once for each content, and kept below ``.cache``.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from .downloads import ROOT, place

FOLDER = "assets/cards"
"""Of the site: overrides/partials/card.html names it."""
SIZE = WIDTH, HEIGHT = 1200, 630
SIDE, GAP = 80, 30
SKY, SKY_LIGHT = (6, 9, 22), (24, 32, 74)
WHITE, AMBER, SOFT = "#ffffff", "#ffd9a8", "#b3b9d1"
FONT = ROOT / "docs/assets/fonts/inter-latin-wght-normal.woff2"
IMAGES = ROOT / "docs/assets/images"
# As on the landing page: part 1 begins with the Moon.
PLANETS = {"part-1": "moon", "part-2": "earth", "part-3": "mars", "part-4": "saturn", "part-5": "neptune"}


def adapt(config: Any) -> None:
    """Tell MkDocs, once its settings are read, that pages get cards."""
    config.extra["cards"] = True


def publish(titles: Mapping[str, str], site: Path, root: Path = ROOT) -> None:
    """Put the cards of all pages, given as paths below docs/ with their titles, into a site."""
    kept = root / ".cache" / "cards"
    kept.mkdir(parents=True, exist_ok=True)
    current = set[str]()
    for page, title in titles.items():
        card = kept / f"{key(page, title)}.jpg"
        current.add(card.name)
        if not card.is_file():
            part = card.with_suffix(".part")
            draw(page, title).save(part, "JPEG", quality=88, optimize=True)
            part.replace(card)
        target = site / FOLDER / page.replace(".md", ".jpg")
        target.parent.mkdir(parents=True, exist_ok=True)
        place(card, target)
    for old in [path for path in kept.iterdir() if path.name not in current]:
        old.unlink()


def key(page: str, title: str) -> str:
    digest = hashlib.sha256(f"{page}\0{title}".encode())
    for source in (Path(__file__), FONT, IMAGES / f"{planet_of(page)}.webp"):
        digest.update(fingerprint(source))
    return digest.hexdigest()[:16]


@cache
def fingerprint(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


def planet_of(page: str) -> str:
    return PLANETS.get(page.split("/")[0], "saturn")


# ---------------------------------------------------------------- drawing


def draw(page: str, title: str) -> Image.Image:
    """The card of one page."""
    card = sky().copy()
    body, corner = planet(planet_of(page))
    card.paste(body, corner, body)
    above, text = split(title)
    pen = ImageDraw.Draw(card)
    size, lines = fitted(text, corner[0] - SIDE - GAP)
    top = (HEIGHT - round(len(lines) * size * 1.12)) // 2
    if above:
        pen.text((SIDE, top - 62), above, AMBER, font(34, 650))
    for number, line in enumerate(lines):
        pen.text((SIDE, top + round(number * size * 1.12)), line, WHITE, font(size, 800))
    pen.text((SIDE, HEIGHT - 96), "A guide to MLOps", SOFT, font(30, 600))
    return card


def split(title: str) -> tuple[str, str]:
    """What stands above a title, and the title: "Chapter 1.2 - Adapt …" is two things."""
    match = re.fullmatch(r"((?:Chapter|Part) [\d.]+) - (.+)", title)
    return (match[1], match[2]) if match else ("", title)


def fitted(text: str, width: int) -> tuple[int, list[str]]:
    """The largest size, with its lines, at which a text has its place beside the planet."""
    for size in range(84, 36, -4):
        lines = wrapped(text, font(size, 800), width)
        if len(lines) * size <= 300:
            break
    return size, lines


def wrapped(text: str, with_font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and with_font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@cache
def font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    found = ImageFont.truetype(FONT, size)
    found.set_variation_by_axes([weight])
    return found


@cache
def sky() -> Image.Image:
    """Night, a little lighter where the planet is, with stars that are always the same."""
    light = Image.radial_gradient("L").resize((2 * WIDTH, 2 * HEIGHT)).crop((0, 0, WIDTH, HEIGHT))
    card = Image.composite(Image.new("RGB", SIZE, SKY), Image.new("RGB", SIZE, SKY_LIGHT), light)
    pen, chance = ImageDraw.Draw(card), random.Random(5)
    for _ in range(70):
        x, y, grey = chance.randrange(WIDTH), chance.randrange(HEIGHT), chance.randrange(90, 220)
        radius = chance.choice((0, 0, 0, 1))
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(grey, grey, grey))
    return card


@cache
def planet(name: str) -> tuple[Image.Image, tuple[int, int]]:
    """A planet, and where its corner is: large, and cut by the edge of the card. Saturn needs room for its rings."""
    width, shown = (860, 0.58) if name == "saturn" else (460, 0.82)
    body = Image.open(IMAGES / f"{name}.webp").convert("RGBA").resize((width, width), Image.Resampling.LANCZOS)
    return body, (WIDTH - round(width * shown), (HEIGHT - width) // 2 + 40)
