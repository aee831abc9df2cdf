"""Calling the program itself, not the wrapper that the reader has."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

TIMEOUT = 600.0
"""Seconds for anything that only this machine has to do."""


@dataclass(frozen=True)
class Caller:
    """A program with the environment that leads it to the settings of a run."""

    program: str
    environment: Mapping[str, str]

    def __call__(self, *arguments: str, timeout: float = TIMEOUT) -> subprocess.CompletedProcess[str]:
        """Raises OSError when the program is not there, subprocess.TimeoutExpired when it takes too long."""
        return subprocess.run(
            [self.program, *arguments],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def says(self, *arguments: str) -> str:
        """What it prints. An error is none here: what it was asked about may just have gone."""
        try:
            ended = self(*arguments)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return ended.stdout if ended.returncode == 0 else ""
