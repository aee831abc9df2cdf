"""Pages → code/: for each chapter its files, a script that does it, and a list of its blocks."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .grammar import DEFAULT, variants
from .guide import Guide, read_text
from .markdown import Page
from .model import Background, Block, Chapter, Expect, File, Hidden, Notebook, PageError, Run, Shown, Variant
from .project import files_of, steps

NOTEBOOK = "notebook.ipynb"
SCRIPT = "run.sh"
LISTING = "chapter.json"
FIRST = "terminal"


def extract(guide: Guide, root: Path) -> dict[str, str]:
    """Every file below code/ (its path → its text), made from the pages alone.

    Raises PageError for a file block that cannot be extracted.
    """
    made: dict[str, str] = {}
    for chapter in guide.chapters.values():
        for block in chapter.blocks:
            if isinstance(block, File) and str(block.path) in {NOTEBOOK, SCRIPT, LISTING}:
                problem = f"code/ has a file {block.path} of its own: choose another name"
                raise PageError(chapter.page, block.place.line, problem)
        line = guide.line(chapter)
        files = dict(files_of(line, DEFAULT))
        if any(isinstance(b, Notebook) for b in chapter.blocks):
            files[NOTEBOOK] = notebook(chapter, read_text(root / chapter.page, chapter.page))
        files[SCRIPT] = script(chapter, line)
        files[LISTING] = listing(chapter)
        made |= {f"{chapter.slug}/{path}": text for path, text in files.items()}
    return made


def listing(chapter: Chapter) -> str:
    """The chapter's blocks, with where they stand."""
    blocks = [
        {"id": b.id, "kind": b.kind, "line": b.place.line, **({"variant": dict(b.variant)} if b.variant else {})}
        for b in chapter.blocks
        if not isinstance(b, Shown)
    ]
    data = {
        "chapter": chapter.number,
        "page": chapter.page,
        "project": chapter.project,
        "after": chapter.after,
        "blocks": blocks,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


# ---------------------------------------------------------------- the notebook


def notebook(chapter: Chapter, text: str) -> str:
    """The chapter's cells as a notebook without outputs; the headings above them become text cells."""
    headings = sorted(Page(chapter.page, text).headings.items(), reverse=True)
    cells, last = list[dict[str, object]](), ""
    for block in chapter.blocks:
        if not isinstance(block, Notebook):
            continue
        heading = next((heading for line, heading in headings if line < block.place.line), "")
        if heading != last:
            title = "## " + heading.lstrip("# ")
            cells.append({"cell_type": "markdown", "id": f"cell-{len(cells)}", "metadata": {}, "source": title})
        last = heading
        cells.append(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell-{len(cells)}",
                "metadata": {},
                "outputs": [],
                "source": block.body.rstrip("\n"),
            }
        )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    data = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


# ---------------------------------------------------------------- the script

HEAD = """\
#!/usr/bin/env bash
# {title}
# Made from {page}: change that page, not this file.
#
# Does what the chapter says, below the folder that you start it in:
#     bash run.sh                  with the tabs for uv
#     TOOL=pip bash run.sh         with the tabs for pip
#     PLACE=cloud bash run.sh      with the tabs for GitHub and Google Cloud
#     FORGE=gitlab bash run.sh     with the tabs for GitLab CI
#     CLUSTER=kind bash run.sh     with the tabs for kind
set -eo pipefail
guide_tool=${{TOOL:-uv}}
guide_place=${{PLACE:-laptop}}
guide_forge=${{FORGE:-github}}
guide_cluster=${{CLUSTER:-podman}}
guide_os=linux
if [ "$(uname)" = Darwin ]; then guide_os=macos; fi
guide_start=$PWD
guide_state=$(mktemp -d)
guide_servers=()
guide_stop() {{ # a server that has ended by itself is no mistake here
  for guide_server in "${{guide_servers[@]}}"; do kill -- "-$guide_server" 2>/dev/null || true; done
  wait
  rm -rf "$guide_state"
}}
trap guide_stop EXIT
"""
BEFORE = """
# Chapter {after} comes first.
if [ ! -e .guide-{after} ]; then
  guide_here=$(cd "$(dirname "${{BASH_SOURCE[0]}}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../{slug}/run.sh"
fi
"""
# A second terminal keeps its folder, variables and functions from one of its blocks to the next.
TERMINALS = """
guide_leave() {
  {
    declare -f
    declare -p | grep -Ev '^declare -([A-Za-z]*r|[^ ]+ (BASH|DIRSTACK|FUNCNAME|GROUPS|PIPESTATUS))'
    printf 'cd %q\\n' "$PWD"
  } >"$guide_state/$1"
}
"""
ENTER = """\
if [ -e "$guide_state/{name}" ]; then . "$guide_state/{name}"; else cd "$guide_start"; fi
"""
LEAVE = "\nguide_leave {name}"
FAILING = """\
set +e
(
set -e
{body}
)
guide_status=$?
set -e
if [ "$guide_status" != {exit} ]; then echo "{id}: ended with status $guide_status, not {exit}" >&2; exit 1; fi"""
# A process group of its own, so that what the server starts is stopped with it.
SERVER = """\
set -m
(
{body}
) </dev/null &
set +m
guide_servers+=($!)
until {ready}; do
  kill -0 $! 2>/dev/null || {{ echo "{id}: the server ended before it was ready" >&2; exit 1; }}
  sleep 0.2
done"""
READY_HTTP = "curl -fsk -o /dev/null {address}"
READY_TCP = '(exec 3<>"/dev/tcp/{host}/{port}") 2>/dev/null'


def script(chapter: Chapter, line: list[Chapter]) -> str:
    """A shell script that does a chapter, after the chapters that it continues from."""
    parts = [HEAD.format(title=chapter.title, page=chapter.page)]
    if chapter.after is not None:
        parts.append(BEFORE.format(after=chapter.after, slug=line[-2].slug))
    if any(isinstance(block, Run) and block.terminal != FIRST for block in chapter.blocks):
        parts.append(TERMINALS)
    texts = patched(chapter, line)
    started = False
    for block in chapter.blocks:
        if isinstance(block, Shown | Expect):
            continue
        commands = "\n".join(in_shell(block, chapter, texts.get(block.id, []), started))
        started = started or isinstance(block, Notebook)
        if commands:
            # What is not done is a comment, and a condition around a comment is an error of syntax.
            parts.append(f"\n# {block.id}\n{guarded({} if block.skip else block.variant, commands)}\n")
    parts.append(f'\ntouch "$guide_start/.guide-{chapter.number}"\n')
    return "".join(parts)


def patched(chapter: Chapter, line: list[Chapter]) -> dict[str, list[tuple[Variant, str]]]:
    """For each change of a file the file's text after it: one, or one for each variant if they differ."""
    texts: dict[str, list[tuple[Variant, str]]] = {}
    for variant in variants():
        for step in steps(line, variant):
            block = step.block
            if step.chapter.number == chapter.number and block.mode == "patch":
                texts.setdefault(block.id, []).append((variant, step.after[str(block.path)]))
    return {id: [({}, found[0][1])] if len({t for _, t in found}) == 1 else found for id, found in texts.items()}


def guarded(variant: Variant, commands: str) -> str:
    """Commands of one variant stand under a condition."""
    if not variant:
        return commands
    condition = " && ".join(f'[ "$guide_{key}" = {value} ]' for key, value in sorted(variant.items()))
    return f"if {condition}; then\n{commands}\nfi"


def in_shell(block: Block, chapter: Chapter, texts: list[tuple[Variant, str]], started: bool) -> Iterator[str]:
    """Lines of shell that do one block.

    ``texts``: what a patch makes of its file. ``started``: the notebook was executed already, as a whole.
    """
    if block.skip:
        yield f"# not done: {block.skip}"
    elif isinstance(block, File):
        path = PurePosixPath(chapter.project) / block.path
        if block.mode in {"write", "append"}:
            yield write(path, block.body, ">" if block.mode == "write" else ">>")
        yield from (guarded(variant, write(path, text)) for variant, text in texts)
    elif isinstance(block, Notebook) and not started:
        yield f'jupyter execute "$guide_start"/{shlex.quote(f"{chapter.project}/{NOTEBOOK}")}'
    elif isinstance(block, Run):
        yield run(block)


def write(path: PurePosixPath, text: str, to: str = ">") -> str:
    mark = delimiter(text)
    folder = f'mkdir -p "$guide_start"/{shlex.quote(str(path.parent))}'
    return f"{folder}\ncat {to}\"$guide_start\"/{shlex.quote(str(path))} <<'{mark}'\n{text}{mark}"


def run(block: Run) -> str:
    body, name = block.body.rstrip("\n"), re.sub(r"\W+", "-", block.terminal)
    if isinstance(block, Hidden):
        body = f"# {block.role}, which the page does not show\n{body}"
    other = block.terminal != FIRST
    if other:
        body = ENTER.format(name=name) + body
    if isinstance(block, Background):
        return SERVER.format(body=body, id=block.id, ready=ready(block.ready))
    if other:
        body += LEAVE.format(name=name)
    if block.exit:
        return FAILING.format(body=body, id=block.id, exit=block.exit)
    return f"(\n{body}\n)" if other else body


def ready(address: str) -> str:
    if match := re.fullmatch(r"tcp://([^:/]+):(\d+)", address):
        return READY_TCP.format(host=match[1], port=match[2])
    return READY_HTTP.format(address=shlex.quote(address))


def delimiter(text: str) -> str:
    """A mark for the end of a here-document that is no line of it."""
    mark, lines = "END", set(text.splitlines())
    while mark in lines:
        mark += "_"
    return mark
