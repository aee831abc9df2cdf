"""code/ is what the pages say."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.chapters import Guide
from scripts.chapters.extraction import extract
from scripts.extract import differences

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return extract(Guide.load(ROOT), ROOT)


def test_code_is_up_to_date(made: dict[str, str]) -> None:
    assert differences(made, ROOT / "code") == [], "run python3 scripts/extract.py and commit what it changes"


def test_scripts_are_read_by_bash(made: dict[str, str]) -> None:
    for name, text in made.items():
        if name.endswith("/run.sh"):
            subprocess.run(["bash", "-n"], input=text, text=True, check=True)
