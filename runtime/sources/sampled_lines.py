"""Lines of plain files, as `windows` draws them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from ...compiler.types import Type
from .lines import BOM, MAX_LINE
from .pools import CLUSTER, identified
from .rows import NotARowError, build_frame, reader
from .spec import Named, SourceSpec, Unreadable
from .windows import Stretch, Unit

AHEAD = 256 << 10


class Lines:
    """See `windows.Cutter`."""

    piece, counted = 64 << 10, 512 << 20

    def __init__(self, spec: SourceSpec, types: Mapping[str, Type], files: Sequence[Named]) -> None:
        self._spec, self._types, self._files = spec, types, files
        self._read = reader(spec, types)

    def cut(self, file: int, handle: int, where: Stretch) -> tuple[list[tuple[int, bytes]], int]:
        """See `windows.Cutter`."""
        del file
        lead = 1 if where.begin else 0  # a line feed before the window begins a line in it
        first = where.begin - lead
        data = os.pread(handle, where.end - first, first)
        count = data.count(b"\n", 0, max(0, len(data) - 1)) + (1 - lead)
        found: list[tuple[int, bytes]] = []
        at = data.find(b"\n") + 1 if lead else 0
        while first + at < where.stop and (at or not lead):
            end = data.find(b"\n", at)
            if end < 0:
                raw = data[at:] + _rest(handle, first + len(data), where.size)
            else:
                raw = data[at:end]
            found.append((first + at, raw if first + at else raw.removeprefix(BOM)))
            if end < 0:
                break
            at = end + 1
        return found, count

    def joined(
        self, lines: Iterable[tuple[int, bytes, float]]
    ) -> Iterable[tuple[int, bytes, float]]:
        """See `packed.Joiner`."""
        return lines

    def parse(self, units: Sequence[Unit]) -> tuple[pl.DataFrame, list[Unreadable]]:
        """See `windows.Cutter`."""
        rows: list[list[Any]] = []
        kept: list[Unit] = []
        bad: list[Unreadable] = []
        for unit in units:
            try:
                row = self._read(unit.raw)
            except NotARowError as error:
                shown = self._files[unit.file].shown
                bad.append(Unreadable(shown, unit.at, str(error), unit.raw[:200]))
                continue
            if row is not None:
                rows.append(row)
                kept.append(unit)
        ids = identified([row[0] for row in rows], [f"{u.file}:{u.at}" for u in kept])
        clusters = pl.Series(CLUSTER, [u.draw for u in kept], pl.Int64)
        return build_frame(self._spec, self._types, rows, ids).with_columns(clusters), bad


def _rest(handle: int, at: int, size: int) -> bytes:
    """The rest of a line that began before `at`; no more than the longest line."""
    pieces: list[bytes] = []
    stop = min(size, at + MAX_LINE)
    while at < stop:
        piece = os.pread(handle, AHEAD, at)
        end = piece.find(b"\n")
        if end >= 0 or not piece:
            pieces.append(piece[:end])
            break
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)
