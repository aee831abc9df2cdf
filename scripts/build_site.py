"""Builds the website of the guide, with its downloads.

python3 scripts/build_site.py                 build into site/
python3 scripts/build_site.py --checkpoints   and offer the state at the end of each chapter for download
python3 scripts/build_site.py --offline       and offer the whole guide as a zip and as a PDF
python3 scripts/build_site.py --serve         build, serve on http://127.0.0.1:8000, rebuild on each change
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.site.building import SiteError, build, offer_checkpoints, serve  # noqa: E402  (the path comes first)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help="serve the site on this machine")
    parser.add_argument(
        "--checkpoints", action="store_true", help="offer the checkpoints that the tests have left here"
    )
    parser.add_argument("--offline", action="store_true", help="offer the whole guide as a zip and as a PDF")
    parser.add_argument("--port", type=int, default=8000, help="port to serve on (default: 8000)")
    arguments = parser.parse_args()
    if arguments.serve and arguments.offline:
        parser.error("--offline takes minutes, and --serve builds again at each change: choose one of them")
    logging.basicConfig(format="%(levelname)s  %(message)s", level=logging.INFO if arguments.serve else logging.WARNING)
    try:
        if arguments.checkpoints:
            for chapter in offer_checkpoints():
                print(f"no checkpoint of {chapter}: make it with python3 scripts/guide.py test -k {chapter}")
        if arguments.serve:
            serve(arguments.port)
        else:
            build(ROOT / "site", take_along=arguments.offline)
            print(f"built {ROOT / 'site'}")
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
