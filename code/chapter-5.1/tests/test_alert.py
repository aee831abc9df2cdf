"""Test who is told what, and how often."""

import pytest

from alert import Folder, describe, tell


def verdict(said: str, hour: int) -> dict:
    return {
        "verdict": said,
        "drifted": ["sky", "contrast"] if said == "drift" else [],
        "p_values": {"contrast": 1e-5, "sky": 1e-9, "red": 0.5},
        "label_mix": {"changed": False, "p_value": 0.5},
        "model": "planets:0",
        "pictures": 100,
        "window": {"from": f"2026-01-01T{hour:02}:00:00Z", "to": f"2026-01-01T{hour:02}:30:00Z"},
    }


TOO_FEW = {"verdict": "too few", "pictures": 0, "window": None}


@pytest.fixture
def tracker(tmp_path):
    folder = tmp_path / "issues"
    folder.mkdir()
    (folder / "7-longer-training.md").write_text("# 7. Another one\n\n**State:** open\n")
    return Folder(folder)


def told(tracker, *verdicts: dict) -> list[str]:
    return [tell(one, tracker) for one in verdicts]


def test_nobody_is_told_when_there_is_nothing(tracker):
    assert told(tracker, verdict("quiet", 1), TOO_FEW) == [
        "no issue: all is quiet",
        "no issue: 0 pictures are too few to say anything",
    ]
    assert len(tracker.files()) == 1


def test_an_incident_is_one_issue_from_its_beginning_to_its_end(tracker):
    days = [("drift", 1), ("drift", 2), ("too few", 3), ("drift", 4), ("quiet", 5), ("quiet", 6)]
    assert told(tracker, *(TOO_FEW if said == "too few" else verdict(said, hour) for said, hour in days)) == [
        "issue 8: opened",
        "issue 8: goes on",
        "no issue: 0 pictures are too few to say anything",
        "issue 8: goes on",
        "issue 8: closed",
        "no issue: all is quiet",
    ]
    text = tracker.files()[8].read_text()
    assert text.startswith("# 8. The pictures have changed\n\n**State:** closed\n")
    assert [text.count(words) for words in ("**Seen:**", "**Over:**")] == [3, 1]
    assert "**State:** open" in tracker.files()[7].read_text()


def test_the_next_incident_is_another_issue(tracker):
    told(tracker, verdict("drift", 1), verdict("quiet", 2))
    assert told(tracker, verdict("drift", 3)) == ["issue 9: opened"]


def test_a_verdict_is_told_once(tracker):
    assert told(tracker, verdict("drift", 1), verdict("drift", 1)) == ["issue 8: opened", "issue 8: says so already"]
    assert tracker.find().text.count("**Seen:**") == 1


def test_what_was_interrupted_is_brought_to_its_end(tracker):
    told(tracker, verdict("drift", 1))
    tracker.comment(8, describe(verdict("quiet", 2)))  # and then the machine has stopped
    assert told(tracker, verdict("quiet", 2)) == ["issue 8: closed"]
    assert tracker.files()[8].read_text().count("**Over:**") == 1


def test_it_names_what_has_drifted_the_most_first():
    assert describe(verdict("drift", 1)).endswith("like the reference:\n\n- sky: p = 1.0e-09\n- contrast: p = 1.0e-05")
