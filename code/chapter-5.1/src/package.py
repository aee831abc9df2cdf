"""Put the trained model into the model store of BentoML, with what tells where it comes from."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import bentoml
from bentoml.exceptions import NotFound

from version import MODEL, model_version

METRICS = Path("evaluation/metrics.json")


def ask(*command: str) -> str:
    """Return what a command prints. Ends when it fails: it has said why."""
    asked = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if asked.returncode:
        sys.exit(f"{command[0]} has failed")
    return asked.stdout.strip()


def check() -> None:
    """End when the model is not the one of dvc.lock."""
    if json.loads(ask("dvc", "status", "--json", "export")):
        sys.exit("The model is not the one of dvc.lock. Run dvc repro, or dvc checkout.")


def main() -> None:
    check()
    # The same model has the same name on every machine, and a name never gets another model.
    tag = model_version()
    try:
        bentoml.models.get(tag)
        print(f"{tag} is in the store already")
        return
    except NotFound:
        pass
    metadata = json.loads(METRICS.read_text())["validation"]
    labels = {"commit": ask("git", "rev-parse", "HEAD")}
    with bentoml.models.create(tag, labels=labels, metadata=metadata) as entry:
        for file in sorted(MODEL.iterdir()):
            shutil.copy(file, entry.path_of(file.name))
    print(f"{tag} is in the store now")


if __name__ == "__main__":
    main()
