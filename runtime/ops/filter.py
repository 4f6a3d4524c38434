"""Keep the rows for which an expression is true."""

from __future__ import annotations

from ...compiler.registry import Case, Expression, step
from ..kernel import REASON, Kernel, Mapped


@step(
    stage="map",
    version=1,
    cost="free",
    cases=(
        Case({"keep": "words(text) >= 2"}, {"text": "two words"}, {"text": "two words"}),
        Case({"keep": "words(text) >= 2"}, {"text": "one"}, "keep"),
        Case({"keep": "n > 1"}, {"text": "null is not true", "n": None}, "keep"),
        Case({}, {"text": "only sets columns"}, {"text": "only sets columns"}),
    ),
)
def filter_(keep: Expression | None = None) -> Kernel:
    """Keep the rows for which `keep` is true; false and null are rejected.

    Without `keep` every row goes on, which serves a step that only sets columns.

    Args:
        keep: What must be true of a row for it to go on.
    """
    import polars as pl

    from ..expressions import truth

    def kernel(frame: pl.DataFrame) -> Mapped:
        if keep is None:
            return Mapped(frame)
        assert callable(keep)  # expressions come lowered, see `expressions.Lowered`
        mask = truth(frame, keep(frame))
        if mask.all():
            return Mapped(frame)
        return Mapped(
            frame.filter(mask), frame.filter(~mask).with_columns(pl.lit("keep").alias(REASON))
        )

    return kernel
