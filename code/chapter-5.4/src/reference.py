"""Describe the pictures that we know, as the service would: the reference, and the sets to calibrate and to prove with."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from archives import SETS, number_of, pictures_of
from classifier import Classifier
from dataset import load_split
from features import describe
from params import load_params
from pool import hidden_name, pictures
from records import save_entries

RAW = Path("data/raw")
PREPARED = Path("data/prepared")
MONITORING = Path("monitoring")
FIRST = "first"  # the camera of all pictures of which nothing else is known

Picture = tuple[str, bytes, str]  # name, content, camera


def held_out(cameras: list[str]) -> Iterator[Picture]:
    """Yield the pictures that the training has not seen. Their labels stay sealed."""
    taken_by = {hidden_name(content): camera for camera in cameras for _, content in pictures(camera)}
    for split in "test", "validation":
        for name in load_split(PREPARED / f"{split}.npz").files:
            yield str(name), (RAW / name).read_bytes(), taken_by.get(Path(name).name, FIRST)


def sealed_half(archive: str) -> Iterator[tuple[str, bytes]]:
    """Yield half of the sealed pictures of an archive, those with low numbers. The others prove that it works."""
    sealed = list(pictures(archive, sealed=True))
    middle = median(number_of(name) for name, _ in sealed)
    return ((name, content) for name, content in sealed if number_of(name) < middle)


def known_pictures() -> Iterator[Picture]:
    """Yield the pictures of the reference."""
    cameras = load_params("monitor")["cameras"]
    yield from held_out(cameras)
    for archive in load_params("labelling"):
        for name, content in sealed_half(archive):
            yield name, content, archive if archive in cameras else FIRST


def describe_all(classifier: Classifier, pictures: Iterable[Picture]) -> Iterator[dict]:
    """Yield for each picture its name, its camera, and what the service would keep of it."""
    for name, content, camera in pictures:
        yield {"picture": name, "camera": camera, **describe(classifier.predict(content))}


def main() -> None:
    classifier = Classifier(Path("serving"))
    save_entries(MONITORING / "reference.jsonl", describe_all(classifier, known_pictures()))
    cameras = load_params("monitor")["cameras"]
    for archive in sorted(SETS.glob("*.zip")):
        camera = archive.stem if archive.stem in cameras else FIRST
        found = ((name, content, camera) for name, content in pictures_of(archive))
        save_entries(MONITORING / "sets" / f"{archive.stem}.jsonl", describe_all(classifier, found))


if __name__ == "__main__":
    main()
