"""Tell people what the monitor has found: one issue for each incident, and none on a quiet day."""

import argparse
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TITLE = "The pictures have changed"
LABEL = "drift"


@dataclass(frozen=True)
class Issue:
    """An open issue, with all that has been said in it."""

    number: int
    text: str


class Tracker(Protocol):
    """Where issues are kept."""

    def find(self) -> Issue | None:
        """Return the open issue about drift, if there is one."""

    def open(self, text: str) -> int:
        """Open an issue, and return its number."""

    def comment(self, number: int, text: str) -> None: ...
    def close(self, number: int) -> None: ...


class Folder:
    """A file for each issue, as in chapter 2.5."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> dict[int, Path]:
        return {int(file.name.split("-")[0]): file for file in self.folder.glob("[0-9]*-*.md")}

    def find(self) -> Issue | None:
        texts = {number: file.read_text() for number, file in self.files().items() if file.stem.endswith(f"-{LABEL}")}
        return next((Issue(number, text) for number, text in texts.items() if "**State:** open" in text), None)

    def open(self, text: str) -> int:
        number = max(self.files(), default=0) + 1
        self.folder.mkdir(exist_ok=True)
        file = self.folder / f"{number}-{LABEL}.md"
        file.write_text(f"# {number}. {TITLE}\n\n**State:** open\n\n{text}\n")
        return number

    def comment(self, number: int, text: str) -> None:
        with self.files()[number].open("a") as file:
            file.write(f"\n{text}\n")

    def close(self, number: int) -> None:
        file = self.files()[number]
        file.write_text(file.read_text().replace("**State:** open", "**State:** closed", 1))


class GitHub:
    """The issues of a repository at GitHub that have a label."""

    def __init__(self, repository: str) -> None:
        self.issues = f"repos/{repository}/issues"

    def ask(self, *words: str):
        return json.loads(subprocess.run(["gh", "api", *words], check=True, stdout=subprocess.PIPE).stdout)

    def find(self) -> Issue | None:
        for issue in self.ask(f"{self.issues}?state=open&labels={LABEL}"):
            comments = self.ask(f"{self.issues}/{issue['number']}/comments?per_page=100")
            return Issue(issue["number"], "\n".join(one["body"] for one in [issue, *comments]))
        return None

    def open(self, text: str) -> int:
        words = ["--raw-field", f"title={TITLE}", "--raw-field", f"body={text}", "--raw-field", f"labels[]={LABEL}"]
        return self.ask(self.issues, *words)["number"]

    def comment(self, number: int, text: str) -> None:
        self.ask(f"{self.issues}/{number}/comments", "--raw-field", f"body={text}")

    def close(self, number: int) -> None:
        self.ask("--method", "PATCH", f"{self.issues}/{number}", "--raw-field", "state=closed")


def describe(verdict: dict) -> str:
    """Say in Markdown what a verdict says. The time of its last picture makes it unique."""
    window = verdict["window"]
    span = f"{verdict['pictures']} pictures, from {window['from']} to {window['to']}, answered by {verdict['model']}"
    if verdict["verdict"] == "quiet":
        return f"**Over:** {span}, are like the reference again."
    columns = "\n".join(f"- {column}: p = {verdict['p_values'][column]:.1e}" for column in verdict["drifted"])
    return f"**Seen:** {span}, are not like the reference:\n\n{columns}"


def tell(verdict: dict, tracker: Tracker) -> str:
    """Open, comment or close the issue about drift, and say what was done. Telling a verdict twice changes nothing."""
    if verdict["verdict"] == "too few":
        return f"no issue: {verdict['pictures']} pictures are too few to say anything"
    issue, text = tracker.find(), describe(verdict)
    if issue is None:
        if verdict["verdict"] == "quiet":
            return "no issue: all is quiet"
        return f"issue {tracker.open(text)}: opened"
    is_new = text not in issue.text
    if is_new:
        tracker.comment(issue.number, text)
    if verdict["verdict"] == "quiet":
        tracker.close(issue.number)
        return f"issue {issue.number}: closed"
    return f"issue {issue.number}: {'goes on' if is_new else 'says so already'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verdict", type=Path)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--folder", type=lambda name: Folder(Path(name)), dest="tracker", help="keep issues as files")
    place.add_argument("--github", type=GitHub, dest="tracker", help="OWNER/NAME of a repository there")
    arguments = parser.parse_args()
    print(tell(json.loads(arguments.verdict.read_text()), arguments.tracker))


if __name__ == "__main__":
    main()
