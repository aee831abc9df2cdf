"""Validates pages with html-validate, which needs no network once it is installed."""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts import node

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "html"
PACKAGE = node.Package(
    "html-validate", "html-validate", Path(__file__).parent, ROOT / "presentation" / "requirements.txt"
)

# What the theme itself does, on each page. Browsers agree on what they make of it, and a copy of the theme's
# templates would be wrong with its next version. Each is a rule, where it is broken, and the words.
THEME = [
    # It keeps Firefox from remembering whether the menu was open.
    ("valid-autocomplete", r"#__(drawer|search)", r"autocomplete attribute cannot be used on"),
    # The switches of the menu that only phones show.
    ("attribute-allowed-values", r"#__nav_[\d_]+_label", r'Attribute "tabindex" has invalid value ""'),
    # The relation is registered for <link> only.
    ("attribute-misuse", r"html > body > .*article > a", r'"rel" attribute .* <a> does not allow rel="edit"'),
]


def invalid(pages: Sequence[Path]) -> list[str]:
    """One line for each mistake in the files: the page, the line, what and where."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with CACHE.with_suffix(".lock").open("w") as lock:  # where scripts/guide.py looks for locks
        fcntl.flock(lock, fcntl.LOCK_EX)
        program, package = node.installed(PACKAGE, CACHE)
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"  # into a pipe, it ends before all is written
        command = [
            program,
            package / "bin" / "html-validate.mjs",
            "--preset",
            "standard",
            "--formatter",
            f"json={told}",
        ]
        done = subprocess.run([*command, *pages], cwd=folder, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode in {0, 1}, done.stderr
        found = json.loads(told.read_text(encoding="utf-8"))
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return [
        f"{file['filePath']}:{message['line']}: {message['message']} ({message['ruleId']} at {message['selector']})"
        for file in found
        for message in file["messages"]
        if not any(
            message["ruleId"] == rule
            and re.fullmatch(place, message["selector"] or "")
            and re.match(words, message["message"])
            for rule, place, words in THEME
        )
    ]
