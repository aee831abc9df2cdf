"""Large pictures for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset import jupiter, maps, portraits
from dataset.bodies import BODIES
from dataset.cli import main
from dataset.sets import SETS


@pytest.mark.parametrize("name", BODIES)
def test_a_portrait_stands_free_on_a_transparent_background(name: str) -> None:
    picture = np.asarray(portraits.portrait(name, 64))
    alpha = picture[..., 3]
    assert picture.shape == (64, 64, 4)
    assert alpha[32, 32] == 255
    assert not alpha[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    assert ((alpha > 0) & (alpha < 255)).any(), "the limb is smooth"
    assert picture[alpha == 255][:, :3].mean(axis=1).max() > 150, "well lit"


def test_a_portrait_is_written_as_its_name_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "saturn.webp"
    assert main(["portrait", "saturn", str(file), "--size", "128"]) == 0
    with Image.open(file) as image:
        assert (image.format, image.mode, image.size) == ("WEBP", "RGBA", (128, 128))
    assert main(["portrait", "saturn", str(tmp_path / "saturn.jpg")]) == 1
    assert capsys.readouterr().err == (
        f"error: {tmp_path}/saturn.jpg: a portrait has no background; end the name with .png or .webp\n"
    )


def test_a_sheet_has_a_row_for_each_class(tmp_path: Path) -> None:
    file = tmp_path / "sheet.png"
    assert main(["sheet", str(file), "--set", "new-bodies", "--columns", "2"]) == 0
    with Image.open(file) as image:
        assert image.size == (90 + 2 * 98, len(SETS["new-bodies"].classes) * 98)


def test_the_committed_map_of_jupiter_is_what_the_script_paints(tmp_path: Path) -> None:
    jupiter.write(tmp_path / "jupiter.jpg")
    with Image.open(tmp_path / "jupiter.jpg") as painted, Image.open(maps.FOLDER / "jupiter.jpg") as committed:
        difference = np.abs(np.asarray(painted, np.float64) - np.asarray(committed, np.float64))
    assert difference.mean() < 0.1  # other processors round differently, here and there
