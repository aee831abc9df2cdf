"""docs/ → code/: writes what the chapters contain, or tells whether it is up to date.

python3 scripts/extract.py            write code/
python3 scripts/extract.py --check    exit 1 and show the difference when code/ is stale
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.chapters import Guide, PageError  # noqa: E402  (the path comes first)
from scripts.chapters.extraction import extract  # noqa: E402


def differences(made: dict[str, str], code: Path) -> list[str]:
    """A readable diff from what is in ``code`` to what should be."""
    lines = [f"code/{name}: no page has it" for name in sorted(found(code) - set(made))]
    for name, text in sorted(made.items()):
        path = code / name
        if not path.is_file():
            lines.append(f"code/{name}: missing")
        elif path.read_bytes() != text.encode():
            old = path.read_bytes().decode(errors="replace").split("\n")
            lines += difflib.unified_diff(
                old, text.split("\n"), f"code/{name}", f"code/{name} (from the page)", lineterm=""
            )
    return lines


def write(made: dict[str, str], code: Path) -> list[str]:
    """Bring ``code`` up to date; touches only what changes. Says which files changed."""
    changed = sorted(found(code) - set(made))
    for name in changed:
        (code / name).unlink()
    for folder in sorted((p for p in code.rglob("*") if p.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    for name, text in made.items():
        path = code / name
        if not path.is_file() or path.read_bytes() != text.encode():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            changed.append(name)
    return changed


def found(code: Path) -> set[str]:
    return {path.relative_to(code).as_posix() for path in code.rglob("*") if path.is_file()}


def main(root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    arguments = parser.parse_args()
    try:
        made = extract(Guide.load(root), root)
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.check:
        lines = differences(made, root / "code")
        print("\n".join(lines) or "code/ is up to date")
        if lines:
            print("code/ is stale: run python3 scripts/extract.py and commit what it changes", file=sys.stderr)
        return 1 if lines else 0
    changed = write(made, root / "code")
    print(f"code/: {len(made)} files, {len(changed)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
