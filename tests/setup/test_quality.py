"""Style, format and types of all code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.setup.checkout import ROOT


@pytest.mark.parametrize("tool", [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)], ids=" ".join)
def test_code_is_clean(tool: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(tool)}:\n{done.stdout}{done.stderr}"
