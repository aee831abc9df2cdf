"""From a picture to the numbers that the model sees.

Training and every later use of the model import this module: nothing else decodes,
resizes or scales a picture.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def preprocess(
    picture: str | Path | bytes | Image.Image, size: int, grayscale: bool
) -> np.ndarray:
    """Make of a picture what the model expects.

    picture: a path, the bytes of an image file, or a Pillow image.
    Returns float32 of shape (size, size, 1 or 3) with values from 0 to 1.
    Raises OSError if the picture cannot be read.
    """
    mode = "L" if grayscale else "RGB"
    if isinstance(picture, Image.Image):
        image = picture.convert(mode)
    else:
        source = BytesIO(picture) if isinstance(picture, bytes) else picture
        with Image.open(source) as opened:
            image = opened.convert(mode)
    # The filter is named because libraries differ in their defaults, and a model
    # notices. Pillow averages over all the pixels that it merges; some others do not.
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, dtype=np.float32) / 255
    return pixels.reshape(size, size, -1)  # gives a grey picture its channel axis
