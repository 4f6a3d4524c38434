"""Rows whose every call is in the ledger: which they are, and for how many others they stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from ..rows import ORDER
from .weights import THERE, WEIGHT

if TYPE_CHECKING:
    from .looking import Looked

CLEAR = 3.0
"""By how much a change must be likelier than none, in logarithms."""


@dataclass(frozen=True, slots=True)
class Settled:
    """See the module.

    Attributes:
        rows: Their places among the rows that were looked at.
        asking: Of these, those that ask a model for anything.
        stands: By what the weight of each grows, so that they stand for those that are not settled.
        everything: Whether all rows that were looked at are settled.
        held: Rows of all whose calls the ledger is taken to hold.
        there: Of each, for how many rows of all it stands that get past the step without a call.
    """

    rows: tuple[int, ...] = ()
    asking: int = 0
    stands: tuple[float, ...] = ()
    everything: bool = False
    held: float = 0.0
    there: tuple[float, ...] = ()

    @property
    def known(self) -> bool:
        """Whether they say anything of what replies bring about."""
        return bool(self.rows) and (self.everything or self.asking > 0)


def settled(looked: Looked) -> Settled:
    """Find settled rows.

    Of a document with several rows, all are settled or none is: a choice among draws needs all.
    Rows that ask nobody are settled whoever has paid for what, so only the others stand for rows
    whose replies are not there.
    """
    found = looked.found
    if not found:
        return Settled()
    orders = looked.meant[ORDER].to_list()
    weights, there = looked.meant[WEIGHT].to_list(), looked.meant[THERE].to_list()
    lacking = {order for order, f in zip(orders, found, strict=True) if not f.settled}
    rows = [i for i, order in enumerate(orders) if order not in lacking]
    stands = [0.0] * len(found)
    for kind in (True, False):
        alike = [i for i, f in enumerate(found) if f.asks is kind]
        known = [i for i in alike if orders[i] not in lacking]
        grown = sum(weights[i] for i in alike) / (sum(weights[i] for i in known) or 1.0)
        for i in known:
            stands[i] = grown
    asks = [f.asks for f in found]
    first, share = _held(looked, asks, set(rows))
    # Of the first rows each is there by itself; where more than were looked at, for some like it.
    each = max(1.0, first / max(len(found), 1))
    alone = [min(each, t) if i < first else 0.0 for i, t in enumerate(there)]
    passing = [
        alone[i] + share * (there[i] - alone[i]) if i < first and asks[i] else there[i]
        for i in rows
    ]
    lacks = [alone[i] for i in range(min(first, len(found))) if i not in set(rows)]
    held = sum(alone) - sum(lacks) + share * max(sum(there) - sum(alone), 0.0)
    return Settled(
        tuple(rows),
        sum(asks[i] for i in rows),
        tuple(stands[i] for i in rows),
        len(rows) == len(found),
        held,
        tuple(passing),
    )


def _held(looked: Looked, asks: Sequence[bool], known: Collection[int]) -> tuple[int, float]:
    """How many rows, from the first on, a pilot has been through, and of the others what is held.

    Where rows are settled more often up to some place than behind it, and that is no chance, the
    rows before it were chosen because they are the first; else the settled ones are anywhere. The
    place is the likeliest one (a change point of a series of coin tosses).
    """
    if looked.beyond is not None:
        return looked.beyond.rows, looked.beyond.share
    places = [i for i, asked in enumerate(asks) if asked]
    hits = [i in known for i in places]
    total, count = sum(hits), len(hits)
    if total == count:
        return (0, 1.0)
    best, split, before = _likelihood(total, count) + CLEAR, 0, 0
    for k, hit in enumerate(hits[:-1], 1):
        before += hit
        clearer = before * count > total * k  # more of the first than of all
        likely = _likelihood(before, k) + _likelihood(total - before, count - k)
        if clearer and likely > best:
            best, split = likely, k
    if not split:
        return 0, total / count
    behind = hits[split:]
    return places[split - 1] + 1, sum(behind) / len(behind)


def _likelihood(hits: int, count: int) -> float:
    """Logarithm of the chance of so many hits in this order, at the likeliest share."""
    return sum(n * log(n / count) for n in (hits, count - hits) if n)
