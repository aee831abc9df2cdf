from __future__ import annotations

from pathlib import Path

import pytest

import dataset
from dataset import archives, building, cameras, checking, pictures, sets


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sets.PictureSet:
    """The only set there is: four pictures, with manifests of its own."""
    tiny = sets.PictureSet("tiny", "raw", ("moon", "saturn"), 2, cameras.OBSERVATORY)
    files = {
        tiny.path(name, index): pictures.jpeg("tiny", name, index, tiny.camera)
        for name in tiny.classes
        for index in range(tiny.count)
    }
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    checksums = {path: archives.sha256(content) for path, content in files.items()}
    (manifests / "tiny.sha256").write_text(archives.format_checksums(checksums))
    archive = {"tiny.zip": archives.sha256(archives.pack(files))}
    (manifests / "zips.sha256").write_text(archives.format_checksums(archive))
    monkeypatch.setattr(building, "MANIFESTS", manifests)
    for module in (sets, checking):
        monkeypatch.setattr(module, "SETS", {"tiny": tiny})
    return tiny


@pytest.fixture(scope="session")
def real_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole set, built as anybody would."""
    return dataset.build(tmp_path_factory.mktemp("real"), ["new-bodies"], progress=False)["new-bodies"]
