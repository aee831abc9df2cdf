"""Get all answers out of Label Studio, into data/labels."""

import json

from annotations import EXPORT, decide
from label_studio import TITLE, LabelStudio


def main() -> None:
    studio = LabelStudio.from_environment()
    project = studio.project()
    if not project:
        raise SystemExit(f"there is no project {TITLE!r}: run src/project.py")
    query = {"exportType": "JSON", "download_all_tasks": "true"}
    tasks = studio.ask("GET", f"/api/projects/{project}/export", params=query)
    tasks.sort(key=lambda task: task["id"])
    EXPORT.parent.mkdir(parents=True, exist_ok=True)
    EXPORT.write_text(json.dumps(tasks, indent=1, sort_keys=True) + "\n")
    labelled = sum(decide(task) is not None for task in tasks)
    given = sum(len(task["annotations"]) for task in tasks)
    print(f"{len(tasks)} tasks, {given} answers, {labelled} tasks have a label")


if __name__ == "__main__":
    main()
