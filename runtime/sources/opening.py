"""A source's pools: all of it where it is small or limited, else its files by format."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from . import picking
from .formats import FORMATS, Format, format_of, reader_of
from .picking import probe_files
from .pools import CLUSTER, Ceilings, Pool
from .remote import size_of
from .rows import build_frame
from .sampled_lines import Lines
from .scan import column_types, spread
from .spec import Named, SourceSpec, Unreadable
from .splitting import split_pools
from .whole import Whole

BETWEEN = 0.3
"""Relative standard deviation of rows by byte between files at an address: an assumption."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that can be drawn from.

    Attributes:
        pools: Its files, by how they are drawn from.
        none: Its columns, without rows.
        files: How many files it has.
        scale: Bytes of all files by those of the files that stand for all.
        spread: Relative standard deviation of totals that comes of that.
        unreadable: What was met on opening it.
    """

    pools: tuple[Pool, ...]
    none: pl.DataFrame
    files: int
    scale: float = 1.0
    spread: float = 0.0
    unreadable: tuple[Unreadable, ...] = ()


def open_pools(spec: SourceSpec, ceilings: Ceilings) -> Opened:
    """Open a source.

    Raises:
        OSError: A file cannot be read.
    """
    if spec.limit is not None or total_size(spec) <= picking.ALL:
        whole = Whole(spec, ceilings)
        return Opened((whole,), whole.none, len(spec.files), unreadable=tuple(whole.unreadable))
    types = column_types(spec)
    none = build_frame(spec, types, [], []).with_columns(pl.lit(0, pl.Int64).alias(CLUSTER))
    few = spread(spec.named)
    numbers = {f: i for i, f in enumerate(few)}
    pools: list[Pool] = []
    for format, files in by_format(spec, few):
        places = [numbers[f] for f in files]
        if format.module:
            pools += reader_of(format).pools(spec, types, files, places, ceilings)
        else:
            pools += split_pools(partial(Lines, spec, types), files, places, ceilings)
    return Opened(tuple(pools), none, len(spec.files), *_beyond(spec, few))


def by_format(spec: SourceSpec, files: Sequence[Named]) -> list[tuple[Format, Sequence[Named]]]:
    """Files by their format."""
    kinds = [format_of(f.path, spec.format).name for f in files]
    return [
        (format, [f for f, kind in zip(files, kinds, strict=True) if kind == name])
        for name, format in FORMATS.items()
        if name in kinds
    ]


def total_size(spec: SourceSpec) -> int:
    """Bytes of a source: of lines when unpacked, of files where a format has none."""
    total = 0
    for format, files in by_format(spec, spec.named):
        here = [f.path for f in files if isinstance(f.path, Path)]
        size = sum(size_of(f.path) for f in files)
        if not format.module and len(here) == len(files) and size <= picking.ALL:
            size = sum(p.bytes for p in probe_files(here))
        total += size
    return total


def _beyond(spec: SourceSpec, few: Sequence[Named]) -> tuple[float, float]:
    """What files that were not fetched add to totals, and to their uncertainty."""
    whole = sum(map(size_of, spec.files))
    here = sum(size_of(f.path) for f in few)
    if len(few) == len(spec.files) or not here:
        return 1.0, 0.0
    return whole / here, BETWEEN * math.sqrt((1 - here / whole) / len(few))
