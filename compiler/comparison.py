"""A comparison of what two plans cost, as a record; `comparing` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .changes import Change
from .estimating.estimates import Spending
from .estimating.numbers import NOTHING, Number
from .textdiff import FileDiff

FORMAT = 1
QUANTITIES: Mapping[str, str] = {
    "calls": "calls",
    "prompt": "tokens in",
    "reply": "tokens out",
    "hours": "GPU-hours",
    "usd": "USD",
}
"""What is paid with: fields of `Amounts`, and what they are called."""
ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Move:
    """One quantity before and after; the difference has the interval of the difference."""

    before: Number
    after: Number
    difference: Number

    @property
    def none(self) -> bool:
        """Whether there is none of it on either side."""
        return self.before.value == 0 == self.after.value

    @property
    def still(self) -> bool:
        """Whether it is known to be the same."""
        return self.difference.value == 0 and self.difference.interval is None


STILL = Move(NOTHING, NOTHING, NOTHING)


@dataclass(frozen=True, slots=True)
class StepMove:
    """What a change costs at one step.

    Attributes:
        name: The step.
        symbol: What became of it, as in a plan.
        said: What changed, a phrase each.
        prompts: Files of its prompt that differ.
        rows: Rows that go on.
        moves: By quantity; empty for a step that asks no model on either side.
    """

    name: str
    symbol: str
    said: tuple[str, ...]
    prompts: tuple[FileDiff, ...]
    rows: Move
    moves: Mapping[str, Move] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the change from one plan to another costs.

    Attributes:
        recipe: Its name.
        old: Label of the side before.
        new: Label of the side after.
        steps: Of both sides, those before that are dropped last.
        data: What differs in how the data set is made of the steps' rows.
        total: By quantity; empty where neither side asks a model.
        ahead: What the new side is still to pay for, by the ledger.
        notes: What is to be known about the sides.
    """

    recipe: str
    old: str
    new: str
    steps: tuple[StepMove, ...]
    data: tuple[Change, ...] = ()
    total: Mapping[str, Move] = field(default_factory=dict)
    ahead: Spending | None = None
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> tuple[StepMove, ...]:
        """Steps that run again, are new, or are gone."""
        return tuple(s for s in self.steps if s.symbol != "=")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "mashbill_comparison": FORMAT,
            "recipe": self.recipe,
            "old": self.old,
            "new": self.new,
            "steps": {
                step.name: {
                    "symbol": step.symbol,
                    "said": list(step.said),
                    "prompts": [
                        {"path": f.path, "added": f.added, "removed": f.removed}
                        for f in step.prompts
                    ],
                    "rows": asdict(step.rows),
                    **{name: asdict(move) for name, move in step.moves.items()},
                }
                for step in self.steps
            },
            "data": [asdict(c) for c in self.data],
            "total": {name: asdict(move) for name, move in self.total.items()},
            "ahead": asdict(self.ahead) if self.ahead else None,
            "notes": list(self.notes),
        }

    def text(self, width: int = 80) -> str:
        """For a terminal."""
        from .comparing_words import text

        return text(self, width)

    def markdown(self) -> str:
        """For a pull request."""
        from .comparing_words import markdown

        return markdown(self)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.text(120))}</pre>"
