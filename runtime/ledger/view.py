"""What a ledger sees of its folder: packs, sealed segments by their runs, unsealed by tables."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .framing import Head, read_raw
from .layout import (
    make_folder,
    pack_files,
    run_files,
    segment_names,
    segment_path,
    try_lock,
)
from .packs import Pack, PackDamagedError
from .runs import Run, RunDamagedError, crowded, merge, seal
from .segments import Extent, OpenSegments, Table

AUTOMATIC = 1 << 22
"""Runs of more entries than this together, about 3 seconds' work, are merged only if need be."""


@dataclass(frozen=True)
class View:
    """Packs, runs and tables as found at one moment.

    Attributes:
        runs: They cover every sealed segment.
        tables: One for each segment that is not sealed.
        packs: They stand for the segments that they replace.
        broken: Damaged runs; segments that only they covered have tables.
        stale: Runs that others cover wholly, left by a merge that was killed.
        lost: Packs of which nothing can be read.
        hidden: Segments and packs that a pack replaces.
    """

    runs: tuple[Run, ...] = ()
    tables: tuple[Table, ...] = ()
    packs: tuple[Pack, ...] = ()
    broken: tuple[Path, ...] = ()
    stale: tuple[Path, ...] = ()
    lost: tuple[Path, ...] = ()
    hidden: frozenset[str] = field(default_factory=frozenset)

    @property
    def indexes(self) -> tuple[Run | Pack, ...]:
        """All that is sorted and mapped."""
        return (*self.runs, *self.packs)

    def find(self, key: bytes) -> Iterator[tuple[str, int]]:
        """The places of a key: segment or pack, and offset."""
        for table in self.tables:
            for offset in table.offsets.get(key, ()):
                yield table.extent.name, offset
        for run in self.runs:
            for place in run.find(key):
                if place[0] not in self.hidden:
                    yield place
        for pack in self.packs:
            yield from pack.find(key)

    def walk(self) -> Iterator[tuple[bytes, str, int]]:
        """All places in the order of their keys: key, segment or pack, offset."""
        tables = [
            sorted((key, t.extent.name, o) for key, offsets in t.offsets.items() for o in offsets)
            for t in self.tables
        ]
        runs = (place for place in heapq.merge(*(r.walk() for r in self.runs)))
        seen = (place for place in runs if place[1] not in self.hidden)
        last = None
        for place in heapq.merge(*tables, seen, *(p.walk() for p in self.packs)):
            if place != last:  # two runs may cover one segment
                yield place
            last = place

    def read(self, segments: OpenSegments, name: str, offset: int) -> tuple[Head, bytes] | None:
        """The frame at a place, checked to its last byte; None if it is not good."""
        pack = self.by_name.get(name)
        return segments.read(name, offset) if pack is None else pack.read(offset)

    def raw(self, name: str, head: Head, data: bytes) -> bytes:
        """The expanded body of a frame from `read`."""
        pack = self.by_name.get(name)
        return read_raw(head, data) if pack is None else read_raw(head, data, pack.expand)

    @cached_property
    def by_name(self) -> dict[str, Pack]:
        """The packs by their names."""
        return {pack.name: pack for pack in self.packs}

    @property
    def extents(self) -> dict[str, Extent]:
        """Every segment and pack once, by its name."""
        tables = {table.extent.name: table.extent for table in self.tables}
        found = tables | {e.name: e for run in self.runs for e in run.extents}
        kept = {name: e for name, e in found.items() if name not in self.hidden}
        return kept | {pack.name: pack.extent for pack in self.packs}

    def close(self) -> None:
        """Give up all files."""
        for file in self.indexes:
            file.close()


def survey(folder: Path, known: View) -> View:
    """Look at the folder again; what is known already is not read twice."""
    runs, broken = _open_runs(folder, {run.path: run for run in known.runs})
    # Files are removed only once a pack that replaces them has its name: so packs are listed after
    # runs, and segments after both. One that is sealed in between is merely read.
    packs, lost = _open_packs(folder, known.by_name)
    hidden = frozenset[str]().union(*(pack.replaces for pack in packs))
    packs = [pack for pack in packs if pack.name not in hidden]
    kept: list[Run] = []
    stale: list[Path] = []
    covered: set[str] = set()
    for run in sorted(runs, key=lambda r: len(r.names), reverse=True):
        if run.names <= covered:
            stale.append(run.path)
        else:
            kept.append(run)
            covered |= run.names
    tables = {table.extent.name: table for table in known.tables}
    left = [n for n in segment_names(folder) if n not in covered and n not in hidden]
    return View(
        tuple(kept),
        tuple(tables.get(n) or Table(n) for n in left),
        tuple(packs),
        tuple(broken),
        tuple(stale),
        tuple(lost),
        hidden,
    )


def tidy(folder: Path, *, compact: bool = False) -> None:
    """Seal the segments of dead writers and merge runs, unless another process is at it.

    Runs are merged where many are of similar size, or with `compact` all.

    A full disk stops it without harm: what is not sealed is read into memory instead.
    """
    make_folder(folder)
    lock_file = folder / "index.lock"
    lock_file.touch()
    with try_lock(lock_file) as mine:
        if mine:
            try:
                tidy_locked(folder, compact=compact)
            except OSError:
                return


def tidy_locked(folder: Path, *, compact: bool = False) -> None:
    """`tidy` for who holds `index.lock`.

    Raises:
        OSError: If the disk is full.
    """
    view = survey(folder, View())
    runs = [*view.runs]
    for table in view.tables:
        with try_lock(segment_path(folder, table.extent.name)) as dead:
            if dead:
                table.read_on(folder)
                runs.append(seal(folder, table))
                table.offsets.clear()
    # What damaged runs covered has been sealed anew by now, under the same name or another.
    done = {run.path for run in runs}
    for path in {*view.broken, *view.stale, *_old_drafts(folder)} - done:
        path.unlink(missing_ok=True)
    runs = _drop_hidden(folder, view, runs)
    chosen = runs if compact else crowded(runs, limit=AUTOMATIC)
    if len(chosen) > 1:
        merge(folder, chosen)


def _drop_hidden(folder: Path, view: View, runs: list[Run]) -> list[Run]:
    """Remove what packs replace: from the index first, so that it never names what is gone."""
    if not view.hidden:
        return runs
    kept = []
    for run in runs:
        if run.names & view.hidden:
            left = merge(folder, [run], without=view.hidden)
            kept += [left] if left is not None else []
        else:
            kept.append(run)
    for path in [p for p in pack_files(folder) if p.stem in view.hidden]:
        path.unlink()
    for name in view.hidden:
        segment_path(folder, name).unlink(missing_ok=True)
    for pack in view.packs:
        if not len(pack) and pack.whole:  # it only said what is gone
            pack.path.unlink(missing_ok=True)
    return kept


def _old_drafts(folder: Path) -> list[Path]:
    """What killed processes left half-written; a living one needs no day for an index."""
    yesterday = time.time() - 86400
    young = (*(folder / "index").glob(".*.tmp"), *(folder / "claims").glob("*.tmp"))
    drafts = [p for p in young if p.stat().st_mtime < yesterday]
    # Packs are written only by who holds `index.lock`, as the caller does.
    return [*drafts, *(folder / "packs").glob(".*.tmp")]


def _open_runs(folder: Path, known: dict[Path, Run]) -> tuple[list[Run], list[Path]]:
    while True:
        runs, broken = [], []
        try:
            for path in run_files(folder):
                try:
                    runs.append(known.get(path) or Run(path))
                except RunDamagedError:
                    broken.append(path)
        except FileNotFoundError:
            continue  # merged away between listing and opening: list again
        return runs, broken


def _open_packs(folder: Path, known: dict[str, Pack]) -> tuple[list[Pack], list[Path]]:
    while True:
        packs, lost = [], []
        try:
            for path in pack_files(folder):
                try:
                    packs.append(known.get(path.stem) or Pack(path))
                except PackDamagedError:
                    lost.append(path)
        except FileNotFoundError:
            continue  # replaced between listing and opening: list again
        return packs, lost
