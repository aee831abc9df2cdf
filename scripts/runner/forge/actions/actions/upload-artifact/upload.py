"""Keep files as an artifact of the run, laid out as GitHub does: below the last folder that all paths share."""

import glob
import os
import shutil
import sys
from pathlib import Path

name, runs = os.environ["NAME"], Path(os.environ["FORGE_RUNS"])
paths = [line.strip() for line in os.environ["FILES"].splitlines() if line.strip()]


def found(path: str) -> set[Path]:
    """Files that a line of ``path`` stands for; in a folder, all of them."""
    hidden = os.environ["HIDDEN"] == "true"
    named = glob.glob(path, recursive=True, include_hidden=hidden)  # noqa: PTH207  (paths may be absolute)
    places = [Path(one).absolute() for one in named]
    files = {file for place in places for file in ([place] if place.is_file() else place.rglob("*")) if file.is_file()}
    here = Path.cwd()
    return {
        file
        for file in files
        if hidden or not any(part.startswith(".") for part in Path(os.path.relpath(file, here)).parts if part != "..")
    }


wanted, left_out = [p for p in paths if p[0] != "!"], [p[1:].strip() for p in paths if p[0] == "!"]
files = {file for path in wanted for file in found(path)} - {file for path in left_out for file in found(path)}
target = runs / os.environ["GITHUB_RUN_ID"] / "artifacts" / name

if not files:
    told = f"No files were found with the provided path: {', '.join(wanted)}. No artifacts will be uploaded."
    if os.environ["NONE"] == "error":
        sys.exit(f"::error::{told}")
    if os.environ["NONE"] != "ignore":
        print(f"::warning::{told}")
    sys.exit()
if target.exists():
    if os.environ["OVERWRITE"] != "true":
        sys.exit(f"::error::an artifact with the name {name} already exists on the workflow run")
    shutil.rmtree(target)

# A folder, or a pattern up to its first sign, is left away; with several lines, what they share is.
roots = [
    str(Path(p.split("*")[0].rpartition("/")[0] or ".") if "*" in p else p if Path(p).is_dir() else Path(p).parent)
    for p in wanted
]
root = Path(os.path.commonpath([os.path.abspath(one) for one in roots]))  # noqa: PTH100  (links stay)
for file in files:
    place = target / file.relative_to(root)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, place)
number = sum(1 for _ in runs.glob("*/artifacts/*"))
with Path(os.environ["GITHUB_OUTPUT"]).open("a") as outputs:
    outputs.write(f"artifact-id={number}\n")
print(f"Artifact {name} has {len(files)} file{'s' * (len(files) != 1)}.")
