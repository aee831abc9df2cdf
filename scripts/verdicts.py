"""Puts together what several machines have verified, and says it in a badge.

python3 scripts/verdicts.py merge FILE ...   what is new in these goes into results/verified.json
python3 scripts/verdicts.py badge FOLDER     writes verified.svg and verified.json there
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import results  # noqa: E402  (the path comes first)

LABEL = "commands verified"
GOOD, BAD, NONE = "#2e7d32", "#b71c1c", "#616161"
WIDTH = 6.4
"""Of a letter, in pixels: the text is fitted to what that makes."""
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{all}" height="20" role="img" aria-label="{label}: {message}">
<title>{label}: {message}</title>
<rect width="{all}" height="20" rx="3" fill="{colour}"/>
<path d="M3 0h{left}v20h-{left}a3 3 0 0 1-3-3v-14a3 3 0 0 1 3-3z" fill="#424242"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="7" y="14" textLength="{of_label}" lengthAdjust="spacingAndGlyphs">{label}</text>
<text x="{begin}" y="14" textLength="{of_message}" lengthAdjust="spacingAndGlyphs">{message}</text>
</g>
</svg>
"""


def merge(before: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``before`` with what ``others``, which began from it, have recorded since: whole runs of chapters."""
    known: dict[str, Any] = json.loads(json.dumps(before))
    chapters = known.setdefault("chapters", {})
    for other in others:
        for number, chapter in other.get("chapters", {}).items():
            old = before.get("chapters", {}).get(number, {})
            new = chapters.setdefault(number, {"variants": {}})
            new |= {name: value for name, value in chapter.items() if name != "variants" and value != old.get(name)}
            for variant, run in chapter["variants"].items():
                if run != old.get("variants", {}).get(variant):
                    new["variants"][variant] = run
    return known


def told(data: Mapping[str, Any]) -> tuple[str, str]:
    """A message and a colour. The date is that of the chapter that was verified least lately."""
    runs = [list(chapter["variants"].values()) for chapter in data.get("chapters", {}).values()]
    if not runs:
        return "not yet", NONE
    failed = sum(
        block["outcome"] in {"failed", "blocked"}
        for chapter in runs
        for run in chapter
        for block in run["blocks"].values()
    )
    if failed:
        return f"{failed} failed", BAD
    return min(max(str(run["date"]) for run in chapter) for chapter in runs), GOOD


def badge(message: str, colour: str) -> str:
    of_label, of_message = round(len(LABEL) * WIDTH), round(len(message) * WIDTH)
    left = of_label + 14
    return SVG.format(
        label=escape(LABEL), message=escape(message), colour=colour, all=left + of_message + 14, left=left - 3,
        of_label=of_label, of_message=of_message, begin=left + 7,
    )  # fmt: skip


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    match arguments:
        case ["merge", first, *more]:
            others = [json.loads(Path(name).read_text(encoding="utf-8")) for name in (first, *more)]
            results.save(root, merge(results.load(root), others))
        case ["badge", folder]:
            message, colour = told(results.load(root))
            place = Path(folder)
            place.mkdir(parents=True, exist_ok=True)
            (place / "verified.svg").write_text(badge(message, colour), encoding="utf-8")
            about = {"schemaVersion": 1, "label": LABEL, "message": message, "color": colour}
            (place / "verified.json").write_text(json.dumps(about) + "\n", encoding="utf-8")
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
