"""Records of delimited text, as `windows` and `packed` draw them.

A place in the middle of a file may be inside quotes or not. The reading is taken under which quotes
open and close where they can: behind and before a delimiter or the end of a line. It can be wrong,
so no row of a run is ever found this way: only samples are.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from ...compiler.types import Type
from .delimited import Head, Record, head_of, record_table
from .pools import CLUSTER, identified
from .rows import build_frame
from .spec import Named, SourceSpec, Unreadable
from .tables import rows_of
from .windows import Stretch, Unit

AHEAD, FURTHEST = 32 << 10, 8 << 20
"""Bytes behind a stretch in which its last record may end: at first, and at most."""
LONGEST_RUN = 64
CLEAR = 8
"""Quotes that stand wrong under one reading alone, after which it is given up."""
_QUOTES = re.compile(rb'"+')


class Records:
    """See `windows.Cutter`."""

    piece, counted = 16 << 10, 64 << 20

    def __init__(self, spec: SourceSpec, types: Mapping[str, Type], files: Sequence[Named]) -> None:
        self._spec, self._types, self._files = spec, types, files
        self._heads: dict[int, Head] = {}
        self._told: set[int] = set()

    def cut(self, file: int, handle: int, where: Stretch) -> tuple[list[tuple[int, bytes]], int]:
        """See `windows.Cutter`; a record longer than `FURTHEST` is missed."""
        head = self._head(file)
        begin = _before_quotes(handle, where.begin)
        length, ahead = where.end - begin, AHEAD
        while True:
            data = os.pread(handle, length + ahead, begin)
            last = begin + len(data) >= where.size
            quoted = bool(begin) and _inside(data[: length + AHEAD], head)
            found, whole = _records(data, length, head.mark, quoted=quoted, last=last)
            if whole or last or ahead >= FURTHEST:
                break
            ahead *= 8
        drawn = [(begin + at, raw) for at, raw in found if begin + at < where.stop]
        return drawn, len(found)

    def parse(self, units: Sequence[Unit]) -> tuple[pl.DataFrame, list[Unreadable]]:
        """See `windows.Cutter`."""
        none = build_frame(self._spec, self._types, [], [])
        frames = [none.with_columns(pl.lit(0, pl.Int64).alias(CLUSTER))]
        bad: list[Unreadable] = []
        by_file: dict[int, list[Unit]] = {}
        for unit in units:
            by_file.setdefault(unit.file, []).append(unit)
        for i, found in by_file.items():
            head = self._head(i)
            reason = head.lacking(self._spec, self._types)
            if reason:
                if i not in self._told:
                    bad.append(Unreadable(self._files[i].shown, 1, reason, b""))
                self._told.add(i)
                continue
            records = [_record(unit, head) for unit in found]
            table = record_table(self._spec, self._files[i], head.fields, records)
            draws = {unit.at: unit.draw for unit in found}
            numbers = pl.Series(CLUSTER, [draws[at] for at in table.lines], pl.Int64)
            if table.frame.width:
                table = replace(table, frame=table.frame.with_columns(numbers))
            rows, faults = rows_of(self._spec, self._types, table)
            bad += faults
            places = [f"{i}:{k}:{n}" for n, k in enumerate(rows[CLUSTER])]
            ids = pl.Series("_id", identified(rows["_doc"].to_list(), places), pl.String)
            frames.append(rows.with_columns(ids))
        return pl.concat(frames, how="diagonal"), bad

    def joined(
        self, lines: Iterable[tuple[int, bytes, float]]
    ) -> Iterator[tuple[int, bytes, float]]:
        """Records of a file's lines: a record is whole when its quotes are even. Not the header."""
        held: list[bytes] = []
        start, quotes, header = (0, 0.0), 0, True
        for number, raw, where in lines:
            if not held:
                start = number, where
            held.append(raw)
            quotes += raw.count(b'"')
            if quotes % 2 == 0:
                if not header:
                    yield start[0], b"\n".join(held), start[1]
                held, quotes, header = [], 0, False

    def _head(self, file: int) -> Head:
        if file not in self._heads:
            self._heads[file] = head_of(self._spec, self._files[file])
        return self._heads[file]


def _record(unit: Unit, head: Head) -> Record:
    lines = [f"{line}\n" for line in unit.raw.decode("utf-8", "surrogateescape").split("\n")]
    try:
        fields = next(csv.reader(lines, delimiter=head.mark, strict=True), [])
    except csv.Error as error:
        return Record(unit.at, [], f"not CSV: {error}")
    if len(fields) != len(head.fields):
        return Record(unit.at, fields, f"{len(fields)} fields, expected {len(head.fields)}")
    return Record(unit.at, fields)


def _before_quotes(handle: int, at: int) -> int:
    """Where a run of quotes begins that a place lies in: half of one reads as something else."""
    before = os.pread(handle, min(at, LONGEST_RUN), max(0, at - LONGEST_RUN))
    return at - len(before) + len(before.rstrip(b'"'))


def _inside(data: bytes, head: Head) -> bool:
    """Whether data begins inside quotes."""
    mark = head.mark.encode()
    before, behind = (b"", b"\n", mark), (b"", b"\r", b"\n", mark)
    wrong = [0, 0]
    opens = True  # if data begins outside quotes, that is
    for run in _QUOTES.finditer(data):
        if len(run[0]) % 2 == 0:  # a quote that is part of a text, or an empty cell
            continue
        may_open = data[max(0, run.start() - len(mark)) : run.start()][-len(mark) :]
        may_open = may_open if may_open == mark else may_open[-1:]
        may_close = data[run.end() : run.end() + len(mark)]
        may_close = may_close if may_close == mark else may_close[:1]
        wrong[not opens] += may_open not in before
        wrong[opens] += may_close not in behind
        opens = not opens
        if abs(wrong[0] - wrong[1]) >= CLEAR:
            break
    if wrong[0] != wrong[1]:
        return wrong[1] < wrong[0]
    lines = data.split(b"\n")[1:-1]
    return 2 * sum(x.count(mark) + 1 == len(head.fields) for x in lines) < len(lines)


def _records(
    data: bytes, length: int, mark: str, *, quoted: bool, last: bool
) -> tuple[list[tuple[int, bytes]], bool]:
    """Records that begin in the first `length` bytes, but for what data begins in; whether whole.

    Args:
        data: Part of a file.
        length: Where records no longer count.
        mark: What stands between fields.
        quoted: Whether it begins inside quotes.
        last: Whether it goes to the end of the file.
    """
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for raw in lines:
            text = raw.decode("utf-8", "surrogateescape") + "\n"
            yield '"' + text if quoted and not taken else text
            taken += 1

    reader = csv.reader(texts(), delimiter=mark)
    found: list[tuple[int, bytes]] = []
    at = begun = 0
    while at < length and begun < len(lines):
        try:
            next(reader)
        except StopIteration:
            break
        except csv.Error:
            pass
        # The generator stands at its yield: the line in hand is not counted yet.
        done = min(len(lines), taken + 1)
        raw = b"\n".join(lines[begun:done])
        if done == len(lines) and not last:
            return found, False
        if begun and raw.strip():
            found.append((at, raw))
        at, begun = at + len(raw) + 1, done
    return found, True
