"""Compaction: sealed segments become packs, and records that are not kept are left out.

A pack takes the place of what it was made of by its rename, so a kill at any moment leaves either
the one or the other; the files that are replaced go afterwards, by whoever tidies next.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from .framing import Head
from .layout import index_lock
from .pack_writer import SAMPLES, Record, packing
from .segments import OpenSegments
from .verify import audit_pack, audit_segment
from .view import View, survey, tidy_locked

Keep = Callable[[Head], bool]


@dataclass(slots=True)
class Removed:
    """What is left out, or would be; `bytes` are those of its frames.

    Attributes:
        damaged: Files that stay as they are, because part of them cannot be read.
    """

    completions: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    bytes: int = 0
    damaged: list[Path] = field(default_factory=list)

    def add(self, head: Head) -> None:
        """Count a record."""
        self.completions += 1
        self.prompt_tokens += head.prompt_tokens
        self.completion_tokens += head.completion_tokens
        self.bytes += head.size


def compact_folder(folder: Path, keep: Keep | None = None) -> Removed:
    """Merge runs, and make packs of sealed segments.

    Packs that are not larger than what joins them are taken in too, so that a record is written
    anew a logarithmic number of times.

    Args:
        folder: Of the ledger.
        keep: Which records stay; all, if none is given. Else nobody may use the ledger meanwhile.

    Raises:
        LedgerError: If another process is at it.
        OSError: If the disk is full; nothing is lost.
    """
    with index_lock(folder):
        tidy_locked(folder, compact=True)
        view = survey(folder, View())
        removed = Removed()
        gone = removable(folder, view, keep)[1] if keep else frozenset[str]()
        chosen = _chosen(folder, view, gone, removed)
        if chosen:
            _pack(folder, view, chosen, keep, removed)
        view.close()
        tidy_locked(folder, compact=True)
        return removed


def removable(folder: Path, view: View, keep: Keep) -> tuple[Removed, frozenset[str]]:
    """What would be left out, and the segments and packs that hold it; reads all heads."""
    removed, names = Removed(), set()
    with closing(OpenSegments(folder)) as segments:
        for _, name, offset in view.walk():
            frame = view.read(segments, name, offset)
            if frame and not keep(frame[0]):
                removed.add(frame[0])
                names.add(name)
    return removed, frozenset(names)


def _chosen(folder: Path, view: View, gone: frozenset[str], removed: Removed) -> frozenset[str]:
    """What is packed anew: all segments, packs that lose records, and packs of no more records."""
    chosen: set[str] = set()
    total = 0
    for run in view.runs:
        if not run.is_good():
            removed.damaged.append(run.path)
            continue
        for extent in run.extents:
            if extent.name in view.hidden or extent.name in chosen:
                continue
            if problems := audit_segment(folder, extent, run, index=False):
                removed.damaged.append(problems[0].file)
                continue
            chosen.add(extent.name)
            total += extent.completions
    for pack in sorted(view.packs, key=len):
        if pack.name in gone or (chosen and len(pack) <= total):
            if audit_pack(pack):
                removed.damaged.append(pack.path)
                continue
            chosen.add(pack.name)
            total += len(pack)
    return frozenset(chosen)


def _pack(
    folder: Path, view: View, chosen: frozenset[str], keep: Keep | None, removed: Removed
) -> None:
    def places() -> Iterator[tuple[bytes, str, int]]:
        last = None
        for place in heapq.merge(*(index.walk() for index in view.indexes)):
            if place[1] in chosen and place != last:  # two runs may cover one segment
                yield place
            last = place

    total = sum(extent.completions for name, extent in view.extents.items() if name in chosen)
    sample = islice(places(), 0, None, max(1, total // SAMPLES))
    with closing(OpenSegments(folder)) as segments:

        def read(name: str, offset: int) -> Record:
            frame = view.read(segments, name, offset)
            if frame is None:
                raise OSError(f"{name}: a record that was there cannot be read any more")
            return Record(frame[0], view.raw(name, *frame))

        samples = [read(*place[1:]).raw for place in sample]
        with packing(folder, samples, chosen) as writer:
            for _, name, offset in places():
                record = read(name, offset)
                if keep is None or keep(record.head):
                    writer.add(record)
                else:
                    removed.add(record.head)
