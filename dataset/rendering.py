"""Rendering whole sets on all cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from threading import Thread
from typing import NamedTuple

from tqdm import tqdm

from dataset.errors import DatasetError
from dataset.pictures import jpeg
from dataset.sets import PictureSet

_BATCH = 15
"""Pictures that a process renders at a time."""


class _Batch(NamedTuple):
    pictures: PictureSet
    class_name: str
    indices: range


def _render(batch: _Batch) -> dict[str, bytes]:
    pictures, class_name, indices = batch
    return {pictures.path(class_name, i): jpeg(pictures.name, class_name, i, pictures.camera) for i in indices}


def _start_process() -> None:
    """Ctrl-C is for the process that waits for this one; and if that one is killed, this one ends too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def render(
    sets: Sequence[PictureSet], jobs: int | None = None, progress: bool = True
) -> Generator[tuple[PictureSet, dict[str, bytes]]]:
    """Each set with its pictures: the bytes of a JPEG file by its path in the archive.

    ``jobs`` is the number of processes, by default one for each core. The progress bar goes to standard
    error, and only if that is a terminal. Raises ``DatasetError`` if a process dies.
    """
    batches = [
        _Batch(s, class_name, range(first, min(first + _BATCH, s.count)))
        for s in sets
        for class_name in s.classes
        for first in range(0, s.count, _BATCH)
    ]
    files: dict[str, bytes] = {}
    total = sum(len(batch.indices) for batch in batches)
    with (
        tqdm(total=total, unit="picture", disable=None if progress else True) as bar,
        closing(_results(batches, jobs or os.cpu_count() or 1)) as results,
    ):
        for batch, rendered in zip(batches, results, strict=True):
            files |= rendered
            bar.update(len(rendered))
            if len(files) == len(batch.pictures):
                yield batch.pictures, files
                files = {}


def _results(batches: Sequence[_Batch], jobs: int) -> Generator[dict[str, bytes]]:
    """The pictures of each batch, in order."""
    if jobs == 1:
        yield from map(_render, batches)
        return
    # "spawn" starts each process afresh: a fork of a program with threads, such as a site build, can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_process) as pool:
        try:
            yield from pool.map(_render, batches)
        except BrokenProcessPool as error:
            raise DatasetError(
                "a process that renders was killed, perhaps for lack of memory; try again with --jobs 1"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
