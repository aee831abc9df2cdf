"""Kinds and options of blocks, their ids, and what an output belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.chapters import (
    DEFAULT,
    Background,
    Block,
    Chapter,
    Expect,
    File,
    Hidden,
    Notebook,
    Run,
    Shown,
    Skip,
    Variant,
    read_chapter,
)
from scripts.chapters.grammar import CAPABILITIES, REASONS, name_of, variants
from tests.chapters.samples import below, one, read

SH = "```sh\ntrue\n```\n"
OUT = '```text title="Output"\n1\n```\n'
UV: Variant = {"tool": "uv", "os": "linux", "place": "laptop", "forge": "github", "cluster": "podman"}
PIP: Variant = {"tool": "pip", "os": "linux", "place": "laptop", "forge": "github", "cluster": "podman"}


def tabs(**bodies: str) -> str:
    """Content tabs with a body each."""
    text = ""
    for title, body in bodies.items():
        indented = "".join(f"    {line}\n" if line else "\n" for line in body.split("\n")[:-1])
        text += f'=== "{title}"\n\n{indented}\n'
    return text


def ids(sample: str) -> list[str]:
    return [block.id for block in read(sample).blocks if block.id]


def bound(sample: str) -> tuple[str, ...]:
    """The ids that the last block, an output, belongs to."""
    expect = read(sample).blocks[-1]
    assert isinstance(expect, Expect)
    return expect.producers


# ---------------------------------------------------------------- by convention


def test_run() -> None:
    run = one(Run, SH)
    assert (run.kind, run.body, run.terminal, run.timeout, run.exit) == ("run", "true\n", "terminal", 300, 0)
    assert (run.variant, run.requires, run.skip) == ({}, (), None)


@pytest.mark.parametrize("title", ["Second terminal", "second Terminal"])
def test_run_in_another_terminal(title: str) -> None:
    assert one(Run, f'```sh title="{title}"\ntrue\n```\n').terminal == "second terminal"


@pytest.mark.parametrize("language", ["py", "yaml", "sh", "text", "dockerfile", "c++"])
def test_file(language: str) -> None:
    file = one(File, f'```{language} title=".github/src-1/a_b.c"\nx\n```\n')
    assert (str(file.path), file.mode, file.kept, file.body) == (".github/src-1/a_b.c", "write", True, "x\n")


def test_a_diff_with_a_path_is_a_patch() -> None:
    assert one(File, '```diff title="a.py"\n@@ @@\n```\n').mode == "patch"


@pytest.mark.parametrize("language", ["text", "json", "diff", "yaml"])
def test_expect(language: str) -> None:
    expect = read(f'{SH}\n```{language} title="Output"\n1\n```\n').blocks[1]
    assert isinstance(expect, Expect)
    assert (expect.match, expect.tol) == ("json" if language == "json" else "lines", None)


def test_diagrams_are_only_shown() -> None:
    assert one(Shown, "```mermaid\ngraph LR\n```\n").id == ""
    assert one(Shown, "```big-picture\n1.1\n```\n").kind == "shown"


# ---------------------------------------------------------------- declared

DECLARED: list[tuple[type[Block], str, str, dict[str, Any]]] = [
    (Run, "run timeout=1.5 exit=3 name=train", SH, {"timeout": 1.5, "exit": 3, "name": "train", "gone": {}}),
    (Run, "run gone=a.py,src/b.py:lib/b.py", SH, {"gone": {"a.py": "", "src/b.py": "lib/b.py"}}),
    (
        Background,
        "background ready=http://127.0.0.1:3000/readyz timeout=60 name=web",
        SH,
        {"ready": "http://127.0.0.1:3000/readyz", "timeout": 60, "name": "web", "terminal": "terminal"},
    ),
    (Background, "background ready=tcp://localhost:9000", SH, {"ready": "tcp://localhost:9000", "exit": 0}),
    (Notebook, "notebook timeout=9 name=plot", "```py\n1\n```\n", {"timeout": 9, "name": "plot", "body": "1\n"}),
    (Notebook, "notebook", "```python\n1\n```\n", {"timeout": 300}),
    (File, "file name=settings", '```yaml title="a b.yaml"\na: 1\n```\n', {"name": "settings", "mode": "write"}),
    *((File, f"file mode={m}", '```diff title="a.diff"\n1\n```\n', {"mode": m}) for m in ("write", "append", "patch")),
    *((File, f"file mode={m}", '```text title="a.txt"\n1\n```\n', {"mode": m}) for m in ("excerpt", "state")),
    *((Run, f"skip reason={r} note='a b'", SH, {"skip": Skip(r, "a b")}) for r in REASONS),
    (Run, "skip reason=browser", SH, {"skip": Skip("browser")}),
    (Shown, "skip reason=excerpt", "```py\n1\n```\n", {"skip": Skip("excerpt")}),
    *((Run, f"requires {name}", SH, {"requires": (name,)}) for name in CAPABILITIES),
    (Run, "requires docker,kubernetes", SH, {"requires": ("docker", "kubernetes")}),
    (Run, "requires docker, kubernetes", SH, {"requires": ("docker", "kubernetes")}),
    (Run, "variant tool=pip os=macos", SH, {"variant": {"tool": "pip", "os": "macos"}}),
]


@pytest.mark.parametrize(("kind", "directive", "fence", "attributes"), DECLARED, ids=lambda v: str(v)[:40])
def test_directive(kind: type[Block], directive: str, fence: str, attributes: dict[str, Any]) -> None:
    block = one(kind, f"<!-- block: {directive} -->\n{fence}")
    assert {key: getattr(block, key) for key in attributes} == attributes


def test_a_trial() -> None:
    file, _ = read(f'<!-- block: file kept=no -->\n```diff title="a.py"\n@@ @@\n```\n\n{SH}').blocks
    assert isinstance(file, File)
    assert (file.mode, file.kept) == ("patch", False)


@pytest.mark.parametrize(
    ("directive", "match", "tol"),
    [
        ("match=contains", "contains", None),
        ("match=json tol=0.05", "json", 0.05),
        ("match=lines tol=1e-3", "lines", 0.001),
    ],
)
def test_expect_directive(directive: str, match: str, tol: float | None) -> None:
    expect = read(f"{SH}\n<!-- block: expect {directive} -->\n{OUT}").blocks[1]
    assert isinstance(expect, Expect)
    assert (expect.match, expect.tol) == (match, tol)


@pytest.mark.parametrize("role", ["setup", "check", "teardown"])
def test_hidden(role: str) -> None:
    hidden = one(Hidden, f"<!-- hidden: {role} timeout=60 exit=1 name=proof\ntest -s a.txt\n\ntrue\n-->\n")
    assert (hidden.role, hidden.body) == (role, "test -s a.txt\n\ntrue\n")
    assert (hidden.timeout, hidden.exit, hidden.name, hidden.terminal) == (60, 1, "proof", "terminal")


def test_several_directives_stand_above_one_block() -> None:
    run = one(
        Run,
        """
        <!-- block: requires docker -->
        <!-- block: run timeout=9 -->
        <!-- block: variant tool=uv -->
        <!-- block: skip reason=browser -->
        ```sh
        docker run x
        ```
        """,
    )
    assert (run.requires, run.timeout, run.variant, run.skip) == (("docker",), 9, {"tool": "uv"}, Skip("browser"))


def test_directives_above_a_hidden_block() -> None:
    hidden = one(Hidden, "<!-- block: requires docker -->\n<!-- hidden: check\ndocker ps\n-->\n")
    assert hidden.requires == ("docker",)


def test_a_skipped_command_may_have_a_placeholder() -> None:
    run = one(Run, "<!-- block: skip reason=costs-money -->\n```sh\ngcloud projects create <your project>\n```\n")
    assert run.skip == Skip("costs-money")


@pytest.mark.parametrize("body", ["cat <<END\nx\nEND", "sort <in.txt >out.txt", "python3 -c 'x: list<int> = 1 < 2'"])
def test_not_every_angle_bracket_is_a_placeholder(body: str) -> None:
    assert one(Run, f"```sh\n{body}\n```\n").body == f"{body}\n"


# ---------------------------------------------------------------- variants


def test_the_title_of_a_tab_chooses_the_variant() -> None:
    chapter = read(tabs(uv=SH, pip=SH, **{"WSL 2": SH, "Linux": SH, "macOS": SH}))
    assert [dict(b.variant) for b in chapter.blocks] == [
        {"tool": "uv"},
        {"tool": "pip"},
        {"os": "wsl2"},
        {"os": "linux"},
        {"os": "macos"},
    ]


def test_tabs_in_tabs() -> None:
    assert one(Run, tabs(uv=tabs(Linux=SH))).variant == {"tool": "uv", "os": "linux"}


def test_executable_in_a_variant() -> None:
    chapter = read(tabs(uv=SH, pip=SH) + SH + "\n```mermaid\nx\n```\n")
    assert [[b.place.line for b in chapter.executable(v)] for v in (UV, PIP)] == [[8, 18], [14, 18]]


@pytest.mark.parametrize("directive", ["variant tool=uv", "skip reason=reminder"])
def test_another_tab_says_what_it_is(directive: str) -> None:
    assert one(Run, tabs(Fast=f"<!-- block: {directive} -->\n{SH}"))


def test_a_tab_of_what_is_only_shown_is_free() -> None:
    assert one(Shown, tabs(Picture="```mermaid\nx\n```\n"))


def test_variants() -> None:
    """The place in the cloud has one language for workflows and one kind of cluster."""
    found = list(variants())
    assert len(found) == 30
    assert not [
        one for one in found if one["place"] == "cloud" and (one["forge"], one["cluster"]) != ("github", "podman")
    ]
    assert next(variants()) == DEFAULT == UV


def test_two_titles_of_one_value_are_one_variant() -> None:
    chapter = read(tabs(Laptop=SH, GitHub=SH) + tabs(Laptop=SH, **{"Google Cloud": SH}))
    found = [[b.place.line for b in chapter.executable({**UV, "place": place})] for place in ("laptop", "cloud")]
    assert found == [[8, 20], [14, 26]]


@pytest.mark.parametrize(
    ("variant", "name"),
    [
        (UV, "linux-uv"),
        ({**PIP, "os": "macos"}, "macos-pip"),
        ({**UV, "place": "cloud"}, "linux-cloud-uv"),
        ({**UV, "forge": "gitlab"}, "gitlab-linux-uv"),
        ({"tool": "uv"}, "uv"),
    ],
)
def test_a_variant_has_a_short_name(variant: Variant, name: str) -> None:
    assert name_of(variant) == name


# ---------------------------------------------------------------- ids


def test_ids_count_what_is_executed_and_tell_what_it_is() -> None:
    sample = """
        ```mermaid
        graph LR
        ```

        ```sh
        # A comment

        dvc repro --force | tee log.txt
        ```

        ```text title="Output"
        1
        ```

        ```py title="src/train.py"
        a = 1
        ```

        <!-- block: run name=Train-again -->
        ```sh
        dvc repro
        ```

        <!-- hidden: check
        "$(command)"
        -->

        ```sh
        : "$@"
        ```

        <!-- block: notebook -->
        ```py
        import numpy as np
        ```
        """
    assert ids(sample) == [
        "010-dvc-repro-force-tee-log.txt",
        "020-output",
        "030-src-train.py",
        "040-train-again",
        "050-command",
        "060-run",
        "070-import-numpy-as-np",
    ]


def test_ids_do_not_change_with_the_prose() -> None:
    sample = f"{SH}\n{OUT}\n" + tabs(uv=SH, pip=SH)
    longer = "Much\n\n- more\n\n```mermaid\nx\n```\n\nprose\n\n" + sample.replace("===", "<!-- remark -->\n\n===")
    assert ids(longer) == ids(sample)
    assert len(set(ids(sample))) == 4


# ---------------------------------------------------------------- what an output belongs to


def test_the_nearest_command_above() -> None:
    assert bound(SH + "\n" + SH + "\n```py title='a.py'\n```\n".replace("'", '"') + OUT) == ("020-true",)


def test_several_outputs_of_one_command() -> None:
    chapter = read(SH + OUT + "Text\n\n" + OUT)
    assert [b.producers for b in chapter.blocks if isinstance(b, Expect)] == [("010-true",)] * 2


def test_a_hidden_command_in_between_does_not_count() -> None:
    assert bound(SH + "<!-- hidden: check\nfalse\n-->\n" + OUT) == ("010-true",)


def test_the_nearest_command_in_the_same_container() -> None:
    sample = tabs(uv=SH + "\n" + OUT, pip=SH + "\n" + OUT)
    outputs = [b for b in read(sample).blocks if isinstance(b, Expect)]
    assert [(b.producers, b.variant) for b in outputs] == [
        (("010-true",), {"tool": "uv"}),
        (("030-true",), {"tool": "pip"}),
    ]
    assert bound(SH + "\n" + tabs(uv=SH) + OUT) == ("010-true",)


def test_the_output_of_a_cell() -> None:
    assert bound("<!-- block: notebook -->\n```py\n1\n```\n" + OUT) == ("010-1",)


def test_by_name() -> None:
    named = f"<!-- block: run name=one -->\n{SH}\n<!-- hidden: check name=two\ntrue\n-->\n"
    assert bound(named + "<!-- block: expect of=one -->\n" + OUT) == ("010-one",)
    assert bound(named + "<!-- block: expect of=two -->\n" + OUT) == ("020-two",)


def test_by_name_across_the_tabs() -> None:
    named = f"<!-- block: run name=train -->\n{SH}"
    chapter = read(tabs(uv=named, pip=named) + "<!-- block: expect of=train -->\n" + OUT)
    expect = chapter.blocks[-1]
    assert isinstance(expect, Expect)
    assert [chapter.producer(expect, v).id for v in (UV, PIP)] == ["010-train", "020-train"]


def test_the_output_of_a_skipped_command_is_skipped() -> None:
    skip = "<!-- block: skip reason=costs-money -->\n"
    assert bound(skip + SH + skip + OUT) == ("010-true",)


def test_the_output_of_a_command_that_is_skipped_in_one_variant() -> None:
    named = f"<!-- block: run name=x -->\n{SH}"
    sample = tabs(uv=named, pip=f"<!-- block: skip reason=reminder -->\n{named}")
    assert bound(sample + "<!-- block: expect of=x -->\n" + OUT) == ("010-x", "020-x")


# ---------------------------------------------------------------- pages that are no chapter


def read_other(sample: str) -> Chapter | None:
    return read_chapter("docs/introduction/setup.md", below(sample, head="# Setup\n"))


def test_other_pages_execute_nothing() -> None:
    assert read_other(SH + OUT + '```py title="a.py"\n```\n\n```bash\ngit <command>\n```\n') is None


def test_other_pages_execute_what_is_declared() -> None:
    chapter = read_other(f"{SH}\n<!-- block: run -->\n{SH}\n<!-- block: requires docker -->\n{SH}\n{OUT}")
    assert chapter is not None
    assert [b.kind for b in chapter.blocks] == ["shown", "run", "run", "shown"]
    assert (chapter.number, chapter.slug, chapter.title, chapter.after) == (
        "introduction-setup",
        "page-introduction-setup",
        "Setup",
        None,
    )
    assert [b.id for b in chapter.executable(UV)] == ["010-true", "020-true"]


def test_other_pages_may_check_something() -> None:
    chapter = read_other("<!-- hidden: check\ntrue\n-->\n")
    assert chapter is not None
    assert [b.kind for b in chapter.blocks] == ["hidden"]
