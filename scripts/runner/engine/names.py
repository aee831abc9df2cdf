"""The names of a reader's images. Layers are a cache and stay; names are what earlier chapters have left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .caller import Caller


def place(root: Path) -> Path:
    """Where names are kept: a part of the run directory that checkpoints hold."""
    return root / "remotes/images.json"


OF_PODMAN = "localhost/podman-pause:"
"""Made by Podman for pods, when it needs one."""


def names_of(image: Mapping[str, Any]) -> set[str]:
    """The names that somebody gave to an image."""
    return {name for name in image.get("Names") or () if not name.startswith(OF_PODMAN)}


def save(place: Path, images: Sequence[Mapping[str, Any]]) -> None:
    """Note which image each name means. One with a digest cannot be given: it is pulled again."""
    known = {name: image["Id"] for image in images for name in names_of(image) if "@" not in name}
    place.write_text(json.dumps(known, indent=1, sort_keys=True))


def load(place: Path) -> dict[str, str]:
    return dict(json.loads(place.read_text())) if place.exists() else {}


def restore(podman: Caller, wanted: Mapping[str, str]) -> list[str]:
    """Give images the names that are wanted, and no others. Returns the names whose image is no longer there."""
    images = json.loads(podman.says("images", "--all", "--format", "json") or "null") or []
    there = {image["Id"] for image in images}
    for image in images:
        names = names_of(image)
        if names - {name for name, of in wanted.items() if of == image["Id"]}:
            podman("untag", image["Id"])
            names = set()
        if missing := [name for name, of in wanted.items() if of == image["Id"] and name not in names]:
            podman("tag", image["Id"], *missing)
    return [name for name, image in wanted.items() if image not in there]
