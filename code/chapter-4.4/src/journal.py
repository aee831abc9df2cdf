"""The journal of the service: a line of JSON for each answer, on a disk that it never fills."""

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock


class Journal:
    """Lines in files of bounded size, of which the newest are kept.

    Files only grow. None is renamed or written anew, so others can copy them at any time.
    """

    def __init__(self, folder: Path, most_bytes: int = 5_000_000, most_files: int = 20) -> None:
        self.folder, self.most_bytes, self.most_files = folder, most_bytes, most_files
        self.file: Path | None = None
        self.lock = Lock()  # requests are answered side by side

    def write(self, entry: dict) -> None:
        """Append an entry, with the time. Raises OSError if the disk does not take the whole line."""
        with self.lock:
            now = datetime.now(UTC)
            line = json.dumps({"time": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}", **entry}) + "\n"
            if not self.has_room(len(line)):
                self.begin(now)
            append(self.file, line.encode())

    def has_room(self, more: int) -> bool:
        """Say whether so many bytes fit into the present file."""
        return (
            self.file is not None
            and self.file.exists()  # somebody may have cleaned up
            and self.file.stat().st_size + more <= self.most_bytes
        )

    def begin(self, now: datetime) -> None:
        """Begin a new file. Remove the oldest ones, so that there are not too many."""
        self.folder.mkdir(parents=True, exist_ok=True)
        files = sorted(self.folder.glob("predictions-*.jsonl"))  # by time: it is in the name
        for old in files[: max(len(files) + 1 - self.most_files, 0)]:
            old.unlink()
        self.file = self.folder / f"predictions-{now:%Y%m%dT%H%M%S%fZ}.jsonl"


def append(file: Path, line: bytes) -> None:
    """Write a line at the end of a file. Of one that does not fit, nothing is left."""
    with file.open("ab", buffering=0) as end:
        before = end.tell()
        if end.write(line) < len(line):
            end.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
