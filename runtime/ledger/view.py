"""What a ledger sees of its folder: sealed segments by their runs, unsealed ones by tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .layout import make_folder, run_files, segment_names, segment_path, try_lock
from .runs import Run, RunDamagedError, crowded, merge, seal
from .segments import Extent, Table

AUTOMATIC = 1 << 22
"""Runs of more entries than this together are merged only by `Ledger.compact`: about 3 seconds."""


@dataclass(frozen=True, slots=True)
class View:
    """Runs and tables as found at one moment.

    Attributes:
        runs: They cover every sealed segment.
        tables: One for each segment that is not sealed.
        broken: Damaged runs; segments that only they covered have tables.
        stale: Runs that others cover wholly, left by a merge that was killed.
    """

    runs: tuple[Run, ...] = ()
    tables: tuple[Table, ...] = ()
    broken: tuple[Path, ...] = ()
    stale: tuple[Path, ...] = ()

    def find(self, key: bytes) -> Iterator[tuple[str, int]]:
        """The places of a key: segment and offset."""
        for table in self.tables:
            for offset in table.offsets.get(key, ()):
                yield table.extent.name, offset
        for run in self.runs:
            yield from run.find(key)

    @property
    def extents(self) -> dict[str, Extent]:
        """Every segment once, by its name."""
        tables = {table.extent.name: table.extent for table in self.tables}
        return tables | {e.name: e for run in self.runs for e in run.extents}


def survey(folder: Path, known: View) -> View:
    """Look at the folder again; what is known already is not read twice."""
    runs, broken = _open_runs(folder, {run.path: run for run in known.runs})
    kept: list[Run] = []
    stale: list[Path] = []
    covered: set[str] = set()
    for run in sorted(runs, key=lambda r: len(r.names), reverse=True):
        if run.names <= covered:
            stale.append(run.path)
        else:
            kept.append(run)
            covered |= run.names
    # Segments are listed after the runs: one that is sealed in between is merely read.
    tables = {table.extent.name: table for table in known.tables}
    left = [n for n in segment_names(folder) if n not in covered]
    return View(
        tuple(kept),
        tuple(tables.get(n) or Table(n) for n in left),
        tuple(broken),
        tuple(stale),
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
        if not mine:
            return
        view = survey(folder, View())
        try:
            runs = [*view.runs]
            for table in view.tables:
                with try_lock(segment_path(folder, table.extent.name)) as dead:
                    if dead:
                        table.read_on(folder)
                        runs.append(seal(folder, table))
                        table.offsets.clear()
            # What damaged runs covered has been sealed anew by now, under the same name or another.
            for path in {*view.broken, *view.stale, *_old_drafts(folder)} - {r.path for r in runs}:
                path.unlink(missing_ok=True)
            chosen = runs if compact else crowded(runs, limit=AUTOMATIC)
            if len(chosen) > 1:
                merge(folder, chosen)
        except OSError:
            return


def _old_drafts(folder: Path) -> list[Path]:
    """What killed processes left half-written; a living one needs no day for it."""
    yesterday = time.time() - 86400
    return [p for p in (folder / "index").glob(".*.tmp") if p.stat().st_mtime < yesterday]


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
