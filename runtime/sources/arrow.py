"""Arrow and Feather files (IPC), record batch by record batch.

The form without a footer, which streams between processes and some libraries leave on disk, can
be read only as a whole.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from .stored import Stored

MAGIC = b"ARROW1"


def _scan(path: Path) -> pl.LazyFrame:
    with path.open("rb") as file:
        whole = file.read(len(MAGIC)) == MAGIC
    if whole:
        return pl.scan_ipc(path, glob=False, hive_partitioning=False)
    return pl.read_ipc_stream(path).lazy()


_stored = Stored("Arrow", _scan)
kinds, read, pools = _stored.kinds, _stored.read, _stored.pools
