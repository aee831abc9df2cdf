"""The command line: ``python3 -m dataset``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dataset.bodies import BODIES
from dataset.errors import DatasetError
from dataset.sets import SETS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m dataset", description="The pictures of the guide's data set.")
    commands = parser.add_subparsers(dest="command", required=True)

    build = commands.add_parser("build", help="render the sets and pack them")
    build.add_argument("out", type=Path, help="folder for the archives")
    build.add_argument("--set", dest="sets", action="append", choices=list(SETS), help="this set only (repeatable)")
    build.set_defaults(run=_build)

    check = commands.add_parser("check", help="compare pictures with the committed manifests")
    check.add_argument("path", type=Path, help="archive, folder of archives, or folder where one was unpacked")
    check.set_defaults(run=_check)

    portrait = commands.add_parser("portrait", help="draw one body on a transparent background")
    portrait.add_argument("body", choices=list(BODIES))
    portrait.add_argument("file", type=Path, help="picture to write: .png or .webp")
    portrait.add_argument("--size", type=_positive, default=512, help="width and height (default: 512)")
    portrait.set_defaults(run=_portrait)

    sheet = commands.add_parser("sheet", help="draw many pictures of a set, one row for each class")
    sheet.add_argument("file", type=Path, help="picture to write: .png, .jpg or .webp")
    sheet.add_argument("--set", dest="name", choices=list(SETS), default="planets", help="(default: planets)")
    sheet.add_argument("--columns", type=_positive, default=10, help="pictures of each class (default: 10)")
    sheet.set_defaults(run=_sheet)

    manifest = commands.add_parser("manifest", help="rewrite the committed manifests (for maintainers)")
    manifest.set_defaults(run=_manifest)

    for command in (build, manifest):
        command.add_argument("--jobs", type=_positive, help="processes (default: one for each core)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _build(arguments: argparse.Namespace) -> None:
    from dataset.building import build

    for built in build(arguments.out, arguments.sets, arguments.jobs):
        print(f"{built.archive}: {'unchanged' if built.unchanged else 'built'}")


def _check(arguments: argparse.Namespace) -> None:
    from dataset.checking import check

    for name, count in check(arguments.path).items():
        print(f"{name}: {count} pictures, all as they should be")


def _portrait(arguments: argparse.Namespace) -> None:
    from dataset.portraits import write_portrait

    write_portrait(arguments.body, arguments.size, arguments.file)
    print(arguments.file)


def _sheet(arguments: argparse.Namespace) -> None:
    from dataset.portraits import write_sheet

    write_sheet(SETS[arguments.name], arguments.columns, arguments.file)
    print(arguments.file)


def _manifest(arguments: argparse.Namespace) -> None:
    from dataset.building import write_manifests

    changed = write_manifests(arguments.jobs)
    print("\n".join(map(str, changed)) or "every manifest is up to date")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit status: 1 after an error, 130 after Ctrl-C."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except DatasetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing half-written is left behind", file=sys.stderr)
        return 130
    return 0
