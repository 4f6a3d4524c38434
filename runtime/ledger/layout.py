"""Where a ledger keeps its files, and how files become durable and locked."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class LedgerError(Exception):
    """A ledger that cannot be used as asked; the message says what to do."""


def new_name() -> str:
    """A name that no other process takes. Names sort by time; the last two digits are a folder."""
    return f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}"


def segment_path(folder: Path, name: str) -> Path:
    """The file of a segment; 256 folders keep each listing short at a billion draws."""
    return Path(f"{folder}/segments/{name[-2:]}/{name}.seg")  # each lookup comes here: one parse


def run_path(folder: Path, name: str) -> Path:
    """The file of an index run."""
    return folder / "index" / f"{name}.run"


def segment_names(folder: Path) -> list[str]:
    """All segments, in order of creation."""
    return sorted(p.stem for p in (folder / "segments").glob("??/*.seg"))


def run_files(folder: Path) -> list[Path]:
    """All index runs."""
    return sorted((folder / "index").glob("*.run"))


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, so that they outlive a power cut."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names added to a folder durable."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears whole and durable, or not at all."""
    make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold a file's lock if nobody does. A lock goes when its process does, however it ends."""
    fd = os.open(path, os.O_RDONLY)
    try:
        yield lock(fd)
    finally:
        os.close(fd)


def lock(fd: int) -> bool:
    """Lock an open file until it is closed; False if another holds it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
