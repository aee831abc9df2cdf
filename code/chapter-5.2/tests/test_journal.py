"""Test the journal: each line once and whole, old ones removed, a full disk reported."""

import json
import resource

import pytest

from journal import Journal


def files_of(folder):
    return sorted(folder.glob("*.jsonl"))


def entries_of(folder):
    return [json.loads(line) for file in files_of(folder) for line in file.read_text().splitlines()]


def test_keeps_what_is_written(tmp_path):
    journal = Journal(tmp_path / "logs")
    for number in range(3):
        journal.write({"number": number})
    entries = entries_of(tmp_path / "logs")
    assert [entry["number"] for entry in entries] == [0, 1, 2]
    assert entries == sorted(entries, key=lambda entry: entry["time"])


def test_the_newest_lines_stay_and_the_disk_never_fills(tmp_path):
    journal = Journal(tmp_path, most_bytes=200, most_files=3)
    for number in range(50):
        journal.write({"number": number})
        assert len(files_of(tmp_path)) <= 3
    assert all(file.stat().st_size <= 200 for file in files_of(tmp_path))
    numbers = [entry["number"] for entry in entries_of(tmp_path)]
    assert numbers == list(range(numbers[0], 50))
    assert len(numbers) > 3


def test_a_restart_begins_a_new_file(tmp_path):
    Journal(tmp_path).write({"number": 0})
    Journal(tmp_path).write({"number": 1})
    assert len(files_of(tmp_path)) == 2


@pytest.fixture
def full_disk():
    """Files of this process can't get larger than 100 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_of_a_line_that_does_not_fit_nothing_is_left(tmp_path, full_disk):
    journal = Journal(tmp_path)
    journal.write({"number": 0})
    for _ in range(2):
        with pytest.raises(OSError):
            journal.write({"number": 1, "text": "x" * 50})
    assert [entry["number"] for entry in entries_of(tmp_path)] == [0]


def test_a_folder_that_is_a_file_is_an_error_of_the_disk(tmp_path):
    (tmp_path / "logs").write_text("")
    with pytest.raises(OSError):
        Journal(tmp_path / "logs").write({"number": 0})


def test_goes_on_where_somebody_has_cleaned_up(tmp_path):
    journal = Journal(tmp_path / "logs")
    journal.write({"number": 0})
    (file,) = files_of(tmp_path / "logs")
    file.unlink()
    file.parent.rmdir()
    journal.write({"number": 1})
    assert [entry["number"] for entry in entries_of(tmp_path / "logs")] == [1]
