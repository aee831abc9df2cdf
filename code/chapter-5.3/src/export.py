"""Write the model for those who only ask it: it can't be trained, and needs no TensorFlow."""

import shutil
from pathlib import Path

import model

MODEL = Path("model")
SERVING = Path("serving")


def main() -> None:
    network, _ = model.load(MODEL)
    SERVING.mkdir(exist_ok=True)
    (SERVING / "model.tflite").write_bytes(model.to_lite(network))
    shutil.copy(MODEL / "metadata.json", SERVING)


if __name__ == "__main__":
    main()
