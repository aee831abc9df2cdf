#!/usr/bin/env bash
# Chapter 5.2 - Label new data with Label Studio
# Made from docs/part-5/chapter-5.2.md: change that page, not this file.
#
# Does what the chapter says, below the folder that you start it in:
#     bash run.sh                  with the tabs for uv
#     TOOL=pip bash run.sh         with the tabs for pip
#     PLACE=cloud bash run.sh      with the tabs for GitHub and Google Cloud
#     FORGE=gitlab bash run.sh     with the tabs for GitLab CI
#     CLUSTER=kind bash run.sh     with the tabs for kind
set -eo pipefail
guide_tool=${TOOL:-uv}
guide_place=${PLACE:-laptop}
guide_forge=${FORGE:-github}
guide_cluster=${CLUSTER:-podman}
guide_os=linux
if [ "$(uname)" = Darwin ]; then guide_os=macos; fi
guide_start=$PWD
guide_state=$(mktemp -d)
guide_servers=()
guide_stop() { # a server that has ended by itself is no mistake here
  for guide_server in "${guide_servers[@]}"; do kill -- "-$guide_server" 2>/dev/null || true; done
  wait
  rm -rf "$guide_state"
}
trap guide_stop EXIT

# Chapter 5.1 comes first.
if [ ! -e .guide-5.1 ]; then
  guide_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  TOOL=$guide_tool PLACE=$guide_place FORGE=$guide_forge CLUSTER=$guide_cluster bash "$guide_here/../chapter-5.1/run.sh"
fi

guide_leave() {
  {
    declare -f
    declare -p | grep -Ev '^declare -([A-Za-z]*r|[^ ]+ (BASH|DIRSTACK|FUNCNAME|GROUPS|PIPESTATUS))'
    printf 'cd %q\n' "$PWD"
  } >"$guide_state/$1"
}

# 010-cd-object-store
if [ "$guide_place" = laptop ]; then
set -m
(
if [ -e "$guide_state/second-terminal" ]; then . "$guide_state/second-terminal"; else cd "$guide_start"; fi
cd object-store
source keys.env
.venv/bin/rclone serve s3 --addr 127.0.0.1:8333 --auth-key "$ACCESS_KEY_ID,$SECRET_ACCESS_KEY" data
) </dev/null &
set +m
guide_servers+=($!)
until (exec 3<>"/dev/tcp/127.0.0.1/8333") 2>/dev/null; do
  kill -0 $! 2>/dev/null || { echo "010-cd-object-store: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done
fi

# 020-cd-mlops-guide
set -m
(
if [ -e "$guide_state/third-terminal" ]; then . "$guide_state/third-terminal"; else cd "$guide_start"; fi
cd mlops-guide
labelling/start
) </dev/null &
set +m
guide_servers+=($!)
until curl -fsk -o /dev/null http://127.0.0.1:8080/health; do
  kill -0 $! 2>/dev/null || { echo "020-cd-mlops-guide: the server ended before it was ready" >&2; exit 1; }
  sleep 0.2
done

# 030-cd-mlops-guide
cd mlops-guide
source .venv/bin/activate
source .env
set -a
source ../label-studio/settings.env
set +a

# 040-labelling-guidelines.html
mkdir -p "$guide_start"/mlops-guide/labelling
cat >"$guide_start"/mlops-guide/labelling/guidelines.html <<'END'
<h3>Which body is it?</h3>
<ol>
  <li>Look at the whole disc first, then at its colour, then at what is on it. The colour of the sky says nothing.</li>
  <li>Choose by key or by mouse, and submit with Ctrl+Enter.</li>
  <li>You can't tell two of them apart? Skip the picture. A guess is worse than nothing.</li>
  <li>Nothing to see, or two bodies? Skip it as well, and tell us.</li>
  <li>Don't look at what others have chosen.</li>
</ol>
<h3>Often confused</h3>
<ul>
  <li>moon and mercury: the Moon has large dark plains, Mercury is even.</li>
  <li>ganymede and europa: Europa is brighter, with thin brown lines.</li>
  <li>titan and venus: Titan is a deeper orange, and has no bands.</li>
  <li>uranus and neptune: Neptune is a deeper blue.</li>
  <li>rhea and ceres: Rhea is bright, Ceres is dark.</li>
</ul>
END

# 050-src-project.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/project.py <<'END'
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
END

# 060-python3-src-project.py
python3 src/project.py

# 080-pythonpath-src-python3-..-keys.t
# check, which the page does not show
PYTHONPATH=src python3 - > ../keys.txt << 'END'
from xml.etree import ElementTree

from label_studio import LabelStudio
from pool import hidden_name, pictures

keys = {one.get("value"): one.get("hotkey") for one in ElementTree.parse("labelling/interface.xml").iter("Choice")}
bodies = {hidden_name(content): name.split("/")[-2] for one in ("city", "new-bodies") for name, content in pictures(one)}
studio = LabelStudio.from_environment()
for task in studio.tasks(studio.project())[:5]:
    body = bodies[task["meta"]["name"]]
    print(keys[body], body)
END
guide-python - << 'END'
import os
from pathlib import Path

from scripts.runner.browser import page_of

with page_of(os.environ["LABEL_STUDIO_URL"] + "/user/login/") as page:
    page.fill("input[name=email]", os.environ["LABEL_STUDIO_USERNAME"])
    page.fill("input[name=password]", os.environ["LABEL_STUDIO_PASSWORD"])
    page.click("button[type=submit]")
    page.get_by_text("Planets and moons").first.click()
    page.get_by_text("Label All Tasks").first.click()
    page.get_by_text("Which body is it?").wait_for()
    page.keyboard.press("Escape")
    for line in Path("../keys.txt").read_text().splitlines():
        key, body = line.split()
        page.get_by_role("button", name="Submit").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)
        page.keyboard.press(key)
        with page.expect_response(lambda one: "/annotations" in one.url and one.request.method == "POST") as answer:
            page.keyboard.press("Control+Enter")
        assert answer.value.status == 201, answer.value.status
        assert answer.value.json()["result"][0]["value"] == {"choices": [body]}, (body, answer.value.json()["result"])
        page.wait_for_timeout(500)
END
rm ../keys.txt
PYTHONPATH=src python3 - << 'END'
from label_studio import LabelStudio

studio = LabelStudio.from_environment()
done = [task for task in studio.tasks(studio.project()) if task["annotations"]]
assert [len(task["annotations"]) for task in done] == [1] * 5, done
END

# 090-src-annotations.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/annotations.py <<'END'
"""Read what people have answered, as Label Studio exports it."""

import json
from pathlib import Path, PurePosixPath

EXPORT = Path("data/labels/export.json")


def load_tasks(file: Path = EXPORT) -> list[dict]:
    """Return the tasks of an export, with their annotations, in the order of their numbers."""
    return sorted(json.loads(file.read_text()), key=lambda task: task["id"])


def picture_of(task: dict) -> str:
    """Return the file name of the picture of a task."""
    return PurePosixPath(task["data"]["picture"]).name


def label_of(annotation: dict) -> str | None:
    """Return what an annotation says, or None if the task was skipped."""
    if annotation["was_cancelled"]:
        return None
    return next((one["value"]["choices"][0] for one in annotation["result"] if one["from_name"] == "body"), None)


def answers(task: dict) -> dict[int, str]:
    """Return what each person, by number, says of a task. Who has skipped it says nothing; the last answer counts."""
    ordered = sorted(task["annotations"], key=lambda annotation: annotation["id"])
    return {one["completed_by"]: label for one in ordered if (label := label_of(one))}


def decide(task: dict) -> str | None:
    """Return the label of a task: what the arbiter says, else what all who have answered agree on, else None."""
    for annotation in task["annotations"]:
        if annotation["ground_truth"]:
            return label_of(annotation)
    said = set(answers(task).values())
    return said.pop() if len(said) == 1 else None
END

# 100-src-export-labels.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/export_labels.py <<'END'
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
END

# 110-python3-src-export-labels.py
python3 src/export_labels.py

# 130-src-invite.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/invite.py <<'END'
"""Open an account with an invitation link, as a colleague would in the browser: python3 src/invite.py NAME ...

For each name a token is written to ../label-studio/colleagues.env. The password is made up, and nobody learns it.
"""

import secrets
import sys
from pathlib import Path

import httpx

from label_studio import LabelStudio

TOKENS = Path("../label-studio/colleagues.env")


def join(url: str, link: str, name: str) -> str:
    """Fill in the form behind an invitation link, and return the token of the new account."""
    with httpx.Client(base_url=url, follow_redirects=True, headers={"Referer": url}, timeout=60) as browser:
        form = {"email": f"{name}@example.com", "password": secrets.token_urlsafe(16)}
        browser.get(link)
        browser.post(link, data={**form, "csrfmiddlewaretoken": browser.cookies["csrftoken"]})
        answer = browser.get("/api/current-user/token")
    if answer.is_error:
        raise SystemExit(f"{name} could not join: is there an account already?")
    return answer.json()["token"]


def main(*names: str) -> None:
    studio = LabelStudio.from_environment()
    link = studio.ask("GET", "/api/invite")["invite_url"]
    TOKENS.touch(mode=0o600)
    for name in names:
        token = join(str(studio.http.base_url), link, name)
        with TOKENS.open("a") as file:
            file.write(f"{name.upper()}_TOKEN={token}\n")
        print(f"{name} has joined")
    studio.ask("POST", "/api/invite/reset-token")  # so that the link opens no more accounts


if __name__ == "__main__":
    main(*sys.argv[1:])
END

# 140-python3-src-invite.py-anna-ben-a
python3 src/invite.py anna ben astronomer
set -a
source ../label-studio/colleagues.env
set +a

# 160-find-..-label-studio-colleagues
# check, which the page does not show
find ../label-studio/colleagues.env -perm 600 | grep .
grep -cxE '(ANNA|BEN|ASTRONOMER)_TOKEN=[0-9a-f]{40}' ../label-studio/colleagues.env | grep -x 3

# 170-src-simulate.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/simulate.py <<'END'
"""Play a colleague who labels. Nobody looks at the pictures: the answers are made up, with a known share of errors."""

import argparse
import random
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from annotations import picture_of
from label_studio import LabelStudio
from params import load_params
from pool import hidden_name, pictures


@dataclass(frozen=True)
class Colleague:
    """How somebody labels: shares of all tasks, from 0 to 1."""

    errors: float
    skips: float
    decides: bool = False  # whether the answer stands against all others


COLLEAGUES = {
    "anna": Colleague(errors=0.02, skips=0.01),
    "ben": Colleague(errors=0.10, skips=0.02),
    "astronomer": Colleague(errors=0, skips=0, decides=True),
}
MISTAKEN_FOR = {
    "ceres": ["moon", "rhea"],
    "earth": ["neptune"],
    "europa": ["ganymede", "rhea"],
    "ganymede": ["europa", "moon"],
    "io": ["titan", "venus"],
    "jupiter": ["saturn"],
    "mars": ["io"],
    "mercury": ["ceres", "moon"],
    "moon": ["ganymede", "mercury"],
    "neptune": ["earth", "uranus"],
    "pluto": ["ganymede", "mars"],
    "rhea": ["ceres", "europa"],
    "saturn": ["jupiter"],
    "titan": ["venus"],
    "uranus": ["neptune"],
    "venus": ["jupiter", "titan"],
}


def truth() -> dict[str, str]:
    """Return the right label of each picture of the pool. In life, nobody has this."""
    found = (one for archive in load_params("labelling") for one in pictures(archive))
    return {hidden_name(content): PurePosixPath(name).parent.name for name, content in found}


def answer(name: str, colleague: Colleague, picture: str, right: str) -> str | None:
    """Return what somebody says of a picture, or None if it is skipped. The same each time."""
    draw = random.Random(f"{name} {picture}")
    if draw.random() < colleague.skips:
        return None
    return draw.choice(MISTAKEN_FOR[right]) if draw.random() < colleague.errors else right


def annotation(label: str | None, decides: bool) -> dict:
    """Return an annotation as Label Studio wants it: a label, or a skip."""
    choice = {"from_name": "body", "to_name": "picture", "type": "choices", "value": {"choices": [label]}}
    return {"result": [choice] if label else [], "was_cancelled": label is None, "ground_truth": decides}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=COLLEAGUES)
    parser.add_argument("--first", type=int, default=1, help="where in the list of tasks to begin")
    parser.add_argument("--last", type=int, help="where to end")
    parser.add_argument("--questions", type=Path, help="a file with the numbers of the tasks to look at")
    arguments = parser.parse_args()

    studio, colleague, right = LabelStudio.from_environment(), COLLEAGUES[arguments.name], truth()
    tasks = studio.tasks(studio.project())[arguments.first - 1 : arguments.last]
    if arguments.questions:
        wanted = set(arguments.questions.read_text().split())
        tasks = [task for task in tasks if str(task["id"]) in wanted]
    labels = {task["id"]: answer(arguments.name, colleague, picture_of(task), right[picture_of(task)]) for task in tasks}
    for task, label in labels.items():
        studio.ask("POST", f"/api/tasks/{task}/annotations", json=annotation(label, colleague.decides))
    skipped = sum(label is None for label in labels.values())
    wrong = sum(labels[task["id"]] not in (None, right[picture_of(task)]) for task in tasks)
    print(f"{arguments.name}: {len(tasks)} tasks, {skipped} skipped, {wrong} answered wrongly")


if __name__ == "__main__":
    main()
END

# 180-label-studio-token-anna-token-py
LABEL_STUDIO_TOKEN=$ANNA_TOKEN python3 src/simulate.py anna --last 355

# 200-pythonpath-src-label-studio-toke
PYTHONPATH=src LABEL_STUDIO_TOKEN=$BEN_TOKEN python3 - << 'END'
from label_studio import LabelStudio

studio = LabelStudio.from_environment()
project = studio.project()
again = [{"data": task["data"], "meta": task["meta"]} for task in studio.tasks(project)[:6]]
print(studio.ask("POST", f"/api/projects/{project}/import", json=again)["task_count"], "tasks are there twice")
END
LABEL_STUDIO_TOKEN=$BEN_TOKEN python3 src/simulate.py ben --first 206

# 220-src-agreement.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/agreement.py <<'END'
"""Measure how far two people agree who have labelled the same pictures."""

import argparse
from collections import Counter
from itertools import combinations
from pathlib import Path

from sklearn.metrics import cohen_kappa_score

from annotations import answers, decide, load_tasks

Pair = tuple[str, str]  # what the first and the second say of one picture


def pairs_of(tasks: list[dict]) -> tuple[tuple[int, int], list[Pair]]:
    """Return the two people with the most tasks in common, and what they say of each of these."""
    said = [answers(task) for task in tasks]
    common = Counter(pair for answer in said for pair in combinations(sorted(answer), 2))
    if not common:
        raise SystemExit("no task has been labelled by two people")
    ((first, second), _), *_ = common.most_common(1)
    return (first, second), [(one[first], one[second]) for one in said if {first, second} <= one.keys()]


def agreement(pairs: list[Pair]) -> tuple[float, float]:
    """Return the share of equal answers, and Cohen's kappa: 0 is what chance would give, 1 is perfect."""
    first, second = zip(*pairs)
    return sum(a == b for a, b in pairs) / len(pairs), float(cohen_kappa_score(first, second))


def by_label(pairs: list[Pair]) -> dict[str, tuple[int, int]]:
    """Return for each label how many pictures at least one, and how many both have called so."""
    labels = sorted({label for pair in pairs for label in pair})
    return {label: (sum(label in pair for pair in pairs), pairs.count((label, label))) for label in labels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, help="where to write the numbers of the disputed tasks")
    arguments = parser.parse_args()

    tasks = load_tasks()
    (first, second), pairs = pairs_of(tasks)
    raw, kappa = agreement(pairs)
    print(f"{first} and {second} have {len(pairs)} tasks in common: agreement {raw:.2f}, kappa {kappa:.2f}")
    ordered = sorted(by_label(pairs).items(), key=lambda one: one[1][1] / one[1][0])
    for label, (either, both) in ordered[:5]:
        print(f"  {label:10} both say so of {both} of {either}")
    for (one, other), count in Counter(tuple(sorted(p)) for p in pairs if p[0] != p[1]).most_common(3):
        print(f"  {one} or {other}: {count}")
    undecided = [task for task in tasks if decide(task) is None]
    disputed = [task for task in undecided if answers(task)]
    print(f"{len(disputed)} tasks are disputed, {len(undecided) - len(disputed)} have no answer")
    if arguments.questions:
        arguments.questions.write_text("".join(f"{task['id']}\n" for task in disputed))


if __name__ == "__main__":
    main()
END

# 230-python3-src-export-labels.py
python3 src/export_labels.py
python3 src/agreement.py --questions ../questions.txt

# 250-label-studio-token-astronomer-to
LABEL_STUDIO_TOKEN=$ASTRONOMER_TOKEN python3 src/simulate.py astronomer --questions ../questions.txt
python3 src/export_labels.py

# 270-params.yaml
mkdir -p "$guide_start"/mlops-guide
cat >"$guide_start"/mlops-guide/params.yaml <<'END'
# How a picture becomes numbers: the same for training and for every later use.
image:
  size: 32 # width and height, in pixels
  grayscale: false

validate:
  picture_size: 96 # width and height of a raw picture, in pixels
  min_pictures: 50 # of each class
  min_difference: 0.01 # from each test picture, on a scale from 0 to 1

prepare:
  seed: 77
  validation_share: 0.25 # of the pictures that are not in the test set

train:
  seed: 77
  learning_rate: 0.001  # not 1e-4: YAML reads that as text
  epochs: 20 # the validation accuracy rises until about here
  batch_size: 32
  conv_filters: 32
  dense_units: 64

evaluate:
  open_test_set: false # see chapter 1.2 before you change this

quality:
  tolerance: 0.03 # between the metrics of a commit and those of a new training of it
  accuracy_floor: 0.8 # on the validation pictures, whatever main has
  accuracy_drop: 0.02 # that a change may cost, compared with main

monitor:
  window: 100 # pictures that are looked at together, and the fewest that allow a verdict
  windows: 1000 # clean ones, drawn to choose the threshold
  false_alarms: 0.005 # the share of clean windows that may raise an alarm
  label_mix: 0.001 # the p-value below which the mix of labels has changed
  seed: 77

labelling: # how many of the pictures of each label go to the pool. The others stay sealed
  city: 30
  new-bodies: 45

suspects: # how labels are found that are probably wrong
  folds: 5
  seeds: 3
END

# 280-src-suspects.py
mkdir -p "$guide_start"/mlops-guide/src
cat >"$guide_start"/mlops-guide/src/suspects.py <<'END'
"""Find labels that are probably wrong: those that a model finds hard to believe which has not learned from them."""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

import model
from annotations import answers, decide, load_tasks, picture_of
from dataset import load_split
from params import load_params
from pool import POOL
from preprocessing import preprocess

PREPARED = Path("data/prepared")


def labelled(tasks: list[dict]) -> dict[str, dict]:
    """Return a task for each picture that has a label. A picture that was imported twice counts once."""
    return {picture_of(task): task for task in reversed(tasks) if decide(task)}


def is_from_one(task: dict) -> bool:
    """Say whether nobody has confirmed the label. Two people are rarely wrong together, and the arbiter never is."""
    return len(answers(task)) == 1 and not any(one["ground_truth"] for one in task["annotations"])


def out_of_fold(x: np.ndarray, y: np.ndarray, labels: list[str], folds: int, seeds: int) -> np.ndarray:
    """Return what models say of pictures that they have not learned from: probabilities (pictures, labels)."""
    params, known = load_params("train"), load_split(PREPARED / "train.npz")
    names = json.loads((PREPARED / "metadata.json").read_text())["labels"]
    known_y = np.array([labels.index(name) for name in names])[known.y]
    total = np.zeros((len(x), len(labels)))
    for seed in range(seeds):
        for learn, judge in StratifiedKFold(folds, shuffle=True, random_state=seed).split(x, y):
            model.make_reproducible(seed)
            network = model.build(
                x.shape[1:], len(labels), params["conv_filters"], params["dense_units"], params["learning_rate"]
            )
            network.fit(
                np.concatenate([known.x, x[learn]]),
                np.concatenate([known_y, y[learn]]),
                epochs=params["epochs"],
                batch_size=params["batch_size"],
                verbose=0,
            )
            total[judge] += model.predict(network, x[judge])
    return total / seeds


def doubt(probabilities: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return how much more probable the best other label is than the given one: from -1, no doubt, to 1."""
    rows = np.arange(len(y))
    others = probabilities.copy()
    others[rows, y] = 0
    return others.max(axis=1) - probabilities[rows, y]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=60, help="how many to ask about")
    parser.add_argument("--questions", type=Path, required=True, help="where to write the numbers of their tasks")
    arguments = parser.parse_args()

    tasks = labelled(load_tasks())
    given = [decide(task) for task in tasks.values()]
    names = json.loads((PREPARED / "metadata.json").read_text())
    labels = sorted({*given, *names["labels"]})
    x = np.stack([preprocess(POOL / name, **names["image"]) for name in tasks])
    y = np.array([labels.index(label) for label in given])
    probabilities = out_of_fold(x, y, labels, **load_params("suspects"))

    doubts = doubt(probabilities, y)
    once = np.array([is_from_one(task) for task in tasks.values()])
    asked = [row for row in np.argsort(-doubts) if once[row]][: arguments.number]
    rows = list(tasks.items())
    for row in asked[:3]:
        name, task = rows[row]
        other = labels[probabilities[row].argmax()]
        print(f"task {task['id']}, {name}: {given[row]} is the label, the model says {other}")
    print(f"{len(asked)} of {sum(once)} labels of one person are worth a question")
    arguments.questions.write_text("".join(f"{rows[row][1]['id']}\n" for row in asked))


if __name__ == "__main__":
    main()
END

# 290-python3-src-suspects.py-question
python3 src/suspects.py --questions ../questions.txt 2> /dev/null

# 310-found
PYTHONPATH=src python3 - 2> /dev/null << 'END'
from pathlib import Path

from annotations import decide, load_tasks
from simulate import truth
from suspects import is_from_one, labelled

right = truth()
once = {name: task for name, task in labelled(load_tasks()).items() if is_from_one(task)}
wrong = {task["id"] for name, task in once.items() if decide(task) != right[name]}
asked = [int(line) for line in Path("../questions.txt").read_text().split()]
print(f"{len(wrong)} of {len(once)} labels are wrong, a share of {len(wrong) / len(once):.2f}")
for number in 20, 40, 60:
    found = len(wrong & set(asked[:number]))
    print(f"{number} questions: precision {found / number:.2f}, recall {found / len(wrong):.2f}")
END

# 330-label-studio-token-astronomer-to
LABEL_STUDIO_TOKEN=$ASTRONOMER_TOKEN python3 src/simulate.py astronomer --questions ../questions.txt
rm ../questions.txt
python3 src/export_labels.py

# 350-tests-test-labels.py
mkdir -p "$guide_start"/mlops-guide/tests
cat >"$guide_start"/mlops-guide/tests/test_labels.py <<'END'
"""Test what becomes of people's answers."""

import numpy as np
import pytest

from agreement import agreement, by_label, pairs_of
from annotations import answers, decide, picture_of
from suspects import doubt, is_from_one, labelled


def answer(person: int, label: str | None, decides: bool = False) -> dict:
    choice = {"from_name": "body", "to_name": "picture", "type": "choices", "value": {"choices": [label]}}
    return {
        "id": person,
        "completed_by": person,
        "was_cancelled": label is None,
        "ground_truth": decides,
        "result": [choice] if label else [],
    }


def task(*annotations: dict, number: int = 1, picture: str = "a.jpg") -> dict:
    data = {"picture": f"/data/local-files/?d=pool/{picture}"}
    return {"id": number, "data": data, "annotations": list(annotations)}


@pytest.mark.parametrize(
    ("annotations", "label"),
    [
        ([], None),
        ([answer(2, None)], None),
        ([answer(2, "mars")], "mars"),
        ([answer(2, "mars"), answer(3, None)], "mars"),
        ([answer(2, "mars"), answer(3, "mars")], "mars"),
        ([answer(2, "mars"), answer(3, "io")], None),
        ([answer(2, "mars"), answer(3, "io"), answer(4, "io", decides=True)], "io"),
        ([answer(2, "mars"), answer(3, "mars"), answer(4, "io", decides=True)], "io"),
    ],
)
def test_a_label_is_what_all_say_or_what_the_arbiter_says(annotations, label):
    assert decide(task(*annotations)) == label


def test_the_last_answer_of_a_person_counts():
    first, second = answer(2, "mars"), answer(2, "io") | {"id": 9}
    assert answers(task(second, first)) == {2: "io"}


def test_agreement_is_measured_on_what_both_have_answered():
    tasks = [task(answer(2, "mars"), answer(3, "mars")), task(answer(2, "io"), answer(3, "mars"))]
    tasks += [task(answer(2, "io"), answer(3, None)), task(answer(2, "io")), task(answer(3, "io"), answer(4, "io"))]
    assert pairs_of(tasks) == ((2, 3), [("mars", "mars"), ("io", "mars")])


def test_nobody_agrees_with_nobody():
    with pytest.raises(SystemExit, match="no task has been labelled by two people"):
        pairs_of([task(answer(2, "mars")), task(answer(3, "mars"))])


def test_kappa_is_nothing_where_chance_would_agree_as_often():
    half = [("mars", "mars"), ("mars", "io"), ("io", "mars"), ("io", "io")]
    assert agreement(half) == (0.5, 0)
    assert agreement([("mars", "mars"), ("io", "io")]) == (1, 1)
    assert by_label(half) == {"io": (3, 1), "mars": (3, 1)}


def test_a_picture_that_was_imported_twice_counts_once():
    tasks = [task(answer(2, "mars")), task(answer(3, "io"), number=2), task(answer(3, None), number=3, picture="b.jpg")]
    assert {name: one["id"] for name, one in labelled(tasks).items()} == {"a.jpg": 1}
    assert picture_of(tasks[2]) == "b.jpg"


def test_only_what_nobody_has_confirmed_is_doubted():
    assert is_from_one(task(answer(2, "mars"), answer(3, None)))
    assert not is_from_one(task(answer(2, "mars"), answer(3, "mars")))
    assert not is_from_one(task(answer(4, "mars", decides=True)))


def test_doubt_grows_with_what_the_model_believes_instead():
    probabilities = np.array([[0.9, 0.1, 0], [0.1, 0.9, 0], [0.5, 0.5, 0]])
    assert doubt(probabilities, np.array([0, 0, 0])) == pytest.approx([-0.8, 0.8, 0])
END

# 360-pytest-tests-test-labels.py-test
pytest tests/test_labels.py tests/test_labelling.py

# 380-left
PYTHONPATH=src python3 - 2> /dev/null << 'END'
from annotations import answers, decide, load_tasks
from simulate import truth
from suspects import labelled

right, tasks = truth(), labelled(load_tasks())
astronomer = max(person for task in tasks.values() for person in answers(task))
settled = sum(astronomer in answers(task) for task in tasks.values())
first = {name: next(iter(answers(task).values())) for name, task in tasks.items()}
before = sum(label != right[name] for name, label in first.items())
after = sum(decide(task) != right[name] for name, task in tasks.items())
print(f"{len(tasks)} pictures have a label, the astronomer has looked at {settled} of them")
print(f"wrong, if the first answer counts: {100 * before / len(tasks):.1f} of 100")
print(f"wrong now: {100 * after / len(tasks):.1f} of 100")
END

# 400-python3-end
# check, which the page does not show
python3 - << 'END'
import json

tasks = json.load(open("data/labels/export.json"))
assert len(tasks) == 561 and len({task["data"]["picture"] for task in tasks}) == 555
answers = [one for task in tasks for one in task["annotations"]]
assert {one["completed_by"] for one in answers} >= {2, 3, 4}
assert sum(one["was_cancelled"] for one in answers) >= 5
assert "example.com" not in open("data/labels/export.json").read()
END
cp data/labels/export.json ../export.json
python3 src/export_labels.py
cmp ../export.json data/labels/export.json
rm ../export.json

# 410-dvc-add-quiet-data-labels
dvc add --quiet data/labels
git add .
git status --short
git commit --quiet --message "Label the pool, and know how well [skip ci]"
dvc push --quiet
git push --quiet
dvc status --cloud
git show --format=%s --name-only origin/main

# 440-overlap
PYTHONPATH=src python3 - << 'END'
import numpy as np

from agreement import pairs_of
from annotations import load_tasks

_, pairs = pairs_of(load_tasks())
equal, random = np.array([a == b for a, b in pairs]), np.random.default_rng(77)
for size in 20, 50, 100, len(equal):
    low, high = np.quantile(random.choice(equal, (1000, size)).mean(axis=1), [0.025, 0.975])
    print(f"{size:3} pictures: {low:.2f} to {high:.2f}")
END

touch "$guide_start/.guide-5.2"
