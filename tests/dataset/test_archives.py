"""Archives that are equal byte for byte, and checks that notice one byte."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from dataset import DatasetError, archives, building
from dataset.checking import check
from dataset.cli import main
from dataset.sets import PictureSet


@pytest.fixture
def unpacked(tiny: PictureSet, tmp_path: Path) -> Path:
    (built,) = building.build(tmp_path / "out", jobs=1, progress=False)
    with zipfile.ZipFile(built.archive) as archive:
        archive.extractall(tmp_path / "data")
    return tmp_path / "data"


def test_an_archive_depends_only_on_its_files() -> None:
    files = {"raw/b.jpg": b"two", "raw/a.jpg": b"one"}
    packed = archives.pack(files)
    assert packed == archives.pack(dict(reversed(files.items())))
    assert archives.sha256(packed) == ("7085111b00da8f94c48f43e5e8172e644566e75142594c511aab8f478a5be127")


def test_sha256sum_reads_the_checksum_files(real_archive: Path, tmp_path: Path) -> None:
    tool = shutil.which("sha256sum")
    if tool is None:
        pytest.skip("no sha256sum here")
    beside = subprocess.run([tool, "--check", f"{real_archive.name}.sha256"], cwd=real_archive.parent)
    assert beside.returncode == 0
    with zipfile.ZipFile(real_archive) as archive:
        archive.extractall(tmp_path)
    manifest = building.MANIFESTS / "new-bodies.sha256"
    assert subprocess.run([tool, "--check", "--quiet", manifest], cwd=tmp_path).returncode == 0


def test_check_accepts_an_archive_a_folder_of_archives_and_an_unpacked_one(unpacked: Path) -> None:
    out = unpacked.with_name("out")
    assert check(out / "tiny.zip") == check(out) == check(unpacked) == {"tiny": 4}


def test_check_names_the_picture_with_a_changed_byte(unpacked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    victim = unpacked / "raw/saturn/saturn_0001.jpg"
    content = bytearray(victim.read_bytes())
    content[500] ^= 1
    victim.write_bytes(content)
    assert main(["check", str(unpacked)]) == 1
    assert capsys.readouterr().err == (
        f"error: {unpacked}: raw/saturn/saturn_0001.jpg differs; get the tiny set again\n"
    )


def test_check_names_what_is_missing_and_what_is_too_much(unpacked: Path) -> None:
    (unpacked / "raw/moon/moon_0000.jpg").unlink()
    with pytest.raises(DatasetError, match=r"raw/moon/moon_0000\.jpg is missing; get"):
        check(unpacked)
    (unpacked / "raw/moon/cheese.jpg").touch()
    with pytest.raises(DatasetError, match=r"raw/moon/cheese\.jpg is not part of the set \(and 1 more\); get"):
        check(unpacked)


def test_check_of_a_damaged_archive(tiny: PictureSet, tmp_path: Path) -> None:
    (tmp_path / "tiny.zip").write_bytes(b"PK, but not for long")
    with pytest.raises(DatasetError, match=r"tiny\.zip: File is not a zip file; get the archive again"):
        check(tmp_path / "tiny.zip")


def test_check_of_an_archive_with_a_damaged_picture(unpacked: Path) -> None:
    archive = unpacked.with_name("out") / "tiny.zip"
    content = bytearray(archive.read_bytes())
    content[2000] ^= 1
    archive.write_bytes(content)
    with pytest.raises(DatasetError, match=r"tiny\.zip: .*raw/moon/moon_0000\.jpg.*; get the archive again"):
        check(archive)


def test_check_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no archive of a set and no raw/, control/"):
        check(tmp_path)
    with pytest.raises(DatasetError, match=r"photos\.zip: an archive has the name of its set: planets\.zip, "):
        check(tmp_path / "photos.zip")
    with pytest.raises(DatasetError, match=r"planets\.zip: No such file or directory"):
        check(tmp_path / "planets.zip")


def test_a_manifest_that_somebody_edited_by_hand(tmp_path: Path) -> None:
    manifest = tmp_path / "broken.sha256"
    manifest.write_text("0" * 64 + "  raw/a.jpg\nnonsense\n")
    with pytest.raises(DatasetError, match=r"broken\.sha256:2: not a line of sha256sum"):
        archives.read_checksums(manifest)
