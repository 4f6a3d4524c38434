"""A reward model's number as a check."""

from __future__ import annotations

from ...compiler.registry import Case, Column, Model, check
from ..consult import ModelCheck

_ASKED = Column("input.text")
_GOT = Column("text")
_ROW = {"input.text": "What is 2 + 2?", "text": "It is 4."}


@check(
    version=1,
    cost="model",
    tasks={"model": ("reward", "score")},
    cases=(
        Case({"model": "rm", "min": 0.5}, _ROW, True, replies=('{"score": 1.25}',)),
        Case({"model": "rm", "min": 0.5}, _ROW, "reward", replies=('{"score": -2.0}',)),
    ),
)
def reward(
    model: Model,
    min: float,
    asked: Column = _ASKED,
    got: Column = _GOT,
) -> ModelCheck:
    """Pass the rows that a reward model rates highly enough.

    Args:
        model: A model with `task: reward`, whose numbers have no bounds, or `task: score`, from 0
            to 1.
        min: The least number that passes; each model has a scale of its own, which `mashbill
            calibrate` finds.
        asked: What was asked.
        got: What was answered.
    """
    from ..scoring.rating import Rated

    return Rated(asked=(asked,), got=(got,), least=min)
