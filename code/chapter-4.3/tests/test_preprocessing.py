"""Test that a picture becomes what the model expects, whichever way it comes in."""

import numpy as np
import pytest
from PIL import Image

from preprocessing import preprocess


@pytest.fixture
def picture() -> Image.Image:
    """A picture with coloured noise, so that each mistake changes many pixels."""
    random = np.random.default_rng(77)
    return Image.fromarray(random.integers(0, 256, (96, 96, 3), dtype=np.uint8))


@pytest.mark.parametrize(("grayscale", "channels"), [(True, 1), (False, 3)])
def test_shape_and_type(picture, grayscale, channels):
    x = preprocess(picture, 32, grayscale)
    assert x.shape == (32, 32, channels)
    assert x.dtype == np.float32


@pytest.mark.parametrize(("colour", "value"), [("black", 0), ("white", 1)])
def test_range(colour, value):
    x = preprocess(Image.new("RGB", (96, 96), colour), 32, grayscale=False)
    assert x.min() == x.max() == value


def test_path_bytes_and_image_give_equal_arrays(picture, tmp_path):
    path = tmp_path / "picture.png"
    picture.save(path)
    expected = preprocess(picture, 32, grayscale=False)
    for same in (path, str(path), path.read_bytes()):
        assert np.array_equal(preprocess(same, 32, grayscale=False), expected)


def test_every_pixel_counts():
    """A chessboard of black and white pixels, made small, is gray."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    x = preprocess(Image.fromarray(board.astype(np.uint8)), 32, grayscale=True)
    difference = abs(x - 0.5).max()
    assert difference < 0.05


def test_what_is_no_picture_is_refused():
    with pytest.raises(OSError):
        preprocess(b"no picture", 32, grayscale=False)
