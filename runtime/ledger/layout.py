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


def pack_path(folder: Path, name: str) -> Path:
    """The file of a pack."""
    return folder / "packs" / f"{name}.pack"


def pack_files(folder: Path) -> list[Path]:
    """All packs, in order of creation."""
    return sorted((folder / "packs").glob("*.pack"))


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


def join(folder: Path, *, write: bool) -> int | None:
    """Be among those who use a ledger, until the file that is returned is closed.

    Who only reads does without where the ledger cannot be locked: what it finds gone, it looks for
    again.

    Raises:
        LedgerError: If another process removes completions from it.
    """
    path = folder / "use.lock"
    if write:
        make_folder(folder)
        path.touch()
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    if lock(fd, shared=True):
        return fd
    os.close(fd)
    if not write:
        return None
    raise LedgerError(f"{folder}: `ledger gc` is at work there; try again when it is done")


@contextmanager
def using(folder: Path, *, write: bool) -> Iterator[None]:
    """`join` for the time of a block."""
    fd = join(folder, write=write)
    try:
        yield
    finally:
        if fd is not None:
            os.close(fd)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep everyone else out of a ledger.

    Raises:
        LedgerError: If another process uses it.
    """
    path = folder / "use.lock"
    path.touch()
    with try_lock(path) as mine:
        if not mine:
            raise LedgerError(f"{folder}: another process uses it; try again when it is done")
        yield


@contextmanager
def index_lock(folder: Path) -> Iterator[None]:
    """Be the only one who removes or replaces files of a ledger; makes its folder if need be.

    Raises:
        LedgerError: If another process is at it.
    """
    make_folder(folder)
    path = folder / "index.lock"
    path.touch()
    with try_lock(path) as mine:
        if not mine:
            raise LedgerError(f"{folder}: another process tidies it; try again when it is done")
        yield


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold a file's lock if nobody does. A lock goes when its process does, however it ends."""
    fd = os.open(path, os.O_RDONLY)
    try:
        yield lock(fd)
    finally:
        os.close(fd)


def lock(fd: int, *, shared: bool = False) -> bool:
    """Lock an open file until it is closed; False if another holds it."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
