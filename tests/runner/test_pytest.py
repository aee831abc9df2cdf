"""The chapters as pytest items: a small checkout, done by a pytest of its own."""

from __future__ import annotations

import json
import re
import resource
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.runner.sample import Checkout, Ended, fence, file, hidden, output, sh, tabs

COUNT = "echo {} >>~/count"
"""What a chapter really executed can be read from a file in the reader's home."""

PASSES = (
    sh("mkdir project\ncd project\necho 0.354"),
    output("0.35"),
    file("a.py", "print('hi')"),
    sh("firefox", "skip reason=browser note='with the mouse'"),
    sh("firefox again", "skip reason=reminder"),
    sh("gh auth status", "requires github"),
    output("Logged in"),
    sh("python3 a.py"),
    output("hi"),
)
FAILS = (
    sh("cd project\npwd\necho 'what was printed'"),
    output("/home/reader/project\nwhat the page says"),
    sh("echo 'before it failed'\nls --no-such-option"),
    output("never seen"),
    sh("echo never"),
)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One chapter that passes, with all kinds of blocks, and one that fails."""
    checkout = Checkout(tmp_path_factory.mktemp("mixed") / "checkout")
    checkout.write("1.1", *PASSES)
    checkout.write("1.2", *FAILS)
    return checkout


@pytest.fixture(scope="module")
def fresh(mixed: Checkout) -> Ended:
    return mixed.pytest("--fresh")


@pytest.fixture(scope="module")
def cached(mixed: Checkout, fresh: Ended) -> Ended:
    return mixed.pytest()


def line_of(checkout: Checkout, number: str, text: str, nth: int = 0) -> int:
    """The line of the fence above the ``nth`` line that is ``text``."""
    lines = (checkout.root / f"docs/{number}.md").read_text().splitlines()
    found = [index for index, line in enumerate(lines) if line == text][nth]
    return max(index for index in range(found) if lines[index].startswith("```")) + 1


# ---------------------------------------------------------------- when there is little time


def test_what_would_begin_too_late_is_left_out_and_told(mixed: Checkout, cached: Ended) -> None:
    done = mixed.pytest("--minutes", "0")
    assert done.status == 0
    assert set(done.executed) == set()
    assert "the time was over before chapter 1.2" in done.text
    assert "5 ran" in done.counts
    assert "5 late" in done.counts


# ---------------------------------------------------------------- what is told


def test_each_block_is_an_item_at_its_line(mixed: Checkout, fresh: Ended) -> None:
    ids = [
        *("010-mkdir-project", "020-output", "030-a.py", "040-firefox", "050-firefox-again", "060-gh-auth-status"),
        *("070-output", "080-python3-a.py", "090-output", "shares"),
    ]
    assert [name for name in fresh.outcomes if "1.1" in name] == [f"chapter-1.1::{name}[uv]" for name in ids]
    assert fresh.lines["chapter-1.1::080-python3-a.py[uv]"] == f"docs/1.1.md:{line_of(mixed, '1.1', 'python3 a.py')}"
    assert fresh.lines["chapter-1.1::090-output[uv]"] == f"docs/1.1.md:{line_of(mixed, '1.1', 'hi')}"


def test_outcomes(fresh: Ended) -> None:
    assert fresh.status == 1
    assert list(fresh.outcomes.values()) == [
        *("passed", "passed", "passed", "skipped", "skipped", "skipped", "skipped", "passed", "passed", "passed"),
        *("passed", "failure", "failure", "skipped", "skipped", "passed"),
    ]


def test_what_is_not_executed_is_counted_by_its_reason(fresh: Ended) -> None:
    assert fresh.counts == (
        "blocks of the guide: 6 ran, 2 skipped, 2 absent, 2 failed, 2 blocked (0 from checkpoints)"
    )  # fmt: skip
    for line in (
        r"skipped docs/1\.1\.md:\d+ 040-firefox\[uv\]  browser \(with the mouse\)",
        r"skipped docs/1\.1\.md:\d+ 050-firefox-again\[uv\]  reminder",
        r"absent  docs/1\.1\.md:\d+ 060-gh-auth-status\[uv\]  github: .*--with github",
        r"blocked docs/1\.2\.md:\d+ 040-output\[uv\]  after the failure at docs/1\.2\.md:\d+",
    ):
        assert re.search(f"^{line}$", fresh.text, re.M), fresh.text


def test_an_output_that_is_not_the_one_shown_tells_the_difference(mixed: Checkout, fresh: Ended) -> None:
    place = f"docs/1.2.md:{line_of(mixed, '1.2', '/home/reader/project')}"
    assert f"{place}: is not what the page shows\n" in fresh.text
    assert "\n-what the page says\n+what was printed\n" in fresh.text
    assert f"kept until the next run: {mixed.cache}/runs/" in fresh.text


def test_a_command_that_fails_tells_itself_and_what_it_printed(mixed: Checkout, fresh: Ended) -> None:
    place = f"docs/1.2.md:{line_of(mixed, '1.2', 'ls --no-such-option')}"
    told = fresh.text[fresh.text.index(f"{place}: ended with status 2, not 0\n") :]
    assert "    echo 'before it failed'\n    ls --no-such-option\n" in told
    assert "\nbefore it failed\n" in told
    assert "no-such-option'" in told
    assert "Traceback" not in fresh.text
    assert f"after the failure at {place}" in fresh.text


def test_a_wrong_output_does_not_stop_the_blocks_below(fresh: Ended) -> None:
    assert fresh.outcomes["chapter-1.2::030-echo-before-it-failed[uv]"] == "failure"


# ---------------------------------------------------------------- cached


def test_cached_verdicts_are_the_fresh_ones(fresh: Ended, cached: Ended) -> None:
    assert cached.outcomes == fresh.outcomes
    assert cached.lines == fresh.lines
    assert cached.status == fresh.status
    assert "(6 from checkpoints)" not in cached.counts  # the failed chapter is done again
    assert cached.counts.replace("(5", "(0") == fresh.counts
    assert not any("chapter-1.1" in name or "/1.1" in name for name in cached.executed)


def test_editing_what_is_not_executed_executes_nothing(checkout: Checkout) -> None:
    place = checkout.write("1.1", sh(f"{COUNT.format(1)}\ncat ~/count"), output("1"))
    checkout.write("1.2", sh("true"))
    assert checkout.pytest().status == 0
    place.write_text(place.read_text().replace("Some prose.", "Other prose,\n\non more lines.\n"))
    prose = checkout.pytest()
    assert (prose.status, prose.executed) == (0, [])
    assert prose.lines["chapter-1.1::020-output[uv]"].endswith(f":{line_of(checkout, '1.1', '1')}")
    place.write_text(place.read_text().replace("\n1\n", "\n2\n"))
    expected = checkout.pytest()
    assert expected.status == 1
    assert red(expected) == ["chapter-1.1::020-output[uv]"]
    assert "\n-2\n+1\n" in expected.text
    assert [path.name for path in (checkout.cache / "runs").glob("*/home/count")]  # of the first run
    assert next((checkout.cache / "runs").glob("*/home/count")).read_text() == "1\n"


def test_editing_a_chapter_does_it_and_those_after_it(checkout: Checkout) -> None:
    for number in ("1.1", "1.2", "1.3"):
        checkout.write(number, sh(COUNT.format(number)), sh("cat ~/count"))
    assert checkout.pytest().status == 0
    checkout.write("1.2", sh(COUNT.format("edited")), sh("cat ~/count"))
    ended = checkout.pytest()
    assert ended.status == 0
    assert [name[:8] for name in ended.executed] == ["010-echo", "020-cat-"] * 2
    assert "(2 from checkpoints)" in ended.counts
    assert next((checkout.cache / "runs").glob("*/home/count")).read_text() == "1.1\nedited\n1.3\n"


# ---------------------------------------------------------------- choosing


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Three chapters, the second with tabs, done once."""
    checkout = Checkout(tmp_path_factory.mktemp("three") / "checkout")
    checkout.write("1.1", sh(COUNT.format(1)))
    checkout.write("1.2", tabs(uv=sh("echo with uv"), pip=sh("echo with pip")), sh(COUNT.format(2)))
    checkout.write("1.3", sh(COUNT.format(3)), sh("cat ~/count"), output("1\n2\n3"))
    assert checkout.pytest().status == 0
    return checkout


def red(ended: Ended) -> list[str]:
    return [name for name, outcome in ended.outcomes.items() if outcome == "failure"]


def chapters(ended: Ended) -> list[str]:
    return sorted({name[:11] for name in ended.outcomes})


def test_k_does_what_the_chapter_continues_from(checkout: Checkout) -> None:
    checkout.write("1.1", sh(COUNT.format(1)))
    checkout.write("1.2", sh("cat ~/count"), output("1"))
    ended = checkout.pytest("-k", "chapter-1.2")
    assert (ended.status, chapters(ended)) == (0, ["chapter-1.2"])


def test_from_chooses_a_chapter_and_those_after_it(three: Checkout) -> None:
    ended = three.pytest("--from", "1.2")
    assert (ended.status, chapters(ended)) == (0, ["chapter-1.2", "chapter-1.3"])
    assert ended.executed == []


def test_fresh_executes_every_chapter(three: Checkout) -> None:
    ended = three.pytest("--fresh")
    assert ended.status == 0
    assert len(ended.executed) == 6
    assert "(0 from checkpoints)" in ended.counts


def test_a_damaged_checkpoint_is_told_and_made_anew(three: Checkout) -> None:
    records = min((three.cache / "checkpoints").glob("*/records.json"))
    records.write_text("")
    ended = three.pytest()
    assert ended.status == 0
    assert f"checkpoint {records.parent.name} is damaged" in ended.text
    assert ended.executed != []
    assert records.read_text() != ""


def test_a_variant_follows_its_tabs(three: Checkout) -> None:
    ended = three.pytest("--variant", "tool=pip")
    assert ended.status == 0
    assert "chapter-1.2::020-echo-with-pip[pip]" in ended.outcomes
    assert not any("uv" in name for name in ended.outcomes)


def test_all_variants_by_two_workers(three: Checkout) -> None:
    ended = three.pytest("--variant", "all", "-n", "2", "--fresh")
    assert ended.status == 0, ended.text
    assert {"chapter-1.2::010-echo-with-uv[uv]", "chapter-1.2::020-echo-with-pip[pip]"} <= ended.outcomes.keys()
    assert len(ended.outcomes) == 5 * (6 + 3)
    assert {path.name.rsplit("-")[-1] for path in (three.cache / "runs").iterdir() if path.is_dir()} == {"uv", "pip"}


def test_the_cloud_is_a_variant_of_its_own(checkout: Checkout) -> None:
    """It shares what stands before the first tab."""
    checkout.write("1.1", sh("echo before"))
    checkout.write("1.2", tabs(Laptop=sh("echo here"), GitHub=sh("echo there")))
    assert set(blocks(checkout.pytest())) == {"010-echo-before", "010-echo-here"}
    ended = checkout.pytest("--variant", "tool=pip,place=cloud")
    assert ended.status == 0, ended.text
    assert set(ended.outcomes) >= {"chapter-1.1::010-echo-before[cloud-pip]", "chapter-1.2::020-echo-there[cloud-pip]"}
    assert ended.executed == ["020-echo-there[cloud-pip]"]


def blocks(ended: Ended) -> list[str]:
    assert ended.status == 0, ended.text
    return [name.split("::")[1].split("[")[0] for name in ended.outcomes if "shares" not in name]


def few_tools(folder: Path) -> str:
    """A PATH that has Git and a shell only."""
    folder.mkdir()
    for tool in ("bash", "git"):
        folder.joinpath(tool).symlink_to(str(shutil.which(tool)))
    return str(folder)


def test_a_missing_capability_is_a_failure_when_strict(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("1.1", sh("docker ps", "requires docker"), output("nothing"))
    ended = checkout.pytest("--strict-capabilities", PATH=few_tools(tmp_path / "bin"))
    assert ended.status == 1
    assert red(ended) == ["chapter-1.1::010-docker-ps[uv]", "chapter-1.1::020-output[uv]"]
    assert "this machine lacks docker" in ended.text


def test_an_extra_that_no_package_brings_is_no_failure(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("1.1", sh("grype --version", "requires grype"), output("nothing"))
    ended = checkout.pytest("--strict-capabilities", PATH=few_tools(tmp_path / "bin"))
    assert ended.status == 0, ended.text
    assert "2 absent" in ended.text


def test_an_account_that_nobody_offers_is_no_failure(mixed: Checkout, fresh: Ended) -> None:
    ended = mixed.pytest("-k", "chapter-1.1", "--strict-capabilities")
    assert ended.status == 0, ended.text
    assert "2 absent" in ended.text


WRONG = {
    "--variant=tool=conda": "--variant tool=conda: choose all, or out of tool=uv|pip, place=laptop|cloud, ",
    "--from=9.9": "--from 9.9: there is no such chapter (there are 1.1, 1.2)",
    "--with=aws": "--with aws: choose from ",
}


@pytest.mark.parametrize(("option", "told"), WRONG.items())
def test_an_unknown_value_is_told_in_one_line(mixed: Checkout, option: str, told: str) -> None:
    usage_error(mixed.pytest(option), told)


def test_options_that_exclude_each_other(mixed: Checkout) -> None:
    usage_error(mixed.pytest("--bless", CI="true"), "--bless changes pages: ")
    usage_error(mixed.pytest("--bless", "-n", "2"), "--bless needs all verdicts in one process")
    usage_error(mixed.pytest("--record", "-n", "2"), "--record needs all verdicts in one process")


def test_a_page_that_cannot_be_read_is_told_at_its_line(checkout: Checkout) -> None:
    checkout.write("1.1", sh("true"), "```python\nno kind\n```")
    line = line_of(checkout, "1.1", "no kind")
    usage_error(checkout.pytest(), f"docs/1.1.md:{line}: this block has no kind")


def usage_error(ended: Ended, told: str) -> None:
    """Status 4, the line, and nothing but empty lines around it."""
    assert ended.status == 4, ended.text
    lines = [line for line in ended.text.splitlines() if "ERROR" in line]
    assert len(lines) == 1, ended.text
    assert told in lines[0]
    assert "Traceback" not in ended.text
    assert ended.outcomes == {}


# ---------------------------------------------------------------- blessing


def test_blessing_rewrites_what_is_wrong_and_only_that(checkout: Checkout) -> None:
    parts = (
        sh("git init -q r; cd r; git commit --allow-empty -m First; echo took 3ms; echo new"),
        output("[master (root-commit) 1a2b3c4] First\ntook 9 s\nold"),
        sh("seq 9; echo end"),
        output("1\n...\n9\nEND"),
        tabs(uv=sh('printf \'{"a": 2, "t": 0.51}\'') + "\n\n" + output('{"a": 1, "t": "..."}', language="json")),
        sh("echo right"),
        output("right"),
    )
    place = checkout.write("1.1", *parts)
    ended = checkout.pytest("--bless")
    assert ended.status == 0, ended.text
    assert "--- docs/1.1.md" in ended.text
    text = place.read_text()
    assert "[master (root-commit) 1a2b3c4] First\ntook 9 s\nnew\n" in text
    assert "\n1\n...\n9\nend\n" in text
    assert re.search(r'^    +"a": 2,?$', text, re.M)
    assert '"t": "..."' in text
    again = checkout.pytest("--bless")
    assert (again.status, again.executed) == (0, [])
    assert place.read_text() == text


def test_blessing_shows_changes_of_files_as_the_tool_shows_them(checkout: Checkout) -> None:
    place = checkout.write(
        "1.1",
        sh("mkdir project"),
        file("a.yaml", "a: 1\nb: 2\nc: 3\nd: 4\ne: 5", language="yaml"),
        file("a.yaml", "@@ -1 +1 @@\n-e: 5\n+e: 6", language="diff"),
        sh("echo 'f: 7' >>project/a.yaml"),
        fence('yaml title="a.yaml" hl_lines="1"', "a: 1\nb: 2\nc: 3\nd: 4\ne: 6\nf: 7", "file mode=state"),
    )
    ended = checkout.pytest()
    assert ended.status == 1
    assert "the change is right, but not shown as the tool shows it: --bless does that" in ended.text
    assert 'what is new is hl_lines="6", not "1": --bless writes it' in ended.text
    blessed = checkout.pytest("--bless")
    assert (blessed.status, blessed.executed) == (0, [])
    text = place.read_text()
    assert "\n@@ -2,4 +2,4 @@\n b: 2\n c: 3\n d: 4\n-e: 5\n+e: 6\n```" in text
    assert '\n```yaml title="a.yaml" hl_lines="6"\n' in text
    again = checkout.pytest("--bless")
    assert (again.status, again.executed) == (0, [])
    assert place.read_text() == text


def test_blessing_leaves_a_command_that_fails_red(checkout: Checkout) -> None:
    place = checkout.write("1.1", sh("echo new; false"), output("old"))
    before = place.read_text()
    assert checkout.pytest("--bless").status == 1
    assert place.read_text() == before


# ---------------------------------------------------------------- what a chapter leaves


def by_line(blocks: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(blocks.values(), key=lambda block: block["line"])


def test_what_was_verified_is_recorded_and_may_not_become_less(checkout: Checkout) -> None:
    checkout.write("1.1", sh("echo one"), output("one"), sh("true"))
    assert checkout.pytest("--record").status == 0
    recorded = json.loads((checkout.root / "results/verified.json").read_text())
    (variant,) = recorded["chapters"]["1.1"]["variants"].values()
    assert [(block["kind"], block["outcome"]) for block in by_line(variant["blocks"])] == [
        *(("run", "ran"), ("expect", "ran"), ("run", "ran"))
    ]
    assert variant["shares"] == {"blocks": 3, "executed": 3, "commands": 2, "asserted": 1, "outputs": 1}
    checkout.write("1.1", sh("echo one"), sh("true"))
    ended = checkout.pytest()
    assert ended.status == 1
    assert "docs/1.1.md:1: 0 of 2 commands are checked; it was 1 of 2" in ended.text


def test_a_shell_opens_where_a_block_failed(checkout: Checkout) -> None:
    checkout.write("1.1", sh("mkdir project\ncd project\nplanet=earth"), sh("false"), sh("echo never"))
    ended = checkout.pytest("--debug-shell", typed='echo "in $(basename $PWD) on $planet"; exit\n')
    assert ended.status == 1
    assert "in project on earth\n" in ended.text


def test_a_hidden_check_that_fails_is_at_its_line(checkout: Checkout) -> None:
    checkout.write("1.1", sh("true"), hidden("check", "echo wrong; false"))
    ended = checkout.pytest()
    lines = (checkout.root / "docs/1.1.md").read_text().splitlines()
    assert f"docs/1.1.md:{lines.index('<!-- hidden: check') + 1}: ended with status 1, not 0" in ended.text


def test_collecting_many_chapters_executes_nothing(checkout: Checkout) -> None:
    checkout.write("1.09", sh("true"), output("x"))
    for number in range(10, 40):
        checkout.write(f"1.{number}", *[sh("true"), output("x")] * 10)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    ended = checkout.pytest("--collect-only", "-q")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 4
    assert ended.status == 0
    assert ended.text.splitlines()[:4] == [
        *("chapter-1.09::010-true[uv]", "chapter-1.09::020-output[uv]", "chapter-1.09::shares[uv]"),
        "chapter-1.10::010-true[uv]",
    ]
    assert not (checkout.cache / "runs").exists()


# ---------------------------------------------------------------- tests of the machinery


def test_tests_whose_inputs_are_unchanged_are_left_out(checkout: Checkout) -> None:
    checkout.write("1.1", sh("true"))
    (checkout.root / "requirements.txt").touch()
    folder = checkout.root / "tests/dataset"
    folder.mkdir()
    (checkout.root / "dataset").mkdir()
    (folder / "test_one.py").write_text("def test_one():\n    pass\n")
    one = "tests.dataset.test_one::test_one"
    assert checkout.pytest().outcomes[one] == "passed"
    again = checkout.pytest()
    assert one not in again.outcomes
    assert "tests/dataset/ unchanged since 1 passed (--fresh runs them again)" in again.text
    assert one in checkout.pytest("--fresh").outcomes
    assert one in checkout.pytest("-k", "one").outcomes
    (checkout.root / "dataset/new.py").touch()
    assert one in checkout.pytest().outcomes
    (folder / "test_one.py").write_text("def test_one():\n    raise AssertionError\n")
    assert checkout.pytest().status == 1
    assert checkout.pytest().outcomes[one] == "failure", "what is red is done again until it is green"
