"""Building the site and showing it while one works on it. Only this module and ``hooks`` know MkDocs."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

# The theme announces its end of life at every start; the guide knows (its logic needs no MkDocs).
os.environ["NO_MKDOCS_2_WARNING"] = "1"

from click import ClickException
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.commands.serve import serve as mkdocs_serve
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import MkDocsException

from scripts.chapters import PageError
from scripts.deck import building as deck
from scripts.deck.errors import DeckError

from . import cards, checkpoints, offline
from .downloads import ROOT, DownloadError, publish

CONFIG = ROOT / "mkdocs.yml"
DOWNLOADS = ROOT / "docs" / "downloads"


class SiteError(Exception):
    """The site cannot be built or served. One line for people."""


def build(out: Path, downloads: Path = DOWNLOADS, *, take_along: bool = False) -> None:
    """Build the site into ``out``, with the whole guide as a zip and a PDF if it is to ``take_along``.

    Raises SiteError; MkDocs has then logged what is wrong, page by page.
    """
    prepare(downloads)
    if take_along:
        offer_guide(downloads)
    render(out)


def offer_guide(downloads: Path) -> None:
    """Put the zip and, where there is a browser, the PDF below docs/: the site that is built then has links to them."""
    from . import pdf  # what it imports is no use while serving

    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        config = render(site, offline.adapt)
        offline.add_worker(site)
        try:
            offline.pack(site, downloads / offline.ZIP, str(config.site_url))
            if not pdf.publish(site, config, downloads / offline.PDF):
                print("no browser, so the guide is not there as a PDF: install Chromium or Google Chrome to have it")
        except (OSError, pdf.PdfError) as error:
            raise SiteError(f"the guide to take along is not made: {error}") from error


def render(out: Path, adapt: Callable[[MkDocsConfig], None] = cards.adapt) -> MkDocsConfig:
    """Let MkDocs build the pages into ``out``, with settings that ``adapt`` has changed."""
    try:
        config = load_config(str(CONFIG), site_dir=str(out))
        adapt(config)
        config.plugins.on_startup(command="build", dirty=False)
        try:
            mkdocs_build(config)
        finally:
            config.plugins.on_shutdown()
    except Exception as error:
        raise SiteError(f"the site is not built: {reason(error)}") from error
    return config


def serve(port: int) -> None:
    """Serve the site on this machine and build it again when a page changes, until Ctrl-C."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise SiteError(f"port {port} is in use or not allowed: choose another one with --port") from error
    prepare(DOWNLOADS)
    # Only what changed is built again. MkDocs warns that other pages may be old then; ``hooks`` sees to that.
    logging.getLogger("mkdocs.commands.build").addFilter(lambda record: "'dirty' build" not in record.getMessage())
    try:
        # A warning is no reason to show nothing while one writes.
        mkdocs_serve(str(CONFIG), build_type="dirty", dev_addr=f"127.0.0.1:{port}", strict=False)
    except Exception as error:
        raise SiteError(f"the site is not served: {reason(error)}") from error


def offer_checkpoints() -> list[str]:
    """Pack the state at the end of each chapter for download. Returns the chapters that have none here."""
    try:
        return checkpoints.publish(DOWNLOADS, ROOT)
    except (PageError, OSError) as error:
        raise SiteError(f"the checkpoints are not packed: {error}") from error


def prepare(downloads: Path) -> None:
    """Downloads and slides go below docs/, so that MkDocs publishes them and checks the links to them."""
    try:
        publish(downloads)
        offline.clear(downloads)
        if not deck.publish(ROOT / "docs" / "presentation"):
            print("no browser, so the slides are not there as a PDF: install Chromium or Google Chrome to have it")
    except (DownloadError, DeckError) as error:
        raise SiteError(str(error)) from error


def reason(error: Exception) -> str:
    """The first line of what went wrong."""
    text = error.format_message() if isinstance(error, ClickException) else str(error)
    kind = "" if isinstance(error, (ClickException, MkDocsException)) else f"{type(error).__name__}: "
    return kind + (text.strip().splitlines() or ["see above"])[0]
