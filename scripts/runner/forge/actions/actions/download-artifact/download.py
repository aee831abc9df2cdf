"""Take artifacts of a run: one by its name into the folder, several each into a folder of its own."""

import os
import shutil
import sys
from fnmatch import fnmatch
from pathlib import Path

kept = Path(os.environ["FORGE_RUNS"]) / os.environ["RUN"] / "artifacts"
name, target = os.environ["NAME"], Path(os.environ["TARGET"]).absolute()
found = sorted(p for p in kept.glob("*") if (p.name == name if name else fnmatch(p.name, os.environ["PATTERN"] or "*")))
if name and not found:
    sys.exit(f"::error::Unable to download artifact(s): Artifact not found for name: {name}")
for artifact in found:
    alone = bool(name) or os.environ["MERGE"] == "true"
    shutil.copytree(artifact, target if alone else target / artifact.name, dirs_exist_ok=True)
    print(f"Artifact {artifact.name} is in {os.environ['TARGET']}.")
with Path(os.environ["GITHUB_OUTPUT"]).open("a") as outputs:
    outputs.write(f"download-path={target}\n")
