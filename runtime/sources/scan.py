"""A JSONL source as partitions: consecutive lines of one file, cut by content alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl
import xxhash

from ...compiler.types import Type
from .columns import common_type
from .lines import Fault, read_blocks
from .picking import pick_lines
from .rows import build_frame, parse_lines, pick
from .spec import Partition, SourceSpec, Unreadable

PARTITION_BYTES = 16 << 20
PARTITION_LINES = 50_000
TYPE_SAMPLE = 1_000
"""Rows that decide the types of the mapped columns."""


def column_types(spec: SourceSpec) -> dict[str, Type]:
    """The types of the mapped columns, decided by rows from all over the source.

    The same files always give the same types. A later value that does not fit makes its line
    unreadable (`schema-drift`); it never changes the type in the middle of a source.
    """
    import orjson

    if not spec.columns:
        return {}
    rows = []
    for line in pick_lines(spec.files, TYPE_SAMPLE, seed=0).lines:
        try:
            row = orjson.loads(line.raw)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return {new: common_type(pick(row, old) for row in rows) for new, old in spec.columns}


def scan_partitions(
    spec: SourceSpec, *, types: Mapping[str, Type] | None = None, cutoff: str | None = None
) -> Iterator[Partition]:
    """All rows of a source in order, about 16 MB of lines or 50,000 lines at a time.

    Nothing about a line stops the scan: what is not a row is reported beside the rows. A partition
    is cut by its lines alone, so packing a file or renaming it changes no `_id`. There is always at
    least one partition, so that a source without rows has columns nevertheless.

    Args:
        spec: The source.
        types: From `column_types`, which is asked if they are not given.
        cutoff: From `doc_cutoff`, which is asked if the source has a limit and it is not given.

    Yields:
        Partitions in the order of files and lines.

    Raises:
        OSError: A file cannot be read.
    """
    types = column_types(spec) if types is None else types
    if cutoff is None and spec.limit is not None:
        cutoff = doc_cutoff(spec, spec.limit, types=types)
    seen: Counter[str] = Counter()
    found = False
    for path, shown in zip(spec.files, spec.shown, strict=True):
        for lines, faults in _cut(path):
            found = True
            partition = _partition(spec, types, seen, shown, lines, faults)
            if cutoff is not None:
                kept = partition.frame.filter(pl.col("_doc") <= cutoff)
                partition = replace(partition, frame=kept)
            yield partition
    if not found:
        yield Partition(build_frame(spec, types, [], []), (), 0)


def doc_cutoff(spec: SourceSpec, n: int, *, types: Mapping[str, Type] | None = None) -> str:
    """The largest `_doc` among the first `n` rows by `_doc`, in one pass and bounded memory.

    Rows with `_doc <= cutoff` are those that a limit keeps: `n`, or a few more where equal rows
    stand at the border, since equal rows cannot be told apart. Fewer rows than `n` are all kept.
    """
    if n <= 0:
        return ""
    best = pl.Series("_doc", [], pl.String)
    for partition in scan_partitions(replace(spec, limit=None, keep_source=False), types=types):
        best = pl.concat([best, partition.frame["_doc"]]).sort().head(n)
    return best[-1] if len(best) == n else "g"


def _cut(path: Path) -> Iterator[tuple[list[tuple[int, bytes]], list[Fault]]]:
    lines: list[tuple[int, bytes]] = []
    faults: list[Fault] = []
    size = 0
    for block in read_blocks(path):
        for number, raw in enumerate(block.lines, block.first):
            lines.append((number, raw))
            size += len(raw) + 1
            if size >= PARTITION_BYTES or len(lines) >= PARTITION_LINES:
                yield lines, faults
                lines, faults, size = [], [], 0
        if block.fault:
            faults.append(block.fault)
    if lines or faults:
        yield lines, faults


def _partition(
    spec: SourceSpec,
    types: Mapping[str, Type],
    seen: Counter[str],
    shown: str,
    lines: list[tuple[int, bytes]],
    faults: list[Fault],
) -> Partition:
    content = xxhash.xxh3_128()
    size = 0
    for _, raw in lines:
        content.update(raw)
        content.update(b"\n")
        size += len(raw) + 1
    digest = content.hexdigest()
    repeat = seen[digest]
    seen[digest] += 1
    rows, bad = parse_lines(spec, types, lines, shown)
    bad += [Unreadable(shown, f.line, f.reason, f.raw) for f in faults]
    bad.sort(key=lambda u: u.line)
    hexdigest = xxhash.xxh3_128_hexdigest
    ids = [hexdigest(f"{row[0]}{digest}{repeat}:{i}".encode()) for i, row in enumerate(rows)]
    return Partition(build_frame(spec, types, rows, ids), tuple(bad), size)
