"""The block grammar: fences and directives → blocks. Convention first, exceptions declared."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from .markdown import Directive, Fence, Page
from .model import (
    Background,
    Block,
    Expect,
    File,
    Hidden,
    Notebook,
    PageError,
    Place,
    Run,
    Shown,
    Skip,
    Variant,
)

# ---------------------------------------------------------------- closed lists

REASONS = {
    "reminder": "repeats what an earlier chapter did",
    "browser": "done with the mouse in a browser",
    "costs-money": "needs an account that costs money",
    "excerpt": "shows a part of something",
    "other-os": "for another operating system",
}
CAPABILITIES = {
    "browser": "install Chromium or Google Chrome",
    "cosign": "install cosign",
    "curl": "install curl",
    "docker": "install Docker or Podman",
    "gcloud": "install the Google Cloud CLI and log in",
    "github": "install the GitHub CLI and log in",
    "grype": "install Grype, with access to its database",
    "kubernetes": "install kind and kubectl",
    "podman": "install Podman (there is one for Linux)",
}
# The titles of content tabs that choose between ways to do the same step. The first value is the default.
VARIANTS = {
    "tool": {"uv": "uv", "pip": "pip"},
    "os": {"Linux": "linux", "macOS": "macos", "WSL 2": "wsl2"},
    "place": {"Laptop": "laptop", "GitHub": "cloud", "Google Cloud": "cloud"},
    "forge": {"GitHub Actions": "github", "GitLab CI": "gitlab"},
    "cluster": {"Podman": "podman", "kind": "kind"},
}
CHOICES = {key: tuple(dict.fromkeys(titles.values())) for key, titles in VARIANTS.items()}
DEFAULT: Variant = {key: values[0] for key, values in CHOICES.items()}
DIAGRAMS = {"mermaid", "big-picture"}
OUTPUT = "Output"
READY = re.compile(r"(?:https?://(?:127\.0\.0\.1|localhost):\d+(?:/\S*)?|tcp://(?:127\.0\.0\.1|localhost):\d+)")
PATH = re.compile(r"[\w.][\w./-]*$")
TERMINAL = re.compile(r"(?:.* )?terminal$", re.I)
PLACEHOLDER = re.compile(r"(?<![<\w])<[A-Za-z][\w -]*>")
SHELLS = {"bash", "shell", "zsh", "console", "shell-session"}

# directive → option → how to read it: one of a few words, a number of a type, or any text
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "run": {"timeout": float, "exit": int, "name": str, "gone": str},
    "background": {"ready": str, "timeout": float, "name": str},
    "expect": {"of": str, "match": ("lines", "contains", "json"), "tol": float},
    "file": {"mode": ("write", "append", "patch", "excerpt", "state"), "kept": ("no",), "name": str},
    "notebook": {"timeout": float, "name": str},
    "skip": {"reason": tuple(REASONS), "note": str},
    "requires": {},
    "variant": CHOICES,
    "setup": {"timeout": float, "exit": int, "name": str},
    "check": {"timeout": float, "exit": int, "name": str},
    "teardown": {"timeout": float, "exit": int, "name": str},
}
ROLES = ("setup", "check", "teardown")
NUMBERS = {float: re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?"), int: re.compile(r"\d+")}


def variants() -> Iterator[Variant]:
    """Every way to go through the guide. In the cloud, there is one language for workflows and one kind of cluster."""
    for values in itertools.product(*CHOICES.values()):
        variant = dict(zip(CHOICES, values, strict=True))
        if variant["place"] != "cloud" or all(variant[key] == DEFAULT[key] for key in ("forge", "cluster")):
            yield variant


def name_of(variant: Variant) -> str:
    """A short name, such as linux-uv or linux-cloud-uv: place and CI are named where they are not the default."""
    spoken = {"os", "tool"}
    return "-".join(variant[key] for key in sorted(variant) if key in spoken or variant[key] != DEFAULT[key])


# ---------------------------------------------------------------- info line

# What superfences reads otherwise, or not at all, is no match here.
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
INFO = re.compile(rf"(?P<language>(?:[\w+#-][\w+#.-]*)?)(?P<attributes>(?:\s+{ATTRIBUTE.pattern})*)$")
BRACED = re.compile(rf"\{{\s*\.(?P<language>[\w+#-]+)(?P<attributes>(?:\s+(?:\.[\w-]+|{ATTRIBUTE.pattern}))*)\s*\}}$")
ATTRIBUTES = {
    "title": re.compile(r".*"),
    "hl_lines": re.compile(r"\d+(?:-\d+)?(?:\s+\d+(?:-\d+)?)*"),
    "linenums": re.compile(r"\d+(?:\s+\d+){0,2}"),
}


def read_info(page: Page, fence: Fence) -> tuple[str, dict[str, str]]:
    """Language and options of a fence. An option that superfences does not know breaks the page."""
    line = fence.place.line
    match = INFO.match(fence.info) or BRACED.match(fence.info)
    if match is None:
        raise page.error(line, f'cannot read the fence: write ```LANGUAGE title="…", not {fence.info!r}')
    attributes = dict(ATTRIBUTE.findall(match["attributes"] or ""))
    if attributes and match["language"] in DIAGRAMS:
        raise page.error(line, f"```{match['language']} takes no options: with one, the site shows its source")
    for key, value in attributes.items():
        if key not in ATTRIBUTES:
            raise page.error(line, f"unknown option {key!r} in the fence: declare it in a <!-- block: … --> line above")
        if not ATTRIBUTES[key].fullmatch(value):
            raise page.error(line, f'{key}="{value}" is not a list of line numbers')
    return match["language"], attributes


# ---------------------------------------------------------------- directives


@dataclass
class Declared:
    """The directives above one fence or hidden block, merged."""

    word: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    variant: dict[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    skip: Skip | None = None


def read_options(page: Page, line: int, word: str, words: Sequence[str]) -> dict[str, Any]:
    """``key=value`` words of a directive, each checked against the closed list for it."""
    known, read = OPTIONS[word], dict[str, Any]()
    for text in words:
        key, _, value = text.partition("=")
        if key not in known or not value:
            choices = ", ".join(f"{name}=…" for name in known)
            raise page.error(line, f"{word!r} has no option {text!r}: it takes {choices}")
        kind = known[key]
        if isinstance(kind, tuple):
            if value not in kind:
                raise page.error(line, f"{key}={value} is not in the list: {', '.join(kind)}")
            read[key] = value
        elif kind in NUMBERS and not NUMBERS[kind].fullmatch(value):
            raise page.error(line, f"{key}={value} is not a number")
        else:
            read[key] = kind(value)
    return read


def read_words(page: Page, directive: Directive) -> list[str]:
    try:
        return shlex.split(directive.arguments)
    except ValueError as error:
        raise page.error(directive.place.line, f"cannot read the directive: {error}") from None


def merge(page: Page, directives: Sequence[Directive]) -> Declared:
    """Read the ``block:`` lines that stand above one fence: at most one kind, and one of each other."""
    declared, given = Declared(), dict[str, str]()
    for directive in directives:
        line = directive.place.line
        word, *rest = read_words(page, directive) or [""]
        if word not in OPTIONS or word in ROLES:
            choices = ", ".join(w for w in OPTIONS if w not in ROLES)
            raise page.error(line, f"unknown directive {word!r}: it is one of {choices}")
        if directive.place.end != line:
            raise page.error(line, "a block directive has one line: close it with --> on the same line")
        slot = word if word in {"requires", "skip", "variant"} else "kind"
        if slot in given:
            raise page.error(line, f"declared twice: {given[slot]} and {word}")
        given[slot] = word
        if word == "requires":
            declared.requires = tuple(name for text in rest for name in text.split(",") if name)
            if unknown := set(declared.requires) - set(CAPABILITIES) or (not declared.requires and {""}):
                raise page.error(line, f"unknown capability {min(unknown)!r}: it is one of {', '.join(CAPABILITIES)}")
            continue
        options = read_options(page, line, word, rest)
        if word == "variant":
            if not options:
                raise page.error(line, f"variant needs a choice, for example {next(iter(VARIANTS))}=…")
            declared.variant = options
        elif word == "skip":
            if "reason" not in options:
                raise page.error(line, f"skip needs a reason: reason={'|'.join(REASONS)}")
            declared.skip = Skip(**options)
        else:
            declared.word, declared.options = word, options
    return declared


# ---------------------------------------------------------------- blocks


def read_blocks(page: Page, *, chapter: bool) -> tuple[Block, ...]:
    """All blocks of a page in order, with ids and with expectations bound to what they expect from.

    Outside of chapters a block is only shown, unless a directive declares something of it.
    """
    blocks, above = list[Block](), list[Directive]()
    for item in page.items:
        if above and (item.place.line != above[-1].place.end + 1 or item.place.indent != above[-1].place.indent):
            raise orphan(page, above[-1])
        if isinstance(item, Directive) and item.word == "block":
            above.append(item)
            continue
        declared = merge(page, above)
        if isinstance(item, Directive):
            blocks.append(hidden(page, item, declared))
        else:
            blocks.append(read_fence(page, item, declared, chapter=chapter))
        above = []
    if above:
        raise orphan(page, above[-1])
    check_trials(page, blocks)
    return bind(page, name_blocks(blocks))


def check_trials(page: Page, blocks: Sequence[Block]) -> None:
    """A trial has to be taken back by a command further down."""
    for number, block in enumerate(blocks):
        if isinstance(block, File) and not block.kept and not any(isinstance(b, Run) for b in blocks[number + 1 :]):
            raise page.error(
                block.place.line, f"no command below takes {block.path} back: add git restore, or drop kept=no"
            )


def orphan(page: Page, directive: Directive) -> PageError:
    return page.error(
        directive.place.line,
        "this directive stands above no block: put it on the line above a fence, with the same indentation",
    )


def hidden(page: Page, directive: Directive, declared: Declared) -> Hidden:
    line = directive.place.line
    role, *rest = read_words(page, directive) or [""]
    if role not in ROLES:
        raise page.error(line, f"unknown hidden block {role!r}: it is one of {', '.join(ROLES)}")
    if declared.word or declared.skip:
        raise page.error(line, "a hidden block takes its options on its own first line")
    if not directive.body.strip():
        raise page.error(line, "this hidden block is empty: put shell commands between its first line and -->")
    check_tabs(page, directive.place, declared)
    return Hidden(
        place=directive.place,
        body=directive.body,
        language="sh",
        role=role,
        variant=variant_of(page, directive.place, declared),
        requires=declared.requires,
        **read_options(page, line, role, rest),
    )


def variant_of(page: Page, place: Place, declared: Declared) -> dict[str, str]:
    """A content tab around a block chooses the variant that it belongs to."""
    chosen = dict(declared.variant)
    for container in place.containers:
        if container.kind == "tab":
            for key, titles in VARIANTS.items():
                if container.title in titles:
                    chosen.setdefault(key, titles[container.title])
    return chosen


def check_tabs(page: Page, place: Place, declared: Declared) -> None:
    """A tab that chooses no variant would be done always, beside the tabs that stand next to it."""
    known = {title for titles in VARIANTS.values() for title in titles}
    for tab in place.containers:
        if tab.kind == "tab" and tab.title not in known and not declared.variant and not declared.skip:
            raise page.error(
                place.line,
                f"the tab {tab.title!r} is no known variant: add it to VARIANTS, or declare variant or skip",
            )


def read_fence(page: Page, fence: Fence, declared: Declared, *, chapter: bool) -> Block:
    line = fence.place.line
    language, attributes = read_info(page, fence)
    title = attributes.get("title", "")
    common: dict[str, Any] = {
        "place": fence.place,
        "body": fence.body,
        "language": language,
        "title": title,
        "variant": variant_of(page, fence.place, declared),
        "requires": declared.requires,
        "skip": declared.skip,
    }
    conventional = chapter or declared.variant or declared.requires
    kind = declared.word or (by_convention(language, title) if conventional else "shown")
    if kind == "shown" or (not kind and declared.skip):
        return Shown(**common)
    if not kind:
        raise page.error(line, undeclared(language, title))
    check_tabs(page, fence.place, declared)
    if kind == "file":
        declared.options["highlighted"] = attributes.get("hl_lines", "")
    elif "hl_lines" in attributes:
        raise page.error(line, "hl_lines is for files: only there, what is new can be worked out")
    build = {"run": run, "background": background, "expect": expect, "file": file, "notebook": notebook}[kind]
    return build(page, common, declared.options)


def by_convention(language: str, title: str) -> str:
    """The kind of a block that nothing declares; empty when there is no convention for it."""
    if language in DIAGRAMS:
        return "shown"
    if language == "sh" and (not title or TERMINAL.match(title)):
        return "run"
    if title.lower() == OUTPUT.lower():
        return "expect" if title == OUTPUT and language not in {"sh", ""} else ""
    return "file" if PATH.match(title) else ""


def undeclared(language: str, title: str) -> str:
    if language in SHELLS:
        return f"commands are written in ```sh, not ```{language}"
    if title.lower() == OUTPUT.lower():
        return f'output is shown in ```text title="{OUTPUT}", or in json, diff, yaml and the like'
    if title:
        return f'the title {title!r} says no kind: use a path, "{OUTPUT}", or one that ends in "terminal"'
    return (
        f'this block has no kind: give it a path as title, or title="{OUTPUT}", '
        "or declare it with <!-- block: … --> on the line above"
    )


def run(page: Page, common: dict[str, Any], options: dict[str, Any]) -> Run:
    commands(page, common)
    gone = (pair.partition(":") for pair in options.pop("gone", "").split(",") if pair)
    options["gone"] = {old: new for old, _, new in gone}
    return Run(terminal=terminal(common), **common, **options)


def background(page: Page, common: dict[str, Any], options: dict[str, Any]) -> Background:
    commands(page, common)
    if not READY.fullmatch(options.get("ready", "")):
        raise page.error(
            common["place"].line,
            "background needs ready=http://127.0.0.1:PORT/PATH or ready=tcp://127.0.0.1:PORT",
        )
    return Background(terminal=terminal(common), **common, **options)


def terminal(common: dict[str, Any]) -> str:
    """The reader's first terminal needs no title. Capitals make no difference."""
    return (common["title"] or "terminal").lower()


def commands(page: Page, common: dict[str, Any]) -> None:
    line = common["place"].line
    if common["language"] != "sh":
        raise page.error(line, f"commands are written in ```sh, not ```{common['language']}")
    if not common["body"].strip():
        raise page.error(line, "this block is empty: write the command, or delete the block")
    if (match := PLACEHOLDER.search(common["body"])) and not common["skip"]:
        raise page.error(
            line + 1 + common["body"].count("\n", 0, match.start()),
            f"{match[0]} cannot be pasted as it stands: use a variable that an earlier step sets",
        )


def expect(page: Page, common: dict[str, Any], options: dict[str, Any]) -> Expect:
    line = common["place"].line
    text = common["body"].strip()
    if not text or not re.sub(r"[.\s]", "", text):
        raise page.error(line, "this output is empty or all wildcards: show a line that proves something")
    name = options.pop("of", "")
    match = options.pop("match", "json" if common["language"] == "json" else "lines")
    return Expect(**common, **options, match=match, name=name)


def file(page: Page, common: dict[str, Any], options: dict[str, Any]) -> File:
    line, title = common["place"].line, common["title"]
    path = PurePosixPath(title)
    if not path.name or str(path) != title or path.is_absolute() or ".." in path.parts:
        raise page.error(line, f"a file needs its path in the project as title, not {title!r}")
    if "mode" not in options and common["language"] == "diff":
        options["mode"] = "patch"
    kept = options.pop("kept", "") != "no"
    if not kept and options.get("mode") == "excerpt":
        raise page.error(line, "an excerpt changes nothing that could be taken back: drop kept=no")
    return File(path=path, kept=kept, **common, **options)


def notebook(page: Page, common: dict[str, Any], options: dict[str, Any]) -> Notebook:
    line = common["place"].line
    if common["language"] not in {"py", "python"} or common["title"]:
        raise page.error(line, "a notebook cell is a ```py block without a title")
    return Notebook(**common, **options)


# ---------------------------------------------------------------- names and expectations


def name_blocks(blocks: Iterable[Block]) -> Iterator[Block]:
    """Give each block its id, in steps of ten as they stand on the page."""
    number = 0
    for block in blocks:
        if isinstance(block, Shown):
            yield block
            continue
        number += 10
        yield replace(block, id=f"{number:03d}-{block.label}")


def bind(page: Page, named: Iterator[Block]) -> tuple[Block, ...]:
    """Bind each expectation to the block above it that it belongs to."""
    bound = list[Block]()
    for block in named:
        if isinstance(block, Expect):
            block = replace(block, producers=tuple(p.id for p in producers(page, block, bound)))
        bound.append(block)
    return tuple(bound)


def producers(page: Page, expect: Expect, above: Sequence[Block]) -> Sequence[Block]:
    executed = [b for b in above if isinstance(b, Run | Notebook)]
    if expect.name:
        found = [b for b in executed if b.name == expect.name]
        if not found:
            raise page.error(expect.place.line, f"no block above is named {expect.name!r}: give one name={expect.name}")
    else:
        shared = [b for b in executed if b.place.containers == expect.place.containers and not isinstance(b, Hidden)]
        found = shared[-1:]
        if not found:
            raise page.error(
                expect.place.line,
                "this output belongs to no command: put it below one in the same tab or list, or declare of=NAME",
            )
    if any(isinstance(b, Background) for b in found):
        raise page.error(
            expect.place.line, "a background block has no output of its own: ask its server in a run block"
        )
    if all(b.skip for b in found) and not expect.skip:
        raise page.error(
            expect.place.line,
            f"the command on line {found[0].place.line} is not executed ({found[0].skip}): "
            "declare the same skip for its output",
        )
    for variant in filter(expect.chosen, variants()):
        makers = [b for b in found if b.chosen(variant)]
        if len(makers) > 1:
            lines = " and ".join(str(b.place.line) for b in makers)
            raise page.error(
                expect.place.line, f"the name {expect.name!r} is given on lines {lines}: rename one of them"
            )
        if not makers:
            choice = " ".join(f"{key}={value}" for key, value in variant.items())
            raise page.error(
                expect.place.line,
                f"where {choice}, no command makes this output: put it in the same tab, or declare its variant",
            )
    return found
