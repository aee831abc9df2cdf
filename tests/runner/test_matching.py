"""What counts as the output that the page shows."""

from __future__ import annotations

import json
import time

import pytest

from scripts.runner.matching import difference, same_line, same_lines

HASH, OTHER_HASH = "3f2a9c1", "b81d77e"
LONG_HASH, OTHER_LONG_HASH = "3f2a9c1" + "0a" * 16 + "b", "b81d77e" + "1c" * 16 + "d"

SAME_LINE = [
    ("", ""),
    ("plain", "plain"),
    ("a.c [x]* (y) $z ^ \\d+ | ?", "a.c [x]* (y) $z ^ \\d+ | ?"),
    # part of a line
    ("...", "anything"),
    ("...", ""),
    ("took ... in all", "took very long in all"),
    ("took ... in all", "took  in all"),
    ("...end", "the end"),
    ("start...", "start"),
    ("a...b...c", "a 1 b 2 b 3 c"),
    ("......", "x"),
    ("[...] (...)", "[x] (y)"),
    # numbers to the shown precision
    ("0.35", "0.354"),
    ("0.35", "0.346"),
    ("0.35", "0.3500001"),
    ("-1.5", "-1.49"),
    ("+1.5", "1.5"),
    ("1.5e-05", "1.54e-05"),
    ("1.50E+3", "1502.0"),
    ("0.0", "-0.04"),
    ("0.354 and 0.9", "0.3541 and 0.93"),
    ("loss=0.35,acc=0.9", "loss=0.354,acc=0.91"),
    ("0.35%", "0.354%"),
    ("(0.35)", "(0.351)"),
    ("It is 0.35.", "It is 0.354."),
    ("0.25-0.75", "0.252-0.748"),
    # numbers after something that is left open
    ("... 0.35 ...", "a 0.10 b 0.35 c"),
    ("loss ...: 0.35", "loss of 0.9 to 0.8: 0.354"),
    ("...=0.35...", "a=0.1 b=0.351 c=0.9"),
    ("a ...0.35", "a is 0.354"),
    # tables with other widths
    ("name    size", "name  size"),
    ("name  size", "name           size"),
    ("a   1   0.35", "a       1  0.351"),
    ("a\t\tb", "a  b"),
    ("name  ...  size", "name    size"),
    ("name  ... size", "name   size"),
]
OTHER_LINE = [
    ("plain", "Plain"),
    ("plain", "plain and more"),
    ("plain", ""),
    ("a.c", "abc"),
    ("a|b", "a"),
    ("x*", "xxx"),
    ("took ... in all", "took very long in al"),
    ("a...b...c", "a 1 c 2 b"),
    ("start...", "the start"),
    ("0.35", "0.36"),
    ("0.35", "0.3551"),
    ("0.35", "0.344"),
    ("0.350", "0.354"),
    ("0.35", "-0.35"),
    ("0.35", "0.35x"),
    ("0.35", "nan"),
    ("0.35", ""),
    ("-1.5", "1.5"),
    ("1.5e-05", "1.6e-05"),
    ("1.5e-05", "1.5e-06"),
    ("0.354 and 0.9", "0.9 and 0.354"),
    ("... 0.35 ...", "a 0.10 b 0.36 c"),
    ("loss ...0.35", "loss 10.35"),
    ("loss 0.35...", "loss 0.36"),
    # integers are exact
    ("12 files", "13 files"),
    ("12", "12.4"),
    ("12 files", "112 files"),
    # not numbers
    ("version 1.2.3", "version 1.2.4"),
    ("version 1.20.3", "version 1.21.3"),
    ("v1.2", "v1.21"),
    ("127.0.0.1", "127.0.0.2"),
    ("file1.5", "file1.51"),
    ("1.5x", "1.51x"),
    # a table may be wider, not without columns
    ("name  size", "namesize"),
    ("name size", "name  size"),
    ("a  b  c", "a  b c d"),
]


@pytest.mark.parametrize(("shown", "got"), SAME_LINE)
def test_same_line(shown: str, got: str) -> None:
    assert same_line(shown, got)


@pytest.mark.parametrize(("shown", "got"), OTHER_LINE)
def test_other_line(shown: str, got: str) -> None:
    assert not same_line(shown, got)


@pytest.mark.parametrize(
    ("shown", "got", "tol", "same"),
    [
        ("0.90", "0.95", 0.05, True),
        ("0.90", "0.85", 0.05, True),
        ("0.90", "0.951", 0.05, False),
        ("12", "13", 5, False),  # integers are exact, whatever is tolerated
        (" 1 clients:  143 answers a second, 0 failed", " 1 clients:   95 answers a second, 0 failed", 100, True),
        (" 1 clients:  143 answers a second, 0 failed", " 1 clients: 1143 answers a second, 0 failed", 100, False),
        (" 1 clients:  143 answers a second, 0 failed", " 1 clients:  143 answers a second, 1 failed", 100, False),
        ("143 answers a second", "95 answers a second", None, False),
        ("143 answers a second", "many answers a second", 100, False),
        ("user 10001", "user 10002", 150, False),
        ("0.90 of 12", "0.91 of 12", 0.05, True),
        ("0.901", "0.902", 0, False),
        ("1.0", "1", 0, True),
    ],
)
def test_tolerance(shown: str, got: str, tol: float | None, same: bool) -> None:
    assert same_line(shown, got, tol) is same


@pytest.mark.parametrize(
    ("shown", "got", "same"),
    [
        ("a|b", "a|b", True),
        ("", "", True),
        ("", "a", False),
        ("a", "", False),
        ("a|b", "a", False),
        ("a", "a|b", False),
        ("a|b", "b|a", False),
        ("...", "", True),
        ("...", "a|b", True),
        ("...|...", "", True),
        ("...|...|...", "a", True),
        ("a|...|...|z", "a|z", True),
        ("a|...|z", "a|b|c|z", True),
        ("a|...|z", "a|z|b", False),
        ("a|...|a|b", "a|a|a|b", True),
        ("...|a|...|b|...", "x|a|y|b|z", True),
        ("...|a|...|b|...", "x|b|y|a|z", False),
        ("  ...|z", "a|b|z", True),
        ("a||b", "a||b", True),
        ("a||b", "a|b", False),
    ],
)
def test_lines(shown: str, got: str, same: bool) -> None:
    def lines(text: str) -> list[str]:
        return text.split("|") if text else []

    assert same_lines(lines(shown), lines(got), None) is same


NORMALISED = [
    (f"[main {HASH}] First", f"[main {OTHER_HASH}] First"),
    (f"commit {LONG_HASH}", f"commit {OTHER_LONG_HASH}"),
    ("at 2026-11-24T10:11:12Z", "at 2025-01-02T03:04:05Z"),
    ("at 2026-11-24 10:11:12,123", "at 2025-01-02 03:04:05,9"),
    ("at 2026-11-24T10:11:12+01:00", "at 2025-01-02T03:04:05+00:00"),
    ("10:11:12 started", "03:04:05.678 started"),
    ("Resolved in 3ms", "Resolved in 1.20s"),
    ("took 2 seconds", "took 1 second"),
    ("took 2 minutes", "took 1 minute"),
    ("12/12 - 1s - 80ms/step", "12/12 - 3s - 220ms/step"),
    ("trailing", "trailing   "),
    ("trailing  ", "trailing"),
    ("\n\nblank around\n\n\n", "blank around\n"),
]
NOT_NORMALISED = [
    ("planets: 1234567", "planets: 7654321"),  # no hash: it has no letter
    ("cafe facade", "cafe defaced"),  # nor has it a digit
    ("md5: " + "0a" * 16, "md5: " + "1b" * 16),  # what data is, is to be the same
    ("sha256 " + "0a" * 32, "sha256 " + "1b" * 32),
    ("on 2026-11-24", "on 2026-11-25"),
    ("x 1.234567e-05", "x 1.999999e-05"),
    ("5 samples", "6 samples"),
    ("5 m", "6 m"),
    ("  indented", "indented"),
    ("a\n\nb", "a\nb"),
]


@pytest.mark.parametrize(("shown", "got"), NORMALISED)
def test_what_never_repeats_is_the_same(shown: str, got: str) -> None:
    assert difference(shown, got) is None


@pytest.mark.parametrize(("shown", "got"), NOT_NORMALISED)
def test_what_means_something_is_not_taken_for_a_hash_or_a_time(shown: str, got: str) -> None:
    assert difference(shown, got)


@pytest.mark.parametrize(
    ("shown", "got", "missing"),
    [
        ("b\nd", "a\nb\nc\nd\ne", None),
        ("0.35", "a\n0.354", None),
        ("...b...", "a b c", None),
        ("d\nb", "a\nb\nc\nd", "b"),
        ("a\na", "a", "a"),
        ("x", "", "x"),
        ("a", "an a", "a"),
    ],
)
def test_contains_in_order(shown: str, got: str, missing: str | None) -> None:
    told = difference(shown, got, match="contains")
    if missing is None:
        assert told is None
    else:
        assert told is not None
        assert told.splitlines()[0].endswith(f": {missing}")


@pytest.mark.parametrize(
    ("shown", "got", "tol", "same"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1}, None, True),
        ({"a": 0.5}, {"a": 0.5}, None, True),
        ({"a": 0.5}, {"a": 0.54}, 0.05, True),
        ({"a": 0.5}, {"a": 0.56}, 0.05, False),
        ({"a": 0.35}, {"a": 0.354}, None, False),
        ({"a": [{"b": 0.5}]}, {"a": [{"b": 0.7}]}, 0.05, False),
        ({"a": 1}, {"a": 2}, 5, False),
        ({"a": 1.0}, {"a": 1}, None, True),
        ({"a": 1}, {"a": True}, None, False),
        ({"a": "0.5"}, {"a": 0.5}, None, False),
        ({"a": None}, {"a": 0}, None, False),
        ({"a": 1}, {"a": 1, "b": 2}, None, False),
        ({"a": 1, "b": 2}, {"a": 1}, None, False),
        ([1, 2], [2, 1], None, False),
        ([1, 2], [1, 2, 3], None, False),
        ({"a": "..."}, {"a": {"deep": [1]}}, None, True),
        ({"a": "x...y"}, {"a": "xzy"}, None, False),
    ],
)
def test_json_by_value(shown: object, got: object, tol: float | None, same: bool) -> None:
    told = difference(json.dumps(shown, indent=2), json.dumps(got), match="json", tol=tol)
    assert (told is None) if same else told  # a difference is never told with nothing


def test_what_is_no_json_is_told_with_what_it_is() -> None:
    told = difference('{"a": 1}', "Traceback (most recent call last)", match="json")
    assert told is not None
    assert told.startswith("not JSON (")
    assert "Traceback" in told


# ---------------------------------------------------------------- telling the difference


def test_the_difference_shows_what_was_printed() -> None:
    told = difference("first\n0.35\nthird\n", "first\n0.354\nother\n")
    assert told is not None
    marked = [line for line in told.splitlines() if line[0] in "+-"]
    assert marked == ["--- the page shows", "+++ what came out", "-third", "+other"]


def test_the_difference_shows_what_was_printed_below_a_wildcard() -> None:
    told = difference("...\na\nb\n", "x\na\nc\n")
    assert told is not None
    assert "+c" in told
    assert "-b" in told
    assert "+..." not in told


def test_the_difference_shows_a_line_that_came_twice() -> None:
    told = difference("a\nb", "a\na\nb")
    assert told is not None
    assert [line for line in told.splitlines()[3:] if line[0] in "+-"] == ["+a"]


# ---------------------------------------------------------------- time

MANY = [f"line {n} of many 0.{n:04d}" for n in range(2000)]
SLOW = {
    "the same": (MANY, MANY, True),
    "one is other": (MANY, [*MANY[:1000], "other", *MANY[1001:]], False),
    "all are other": (MANY, [f"other {n} 1.5" for n in range(2000)], False),
    "shorter": (MANY, MANY[:-1], False),
    "only the end is shown": (["...", *MANY[-3:]], MANY, True),
    "every other line is a wildcard": ([text for line in MANY[::8] for text in (line, "...")], MANY, True),
    "a wildcard and many that could fit": (["...", *["a 0.5"] * 1000], ["a 0.51"] * 2000, True),
    "only wildcards": (["..."] * 2000, MANY, True),
}


@pytest.mark.parametrize(("shown", "got", "same"), SLOW.values(), ids=SLOW)
def test_two_thousand_lines_take_less_than_a_second(shown: list[str], got: list[str], same: bool) -> None:
    started = time.process_time()
    assert (difference("\n".join(shown), "\n".join(got)) is None) is same
    assert time.process_time() - started < 1


@pytest.mark.parametrize("shown", ["... a ... a ... a ... a ... b", "...".join("aaaaaaaa") + "b", "..." * 50 + "b"])
def test_many_wildcards_in_a_line_take_no_time(shown: str) -> None:
    started = time.process_time()
    assert not same_line(shown, "a " * 200)
    assert time.process_time() - started < 0.5


def test_two_thousand_lines_contained() -> None:
    started = time.process_time()
    assert difference("\n".join(MANY[::2]), "\n".join(MANY), match="contains") is None
    assert time.process_time() - started < 1
