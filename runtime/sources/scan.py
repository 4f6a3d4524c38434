"""A source as partitions: consecutive rows, cut by content alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from ...compiler.types import Type
from .columns import common_type, commonest
from .cutting import cut
from .formats import Format, format_of, groups, reader_of
from .lines import Fault, read_blocks
from .picking import pick_lines
from .remote import Remote, local
from .rows import build_frame, occurrences, parse_lines, pick
from .spec import Named, Partition, SourceSpec, Unreadable
from .tables import partition as table_partition

PARTITION_BYTES = 16 << 20
PARTITION_LINES = 50_000
TYPE_SAMPLE = 1_000
"""Rows that decide the types of the mapped columns."""
REMOTE = 4
"""Files at addresses that are fetched to see what a source holds."""


def column_types(spec: SourceSpec) -> dict[str, Type]:
    """The types of the mapped columns, decided by rows and headers from all over the source.

    The same files always give the same types. A later value that does not fit makes its line
    unreadable (`schema-drift`); it never changes the type in the middle of a source. A column that
    no file has, where files say what they have, is left out.
    """
    if not spec.columns:
        return {}
    found: dict[str, list[Type]] = {new: [] for new, _ in spec.columns}
    lines: list[Path] = []
    for file in spread(spec.named):
        format = format_of(file.path, spec.format)
        if not format.module:
            lines.append(local(file.path))
            continue
        for new, kind in reader_of(format).kinds(spec, file).items():
            found[new].append(kind)
    if lines or not spec.files:
        for new, kind in _line_types(spec, lines).items():
            found[new].append(kind)
    return {new: commonest(kinds) for new, kinds in found.items() if kinds}


def _line_types(spec: SourceSpec, files: Sequence[Path]) -> dict[str, Type]:
    import orjson

    rows = []
    for line in pick_lines(files, TYPE_SAMPLE, seed=0).lines:
        try:
            row = orjson.loads(line.raw)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return {new: common_type(pick(row, old) for row in rows) for new, old in spec.columns}


def spread(files: Sequence[Named]) -> Sequence[Named]:
    """Files that stand for all: few of those that must be fetched, or opened each for itself."""
    most = REMOTE if any(isinstance(f.path, Remote) for f in files) else None
    if most is None or len(files) <= most:
        return files
    return [files[len(files) * k // most] for k in range(most)]


def scan_partitions(
    spec: SourceSpec, *, types: Mapping[str, Type] | None = None, cutoff: str | None = None
) -> Iterator[Partition]:
    """All rows of a source in order, about 16 MB of lines or 50,000 lines at a time.

    Where a format has no lines, that is 16 MB of text and 50,000 rows. Nothing about a line stops
    the scan: what is not a row is reported beside the rows. A partition is cut by its lines alone,
    so packing a file or renaming it changes no `_id`; nor does another format, where it is cut at
    the same rows. There is always at least one partition, so that a source without rows has columns
    nevertheless.

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
    for format, files in groups(spec):
        for partition in _partitions(spec, types, seen, format, files):
            found = True
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


def _partitions(
    spec: SourceSpec,
    types: Mapping[str, Type],
    seen: Counter[str],
    format: Format,
    files: Sequence[Named],
) -> Iterator[Partition]:
    if format.module:
        tables = reader_of(format).read(spec, types, files)
        for table in cut(tables, rows=PARTITION_LINES, size=PARTITION_BYTES):
            yield table_partition(spec, types, table, seen)
        return
    for file in files:
        for lines, faults in _cut(local(file.path)):
            yield _partition(spec, types, seen, file.shown, lines, faults)


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
    size = sum(len(raw) + 1 for _, raw in lines)
    rows, bad = parse_lines(spec, types, lines, shown)
    bad += [Unreadable(shown, f.line, f.reason, f.raw) for f in faults]
    bad.sort(key=lambda u: u.line)
    ids = occurrences([row[0] for row in rows], seen)
    return Partition(build_frame(spec, types, rows, ids), tuple(bad), size)
