"""What each set of pictures contains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dataset import cameras
from dataset.cameras import Camera
from dataset.errors import DatasetError

CLASSES = (
    "earth",
    "ganymede",
    "jupiter",
    "mars",
    "mercury",
    "moon",
    "neptune",
    "saturn",
    "titan",
    "uranus",
    "venus",
)
"""What the guide's model tells apart."""


@dataclass(frozen=True)
class PictureSet:
    """One archive: ``<name>.zip`` holds ``<folder>/<class>/<class>_<index>.jpg``."""

    name: str
    folder: str
    classes: tuple[str, ...]
    count: int
    """Pictures of each class."""
    camera: Camera

    def __len__(self) -> int:
        """The number of pictures."""
        return self.count * len(self.classes)

    def path(self, class_name: str, index: int) -> str:
        """Where a picture is in the archive."""
        return f"{self.folder}/{class_name}/{class_name}_{index:04d}.jpg"

    def paths(self) -> Iterator[str]:
        """All pictures, sorted."""
        return (self.path(name, index) for name in self.classes for index in range(self.count))


SETS = {
    s.name: s
    for s in (
        PictureSet("planets", "raw", CLASSES, 150, cameras.OBSERVATORY),
        PictureSet("control", "control", CLASSES, 60, cameras.OBSERVATORY),
        PictureSet("city", "city", CLASSES, 60, cameras.CITY),
        PictureSet("probe", "probe", CLASSES, 60, cameras.PROBE),
        PictureSet("mild", "mild", CLASSES, 60, cameras.MILD),
        PictureSet("new-bodies", "new-bodies", ("ceres", "europa", "io", "pluto", "rhea"), 60, cameras.OBSERVATORY),
    )
}


def chosen(names: Sequence[str] | None) -> list[PictureSet]:
    """The sets with these names, each once; all of them for ``None``."""
    if names is None:
        return list(SETS.values())
    for name in names:
        if name not in SETS:
            raise DatasetError(f"there is no set {name!r}; the sets are {', '.join(SETS)}")
    return [SETS[name] for name in dict.fromkeys(names)]
