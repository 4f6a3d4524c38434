"""Folders that one process works in: nobody else touches them, and none long outlives it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Make a folder for the time of a block; it is removed afterwards, unless it was moved away.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(parents=True)
    # The lock gets its name when it is locked, so that nobody ever finds it free.
    draft = folder / f"{LOCK}.{os.getpid()}"
    lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.rename(folder / LOCK)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(folders: Iterable[Path]) -> None:
    """Remove those of the folders whose process was killed."""
    for folder in folders:
        if _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
