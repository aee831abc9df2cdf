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
    found = {p.relative_to(code).as_posix(): p for p in code.rglob("*") if p.is_file()}
    lines = list[str]()
    for name in sorted({*made, *found}):
        old = found[name].read_text(encoding="utf-8").splitlines() if name in found else []
        new = made.get(name, "").splitlines()
        lines += difflib.unified_diff(old, new, f"code/{name}", f"code/{name} (from the page)", lineterm="")
        if not old and not new and (name in made) != (name in found):
            lines.append(f"code/{name}: {'missing' if name in made else 'no page has it'}")
    return lines


def write(made: dict[str, str], code: Path) -> list[str]:
    """Bring ``code`` up to date; touches only what changes. Says which files changed."""
    changed = list[str]()
    for path in sorted((p for p in code.rglob("*")), reverse=True):
        name = path.relative_to(code).as_posix()
        if path.is_file() and name not in made:
            path.unlink()
            changed.append(name)
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for name, text in made.items():
        path = code / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    return changed


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
