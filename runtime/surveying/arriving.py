"""Rows that arrive at a step: of all its inputs, and no more than its `limit:` lets in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ..stages import first_rows, fitting
from .weights import RANK, THERE, WEIGHT

if TYPE_CHECKING:
    from ...compiler.plan import PlanNode

STAND_INS = 200
"""Rows that stand for those that a `limit:` lets in, where it lets in fewer of the sample."""


@dataclass(frozen=True, slots=True)
class Reaching:
    """Rows that reach a step, with their weights.

    Attributes:
        frame: The rows.
        assumed: Whether some had not really been through an earlier model step.
        whole: Whether they are all the rows that there are.
    """

    frame: pl.DataFrame
    assumed: bool = False
    whole: bool = False


def arriving(
    node: PlanNode, left: Mapping[tuple[str, str], Reaching], *, known: bool = False
) -> Reaching:
    """What reaches a step.

    Rows that leave a step on single rows by a port are not sampled: a step that reads them sees
    none.

    Args:
        node: The step.
        left: Rows by the step and port that they left by.
        known: Whether a port without rows is one by which none left.
    """
    given = []
    for name, port in node.inputs:
        found, whole = left.get((name, port)), left.get((name, ""))
        if found is not None:
            given.append(found)
        elif whole is not None:
            given.append(Reaching(whole.frame.clear(), not known, known and whole.whole))
    with fitting(node.name):
        frame = pl.concat([g.frame for g in given], how="diagonal_relaxed")
    reaching = Reaching(frame, any(g.assumed for g in given), all(g.whole for g in given))
    return reaching if node.most_rows is None else limited(reaching, node.most_rows)


def limited(reaching: Reaching, limit: int) -> Reaching:
    """The rows that a `limit:` lets in, the first by `_doc`.

    Of a sample these are as large a share as of the whole. Where that is but a few, the rows behind
    them stand in: `_doc` is a digest, so that they are rows like any others.
    """
    frame = reaching.frame
    if not frame.height:
        return reaching
    total = float(frame[WEIGHT].sum())
    rows = limit
    if not reaching.whole:
        share = min(1.0, limit / max(total, 1e-9))
        rows = max(round(share * frame.height), min(frame.height, STAND_INS))
    first = first_rows([frame], rows)
    grown = pl.col(WEIGHT, THERE) * (min(limit, total) / max(float(first[WEIGHT].sum()), 1e-9))
    # The first by `_doc` are also the first that a pilot sends: they are in the run for certain.
    place = (pl.int_range(first.height).cast(pl.Float64) + 0.5) / max(first.height, 1)
    return Reaching(
        first.with_columns(grown, place.alias(RANK)),
        reaching.assumed,
        reaching.whole,
    )
