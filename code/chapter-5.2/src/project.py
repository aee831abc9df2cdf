"""Bring our project in Label Studio up to date: interface, storage, and a task for each picture of the pool."""

from pathlib import Path

from label_studio import TITLE, LabelStudio
from pool import POOL

INTERFACE = Path("labelling/interface.xml")
GUIDELINES = Path("labelling/guidelines.html")


def settings() -> dict:
    """Return what the project should be like."""
    return {
        "title": TITLE,
        "label_config": INTERFACE.read_text(),
        "expert_instruction": GUIDELINES.read_text(),
        "show_instruction": True,
        "maximum_annotations": 1,  # a task is done when one person has answered
    }


def set_up(studio: LabelStudio) -> int:
    """Create the project or change it, and return its number."""
    project = studio.project()
    if project:
        studio.ask("PATCH", f"/api/projects/{project}", json=settings())
        return project
    return studio.ask("POST", "/api/projects", json=settings())["id"]


def connect(studio: LabelStudio, project: int, folder: Path) -> None:
    """Allow those who may see the project to see the pictures of a folder. Nothing else is served."""
    wanted = {"project": project, "title": "pool", "path": str(folder.resolve()), "use_blob_urls": True}
    for storage in studio.ask("GET", "/api/storages/localfiles", params={"project": project}):
        studio.ask("PATCH", f"/api/storages/localfiles/{storage['id']}", json=wanted)
        return
    studio.ask("POST", "/api/storages/localfiles", json=wanted)


def import_new(studio: LabelStudio, project: int, names: list[str]) -> int:
    """Create a task for each picture that has none, and return how many that were."""
    known = {task["data"]["picture"] for task in studio.tasks(project)}
    addresses = {f"/data/local-files/?d={POOL.name}/{name}": name for name in names}
    new = [{"data": {"picture": one}, "meta": {"name": addresses[one]}} for one in addresses if one not in known]
    if new:
        studio.ask("POST", f"/api/projects/{project}/import", json=new)
    return len(new)


def main() -> None:
    studio = LabelStudio.from_environment()
    project = set_up(studio)
    connect(studio, project, POOL)
    names = sorted(path.name for path in POOL.glob("*.jpg"))
    new = import_new(studio, project, names)
    print(f"project {project}: {new} tasks are new, {len(names) - new} were there already")


if __name__ == "__main__":
    main()
