"""What flows along an edge of the plan: rows and their size, as replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .chance import full
from .numbers import Basis, weakest

if TYPE_CHECKING:
    from .chance import Array


@dataclass(frozen=True, slots=True)
class Flow:
    """Rows behind a step.

    Attributes:
        rows: How many; None where it is not known.
        size: Bytes of their text columns.
        basis: Where the numbers came from.
        most: Rows at most; None where nothing bounds them.
        most_size: Bytes of these.
        grown: Tokens that models may have written into a row at most.
    """

    rows: Array | None
    size: Array | None
    basis: Basis
    most: float | None
    most_size: float | None
    grown: float = 0.0

    @property
    def mean(self) -> float:
        """Expected rows; 0 where they are not known."""
        return 0.0 if self.rows is None else float(self.rows.mean())


UNSEEN = Flow(None, None, "?", None, None)


def joined(flows: Sequence[Flow]) -> Flow:
    """The rows of several edges together."""
    if len(flows) == 1:
        return flows[0]
    rows, size = full(0.0), full(0.0)
    most = most_size = 0.0
    bounded = True
    for flow in flows:
        if flow.rows is None or flow.size is None:
            return UNSEEN
        rows, size = rows + flow.rows, size + flow.size
        bounded &= flow.most is not None
        most, most_size = most + (flow.most or 0.0), most_size + (flow.most_size or 0.0)
    bases: list[Basis] = [flow.basis for flow in flows]
    basis = weakest(*bases)
    grown = max(flow.grown for flow in flows)
    return Flow(rows, size, basis, most if bounded else None, most_size if bounded else None, grown)


def first(flow: Flow, limit: int | None) -> Flow:
    """The first so many rows."""
    import numpy as np

    if limit is None or flow.rows is None or flow.size is None:
        return flow
    rows = np.minimum(flow.rows, limit)
    size = flow.size * (rows / np.maximum(flow.rows, 1e-9))
    most = float(limit) if flow.most is None else min(flow.most, float(limit))
    share = most / flow.most if flow.most else 1.0
    sure: Basis = "e" if flow.basis in "es" and float(flow.rows.min()) >= limit else flow.basis
    most_size = None if flow.most_size is None else flow.most_size * share
    return Flow(rows, size, sure, most, most_size, flow.grown)
