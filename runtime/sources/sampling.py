"""A sample of a source's rows, spread over its files and within them."""

from __future__ import annotations

import polars as pl
import xxhash

from .picking import ALL, pick_lines, probe_files
from .rows import build_frame, parse_lines
from .scan import column_types, scan_partitions
from .spec import Sample, SourceSpec, Unreadable

MANY = 1_000
"""Unreadable lines that a sample keeps; more say nothing new."""


def sample_rows(spec: SourceSpec, n: int, seed: int) -> Sample:
    """Draw about `n` rows from all over a source, never the head of a file.

    Small sources (256 MB of text) and limited ones are read as a whole, so their totals are exact.
    Of large ones only as much as `picking` says is read, and totals are estimates: bytes of text
    from the ratio of text to line in the sample, times the bytes of all lines.

    Raises:
        OSError: A file cannot be read.
    """
    if spec.limit is not None or sum(p.bytes for p in probe_files(spec.files)) <= ALL:
        return _sample_all(spec, n, seed)
    types = column_types(spec)
    picked = pick_lines(spec.files, n, seed=seed)
    frames: list[pl.DataFrame] = []
    bad: list[Unreadable] = []
    for i in sorted({line.file for line in picked.lines}):
        lines = [(line.at, line.raw) for line in picked.lines if line.file == i]
        rows, unreadable = parse_lines(spec, types, lines, spec.shown[i])
        ids = [
            xxhash.xxh3_128_hexdigest(f"{row[0]}sample:{i}:{k}".encode())
            for k, row in enumerate(rows)
        ]
        frames.append(build_frame(spec, types, rows, ids))
        bad += unreadable
    frame = pl.concat([build_frame(spec, types, [], []), *frames])
    drawn = sum(len(line.raw) + 1 for line in picked.lines)
    ratio = _text_bytes(frame) / max(1, drawn)
    readable = len(frame) / max(1, len(picked.lines))
    return Sample(
        frame,
        None,
        round(picked.count * readable),
        round(ratio * picked.bytes),
        tuple(bad[:MANY]),
    )


def _sample_all(spec: SourceSpec, n: int, seed: int) -> Sample:
    """The n rows with the smallest hash of seed and `_id`, in one pass over all of them."""
    best: pl.DataFrame | None = None
    rows = size = 0
    bad: list[Unreadable] = []
    digest, salt = xxhash.xxh3_64_intdigest, seed & (2**64 - 1)
    for part in scan_partitions(spec):
        ranks = pl.Series("_rank", [digest(i.encode(), salt) for i in part.frame["_id"]], pl.UInt64)
        order = pl.Series("_order", range(rows, rows + len(part.frame)), pl.UInt64)
        ranked = part.frame.with_columns(ranks, order)
        best = ranked if best is None else pl.concat([best, ranked])
        best = best.bottom_k(n, by="_rank")
        rows += len(part.frame)
        size += _text_bytes(part.frame)
        bad += part.unreadable[: MANY - len(bad)]
    assert best is not None, "a source has at least one partition"
    frame = best.sort("_order").drop("_rank", "_order")
    return Sample(frame, rows, rows, size, tuple(bad))


def _text_bytes(frame: pl.DataFrame) -> int:
    return int(frame["text"].str.len_bytes().sum())
