"""The version of the model: its hash in dvc.lock, which is the same on each machine."""

from pathlib import Path

import yaml

MODEL = Path("serving")


def model_version() -> str:
    """Return the version of the model that belongs to this commit, such as planets:0123456789ab."""
    outs = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["export"]["outs"]
    digest = next(out["md5"] for out in outs if out["path"] == MODEL.as_posix())
    return f"planets:{digest[:12]}"
