"""Makes the slides that present the guide, from presentation/.

python3 scripts/slides.py                       the page: index.html, with its pictures and fonts
python3 scripts/slides.py --pdf --pptx --png    other forms, which need Chromium or Google Chrome
python3 scripts/slides.py --notes               what to say, slide by slide, as text
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.deck.building import FORMATS, make  # noqa: E402  (the path comes first)
from scripts.deck.errors import DeckError  # noqa: E402

FOLDER = ROOT / ".cache" / "deck" / "out"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, form in FORMATS.items():
        parser.add_argument(f"--{name}", dest="names", action="append_const", const=name, help=form.file)
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, help=f"folder (default: {FOLDER})")
    arguments = parser.parse_args()
    names = tuple(dict.fromkeys(arguments.names or ["html"]))
    try:
        make(names, arguments.output.resolve())
    except DeckError as error:
        print(f"slides: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for name in names:
        print(arguments.output / FORMATS[name].file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
