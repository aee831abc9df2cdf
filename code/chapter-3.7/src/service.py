"""The service: says over HTTP what is on a picture."""

from pathlib import Path

import bentoml
from bentoml.exceptions import InvalidArgument
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, Field
from starlette.staticfiles import StaticFiles

from classifier import Classifier
from door import Door

Image.MAX_IMAGE_PIXELS = 5_000_000  # a picture with more than twice as many is refused

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

    @bentoml.api
    def predict(self, image: Path) -> Answer:
        """Say what is on a picture."""
        picture = image.read_bytes()
        try:
            probabilities = self.classifier.classify(picture)
        except UnidentifiedImageError:
            raise InvalidArgument("this is not a picture") from None
        except (OSError, Image.DecompressionBombError) as error:
            raise InvalidArgument(f"this picture can't be read: {error}") from None
        label = max(probabilities, key=probabilities.get)
        return Answer(
            label=label,
            confidence=probabilities[label],
            probabilities=probabilities,
            model=str(self.entry.tag),
        )


Planets.add_asgi_middleware(Door, most_bytes=5_000_000)
