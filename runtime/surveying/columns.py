"""What becomes of rows at columnar steps, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ...compiler.expr import parse_expr, show_expr
from ...compiler.expr.nodes import Logic
from ..account import Account
from ..catalog import load_catalog
from ..expressions import lowered, truth
from ..pipeline import assignments, columnar_stage
from ..rows import ORDER
from .weights import CLUSTER, PLACE, WEIGHT, moments_of, size_of, weighted

if TYPE_CHECKING:
    from ...compiler.estimating.facts import Moments
    from ...compiler.plan import PlanNode
    from ..counting import Count
    from .moments import Array
    from .weights import Extent


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of the rows that reached a step.

    Attributes:
        rows: Their `_order`, `_cluster` and, once it is known, `_weight`.
        size: Bytes of their text columns.
        places: For each row that went on, which row it came of, in the order in which they left.
        left: Bytes of the text columns of each row that went on.
    """

    rows: pl.DataFrame
    size: Array
    places: Array
    left: Array

    @classmethod
    def joined(cls, parts: Sequence[Fates], sources: Mapping[int, Extent]) -> Fates:
        """Those of several batches, with the weights of their rows; `sources` as in `weighted`."""
        import numpy as np

        starts = np.cumsum([0, *(p.rows.height for p in parts)])
        return cls(
            weighted(pl.concat([p.rows for p in parts]), sources),
            np.concatenate([p.size for p in parts]),
            np.concatenate([p.places + at for p, at in zip(parts, starts, strict=False)]),
            np.concatenate([p.left for p in parts]),
        )

    def moments(self, **more: Array) -> Moments:
        """By row: rows and bytes that go on, and what else is known of each row that went on."""
        import numpy as np

        each = {"rows_out": np.ones(len(self.places)), "size_out": self.left, **more}
        summed = {name: self._summed(values) for name, values in each.items()}
        return moments_of(self.rows, self.size, summed)

    def _summed(self, values: Array) -> Array:
        """Of each row, the sum over the rows that came of it."""
        import numpy as np

        summed = np.bincount(self.places.astype(np.int64), values, self.rows.height)
        return np.asarray(summed, np.float64)


def fates_of(
    node: PlanNode, frame: pl.DataFrame, count: Count | None
) -> tuple[Fates, pl.DataFrame, pl.DataFrame | None]:
    """Run a columnar step on rows that are the whole of what it sees.

    Returns:
        What became of them, those that go on, and those that are rejected.

    Raises:
        MisfitError: The step does not fit them.
    """
    placed = frame.with_columns(pl.int_range(frame.height, dtype=pl.Int64).alias(PLACE))
    stage = columnar_stage(node, load_catalog().steps[node.op], Account(), count)
    kept, rejected = stage.apply(placed)
    known = [c for c in (ORDER, CLUSTER, WEIGHT) if c in frame.columns]
    fates = Fates(
        frame.select(known),
        size_of(frame),
        kept[PLACE].to_numpy().astype(float),
        size_of(kept),
    )
    return fates, kept.drop(PLACE), None if rejected is None else rejected.drop(PLACE)


def strictest(node: PlanNode, frame: pl.DataFrame, count: Count | None) -> str:
    """The clause of a filter that fewest rows satisfy; empty if it has but one."""
    keep = node.definition["params"].get("keep")
    expr, _ = parse_expr(str(keep)) if keep else (None, ())
    if not isinstance(expr, Logic) or expr.op != "and" or not frame.height:
        return ""
    before, _ = assignments(node, count)
    d = node.definition
    with suppress(pl.exceptions.PolarsError, TypeError):
        frame = before(frame)
        clauses = [show_expr(clause) for clause in expr.operands]
        passed = [
            truth(frame, lowered(c, d["seed"], f"{d['site']}.keep", count)(frame)).sum()
            for c in clauses
        ]
        return clauses[passed.index(min(passed))]
    return ""
