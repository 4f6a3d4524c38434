"""One thing that could be less, and what plan and facts would be then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..estimating.facts import Facts
from ..plan import Plan


@dataclass(frozen=True, slots=True)
class Trial:
    """A change, for the estimator to weigh.

    Attributes:
        typed: What stands behind `--set`.
        was: What it is now, for people.
        kept: Share of the knob's own spending that is taken to stay.
        plan: With the change.
        facts: What the sample would have shown.
        lost: Share of the step's rows that it costs and that no estimate can show.
    """

    typed: str
    was: str
    kept: float
    plan: Plan
    facts: Facts
    lost: float = 0.0


@dataclass(frozen=True, slots=True)
class Knob:
    """What can be turned down.

    Attributes:
        kind: Of those in `reductions.ORDER`.
        turn: The trial for the share of the spending that is to stay; None if it cannot.
        once: Whether it is the same whatever share is asked for.
    """

    kind: str
    turn: Callable[[float], Trial | None]
    once: bool = False
