"""The one place that reads params.yaml."""

from pathlib import Path

import yaml


def load_params(section: str) -> dict:
    """Return one section of params.yaml, such as "train"."""
    return yaml.safe_load(Path("params.yaml").read_text())[section]
