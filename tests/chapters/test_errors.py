"""Each message of the reader: a page that causes it, and the text with its line."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import chapters
from scripts.chapters import Guide, PageError
from scripts.chapters.extraction import extract
from tests.chapters.samples import HEAD, PAGE, below, write

READER = Path(chapters.__file__).parent

# What stands below the title → line and message.
BLOCKS = {
    "fence: never closed": (
        """
        ```sh
        true
        """,
        "6: this fence is never closed: add a line ```",
    ),
    "fence: another starts": (
        """
        ```sh
        true

        ```sh
        true
        ```
        """,
        "6: this fence is not closed before the one on line 9: close it with ``` in its own column, "
        "or give it one more character",
    ),
    "fence: closed in another column": (
        """
        - An item

            ```sh
            true
          ```
        """,
        "8: this fence is not closed before the one on line 10: close it with ``` in its own column, "
        "or give it one more character",
    ),
    "fence: closed by more characters": (
        """
        ~~~sh
        true
        ~~~~
        """,
        "6: this fence is not closed before the one on line 8: close it with ~~~ in its own column, "
        "or give it one more character",
    ),
    "fence: behind a list marker": (
        """
        - ```sh
          true
          ```
        """,
        "6: a fence needs a line of its own: move it below the list marker or quote",
    ),
    "fence: in a quote": (
        """
        > ```sh
        > true
        > ```
        """,
        "6: a fence needs a line of its own: move it below the list marker or quote",
    ),
    "fence: a line sticks out": (
        """
        - An item

            ```sh
            cat <<END
          text
            END
            ```
        """,
        "10: indented less than the block's first line, 8",
    ),
    "fence: a tab sticks out": (
        """
        - An item

            ```sh
        \ttrue
            ```
        """,
        "9: indented less than the block's first line, 8",
    ),
    "fence: indented with a tab": (
        """
        - An item

        \t```sh
        \ttrue
        \t```
        """,
        "8: indented with a tab: use spaces",
    ),
    "fence: indented below nothing": (
        """
        Some text.

            ```sh
            true
            ```
        """,
        "8: indented by 4, but it is in no tab, admonition or list item there: "
        "indent it by 4 more than the one that it belongs to, or not at all",
    ),
    "fence: indented too little for its list item": (
        """
        1. An item

           ```sh
           true
           ```
        """,
        "8: indented by 3, but it is in no tab, admonition or list item there: "
        "indent it by 4 more than the one that it belongs to, or not at all",
    ),
    "fence: behind the end of a tab": (
        """
        === "uv"

            Some text.

        The tab ends here.

            ```sh
            true
            ```
        """,
        "12: indented by 4, but it is in no tab, admonition or list item there: "
        "indent it by 4 more than the one that it belongs to, or not at all",
    ),
    "fence: a list item of another fence": (
        """
        ```yaml title="a.yaml"
        - An item
        ```

            ```sh
            true
            ```
        """,
        "10: indented by 4, but it is in no tab, admonition or list item there: "
        "indent it by 4 more than the one that it belongs to, or not at all",
    ),
    "fence: swallowed by a list item": (
        """
        - An item
        ```sh
        true
        ```
        """,
        "7: the text above would take this block in: put an empty line between them",
    ),
    "info: an unknown language of options": (
        """
        ```sh title=Terminal
        true
        ```
        """,
        "6: cannot read the fence: write ```LANGUAGE title=\"…\", not 'sh title=Terminal'",
    ),
    "info: unknown option": (
        """
        ```sh timeout="3"
        true
        ```
        """,
        "6: unknown option 'timeout' in the fence: declare it in a <!-- block: … --> line above",
    ),
    "info: bad lines": (
        """
        ```py title="a.py" hl_lines="2,3"
        a = 1
        ```
        """,
        '6: hl_lines="2,3" is not a list of line numbers',
    ),
    "info: highlights in a command": (
        """
        ```sh hl_lines="1"
        true
        ```
        """,
        "6: hl_lines is for files: only there, what is new can be worked out",
    ),
    "info: diagram with options": (
        """
        ```mermaid title="The plan"
        graph LR
        ```
        """,
        "6: ```mermaid takes no options: with one, the site shows its source",
    ),
    "comment: never closed": (
        """
        <!-- hidden: check
        true
        """,
        "6: this comment is never closed: add -->",
    ),
    "comment: a fence inside": (
        """
        <!-- Not yet:

        ```sh
        true
        ```
        -->
        """,
        "8: a fence inside of a comment: the site would show it as a block",
    ),
    "comment: not a directive": (
        """
        <!-- Block run -->
        ```sh
        true
        ```
        """,
        "6: not a directive: write <!-- block: WORD … --> or <!-- hidden: ROLE … -->",
    ),
    "comment: a directive behind text": (
        """
        Run this: <!-- block: run -->
        ```sh
        true
        ```
        """,
        "6: not a directive: write <!-- block: WORD … --> or <!-- hidden: ROLE … -->",
    ),
    "directive: something behind it": (
        """
        <!-- block: run --> as root
        ```sh
        true
        ```
        """,
        "6: nothing may follow --> on its line: the site would leave it out as well",
    ),
    "directive: two lines": (
        """
        <!-- block: run
        -->
        ```sh
        true
        ```
        """,
        "6: a block directive has one line: close it with --> on the same line",
    ),
    "directive: above nothing": (
        """
        <!-- block: run -->

        ```sh
        true
        ```
        """,
        "6: this directive stands above no block: put it on the line above a fence, with the same indentation",
    ),
    "directive: at the end": (
        """
        <!-- block: run -->
        """,
        "6: this directive stands above no block: put it on the line above a fence, with the same indentation",
    ),
    "directive: other indentation": (
        """
        - An item

        <!-- block: run -->
            ```sh
            true
            ```
        """,
        "8: this directive stands above no block: put it on the line above a fence, with the same indentation",
    ),
    "directive: unknown word": (
        """
        <!-- block: runs -->
        ```sh
        true
        ```
        """,
        "6: unknown directive 'runs': it is one of run, background, expect, file, notebook, skip, requires, variant",
    ),
    "directive: no word": (
        """
        <!-- block: -->
        ```sh
        true
        ```
        """,
        "6: unknown directive '': it is one of run, background, expect, file, notebook, skip, requires, variant",
    ),
    "directive: open quote": (
        """
        <!-- block: skip reason=browser note="open -->
        ```sh
        true
        ```
        """,
        "6: cannot read the directive: No closing quotation",
    ),
    "directive: unknown option": (
        """
        <!-- block: run times=3 -->
        ```sh
        true
        ```
        """,
        "6: 'run' has no option 'times=3': it takes timeout=…, exit=…, name=…, gone=…",
    ),
    "directive: option without value": (
        """
        <!-- block: run name= -->
        ```sh
        true
        ```
        """,
        "6: 'run' has no option 'name=': it takes timeout=…, exit=…, name=…, gone=…",
    ),
    "directive: not in the list": (
        """
        <!-- block: skip reason=later -->
        ```sh
        true
        ```
        """,
        "6: reason=later is not in the list: reminder, browser, costs-money, excerpt, other-os",
    ),
    "directive: not a number": (
        """
        <!-- block: run timeout=nan -->
        ```sh
        true
        ```
        """,
        "6: timeout=nan is not a number",
    ),
    "directive: two kinds": (
        """
        <!-- block: run -->
        <!-- block: file -->
        ```sh
        true
        ```
        """,
        "7: declared twice: run and file",
    ),
    "directive: twice": (
        """
        <!-- block: requires docker -->
        <!-- block: requires kubernetes -->
        ```sh
        true
        ```
        """,
        "7: declared twice: requires and requires",
    ),
    "skip: no reason": (
        """
        <!-- block: skip note="not now" -->
        ```sh
        true
        ```
        """,
        "6: skip needs a reason: reason=reminder|browser|costs-money|excerpt|other-os",
    ),
    "requires: unknown capability": (
        """
        <!-- block: requires docker,containerd -->
        ```sh
        true
        ```
        """,
        "6: unknown capability 'containerd': "
        "it is one of browser, cosign, curl, docker, gcloud, github, grype, kubernetes, podman",
    ),
    "requires: nothing": (
        """
        <!-- block: requires -->
        ```sh
        true
        ```
        """,
        "6: unknown capability '': "
        "it is one of browser, cosign, curl, docker, gcloud, github, grype, kubernetes, podman",
    ),
    "variant: no choice": (
        """
        <!-- block: variant -->
        ```sh
        true
        ```
        """,
        "6: variant needs a choice, for example tool=…",
    ),
    "variant: unknown choice": (
        """
        <!-- block: variant tool=conda -->
        ```sh
        true
        ```
        """,
        "6: tool=conda is not in the list: uv, pip",
    ),
    "variant: unknown tab": (
        """
        === "conda"

            ```sh
            true
            ```
        """,
        "8: the tab 'conda' is no known variant: add it to VARIANTS, or declare variant or skip",
    ),
    "hidden: in an unknown tab": (
        """
        === "conda"

            <!-- hidden: check
            true
            -->
        """,
        "8: the tab 'conda' is no known variant: add it to VARIANTS, or declare variant or skip",
    ),
    "hidden: unknown role": (
        """
        <!-- hidden: test
        true
        -->
        """,
        "6: unknown hidden block 'test': it is one of setup, check, teardown",
    ),
    "hidden: options above": (
        """
        <!-- block: run timeout=3 -->
        <!-- hidden: check
        true
        -->
        """,
        "7: a hidden block takes its options on its own first line",
    ),
    "hidden: empty": (
        """
        <!-- hidden: check -->
        """,
        "6: this hidden block is empty: put shell commands between its first line and -->",
    ),
    "hidden: a line sticks out": (
        """
        - An item

            <!-- hidden: check
          true
            -->
        """,
        "9: indented less than the block's first line, 8",
    ),
    "hidden: end behind a command": (
        """
        <!-- hidden: check
        true -->
        """,
        "7: put the --> of a hidden block on a line of its own",
    ),
    "kind: none": (
        """
        ```py
        a = 1
        ```
        """,
        '6: this block has no kind: give it a path as title, or title="Output", '
        "or declare it with <!-- block: … --> on the line above",
    ),
    "kind: none with this title": (
        """
        ```py title="The script"
        a = 1
        ```
        """,
        "6: the title 'The script' says no kind: use a path, \"Output\", or one that ends in \"terminal\"",
    ),
    "kind: another shell": (
        """
        ```bash
        true
        ```
        """,
        "6: commands are written in ```sh, not ```bash",
    ),
    "kind: output without language": (
        """
        ``` title="output"
        true
        ```
        """,
        "6: cannot read the fence: write ```LANGUAGE title=\"…\", not 'title=\"output\"'",
    ),
    "kind: output in small letters": (
        """
        ```text title="output"
        true
        ```
        """,
        '6: output is shown in ```text title="Output", or in json, diff, yaml and the like',
    ),
    "run: another language": (
        """
        <!-- block: run -->
        ```py
        print()
        ```
        """,
        "7: commands are written in ```sh, not ```py",
    ),
    "run: empty": (
        """
        ```sh

        ```
        """,
        "6: this block is empty: write the command, or delete the block",
    ),
    "run: placeholder": (
        """
        ```sh
        cat <<END
        git clone <your repository>
        END
        ```
        """,
        "8: <your repository> cannot be pasted as it stands: use a variable that an earlier step sets",
    ),
    "background: not ready": (
        """
        <!-- block: background -->
        ```sh
        sleep 9
        ```
        """,
        "7: background needs ready=http://127.0.0.1:PORT/PATH or ready=tcp://127.0.0.1:PORT",
    ),
    "background: another host": (
        """
        <!-- block: background ready=http://0.0.0.0:3000 -->
        ```sh
        sleep 9
        ```
        """,
        "7: background needs ready=http://127.0.0.1:PORT/PATH or ready=tcp://127.0.0.1:PORT",
    ),
    "file: no path": (
        """
        <!-- block: file -->
        ```py
        a = 1
        ```
        """,
        "7: a file needs its path in the project as title, not ''",
    ),
    "file: outside": (
        """
        ```py title="src/../../a.py"
        a = 1
        ```
        """,
        "6: a file needs its path in the project as title, not 'src/../../a.py'",
    ),
    "file: not as plain as can be": (
        """
        ```py title="./a.py"
        a = 1
        ```
        """,
        "6: a file needs its path in the project as title, not './a.py'",
    ),
    "file: made by code/": (
        """
        ```sh title="run.sh"
        true
        ```
        """,
        "6: code/ has a file run.sh of its own: choose another name",
    ),
    "patch: nothing to change": (
        """
        ```diff title="a.py"
        @@ @@
        +a = 1
        ```
        """,
        "6: changes a.py, which no block before it shows in whole",
    ),
    "patch: no hunk": (
        """
        ```py title="a.py"
        a = 1
        ```

        ```diff title="a.py"
        -a = 1
        ```
        """,
        "10: does not fit a.py: a change needs lines that start with @@, as git diff prints them",
    ),
    "patch: lines that are not there": (
        """
        ```py title="a.py"
        a = 1
        ```

        ```diff title="a.py"
        @@ @@
         a = 1
        -b = 2
        ```
        """,
        "10: does not fit a.py: these lines are not in the file, one after another: 'a = 1' …",
    ),
    "patch: lines that are there twice": (
        """
        ```py title="a.py"
        a = 1
        a = 1
        ```

        ```diff title="a.py"
        @@ @@
        -a = 1
        ```
        """,
        "11: does not fit a.py: fits in 2 places: show more lines around the change",
    ),
    "patch: on a trial that was taken back": (
        """
        ```py title="a.py"
        a = 1
        ```

        <!-- block: file kept=no -->
        ```diff title="a.py"
        @@ @@
        -a = 1
        +a = 2
        ```

        ```sh
        git restore a.py
        ```

        ```diff title="a.py"
        @@ @@
        -a = 2
        +a = 3
        ```
        """,
        "21: does not fit a.py: these lines are not in the file, one after another: 'a = 2' …",
    ),
    "trial: nothing takes it back": (
        """
        ```sh
        true
        ```

        <!-- block: file kept=no -->
        ```py title="a.py"
        a = 1
        ```
        """,
        "11: no command below takes a.py back: add git restore, or drop kept=no",
    ),
    "trial: an excerpt": (
        """
        <!-- block: file mode=excerpt kept=no -->
        ```py title="a.py"
        a = 1
        ```
        """,
        "7: an excerpt changes nothing that could be taken back: drop kept=no",
    ),
    "gone: a file that was never there": (
        """
        <!-- block: run gone=b.py -->
        ```sh
        rm b.py
        ```
        """,
        "7: takes b.py away, which no block before it shows",
    ),
    "patch: only in one variant": (
        """
        === "uv"

            ```text title="a.txt"
            a
            ```

        ```diff title="a.txt"
        @@ @@
        -a
        ```
        """,
        "12: changes a.txt, which no block before it shows in whole",
    ),
    "notebook: not Python": (
        """
        <!-- block: notebook -->
        ```r
        a <- 1
        ```
        """,
        "7: a notebook cell is a ```py block without a title",
    ),
    "expect: only wildcards": (
        """
        ```sh
        true
        ```

        ```text title="Output"
        ...
        ```
        """,
        "10: this output is empty or all wildcards: show a line that proves something",
    ),
    "expect: no command": (
        """
        ```text title="Output"
        1
        ```
        """,
        "6: this output belongs to no command: put it below one in the same tab or list, or declare of=NAME",
    ),
    "expect: the command is in another container": (
        """
        ```sh
        true
        ```

        !!! note

            ```text title="Output"
            1
            ```
        """,
        "12: this output belongs to no command: put it below one in the same tab or list, or declare of=NAME",
    ),
    "expect: no such name": (
        """
        ```sh
        true
        ```

        <!-- block: expect of=train -->
        ```text title="Output"
        1
        ```
        """,
        "11: no block above is named 'train': give one name=train",
    ),
    "expect: of a server": (
        """
        <!-- block: background ready=tcp://127.0.0.1:3000 -->
        ```sh
        sleep 9
        ```

        ```text title="Output"
        1
        ```
        """,
        "11: a background block has no output of its own: ask its server in a run block",
    ),
    "expect: of a skipped command": (
        """
        <!-- block: skip reason=costs-money note="a cluster" -->
        ```sh
        true
        ```

        ```text title="Output"
        1
        ```
        """,
        "11: the command on line 7 is not executed (costs-money (a cluster)): declare the same skip for its output",
    ),
    "expect: of a name that is given twice": (
        """
        <!-- block: run name=train -->
        ```sh
        true
        ```

        <!-- block: run name=train -->
        ```sh
        true
        ```

        <!-- block: expect of=train -->
        ```text title="Output"
        1
        ```
        """,
        "17: the name 'train' is given on lines 7 and 12: rename one of them",
    ),
    "expect: without a command in one variant": (
        """
        === "uv"

            <!-- block: run name=train -->
            ```sh
            true
            ```

        <!-- block: expect of=train -->
        ```text title="Output"
        1
        ```
        """,
        "14: where tool=pip os=linux place=laptop forge=github cluster=podman, no command makes this output: "
        "put it in the same tab, or declare its variant",
    ),
}  # fmt: skip

# The first page, as a whole → line and message.
PAGES: dict[str, tuple[str | bytes, str]] = {
    "front matter: never closed": (
        '---\nchapter: "1.1"\n# A title\n',
        "1: the front matter is never closed: add a line ---",
    ),
    "front matter: not YAML": (
        '---\nchapter: "1.1"\ntime: 40: 50\n---\n# A title\n',
        "3: this is not YAML: mapping values are not allowed here",
    ),
    "front matter: not a mapping": (
        "---\n- chapter\n---\n# A title\n",
        "2: this is not a list of key: value lines",
    ),
    "front matter: unknown key": (
        HEAD.replace("project", "projects"),
        "1: unknown key 'projects' in the front matter: it is one of chapter, after, project, time, needs, "
        "title, description, icon, hide, search, status, tags, template",
    ),
    "front matter: a number": (
        HEAD.replace('"1.1"', "1.10"),
        '1: chapter is text: write chapter: "1.1", with quotes',
    ),
    "front matter: needs": (
        HEAD.replace("project: app", "needs: docker"),
        "1: needs is a list out of browser, cosign, curl, docker, gcloud, github, grype, kubernetes, podman",
    ),
    "front matter: time": (
        HEAD.replace("project: app", "time: 40 min"),
        "1: time is a number of minutes, not '40 min'",
    ),
    "front matter: continues from nothing": (
        HEAD.replace("project: app", 'after: "0.9"'),
        "1: continues from chapter 0.9, which is not before it",
    ),
    "no title": (
        HEAD.replace("# A", "A") + "```sh\n# Not a title\n```\n",
        "1: a chapter needs a title: # Chapter X.Y - …",
    ),
    "not UTF-8": (
        HEAD.encode() + "é".encode("latin-1"),
        "6: is not UTF-8: save the page as UTF-8",
    ),
}


# A guide → the whole message.
GUIDES: dict[str, tuple[dict[str, str | bytes], str]] = {
    **{name: ({PAGE: below(sample)}, f"{PAGE}:{message}") for name, (sample, message) in BLOCKS.items()},
    **{name: ({PAGE: page}, f"{PAGE}:{message}") for name, (page, message) in PAGES.items()},
    "chapter: a number twice": (
        {PAGE: HEAD, "docs/twin.md": HEAD},
        "docs/twin.md:1: chapter 1.1 is already in docs/page.md",
    ),
    "navigation: names a page that is not there": (
        {PAGE: HEAD, "mkdocs.yml": "nav: [page.md, gone.md]"},
        "mkdocs.yml:1: the navigation names docs/gone.md, which does not exist",
    ),
    "navigation: leaves out a chapter": (
        {PAGE: HEAD, "mkdocs.yml": "nav: []"},
        "docs/page.md:1: has blocks to execute but is not in the navigation of mkdocs.yml",
    ),
    "navigation: not YAML": (
        {PAGE: HEAD, "mkdocs.yml": "site_name: A guide\nnav: [page.md"},
        "mkdocs.yml:2: this is not YAML: expected ',' or ']', but got '<stream end>'",
    ),
    "navigation: none": (
        {},
        "mkdocs.yml:1: does not exist: it says in which order pages are read",
    ),
}


def caused_by(root: Path, files: dict[str, str | bytes]) -> PageError:
    """What reading and extracting a guide complains about."""
    write(root, files)
    with pytest.raises(PageError) as caught:
        extract(Guide.load(root), root)
    return caught.value


@pytest.mark.parametrize("name", GUIDES)
def test_message(tmp_path: Path, name: str) -> None:
    files, message = GUIDES[name]
    assert str(caused_by(tmp_path, files)) == message


# ---------------------------------------------------------------- no message without a test


def places() -> Iterator[tuple[str, range]]:
    """Every place in the reader that raises an error: file and lines."""
    for path in READER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise):
                yield str(path), range(node.lineno, (node.end_lineno or node.lineno) + 1)


def passed(error: BaseException | None) -> Iterator[tuple[str, int]]:
    """The places that an error comes through, and those of the errors behind it."""
    while error is not None:
        for frame in traceback.extract_tb(error.__traceback__):
            yield frame.filename, frame.lineno or 0
        error = error.__context__


def test_every_message_is_tested(tmp_path: Path) -> None:
    seen = {
        place
        for number, (files, _) in enumerate(GUIDES.values())
        for place in passed(caused_by(tmp_path / str(number), files))
    }
    missing = [f"{file}:{lines[0]}" for file, lines in places() if not any((file, line) in seen for line in lines)]
    assert missing == []
