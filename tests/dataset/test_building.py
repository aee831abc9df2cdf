"""Building: once, whole, and with errors for people."""

from __future__ import annotations

import resource
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import dataset
from dataset import DatasetError, archives, building
from dataset.sets import SETS, PictureSet

ROOT = Path(dataset.__file__).parents[1]


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Which files there are, and when and as what they were written."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def seconds_of_children() -> float:
    """Time that they have kept a processor busy: unlike the clock, the same on a busy machine."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dataset", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, **options
    )


def test_a_build_makes_the_archive_that_is_committed(real_archive: Path) -> None:
    zips = archives.read_checksums(building.MANIFESTS / "zips.sha256")
    assert set(zips) == {f"{name}.zip" for name in SETS}
    assert archives.sha256(real_archive.read_bytes()) == zips["new-bodies.zip"]
    assert real_archive.with_name("new-bodies.zip.sha256").read_text() == f"{zips['new-bodies.zip']}  new-bodies.zip\n"
    with zipfile.ZipFile(real_archive) as archive:
        assert archive.namelist() == list(SETS["new-bodies"].paths())


def test_an_unchanged_build_is_quick_and_touches_nothing(real_archive: Path) -> None:
    before = state(real_archive.parent)
    start = seconds_of_children()
    done = run("build", real_archive.parent, "--set", "new-bodies")
    assert seconds_of_children() - start < 1
    assert done.stdout == f"{real_archive}: unchanged\n"
    assert done.stderr == ""
    assert state(real_archive.parent) == before


def test_what_is_not_complete_is_built_again(tiny: PictureSet, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def build() -> bool:
        (built,) = building.build(out, jobs=1, progress=False)
        return built.unchanged

    assert not build()
    whole = (out / "tiny.zip").read_bytes()
    assert build()

    (out / "tiny.zip").write_bytes(whole[:1000])
    assert not build()
    (out / "tiny.zip.sha256").unlink()
    assert not build()
    (out / ".tiny.inputs").unlink()
    assert not build()
    (out / ".tiny.zip.part").write_bytes(whole[:1000])  # what a process leaves that is killed while it writes
    assert build()
    assert (out / "tiny.zip").read_bytes() == whole


def test_changed_inputs_are_built_again(tiny: PictureSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    building.build(out, jobs=1, progress=False)
    monkeypatch.setattr(building, "_renderer", lambda: "another renderer")
    (built,) = building.build(out, jobs=1, progress=False)
    assert not built.unchanged


def test_a_picture_that_is_not_as_committed_stops_the_build(tiny: PictureSet, tmp_path: Path) -> None:
    manifest = building.manifest_path(tiny)
    lines = manifest.read_text().splitlines(keepends=True)
    lines[1] = "0" * 64 + lines[1][64:]
    manifest.write_text("".join(lines))
    with pytest.raises(DatasetError) as error:
        building.build(tmp_path / "out", jobs=1, progress=False)
    message = str(error.value)
    assert "raw/moon/moon_0001.jpg differs" in message
    assert str(manifest) in message
    assert "1 of 4 pictures" in message
    assert "python3 -m dataset manifest" in message
    assert not (tmp_path / "out" / "tiny.zip").exists()


def test_manifest_command_writes_what_a_build_accepts(tiny: PictureSet, tmp_path: Path) -> None:
    before = building.manifest_path(tiny).read_text()
    assert building.write_manifests(jobs=1, progress=False) == []
    building.manifest_path(tiny).write_text("")
    assert building.write_manifests(jobs=1, progress=False) == [building.manifest_path(tiny)]
    assert building.manifest_path(tiny).read_text() == before


def test_a_set_that_does_not_exist() -> None:
    with pytest.raises(DatasetError, match=r"no set 'moons'; the sets are planets, control, city"):
        dataset.build(Path("nowhere"), ["moons"])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("build", tmp_path / "file" / "out", "--set", "probe")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {tmp_path}/file/out: Not a directory; ")


def test_a_disk_that_is_full(tiny: PictureSet, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(DatasetError, match=rf"^{tmp_path}/out: File too large; make room"):
            building.build(tmp_path / "out", jobs=1, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


def test_two_builds_into_one_folder_share_the_work(tiny: PictureSet, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        builds = [threads.submit(building.build, tmp_path / "out", jobs=1, progress=False) for _ in range(2)]
        unchanged = [built.unchanged for build in builds for built in build.result()]
    assert sorted(unchanged) == [False, True]
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [".lock", ".tiny.inputs", "tiny.zip", "tiny.zip.sha256"]
