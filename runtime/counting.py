"""Token counts that expressions ask for: columns that are there while an expression is computed.

A tokenizer takes texts by the batch, and polars knows none. So the argument of `tokens(…)` is
computed first, counted, and stands in the frame under the canonical text of the call, which is the
name of no column of a recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from ..compiler.expr import Expr, parse_expr, show_expr, token_counts
from ..compiler.registry import Expression
from .frames import Context, lower

if TYPE_CHECKING:
    from ..compiler.plan import Plan
    from .checkpool import CheckSpec
    from .engine_room import EngineRoom
    from .tools import Judge
    from .verdict import Row, Verdict

Count = Callable[[Sequence[str]], list[int]]
"""Tokens of each text."""

Adder = Callable[[pl.DataFrame], pl.DataFrame]
"""Adds the counts that expressions ask for to a frame."""


def counter_of(plan: Plan, room: EngineRoom) -> Count | None:
    """What the expressions of a plan count with; None if none counts. Raises `EngineError`."""
    if not any("tokens" in node.definition for node in plan.nodes):
        return None
    assert plan.tokenizer is not None  # the compiler has refused it
    return room.tokens(plan.tokenizer).count


def counts_of(exprs: Iterable[Expr], count: Count | None, seed: int, site: str) -> Adder | None:
    """The function that counts what expressions ask for; None if they ask for nothing."""
    calls = tuple(dict.fromkeys(call for expr in exprs for call in token_counts(expr)))
    if not calls:
        return None
    if count is None:
        raise ValueError("no tokenizer was handed in to count with")

    def add(frame: pl.DataFrame) -> pl.DataFrame:
        for call in calls:  # inner ones come first
            name = show_expr(call)
            text = lower(call.args[0], Context(seed, f"{site}.{name}", frame.schema))
            frame = frame.with_columns(text.alias(name))
            frame = frame.with_columns(_counted(frame[name], count))
        return frame

    return add


def _counted(texts: pl.Series, count: Count) -> pl.Series:
    """Tokens of each text, null for null. Raises `TypeError` for what is no text."""
    if texts.dtype not in (pl.String, pl.Null):
        raise TypeError(f"`{texts.name}` counts text, not {texts.dtype}")
    found = iter(count(texts.drop_nulls().to_list()))
    numbers = [None if text is None else next(found) for text in texts]
    return pl.Series(texts.name, numbers, dtype=pl.Int64)


def counting(judge: Judge, count: Count) -> Judge:
    """A judge that hands checks the counts that their expressions ask for, as columns of the row.

    The checks themselves run in workers, which have no tokenizer.
    """
    from .catalog import load_catalog

    checks = load_catalog().checks
    adders: dict[CheckSpec, Adder | None] = {}

    def adder(spec: CheckSpec) -> Adder | None:
        if spec not in adders:
            operator = checks.get(spec.kind)
            named = {p.name for p in operator.params if p.type is Expression} if operator else {}
            texts = (str(value) for name, value in spec.params if name in named)
            parsed = (parse_expr(text)[0] for text in texts)
            adders[spec] = counts_of([e for e in parsed if e is not None], count, 0, "")
        return adders[spec]

    async def judging(specs: tuple[CheckSpec, ...], row: Row) -> tuple[Verdict, ...]:
        for spec in specs:
            if (add := adder(spec)) is not None:
                row = {**row, **_added(row, add)}
        return await judge(specs, row)

    return judging


def _added(row: Row, add: Adder) -> Mapping[str, Any]:
    frame = pl.DataFrame([pl.Series(name, [value], strict=False) for name, value in row.items()])
    made = add(frame)
    return made.drop(frame.columns).row(0, named=True)
