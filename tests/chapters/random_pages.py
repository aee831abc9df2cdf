"""Random pages: tidy ones, some with a slip in the layout, and pieces that are thrown together."""

from __future__ import annotations

from random import Random

Lines = list[str]

WORDS = ("model", "data", "`params.yaml`", "**train**", "and", "the", "[chapter](page.md)", "2.5", "x = 1")
BODIES: tuple[Lines, ...] = (
    ["python3 src/train.py"],
    ["a: 1", "", "  b:", "    - c"],
    ["    all lines", "      are indented", "    here  "],
    ["- item", '=== "uv"', "!!! note"],
    ["<!-- block: run -->", "# heading"],
    ["", "empty lines around", ""],
    [],
)
INFOS = ("sh", "text", 'py title="src/a.py" hl_lines="1 2-3"', '{ .yaml .annotate title="x.yaml" }', "")
# For thrown together pages. A fence is never torn: an unclosed one would hide all the rest.
PIECES: tuple[Lines, ...] = (
    *[["```sh", "echo", "```"]] * 3,
    ["~~~text", "", "  - a", "~~~"],
    ["<!-- block: run -->", "```sh", "true", "```"],
    ["<!-- hidden: check", "true", "-->"],
    ["<!-- comment -->"],
    ["text"],
    ["text", "text"],
    *[["- item"]] * 2,
    ["1. item", "   goes on"],
    ["1) no item"],
    ['=== "uv"'],
    ['=== "uv"', "", "    text"],
    ['=== "pip"', "    text"],
    ["!!! note"],
    ["??? note", "    text"],
    ["# heading"],
    ["---"],
    ["> quote"],
    ["<div>", "</div>"],
    ["| a | b |", "| - | - |"],
    [": definition"],
    ["[^1]: note"],
)


# ---------------------------------------------------------------- pages


def tidy(random: Random) -> str:
    """A page as an author should write it."""
    return "\n".join(blocks(random, depth=0)) + "\n"


def slipped(random: Random) -> str:
    """The same with up to three mistakes in its layout."""
    lines = tidy(random).split("\n")
    for _ in range(random.randint(1, min(3, len(lines)))):
        slip(random, lines)
    return "\n".join(lines)


def thrown_together(random: Random) -> str:
    """Pieces with any indentation, and often without an empty line between them."""
    lines = Lines()
    for _ in range(random.randint(2, 9)):
        if random.random() < 0.6:
            lines.append("")
        indent = " " * random.choice((0, 0, 0, 4, 4, 4, 8, 8, 12, 2, 3, 5))
        lines += [indent + line if line else "" for line in random.choice(PIECES)]
    return "\n".join(lines) + "\n"


def slip(random: Random, lines: Lines) -> None:
    number = random.randrange(len(lines))
    match random.choice(("delete", "insert", "indent", "dedent", "close up", "close up")):
        case "delete":
            del lines[number]
        case "insert":
            lines.insert(number, "")
        case "indent" if lines[number]:
            lines[number] = random.choice(("  ", "    ")) + lines[number]
        case "dedent":
            lines[number] = lines[number].removeprefix(random.choice(("  ", "    ")))
        case "close up" if "" in lines[number:]:
            del lines[lines.index("", number)]


# ---------------------------------------------------------------- what is on them


def blocks(random: Random, depth: int) -> Lines:
    """Some blocks, with empty lines between them."""
    choices = [paragraph, fence, fence, directed, hidden]
    if depth < 4:
        choices += [tabs, admonition, items]
    if depth == 0:
        choices += [heading]
    lines = Lines()
    for _ in range(random.randint(1, 6 if depth == 0 else 3)):
        lines += ["", *random.choice(choices)(random, depth)]
    return lines[1:]


def inside(random: Random, depth: int) -> Lines:
    return [f"    {line}" if line else "" for line in blocks(random, depth + 1)]


def text(random: Random) -> str:
    return " ".join(random.choices(WORDS, k=random.randint(1, 4)))


def paragraph(random: Random, depth: int) -> Lines:
    return [text(random) for _ in range(random.randint(1, 3))]


def heading(random: Random, depth: int) -> Lines:
    return [f"## {text(random)}"]


def fence(random: Random, depth: int) -> Lines:
    characters = random.choice("`~") * random.randint(3, 5)
    inner = [characters[:3], "inner", characters[:3]] if len(characters) > 3 else []
    return [characters + random.choice(INFOS), *random.choice(BODIES), *inner, characters]


def directed(random: Random, depth: int) -> Lines:
    return ["<!-- block: run timeout=3 -->", *fence(random, depth)]


def hidden(random: Random, depth: int) -> Lines:
    return ["<!-- hidden: check", "test -s a.txt", "", "  - b", "-->"]


def tabs(random: Random, depth: int) -> Lines:
    lines = Lines()
    for title in random.sample(("uv", "pip", "Linux", "WSL 2"), k=random.randint(1, 3)):
        lines += ["", f'=== "{title}"', *random.choice(([], [""])), *inside(random, depth)]
    return lines[1:]


def admonition(random: Random, depth: int) -> Lines:
    opener = random.choice(("!!! note", "??? note", "???+ note inline", '!!! note "A title"', '??? note ""'))
    return [opener, "", *inside(random, depth)]


def items(random: Random, depth: int) -> Lines:
    marker, lines = random.choice(("-", "*", "1.")), Lines()
    for _ in range(random.randint(1, 3)):
        lines += [f"{marker} {text(random)}"]
        lines += random.choice(([], [random.choice(("  ", "   ", "    ")) + text(random)]))
        lines += random.choice(([], [""], ["", *inside(random, depth), ""]))
    return lines
