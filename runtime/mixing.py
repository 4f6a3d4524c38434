"""The mix, in two passes: what each part gives, then the rows, in an order of their own.

A part's share is a cut-off in a hash of seed and `_id`, and the order is a permutation of that
hash, so neither the order in which rows were finished nor the number of workers changes a byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import polars as pl

from ..compiler.shares import REST, Shares, settle_sources
from .rows import ORDER
from .spool import (
    BUCKET_BITS,
    HASH,
    HUMAN,
    MERGE,
    PLACE,
    SOURCE,
    SPREAD,
    TOKENS,
    Spool,
    in_order,
    place_of,
)

PART = "_part"
EPOCH = "_epoch"
RANK = "_rank"
TURN = SPREAD
"""Added to the place once an epoch, so that the copies of a row stand far apart."""
WRAP = 1 << 64
BUCKETS = 1 << BUCKET_BITS
WIDTH = WRAP // BUCKETS
"""Places of one bucket."""
RANGE_ROWS = 1 << 20
"""Rows that are merged or sorted at once, about."""


@dataclass(frozen=True, slots=True)
class PartReport:
    """What became of a part.

    Attributes:
        rows: That it had.
        merged: Of these, equal to another row of the same document, in a part before it or in it.
        supply: Tokens of the others.
        taken_rows: Rows in the mix, repeats counted.
        taken: Their tokens.
        human: Those of them in rows of human text.
        epochs: How often it was gone through.
    """

    rows: int
    merged: int
    supply: int
    taken_rows: int
    taken: int
    human: int
    epochs: float


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows enter the mix, and what that adds up to.

    Attributes:
        shares: What each part was to give.
        parts: What it gave.
        taken: For each part and epoch, place and merge key of its rows, sorted by place.
    """

    shares: Shares
    parts: Mapping[str, PartReport]
    taken: Mapping[str, tuple[pl.DataFrame, ...]]

    @property
    def tokens(self) -> int:
        """Tokens of the mix."""
        return sum(p.taken for p in self.parts.values())

    @property
    def human_share(self) -> float:
        """Share of tokens in rows of human text."""
        return sum(p.human for p in self.parts.values()) / max(self.tokens, 1)


def select(
    mix: Mapping[str, Any], spools: Mapping[str, Spool], human: Mapping[str, bool]
) -> Selection:
    """First pass: merge equal rows, settle the shares, find each part's cut-off.

    A text of a document enters once over all parts. Human parts come first, so that what fell back
    to its input stands where it came from.

    Args:
        mix: Of the plan.
        spools: The rows of each part.
        human: Which parts hold nothing but human text.
    """
    order = sorted(spools, key=lambda name: (not human.get(name), name))
    rows = {name: spools[name].rows for name in order}
    caps: Mapping[str, float] = mix.get("max_source") or {}
    kept = _merged({name: spools[name].narrow(caps) for name in order})
    by_source = {name: _by_source(kept[name]) for name in order}
    supply = {name: int(kept[name][TOKENS].sum()) for name in order}
    shares, drawn = settle_sources(mix, by_source, human)
    taken: dict[str, tuple[pl.DataFrame, ...]] = {}
    reports: dict[str, PartReport] = {}
    for name in order:
        target = shares.targets.get(name, 0.0)
        people = bool(human.get(name))
        if drawn is None:
            epochs = _epochs(kept[name], target, round_up=people)
        else:
            epochs = _capped_epochs(kept[name], drawn[name], round_up=people)
        tokens = sum(int(e[TOKENS].sum()) for e in epochs)
        reports[name] = PartReport(
            rows=rows[name],
            merged=rows[name] - kept[name].height,
            supply=supply[name],
            taken_rows=sum(e.height for e in epochs),
            taken=tokens,
            human=sum(int(e.filter(HUMAN)[TOKENS].sum()) for e in epochs),
            epochs=tokens / supply[name] if supply[name] else 0.0,
        )
        taken[name] = tuple(_placed(rows, number) for number, rows in enumerate(epochs))
    return Selection(shares, reports, taken)


def _merged(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Rows whose document and text no row before them has, by part, sorted by hash.

    Equal rows have equal keys, so a range of keys is merged at a time, and then a range of hashes
    is sorted at a time: the rows are held twice, and not as often as sorting all at once takes.
    """
    ranks = {name: rank for rank, name in enumerate(frames)}
    whole = pl.concat(
        [frames.pop(n).with_columns(pl.lit(r, pl.UInt16).alias(RANK)) for n, r in ranks.items()]
    )
    kept: dict[str, list[pl.DataFrame]] = {name: [] for name in ranks}
    for rows in _ranges(whole, MERGE):
        once = rows.sort(RANK, HASH).unique(MERGE, keep="first", maintain_order=True)
        for name, rank in ranks.items():
            kept[name].append(once.filter(pl.col(RANK) == rank).drop(RANK))
    del whole
    return {name: _sorted(pl.concat(kept.pop(name))) for name in ranks}


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([part.sort(HASH, MERGE) for part in _ranges(rows, HASH)])


def _ranges(rows: pl.DataFrame, column: str) -> Iterator[pl.DataFrame]:
    """The rows in equal ranges of 64-bit values, in their order; at least one range."""
    ranges = min(BUCKETS, rows.height // RANGE_ROWS)
    if ranges < 2:
        yield rows
        return
    number = (pl.col(column) // pl.lit(WRAP // ranges, pl.UInt64)).clip(upper_bound=ranges - 1)
    numbers = rows.select(number.cast(pl.UInt8)).to_series()
    for i in range(ranges):
        yield rows.filter(numbers == i)


def _by_source(rows: pl.DataFrame) -> dict[str, float]:
    """Tokens of a part by source; those without a cap are one."""
    if SOURCE not in rows.columns:
        return {REST: float(rows[TOKENS].sum())}
    sums = rows.group_by(SOURCE).agg(pl.col(TOKENS).cast(pl.Int64).sum())
    return {str(source): float(tokens) for source, tokens in sums.iter_rows()}


def _capped_epochs(
    rows: pl.DataFrame, targets: Mapping[str, float], *, round_up: bool
) -> list[pl.DataFrame]:
    """Rows of each epoch where sources have targets of their own; capped ones never round up."""
    epochs: list[list[pl.DataFrame]] = []
    for source in sorted(targets):
        of_source = rows.filter(pl.col(SOURCE) == source)
        up = round_up and source == REST
        for number, chosen in enumerate(_epochs(of_source, targets[source], round_up=up)):
            if number == len(epochs):
                epochs.append([])
            epochs[number].append(chosen)
    return [pl.concat(frames) for frames in epochs]


def _epochs(rows: pl.DataFrame, target: float, *, round_up: bool) -> list[pl.DataFrame]:
    """Rows of each epoch: whole ones, then a last one cut off where the target is reached.

    Human parts take the row that crosses the target and others do not, so that whole rows never
    bring the human share below what the weights give.
    """
    supply = int(rows[TOKENS].sum())
    if not supply or target <= 0:
        return []
    whole = floor(target / supply + 1e-9)
    epochs = [rows] * whole
    left = target - whole * supply
    if left >= 1 or (round_up and left > 1e-6):
        reach = rows[TOKENS].cast(pl.Int64).cum_sum()  # rises, so it can be searched
        if round_up:
            epochs.append(rows.head(1 + int(reach.search_sorted(ceil(left), "left"))))
        else:
            epochs.append(rows.head(int(reach.search_sorted(floor(left), "right"))))
    return epochs


def _placed(rows: pl.DataFrame, epoch: int) -> pl.DataFrame:
    """Places and merge keys of rows in an epoch, in order."""
    places = rows.select(place_of(rows[HASH]).alias(PLACE), MERGE)
    return turned(places, epoch).sort(PLACE, MERGE)


def turned(rows: pl.DataFrame, epoch: int) -> pl.DataFrame:
    """Rows with their places in an epoch."""
    if not epoch:
        return rows
    # Unsigned addition wraps.
    return rows.with_columns(pl.col(PLACE) + pl.lit(epoch * TURN % WRAP, pl.UInt64))


def rows_in_order(selection: Selection, spools: Mapping[str, Spool]) -> Iterator[pl.DataFrame]:
    """Second pass: the chosen rows, bucket by bucket, sorted by place. One bucket in memory."""
    repeated = any(len(epochs) > 1 for epochs in selection.taken.values())
    for number in range(BUCKETS):
        frames = list(_bucket(number, selection, spools))
        if frames:
            # Copies of a row that came by several ways share all of these.
            once = (PLACE, MERGE, PART, EPOCH)
            whole = in_order(pl.concat(frames, how="diagonal_relaxed"), *once)
            whole = whole.unique(once, keep="first", maintain_order=True)
            own = (HASH, PLACE, MERGE, ORDER, *(() if repeated else (EPOCH,)))
            yield whole.drop(own).rechunk()


def _bucket(
    number: int, selection: Selection, spools: Mapping[str, Spool]
) -> Iterator[pl.DataFrame]:
    first, last = number * WIDTH, (number + 1) * WIDTH - 1
    for name in sorted(spools):
        for epoch, chosen in enumerate(selection.taken[name]):
            start = int(chosen[PLACE].search_sorted(first, "left"))
            stop = int(chosen[PLACE].search_sorted(last, "right"))
            inside = chosen.slice(start, stop - start)
            if not inside.height:
                continue
            # Before the turn, these places lay in the bucket of the first of them or the next.
            origin = (first - epoch * TURN) % WRAP // WIDTH
            for bucket in dict.fromkeys((origin, (origin + bool(epoch)) % BUCKETS)):
                for frame in spools[name].bucket(bucket):
                    found = turned(frame, epoch).join(inside, on=[PLACE, MERGE], how="semi")
                    if found.height:
                        yield found.with_columns(
                            pl.lit(name).alias(PART), pl.lit(epoch, pl.Int64).alias(EPOCH)
                        )
