"""Put the pictures that wait for a label where Label Studio finds them, under names that reveal nothing."""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from params import load_params
from reference import SETS, pictures_of

POOL = Path("../label-studio/pictures/pool")


def pictures(archive: str, sealed: bool = False) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the pictures of an archive that are for the pool, or of those that stay sealed."""
    limit = load_params("labelling")[archive]
    for name, content in pictures_of(SETS / f"{archive}.zip"):
        number = int(PurePosixPath(name).stem.split("_")[1])
        if (number >= limit) == sealed:
            yield name, content


def hidden_name(content: bytes) -> str:
    """Return a name that depends on nothing but the picture: 12 digits of its hash."""
    return f"{hashlib.sha256(content).hexdigest()[:12]}.jpg"


def main() -> None:
    POOL.mkdir(parents=True, exist_ok=True)
    for archive in load_params("labelling"):
        for _, content in pictures(archive):
            (POOL / hidden_name(content)).write_bytes(content)
    sealed = sum(1 for archive in load_params("labelling") for _ in pictures(archive, sealed=True))
    print(f"{len(list(POOL.iterdir()))} pictures wait for a label, {sealed} stay sealed")


if __name__ == "__main__":
    main()
