"""The mix, in two passes: what each part gives, then the rows, in an order of their own.

The order is that of a hash of seed and `_id`, and a part's share is a cut-off in it, so neither the
order in which rows were finished nor the number of workers changes a byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any

import polars as pl

from ..compiler.shares import Shares, settle_shares
from .rows import ORDER
from .spool import HASH, MERGE, TOKENS, Spool

PART = "_part"
EPOCH = "_epoch"
TURN = 0x9E3779B97F4A7C15
"""Added to the hash once an epoch, so that each goes through the rows in another order."""


@dataclass(frozen=True, slots=True)
class PartReport:
    """What became of a part.

    Attributes:
        rows: That it had.
        merged: Of these, equal to a row of the same document in a part before it.
        supply: Tokens of the others.
        taken_rows: Rows in the mix, repeats counted.
        taken: Their tokens.
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
    """Which rows enter the mix: for each part and epoch the hashes that do, and what that adds up to."""

    shares: Shares
    parts: Mapping[str, PartReport]
    taken: Mapping[str, tuple[pl.Series, ...]]

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

    A text of a document enters once over all parts. Human parts come first, so that what fell back to
    its input stands where it came from.
    """
    order = sorted(spools, key=lambda name: (not human.get(name), name))
    frames = {name: spools[name].narrow() for name in order}
    kept = _merged(frames)
    supply = {name: int(kept[name][TOKENS].sum()) for name in order}
    shares = settle_shares(mix, {n: float(s) for n, s in supply.items()}, human)
    taken: dict[str, tuple[pl.Series, ...]] = {}
    reports: dict[str, PartReport] = {}
    for name in order:
        target = shares.targets.get(name, 0.0)
        epochs = _epochs(kept[name], target, round_up=bool(human.get(name)))
        taken[name] = tuple(e[HASH] for e in epochs)
        chosen = pl.concat(epochs) if epochs else kept[name].clear()
        reports[name] = PartReport(
            rows=frames[name].height,
            merged=frames[name].height - kept[name].height,
            supply=supply[name],
            taken_rows=chosen.height,
            taken=int(chosen[TOKENS].sum()),
            human=int(chosen.filter(pl.col("_origin") == "human")[TOKENS].sum()),
            epochs=int(chosen[TOKENS].sum()) / supply[name] if supply[name] else 0.0,
        )
    return Selection(shares, reports, taken)


def _merged(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    tagged = [f.with_columns(pl.lit(n).alias(PART)) for n, f in frames.items()]
    ranked = [f.with_columns(pl.lit(i).alias("_rank")) for i, f in enumerate(tagged)]
    whole = pl.concat(ranked).sort("_rank", HASH).unique(MERGE, keep="first", maintain_order=True)
    return {name: whole.filter(pl.col(PART) == name).drop(PART, "_rank") for name in frames}


def _epochs(rows: pl.DataFrame, target: float, *, round_up: bool) -> list[pl.DataFrame]:
    """Rows of each epoch: whole ones, then a last one cut off where the target is reached.

    Human parts take the row that crosses the target and others do not, so that whole rows never bring
    the human share below what the weights give.
    """
    supply = int(rows[TOKENS].sum())
    if not supply or target <= 0:
        return []
    whole = floor(target / supply + 1e-9)
    epochs = [turned(rows, k) for k in range(whole)]
    left = target - whole * supply
    if left >= 1 or (round_up and left > 1e-6):
        last = turned(rows, whole).sort(HASH)
        before = last[TOKENS].cum_sum() - last[TOKENS]
        reach = before if round_up else before + last[TOKENS]
        epochs.append(last.filter(reach < left if round_up else reach <= left))
    return epochs


def turned(rows: pl.DataFrame, epoch: int) -> pl.DataFrame:
    """Rows with the hashes of an epoch."""
    if not epoch:
        return rows
    hashes = [(h + epoch * TURN) % 2**64 for h in rows[HASH]]
    return rows.with_columns(pl.Series(HASH, hashes, pl.UInt64))


def rows_in_order(selection: Selection, spools: Mapping[str, Spool]) -> Iterator[pl.DataFrame]:
    """Second pass: the chosen rows, bucket by bucket, sorted by hash. One bucket in memory."""
    repeated = any(len(e) > 1 for e in selection.taken.values())
    for number in range(1 << 6):
        frames = list(_bucket(number, selection, spools, repeated))
        if frames:
            whole = pl.concat(frames, how="diagonal_relaxed").sort(HASH, "_id")
            yield whole.drop(HASH, MERGE, ORDER).rechunk()


def _bucket(
    number: int, selection: Selection, spools: Mapping[str, Spool], repeated: bool
) -> Iterator[pl.DataFrame]:
    for name in sorted(spools):
        for epoch, hashes in enumerate(selection.taken[name]):
            wanted = pl.DataFrame({HASH: hashes})
            lowest, highest = number << 58, (number + 1) << 58
            inside = wanted.filter(
                (pl.col(HASH) >= pl.lit(lowest, pl.UInt64))
                & (pl.col(HASH) <= pl.lit(highest - 1, pl.UInt64))
            )
            if not inside.height:
                continue
            origins = sorted({((h - epoch * TURN) % 2**64) >> 58 for h in inside[HASH]})
            for bucket in origins:
                for frame in spools[name].bucket(bucket):
                    found = turned(frame, epoch).join(inside, on=HASH, how="semi")
                    if found.height:
                        found = found.with_columns(pl.lit(name).alias(PART))
                        yield found.with_columns(pl.lit(epoch).alias(EPOCH)) if repeated else found
