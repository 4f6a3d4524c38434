"""A sample of a source's rows, spread over its files and within them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import xxhash

from ...compiler.types import Type
from .formats import FORMATS, Format, format_of, reader_of
from .picking import ALL, pick_lines, probe_files
from .remote import local, size_of
from .rows import build_frame, parse_lines
from .scan import column_types, scan_partitions, spread
from .spec import Named, Sample, SourceSpec, Unreadable
from .tables import rows_of

MANY = 1_000
"""Unreadable lines that a sample keeps; more say nothing new."""


def sample_rows(spec: SourceSpec, n: int, seed: int) -> Sample:
    """Draw about `n` rows from all over a source, never the head of a file.

    Small sources (256 MB of lines; of files where a format has no lines) and limited ones are read
    as a whole, so their totals are exact. Of large ones only as much as `picking` and the format's
    `draw` say is read, and totals are estimates: bytes of text from the ratio of text to line in
    the sample, times the bytes of all lines; from the mean text of a row where there are no lines.
    Of a large source at an address, four files are fetched and stand for all.

    Raises:
        OSError: A file cannot be read.
    """
    if spec.limit is not None or _size(spec) <= ALL:
        return _sample_all(spec, n, seed)
    types = column_types(spec)
    few = spread(spec.named)
    sizes = {f.name: sum(size_of(x.path) for x in files) for f, files in _by_format(spec, few)}
    whole = max(1, sum(sizes.values()))
    scale = sum(map(size_of, spec.files)) / whole
    parts = []
    for format, files in _by_format(spec, few):
        share = max(1, round(n * sizes[format.name] / whole))
        draw = _draw_rows if format.module else _draw_lines
        parts.append(draw(spec, types, format, files, share, seed))
    return Sample(
        pl.concat([build_frame(spec, types, [], []), *(p.frame for p in parts)]),
        None,
        round(scale * sum(p.rows for p in parts)),
        round(scale * sum(p.text_bytes for p in parts)),
        tuple(u for p in parts for u in p.unreadable)[:MANY],
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The sample of the files of one format, and what they all hold."""

    frame: pl.DataFrame
    rows: float
    text_bytes: float
    unreadable: Sequence[Unreadable]


def _by_format(spec: SourceSpec, files: Sequence[Named]) -> list[tuple[Format, Sequence[Named]]]:
    kinds = [format_of(f.path, spec.format).name for f in files]
    return [
        (format, [f for f, kind in zip(files, kinds, strict=True) if kind == name])
        for name, format in FORMATS.items()
        if name in kinds
    ]


def _size(spec: SourceSpec) -> int:
    """Bytes of a source: of lines when unpacked, of files where a format has none."""
    total = 0
    for format, files in _by_format(spec, spec.named):
        here = [f.path for f in files if isinstance(f.path, Path)]
        if format.module or len(here) < len(files):
            total += sum(size_of(f.path) for f in files)
        else:
            total += sum(p.bytes for p in probe_files(here))
    return total


def _draw_lines(
    spec: SourceSpec,
    types: Mapping[str, Type],
    format: Format,
    files: Sequence[Named],
    n: int,
    seed: int,
) -> _Part:
    picked = pick_lines([local(f.path) for f in files], n, seed=seed)
    frames: list[pl.DataFrame] = []
    bad: list[Unreadable] = []
    for i in sorted({line.file for line in picked.lines}):
        lines = [(line.at, line.raw) for line in picked.lines if line.file == i]
        rows, unreadable = parse_lines(spec, types, lines, files[i].shown)
        ids = _ids([row[0] for row in rows], f"{i}")
        frames.append(build_frame(spec, types, rows, ids))
        bad += unreadable
    frame = pl.concat([build_frame(spec, types, [], []), *frames])
    drawn = sum(len(line.raw) + 1 for line in picked.lines)
    ratio = _text_bytes(frame) / max(1, drawn)
    readable = len(frame) / max(1, len(picked.lines))
    return _Part(frame, picked.count * readable, ratio * picked.bytes, bad)


def _draw_rows(
    spec: SourceSpec,
    types: Mapping[str, Type],
    format: Format,
    files: Sequence[Named],
    n: int,
    seed: int,
) -> _Part:
    drawn = reader_of(format).draw(spec, types, files, n, seed)
    frames: list[pl.DataFrame] = []
    bad: list[Unreadable] = []
    for k, table in enumerate(drawn.tables):
        rows, unreadable = rows_of(spec, types, table)
        ids = _ids(rows["_doc"].to_list(), f"{format.name}:{k}")
        frames.append(rows.with_columns(pl.Series("_id", ids, pl.String)))
        bad += unreadable
    frame = pl.concat([build_frame(spec, types, [], []), *frames])
    readable = len(frame) / max(1, len(frame) + len(bad))
    count = drawn.rows * readable
    return _Part(frame, count, count * _text_bytes(frame) / max(1, len(frame)), bad)


def _ids(docs: Sequence[str], place: str) -> list[str]:
    digest = xxhash.xxh3_128_hexdigest
    return [digest(f"{doc}sample:{place}:{k}".encode()) for k, doc in enumerate(docs)]


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
