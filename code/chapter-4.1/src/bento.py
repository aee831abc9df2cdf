"""Put the service, its model and the lock of its packages into one file: bento.py FILE"""

import sys
from pathlib import Path

import bentoml

PARTS = [
    *("classifier.py", "door.py", "features.py", "journal.py", "preprocessing.py", "service.py"),
    *("page/index.html", "serving.txt"),
]


def main(file: str) -> None:
    bento = bentoml.bentos.build("service:Planets", build_ctx="src", include=PARTS)
    bentoml.bentos.export_bento(bento.tag, str(Path(file).resolve()))
    bentoml.bentos.delete(bento.tag)  # the file is all that we want


if __name__ == "__main__":
    main(sys.argv[1])
