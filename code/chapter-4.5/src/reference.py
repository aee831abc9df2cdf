"""Describe the pictures that we know, as the service would: the reference, and the sets to calibrate and to prove with."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZipFile

from classifier import Classifier
from dataset import load_split
from features import describe
from records import save_entries

RAW = Path("data/raw")
PREPARED = Path("data/prepared")
SETS = Path("data/sets")
MONITORING = Path("monitoring")


def held_out() -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the pictures that the training has not seen. Their labels stay sealed."""
    for split in "test", "validation":
        for name in load_split(PREPARED / f"{split}.npz").files:
            yield str(name), (RAW / name).read_bytes()


def pictures_of(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the pictures in a zip file."""
    with ZipFile(archive) as opened:
        for name in sorted(opened.namelist()):
            if name.endswith(".jpg"):
                yield name, opened.read(name)


def describe_all(classifier: Classifier, pictures: Iterable[tuple[str, bytes]]) -> Iterator[dict]:
    """Yield for each picture its name, and what the service would keep of it."""
    for name, content in pictures:
        yield {"picture": name, **describe(classifier.predict(content))}


def main() -> None:
    classifier = Classifier(Path("serving"))
    save_entries(MONITORING / "reference.jsonl", describe_all(classifier, held_out()))
    for archive in sorted(SETS.glob("*.zip")):
        save_entries(MONITORING / "sets" / f"{archive.stem}.jsonl", describe_all(classifier, pictures_of(archive)))


if __name__ == "__main__":
    main()
