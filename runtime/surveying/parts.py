"""Tokens of the rows of a part of the mix, as they would be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..parts import part_renderer
from .weights import size_of

if TYPE_CHECKING:
    import polars as pl

    from ...compiler.plan import Plan
    from .moments import Array
    from .replies import Replies

MOST_BYTES = 2 << 20
"""Text of a part that is tokenised; what lies behind is taken to have as many tokens a byte."""


def parts_of(plan: Plan) -> frozenset[str]:
    """Steps and sources whose rows are a part of the mix."""
    return frozenset(name for name, port in plan.outputs if not port) if plan.mix else frozenset()


def tokens_of(plan: Plan, replies: Replies, part: str, frame: pl.DataFrame) -> Array | None:
    """Tokens of each row of a part, by the mix's tokenizer; None without a mix.

    Raises:
        EngineError: There is no tokenizer.
        RunError: The part's template cannot render a row.
    """
    import numpy as np

    if plan.mix is None or plan.tokenizer is None:
        return None
    if not frame.height:
        return np.zeros(0)
    counter = replies.tokens(plan.tokenizer)
    size = size_of(frame)
    rows = max(1, int(np.searchsorted(np.cumsum(size), MOST_BYTES, side="right")))
    head = frame.head(rows)
    if (render := part_renderer(plan, part, counter)) is not None:
        head = render(head)
    counted = np.array(counter.count(head["text"].fill_null("").to_list()), np.float64)
    if rows >= frame.height:
        return counted
    rate = counted.sum() / max(float(size[:rows].sum()), 1.0)
    return np.concatenate([counted, size[rows:] * rate])
