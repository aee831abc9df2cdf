"""What the tests of the runner share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psutil
import pytest

from scripts.runner import environment
from tests.runner.sample import Checkout, Tiny

SLEEPS = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def same_tools() -> Iterator[None]:
    """The tools of this machine stay the same: their versions are asked for once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "version", cache(environment.version))
        yield


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    """A guide that is done directly. Nothing of it may still run at the end of a test."""
    guide = Tiny(tmp_path / "guide")
    yield guide
    guide.close()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A guide that is done by a pytest of its own."""
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def nap() -> Iterator[str]:
    """A number of seconds to sleep that no other process sleeps. None may be left at the end."""
    seconds = f"{300 + next(SLEEPS)}.{id(object()) % 10**6:06}"
    yield seconds
    left = [process for process in psutil.process_iter(["cmdline"]) if seconds in (process.info["cmdline"] or ())]
    for process in left:
        process.kill()
    assert not left
