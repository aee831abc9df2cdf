"""Let the model say what it thinks of each task, and put the tasks in order: those first of which it is least sure."""

from annotations import decide
from label_studio import LabelStudio

BATCH = 100  # tasks for one call of the model
VIEW = "Least sure first"


def ask_model(studio: LabelStudio, project: int, tasks: list[int]) -> None:
    """Let Label Studio ask the model about some tasks. It leaves out those that this version has answered."""
    selected = {"selectedItems": {"all": False, "included": tasks}}
    query = {"id": "retrieve_tasks_predictions", "project": project}
    studio.ask("POST", "/api/dm/actions", params=query, json=selected)


def put_in_order(studio: LabelStudio, project: int, version: str) -> None:
    """Make a tab that begins with what this version is least sure of, and let the label stream do the same."""
    wanted = {"model_version": version, "sampling": "Uncertainty sampling"}
    studio.ask("PATCH", f"/api/projects/{project}", json=wanted)
    data = {"title": VIEW, "ordering": ["tasks:predictions_score"], "type": "list"}
    views = studio.ask("GET", "/api/dm/views", params={"project": project})
    if not any(view["data"]["title"] == VIEW for view in views):
        studio.ask("POST", "/api/dm/views", json={"project": project, "data": data})


def newest(task: dict) -> dict:
    """Return the newest prediction of a task."""
    return max(task["predictions"], key=lambda prediction: prediction["id"])


def said(prediction: dict) -> str | None:
    """Return the label of a prediction, or None if the model could not see the picture."""
    return prediction["result"][0]["value"]["choices"][0] if prediction["result"] else None


def main() -> None:
    studio = LabelStudio.from_environment()
    project = studio.project()
    numbers = [task["id"] for task in studio.tasks(project)]
    for start in range(0, len(numbers), BATCH):
        ask_model(studio, project, numbers[start : start + BATCH])
    tasks = studio.tasks(project)
    version = newest(tasks[0])["model_version"]
    put_in_order(studio, project, version)

    tasks = sorted((task for task in tasks if decide(task)), key=lambda task: newest(task)["score"])
    print(f"{len(tasks)} tasks have a label of people, and a prediction of {version}")
    for part in range(4):
        quarter = tasks[part * len(tasks) // 4 : (part + 1) * len(tasks) // 4]
        agree = sum(said(newest(task)) == decide(task) for task in quarter) / len(quarter)
        print(f"score from {newest(quarter[0])['score']:.2f} to {newest(quarter[-1])['score']:.2f}: {agree:.2f} of them as people say")


if __name__ == "__main__":
    main()
