"""A sample of a given number of a source's rows."""

from __future__ import annotations

import polars as pl

from .sampler import SIZE, open_sampler
from .spec import CLUSTER, Sample, SourceSpec
from .whole import PLACE


def sample_rows(spec: SourceSpec, n: int, seed: int) -> Sample:
    """Draw about `n` rows from all over a source, never the head of a file; see `sampler`.

    Raises:
        OSError: A file cannot be read.
    """
    sampler = open_sampler(spec, seed, rows=n, size=max(SIZE, n << 10))
    frames: list[pl.DataFrame] = []
    while (frame := sampler.placed()).height or not frames:
        frames.append(frame)
    drawn = pl.concat(frames, how="diagonal").drop(CLUSTER)
    if PLACE in drawn.columns:
        drawn = drawn.sort(PLACE).drop(PLACE)
    facts = sampler.facts()
    rows = round(facts.rows)
    return Sample(
        drawn,
        rows if facts.exact else None,
        rows,
        round(facts.size),
        sampler.unreadable,
    )
