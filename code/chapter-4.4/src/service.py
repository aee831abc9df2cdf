"""The service: says over HTTP what is on a picture."""

import logging
import os
from pathlib import Path
from uuid import uuid4

import bentoml
from bentoml.exceptions import InvalidArgument
from PIL import Image, UnidentifiedImageError
from prometheus_client import Counter
from pydantic import BaseModel, Field
from starlette.staticfiles import StaticFiles

from classifier import Classifier, Prediction
from door import Door
from features import describe
from journal import Journal

Image.MAX_IMAGE_PIXELS = 5_000_000  # a picture with more than twice as many is refused

LOGGED = Counter("predictions_logged", "predictions that are in the journal")
LOST = Counter("predictions_lost", "predictions that the journal could not take")

page = StaticFiles(directory=Path(__file__).parent / "page", html=True)


class Answer(BaseModel):
    """What the model says of a picture."""

    label: str = Field(description="the most probable class")
    confidence: float = Field(description="its probability, from 0 to 1")
    probabilities: dict[str, float] = Field(description="the probability of each class")
    model: str = Field(description="the version of the model")


@bentoml.service(name="planets", workers=1, traffic={"timeout": 10})
@bentoml.asgi_app(page, path="/page")
class Planets:
    """Names the planet or moon of our solar system on a picture."""

    entry = bentoml.models.BentoModel("planets:latest")

    def __init__(self) -> None:
        self.classifier = Classifier(Path(self.entry.path))
        self.journal = Journal(Path(os.environ.get("LOGS", "logs")).resolve())

    @bentoml.api
    def predict(self, image: Path, context: bentoml.Context) -> Answer:
        """Say what is on a picture."""
        picture = image.read_bytes()
        try:
            prediction = self.classifier.predict(picture)
        except UnidentifiedImageError:
            raise InvalidArgument("this is not a picture") from None
        except (OSError, Image.DecompressionBombError) as error:
            raise InvalidArgument(f"this picture can't be read: {error}") from None
        context.response.headers["X-Request-Id"] = self.log(prediction)
        return Answer(
            label=prediction.label,
            confidence=prediction.confidence,
            probabilities=prediction.probabilities,
            model=str(self.entry.tag),
        )

    def log(self, prediction: Prediction) -> str:
        """Write a prediction into the journal, and return the name of the request. Never fails."""
        request = uuid4().hex
        try:
            self.journal.write({"request": request, "model": str(self.entry.tag), **describe(prediction)})
            LOGGED.inc()
        except Exception as error:  # whatever it is: who asks gets the answer all the same
            LOST.inc()
            logging.getLogger("bentoml").error("request %s is not in the journal: %s", request, error)
        return request


Planets.add_asgi_middleware(Door, most_bytes=5_000_000)
