"""Pages that are broken on purpose must turn red, at the line of the mistake."""

from __future__ import annotations

from collections import Counter

import pytest

from scripts.runner.mutation import SERVER_KILLED, Outcome, Trials, mutants
from tests.runner.sample import UV, Tiny, file, free_port, output, server, sh


def outcomes(tiny: Tiny, *parts: str) -> list[Outcome]:
    """What comes of every mutant of a chapter made of ``parts``."""
    place = tiny.write("1.1", *parts)
    performer = tiny.performer(keep=False)
    chapter = performer.guide.chapters["1.1"]
    chosen = list(mutants(chapter, place.read_text(), UV))
    return list(Trials(performer.guide, chapter, performer).run(chosen))


def checked() -> tuple[str, ...]:
    """A chapter of which all is checked."""
    port = free_port()
    return (
        sh("mkdir project\ncd project\necho started"),
        output("started"),
        file("count.py", "total = 0\nfor n in range(4):\n    total += n\nprint('total', total)"),
        sh("python3 count.py >total.txt\ncat total.txt"),
        output("total 6"),
        server(f"exec python3 -m http.server {port} --bind 127.0.0.1", f"http://127.0.0.1:{port}/"),
        sh(f"curl --silent http://127.0.0.1:{port}/total.txt"),
        output("total 6"),
    )


def test_every_mistake_in_a_checked_chapter_is_caught(tiny: Tiny) -> None:
    found = outcomes(tiny, *checked())
    assert [(o.mutant.kind, o.mutant.what) for o in found if not o.red] == []
    kinds = Counter(o.mutant.kind for o in found)
    assert kinds.keys() >= {
        *("typo in a command", "block deleted", "line dropped", "number changed", "word changed"),
        *("expectation deleted", "swapped with the next", SERVER_KILLED),
    }
    wrong = [o for o in found if o.mutant.kind in {"number changed", "word changed"}]
    assert all(o.at_its_line for o in wrong), wrong


def test_a_server_goes_on_with_the_files_that_were_brought_back(tiny: Tiny) -> None:
    """It had opened those that each mutant takes away."""
    port = free_port()
    found = outcomes(
        tiny,
        sh("mkdir project"),
        server(f"cd project\nexec python3 -m http.server {port} --bind 127.0.0.1", f"http://127.0.0.1:{port}/"),
        sh("echo later > project/later.txt"),
        sh(f"curl --silent --fail http://127.0.0.1:{port}/later.txt"),
        output("later"),
    )
    assert [(o.mutant.kind, o.mutant.what) for o in found if not o.red] == []


def test_what_is_not_checked_is_told(tiny: Tiny) -> None:
    found = outcomes(tiny, sh("echo nobody looks at this"))
    deleted = next(o for o in found if o.mutant.kind == "block deleted")
    assert deleted.red is None


def test_the_same_block_gets_the_same_mistakes_wherever_it_stands(tiny: Tiny) -> None:
    parts = (sh("mkdir project\necho one two three 4"), output("one two three 4"))

    def made() -> list[tuple[str, str]]:
        text = tiny.write("1.1", *parts).read_text()
        chapter = tiny.performer().guide.chapters["1.1"]
        return [(m.kind, m.what) for m in mutants(chapter, text, UV)]

    before = made()
    parts = (sh("true"), *parts)
    assert set(before) <= set(made())


def test_only_as_much_is_done_as_the_chosen_mutants_need(tiny: Tiny) -> None:
    text = tiny.write("1.1", sh("echo one"), output("one"), sh("touch ~/reached")).read_text()
    performer = tiny.performer(keep=False)
    chapter = performer.guide.chapters["1.1"]
    (outcome,) = Trials(performer.guide, chapter, performer).run(list(mutants(chapter, text, UV))[-4:-3])
    assert outcome.mutant.block.body == "one\n"
    assert not (performer.run.home / "reached").exists()


def test_a_chapter_that_is_red_by_itself_proves_nothing(tiny: Tiny) -> None:
    with pytest.raises(RuntimeError, match=r"docs/1\.1\.md:\d+ is failed without a mutant"):
        outcomes(tiny, sh("echo one"), output("two"))


def test_each_mutant_starts_from_the_same_state(tiny: Tiny) -> None:
    """A mutant that goes wild leaves nothing behind for the next."""
    found = outcomes(
        tiny,
        sh("mkdir project\ncd project\npython3 -m venv --without-pip .venv"),
        sh("echo x >>file\nwc -l <file"),
        output("1"),
        sh("ls -d .venv/bin/activate\nwc -l <file"),
        output(".venv/bin/activate\n1"),
    )
    assert len(found) > 8
    assert all(o.red for o in found if o.mutant.kind == "block deleted")


def test_an_environment_that_a_mutant_takes_away_comes_back(tiny: Tiny) -> None:
    """It is too large to be copied each time."""
    found = outcomes(
        tiny,
        sh("mkdir project\ncd project\npython3 -m venv --without-pip .venv"),
        sh("echo one"),
        sh("echo two"),
        sh(".venv/bin/python --version | cut -c 1-6"),
        output("Python"),
        sh("rm -rf .venv"),
    )
    late = [o for o in found if o.mutant.what == "deleted" and o.mutant.block.body.strip() in {"echo one", "echo two"}]
    assert len(late) == 2
    assert not any(o.red for o in late)
