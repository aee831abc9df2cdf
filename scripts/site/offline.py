"""The guide without a network: the whole site as a zip that opens from a disk.

The theme's plugin "offline" makes pages and search work from file://. What it would load from another host, a
stand-in for web workers, comes from ``worker/`` here.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.deck.building import NAME

ZIP, PDF = f"{NAME}.zip", f"{NAME}.pdf"
WORKER = Path(__file__).parent / "worker" / "iframe-worker.min.js"
SCRIPT = "assets/javascripts/iframe-worker.js"

ELSEWHERE = "downloads/checkpoints/"
"""What is too large to take along: links to it lead to the site."""
LEFT_OUT = re.compile(rf"{ELSEWHERE}.*|(404\.html|sitemap\.xml(\.gz)?|search/search_index\.json)$")
DATE = (2026, 1, 1, 0, 0, 0)
"""Of every file in the zip: the same content is the same zip."""


def adapt(config: Any) -> None:
    """Change the settings of MkDocs, once they are read, to those of a site that needs no server."""
    config.plugins["material/offline"].config.enabled = True
    config.extra["polyfills"] = [SCRIPT]
    config.theme["features"] = [name for name in config.theme["features"] if not name.startswith("navigation.instant")]


def add_worker(site: Path) -> None:
    target = site / SCRIPT
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(WORKER, target)


def pack(site: Path, target: Path, address: str) -> None:
    """Zip a built site. ``address`` is where the site is in the network, with a slash at its end."""
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, content in files_of(site, address):
            entry = zipfile.ZipInfo(f"{NAME}/{path}", DATE)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
            archive.writestr(entry, content)
    part.replace(target)


def files_of(site: Path, address: str) -> Iterator[tuple[str, bytes]]:
    """What goes into the zip, in order."""
    for file in sorted(path for path in site.rglob("*") if path.is_file()):
        path = file.relative_to(site).as_posix()
        if not LEFT_OUT.match(path):
            content = file.read_bytes()
            if file.suffix == ".html":
                content = re.sub(rf'href="[./]*{ELSEWHERE}'.encode(), f'href="{address}{ELSEWHERE}'.encode(), content)
            yield path, content


def clear(downloads: Path) -> None:
    """Nothing is offered that was made from other pages than those of the site."""
    for name in (ZIP, PDF):
        (downloads / name).unlink(missing_ok=True)
