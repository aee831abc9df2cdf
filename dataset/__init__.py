"""The pictures that the guide's model learns from: eleven bodies of the solar system, rendered.

>>> from pathlib import Path
>>> import dataset
>>> dataset.build(Path("downloads"), names=["planets"])
{'planets': PosixPath('downloads/planets.zip')}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataset.errors import DatasetError

__all__ = ["DatasetError", "build"]


def build(
    out: Path, names: Sequence[str] | None = None, jobs: int | None = None, progress: bool = True
) -> dict[str, Path]:
    """Builds the archives of these sets, or of all sets, in ``out``. Returns the archive of each set.

    Beside each ``<name>.zip`` stands ``<name>.zip.sha256``. An archive whose inputs have not changed stays
    as it is. Several processes may build into one folder: one works, the others wait. ``jobs`` is the number
    of processes that render, by default one for each core; ``progress`` shows a bar if standard error is a
    terminal.

    Raises ``DatasetError``, with one line for people, if there is no such set, if a picture differs from its
    committed checksum, or if the folder cannot be written. A program that calls this must guard its entry
    with ``if __name__ == "__main__"``, since the processes that render import it.
    """
    from dataset import building  # what imports the package only for an error or a name need not load NumPy

    return {built.name: built.archive for built in building.build(out, names, jobs, progress)}
