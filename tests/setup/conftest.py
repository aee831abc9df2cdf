from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.setup.checkout import Checkout


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty at first, so that the first setup downloads, and the later ones take from its caches."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def checkout(tmp_path: Path, shared_home: Path) -> Checkout:
    return Checkout(tmp_path / "checkout", shared_home)


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory, shared_home: Path) -> Checkout:
    """A checkout that has been set up. A test that changes it changes it back."""
    checkout = Checkout(tmp_path_factory.mktemp("ready") / "checkout", shared_home)
    first = checkout.guide("test", "-q", "tests/test_sample.py::test_good")
    assert first.returncode == 0, first.stderr
    (checkout.root / "first.txt").write_text(first.stderr)
    (checkout.root / "first.log").write_text(checkout.log.read_text())
    return checkout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a folder that holds so many MB and no more. Only root can do that, on Linux."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("capability root: run the tests as root on Linux to try a full disk")
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size: int) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(folder)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"capability root: this machine cannot mount: {done.stderr.decode().strip()}")
        return folder

    yield mount
    if os.path.ismount(folder):
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
