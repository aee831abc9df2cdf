"""Answer Label Studio's questions with our model: what it thinks of the pictures of some tasks, and how sure it is."""

import logging
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, urlsplit

import numpy as np
import uvicorn
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from classifier import Classifier
from label_studio import FIELD, PICTURE
from pool import POOL
from version import model_version

logger = logging.getLogger("backend")


class Task(BaseModel):
    """What we need of a task."""

    id: int
    data: dict[str, str]


class Question(BaseModel):
    """What Label Studio sends to /predict."""

    tasks: list[Task]


class Backend:
    """A model that looks at the pictures of many tasks in one pass."""

    def __init__(self, model: Path, pool: Path, version: str) -> None:
        self.classifier, self.pool, self.version = Classifier(model), pool, version

    def prepare(self, task: Task) -> np.ndarray | None:
        """Return the prepared picture of a task, or None if it is gone or broken. Reads nothing outside of the pool."""
        query = parse_qs(urlsplit(task.data.get(PICTURE, "")).query)
        name = PurePosixPath(query.get("d", [""])[0]).name
        try:
            return self.classifier.prepare((self.pool / name).read_bytes())
        except OSError as error:
            logger.warning("task %s: %s", task.id, error)
            return None

    def predict(self, tasks: list[Task]) -> list[dict]:
        """Return a prediction for each task, in their order. Who can't be predicted gets an empty one."""
        prepared = [self.prepare(task) for task in tasks]
        seen = [x for x in prepared if x is not None]
        answers = iter(self.classifier.probabilities(np.stack(seen)) if seen else [])
        return [self.empty() if x is None else self.prediction(next(answers)) for x in prepared]

    def empty(self) -> dict:
        return {"model_version": self.version, "score": 0.0, "result": []}

    def prediction(self, probabilities: np.ndarray) -> dict:
        """Put a row of probabilities into the form of Label Studio."""
        best = int(probabilities.argmax())
        choice = {"choices": [self.classifier.labels[best]]}
        result = [{"from_name": FIELD, "to_name": PICTURE, "type": "choices", "value": choice}]
        return {"model_version": self.version, "score": float(probabilities[best]), "result": result}


def application(backend: Backend) -> Starlette:
    """Return the four addresses that Label Studio calls."""

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "UP", "model_class": "Planets"})

    async def setup(_: Request) -> JSONResponse:
        return JSONResponse({"model_version": backend.version})

    async def predict(request: Request) -> JSONResponse:
        try:
            question = Question.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"detail": error.errors(include_url=False, include_input=False)}, status_code=422)
        results = await run_in_threadpool(backend.predict, question.tasks)
        return JSONResponse({"results": results, "model_version": backend.version})

    async def webhook(request: Request) -> JSONResponse:
        """Take note of what people do. Training is nothing that starts by itself: see chapter 5.4."""
        logger.info("Label Studio says: %s", (await request.json()).get("action"))
        return JSONResponse({"status": "noted"})

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/setup", setup, methods=["POST"]),
            Route("/predict", predict, methods=["POST"]),
            Route("/webhook", webhook, methods=["POST"]),
        ]
    )


def main() -> None:
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    backend = Backend(Path("serving"), POOL, model_version())
    uvicorn.run(application(backend), host="127.0.0.1", port=9091, log_level="warning")


if __name__ == "__main__":
    main()
