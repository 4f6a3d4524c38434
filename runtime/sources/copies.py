"""Copies of remote files that nothing reads any more.

A file that changed at its address has another copy, so copies add up. Reading one marks the time:
what no present recipe has read since a given moment can go, and is fetched again if need be.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PART_SECONDS = 86400.0
"""A copy that has been under way for longer was given up."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Copies that are or would be removed: how many, and their bytes."""

    files: int = 0
    bytes: int = 0


def touch(copy: Path) -> None:
    """Note that a copy is read; a folder that cannot be written notes nothing."""
    with suppress(OSError):
        os.utime(copy)


def collect_copies(store: Path, since: int, *, remove: bool) -> Copies:
    """Find copies that were last read before a moment, and remove them.

    Args:
        store: The folder that copies are kept in; it may be missing.
        since: Unix nanoseconds, when all present recipes began to read what they need.
        remove: Whether to remove them.
    """
    files = size = 0
    for path in sorted(store.glob("??/*")):
        with suppress(FileNotFoundError):
            stat = path.stat()
            limit = since
            if path.suffix == ".part":
                limit = min(since, time.time_ns() - int(PART_SECONDS * 1e9))
            if stat.st_mtime_ns >= limit:
                continue
            files, size = files + 1, size + stat.st_size
            if remove:
                path.unlink()
    return Copies(files, size)
