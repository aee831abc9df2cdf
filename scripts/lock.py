"""Locks the packages of this repository and of its readers, with versions and hashes.

python3 scripts/lock.py             keeps what is locked, and adds or removes what pyproject.toml says
python3 scripts/lock.py --upgrade   takes the newest of everything
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "requirements.txt": ("pyproject.toml",),
    "requirements-reader.txt": ("--group", "reader"),
    "requirements-label-studio.txt": ("--group", "label-studio"),
    "presentation/requirements.txt": ("--group", "node"),
}
"""Each lock, and what of pyproject.toml it locks."""
# For all systems and Pythons at once; without a header, which would name the package index of a machine.
OPTIONS = ("--universal", "--python-version", "3.11", "--no-header", "--generate-hashes", "--quiet")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    for lock, what in LOCKS.items():
        command = [sys.executable, "-m", "uv", "pip", "compile", *what, *OPTIONS, *upgrade, "--output-file", lock]
        if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode:
            print(f"lock: {lock} is as it was: what uv says stands above", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
