"""Name what is on pictures, with the packaged model: classify.py PICTURE..."""

import sys
from pathlib import Path

import bentoml

from classifier import Classifier


def main() -> None:
    entry = bentoml.models.get("planets:latest")
    classifier = Classifier(Path(entry.path))
    for name in sys.argv[1:]:
        answer = classifier.classify(Path(name).read_bytes())
        label = max(answer, key=answer.get)
        print(f"{Path(name).name}: {label}, {answer[label]:.1%}")


if __name__ == "__main__":
    main()
