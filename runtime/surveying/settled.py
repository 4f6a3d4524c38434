"""Rows whose every call is in the ledger: which they are, and for how many others they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..rows import ORDER
from .weights import THERE, WEIGHT

if TYPE_CHECKING:
    from .looking import Looked


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
    for asks in (True, False):
        alike = [i for i, f in enumerate(found) if f.asks is asks]
        known = [i for i in alike if orders[i] not in lacking]
        grown = sum(weights[i] for i in alike) / (sum(weights[i] for i in known) or 1.0)
        for i in known:
            stands[i] = grown
    first, share = _held(there, [f.asks for f in found], set(rows))
    alone = [min(1.0, there[i]) for i in range(first)]
    left = [
        alone[i] + share * (there[i] - alone[i]) if i < first and found[i].asks else there[i]
        for i in rows
    ]
    whole = len(rows) == len(found)
    held = sum(there) if whole else sum(alone) + share * max(sum(there) - sum(alone), 0.0)
    asking = sum(found[i].asks for i in rows)
    return Settled(tuple(rows), asking, tuple(stands[i] for i in rows), whole, held, tuple(left))


def _held(there: list[float], asks: list[bool], known: set[int]) -> tuple[int, float]:
    """How many rows are held before the first that is not, and the share of the others that is."""
    count = len(there)
    first = next((i for i in range(count) if i not in known), count)
    asking = [i for i in range(first, count) if asks[i]]
    if not asking:
        return first, 1.0
    paid = sum(there[i] for i in asking if i in known)
    return first, paid / (sum(there[i] for i in asking) or 1.0)
