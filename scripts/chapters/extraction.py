"""Pages → code/: for each chapter its files, a script that does it, and a list of its blocks."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from .grammar import VARIANTS
from .guide import Guide
from .markdown import Page
from .model import Background, Block, Chapter, Expect, File, Hidden, Notebook, Run, Shown, Variant
from .project import after_each, files_of

DEFAULT: Variant = {key: next(iter(titles.values())) for key, titles in VARIANTS.items()}
NOTEBOOK = "notebook.ipynb"


def extract(guide: Guide, root: Path) -> dict[str, str]:
    """Every file below code/ (its path → its text), made from the pages alone."""
    made: dict[str, str] = {}
    for chapter in guide.chapters.values():
        line = guide.line(chapter)
        files = dict(files_of(line, DEFAULT))
        if any(isinstance(b, Notebook) for b in chapter.blocks):
            files[NOTEBOOK] = notebook(chapter, (root / chapter.page).read_text(encoding="utf-8"))
        files["run.sh"] = script(chapter, line)
        files["chapter.json"] = listing(chapter)
        made |= {f"{chapter.slug}/{path}": text for path, text in files.items()}
    return made


def listing(chapter: Chapter) -> str:
    """The chapter's blocks, with where they stand."""
    blocks = [
        {"id": b.id, "kind": b.kind, "line": b.place.line, **({"variant": dict(b.variant)} if b.variant else {})}
        for b in chapter.blocks
        if not isinstance(b, Shown)
    ]
    data = {"chapter": chapter.number, "page": chapter.page, "after": chapter.after, "blocks": blocks}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


# ---------------------------------------------------------------- the notebook


def notebook(chapter: Chapter, text: str) -> str:
    """The chapter's cells as a notebook without outputs; the headings above them become text cells."""
    page = Page(chapter.page, text)
    inside = {n for fence in page.fences() for n in range(fence.place.line, fence.place.end + 1)}
    cells, last = list[dict[str, object]](), ""
    for block in chapter.blocks:
        if not isinstance(block, Notebook):
            continue
        above = range(block.place.line - 1, 0, -1)
        heading = next((page.lines[n - 1] for n in above if n not in inside and page.lines[n - 1].startswith("#")), "")
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
#     bash run.sh              with the tabs for uv
#     TOOL=pip bash run.sh     with the tabs for pip
set -eo pipefail
guide_tool=${{TOOL:-uv}}
guide_os=linux
if [ "$(uname)" = Darwin ]; then guide_os=macos; fi
guide_start=$PWD
guide_servers=()
guide_stop() {{ if [ ${{#guide_servers[@]}} -gt 0 ]; then kill "${{guide_servers[@]}}" 2>/dev/null || true; wait; fi; }}
trap guide_stop EXIT
"""
BEFORE = """
# Chapter {after} comes first.
if [ ! -e .guide-{after} ]; then
  guide_here=$(cd "$(dirname "${{BASH_SOURCE[0]}}")" && pwd)
  TOOL=$guide_tool bash "$guide_here/../chapter-{after}/run.sh"
fi
"""
WAIT_HTTP = 'until curl -fsk -o /dev/null "{ready}"; do kill -0 $!; sleep 0.2; done'
WAIT_TCP = 'until (exec 3<>"/dev/tcp/{host}/{port}") 2>/dev/null; do kill -0 $!; sleep 0.2; done'


def script(chapter: Chapter, line: list[Chapter]) -> str:
    """A shell script that does a chapter, after the chapters that it continues from."""
    parts = [HEAD.format(title=chapter.title, page=chapter.page)]
    if chapter.after is not None:
        parts.append(BEFORE.format(after=chapter.after))
    texts = {
        block.id: files[str(block.path)]
        for tool in VARIANTS["tool"].values()
        for of, block, files in after_each(line, {**DEFAULT, "tool": tool})
        if of.number == chapter.number and block.mode in {"write", "append", "patch"}
    }
    started = False
    for block in chapter.blocks:
        if isinstance(block, Shown | Expect):
            continue
        commands = list(in_shell(block, chapter, texts, started))
        started = started or isinstance(block, Notebook)
        if not commands:
            continue
        parts.append(f"\n# {block.id}\n" + guarded(block, "\n".join(commands)) + "\n")
    parts.append(f'\ntouch "$guide_start/.guide-{chapter.number}"\n')
    return "".join(parts)


def guarded(block: Block, commands: str) -> str:
    """Commands of one variant stand under a condition."""
    if not block.variant:
        return commands
    condition = " && ".join(f'[ "$guide_{key}" = {value} ]' for key, value in sorted(block.variant.items()))
    return f"if {condition}; then\n{commands}\nfi"


def in_shell(block: Block, chapter: Chapter, texts: dict[str, str], notebook_started: bool) -> Iterator[str]:
    """Lines of shell that do one block."""
    if block.skip:
        yield f"# not done: {block.skip}"
        return
    if isinstance(block, File) and block.id in texts:
        path = shlex.quote(f"{chapter.project}/{block.path}")
        mark = delimiter(texts[block.id])
        yield f'mkdir -p "$guide_start"/{shlex.quote(f"{chapter.project}/{block.path.parent}")}'
        yield f"cat >\"$guide_start\"/{path} <<'{mark}'\n{texts[block.id]}{mark}"
    elif isinstance(block, Notebook) and not notebook_started:
        yield f'jupyter execute "$guide_start"/{shlex.quote(chapter.project)}/{NOTEBOOK}'
    elif isinstance(block, Background):
        yield f"(\n{block.body.rstrip()}\n) &\nguide_servers+=($!)"
        yield wait_for(block.ready)
    elif isinstance(block, Run):
        yield from run(block)


def run(block: Run) -> Iterator[str]:
    body = block.body.rstrip("\n")
    if isinstance(block, Hidden):
        yield f"# {block.role}, which the page does not show"
    if block.exit:
        yield f'set +e\n(\nset -e\n{body}\n)\nguide_status=$?\nset -e\n[ "$guide_status" = {block.exit} ]'
    elif block.terminal != "terminal":
        yield f'(\ncd "$guide_start"\n{body}\n)'
    else:
        yield body


def wait_for(ready: str) -> str:
    if match := re.match(r"tcp://([^:/]+):(\d+)", ready):
        return WAIT_TCP.format(host=match[1], port=match[2])
    return WAIT_HTTP.format(ready=ready)


def delimiter(text: str) -> str:
    """A mark for the end of a here-document that is no line of it."""
    mark, lines = "END", set(text.splitlines())
    while mark in lines:
        mark += "_"
    return mark
