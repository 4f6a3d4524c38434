"""Shards of the data set: rows in, files of about the same size out, the same bytes for the same rows."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

ROW_GROUP = 16_384


@dataclass(slots=True)
class ShardWriter:
    """Writes frames to `train-00000.parquet`, `train-00001.parquet`, …

    Attributes:
        folder: Where they go.
        format: `parquet` or `jsonl`.
        size: UTF-8 bytes of text a shard, about; a row is never cut.
        columns: Of the output, in order; missing ones are null.
    """

    folder: Path
    format: str
    size: int
    columns: tuple[str, ...]
    files: list[dict[str, Any]] = field(default_factory=list)
    _waiting: list[pl.DataFrame] = field(default_factory=list)
    _bytes: int = 0

    def write(self, frame: pl.DataFrame) -> None:
        """Add rows. Raises `OSError` if a full shard cannot be written."""
        absent = [pl.lit(None, pl.String).alias(c) for c in self.columns if c not in frame.columns]
        frame = frame.with_columns(absent).select(self.columns)
        while frame.height:
            ends = frame["text"].str.len_bytes().cum_sum() if "text" in frame.columns else None
            room = self.size - self._bytes
            fits = int((ends <= room).sum()) if ends is not None else frame.height
            if not fits and not self._waiting:
                fits = 1
            part, frame = frame.head(fits), frame.slice(fits)
            if part.height:
                self._waiting.append(part)
                self._bytes += int(part["text"].str.len_bytes().sum() or 0) if ends is not None else 0
            if frame.height:
                self.flush()

    def flush(self) -> None:
        """Write the rows that wait as a shard, durably. Raises `OSError`."""
        if not self._waiting:
            return
        frame = pl.concat(self._waiting, how="vertical_relaxed").rechunk()
        self._waiting, self._bytes = [], 0
        path = self.folder / f"train-{len(self.files):05d}.{self.format}"
        with path.open("wb") as out:
            if self.format == "parquet":
                frame.write_parquet(out, compression="zstd", row_group_size=ROW_GROUP)
            else:
                frame.write_ndjson(out)
            out.flush()
            os.fsync(out.fileno())
        self.files.append({"file": path.name, "rows": frame.height, "bytes": path.stat().st_size})

    def close(self) -> list[dict[str, Any]]:
        """Write what is left; an empty data set has one empty shard, so that it can be read.

        Returns:
            File name, rows and bytes of each shard.
        """
        if not self._waiting and not self.files:
            self._waiting = [pl.DataFrame(schema=dict.fromkeys(self.columns, pl.String))]
        self.flush()
        return self.files
