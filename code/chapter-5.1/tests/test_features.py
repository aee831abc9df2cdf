"""Test that each number sees what it is named after, and nothing that it should not see."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from features import measure

NAMES = ["brightness", "contrast", "sharpness", "sky", "red", "blue"]


@pytest.fixture
def picture() -> Image.Image:
    """A grey disc with a rough surface before a dark sky."""
    noise = np.random.default_rng(77).normal(0.6, 0.1, (32, 32))
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    gray = np.where(x**2 + y**2 < 0.5, noise, 0.05).clip(0, 1)
    return Image.fromarray((gray * 255).astype(np.uint8)).convert("RGB")


def numbers(picture: Image.Image) -> dict[str, float]:
    return measure(np.asarray(picture, dtype=np.float32) / 255)


CHANGES = {
    "brightness": lambda p: p.point(lambda value: value * 0.5),
    "contrast": lambda p: p.point(lambda value: 60 + value * 0.5),
    "sharpness": lambda p: p.filter(ImageFilter.GaussianBlur(1)),
    "sky": lambda p: p.point(lambda value: max(value, 60)),
    "red": lambda p: Image.merge("RGB", [p.getchannel(0).point(lambda value: value * 0.8), *p.split()[1:]]),
    "blue": lambda p: Image.merge("RGB", [*p.split()[:2], p.getchannel(2).point(lambda value: value * 0.8)]),
}


@pytest.mark.parametrize("name", NAMES)
def test_sees_what_it_is_named_after(picture, name):
    before, after = numbers(picture), numbers(CHANGES[name](picture))
    assert list(before) == NAMES
    assert abs(after[name] - before[name]) > 0.1 * before[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_mirrored_picture_has_the_same_numbers(picture, name):
    assert numbers(picture)[name] == pytest.approx(numbers(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))[name])


@pytest.mark.parametrize("shape", [(32, 32, 3), (32, 32, 1)])
def test_works_without_light_and_without_colour(shape):
    assert set(measure(np.zeros(shape, dtype=np.float32)).values()) == {0}
