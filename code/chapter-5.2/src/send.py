"""Ask a running service about pictures of an archive, as users would: python3 src/send.py ZIP"""

import argparse
import random
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import httpx


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--host", default="http://127.0.0.1:3000")
    parser.add_argument("--number", type=int, default=100)
    parser.add_argument("--only", default="*.jpg", help="a pattern for the names, such as '*/moon/*'")
    parser.add_argument("--seed", type=int, default=77)
    arguments = parser.parse_args()

    right = 0
    with ZipFile(arguments.archive) as archive, httpx.Client(base_url=arguments.host, timeout=30) as client:
        names = [name for name in sorted(archive.namelist()) if fnmatch(name, arguments.only)]
        for name in random.Random(arguments.seed).sample(names, arguments.number):
            answer = client.post("/predict", files={"image": (name, archive.read(name), "image/jpeg")})
            right += answer.raise_for_status().json()["label"] == PurePosixPath(name).parent.name
    print(f"{arguments.number} pictures sent, {right} named as the folder says")


if __name__ == "__main__":
    main()
