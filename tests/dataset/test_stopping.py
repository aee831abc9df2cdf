"""A build that is stopped leaves nothing half-written and no process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import dataset


def busy(process: psutil.Process) -> bool:
    """Has it had time to start rendering?"""
    return process.cpu_times().user > 0.5


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_a_build_that_is_stopped(tmp_path: Path, how: signal.Signals) -> None:
    build = subprocess.Popen(
        [sys.executable, "-m", "dataset", "build", str(tmp_path), "--jobs", "2"],
        cwd=Path(dataset.__file__).parents[1],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    children: list[psutil.Process] = []
    while sum(map(busy, children)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        children = psutil.Process(build.pid).children()
    build.send_signal(how)
    _, message = build.communicate(timeout=60)
    if how is signal.SIGINT:
        assert build.returncode == 130
        assert message == "stopped; nothing half-written is left behind\n"
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
