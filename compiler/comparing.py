"""What a change costs: two plans estimated with the same chance, step by step.

Both sides are carried through the graph with the same draws (common random numbers), so that what
they share cancels: an unchanged step differs by nothing, however uncertain its cost is, and of a
changed one only what its change makes uncertain is left. Costs are of the whole data set, as if the
ledger held nothing: what one side has been paid for already says nothing of what a change costs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .changes import StepChange, changed_data, compare, phrase, reason
from .comparison import QUANTITIES, Comparison, Move, StepMove
from .estimating.amounts import Amount, Amounts, nothing, together
from .estimating.chance import Chance, Driver, number
from .estimating.estimates import Spending
from .estimating.facts import Facts, NodeFacts
from .estimating.numbers import NOTHING, UNKNOWN, Number, weakest
from .estimating.propagate import carry
from .meaning import Meaning
from .plan import Plan
from .textdiff import FileDiff, diff_prompts

if TYPE_CHECKING:
    from .estimating.chance import Array

_OF_REPLIES = frozenset({"replies", "reply tokens", "checks", "calls", "yield", "speed"})
"""What is uncertain anew where a step is another one, or a model is: `Leverage.what`."""
_SAME_REPLIES = frozenset({"on_fail", "limit", "samples", "until", "when", "candidates", "rows"})
"""Fields that say how often a model is asked, and not what: its replies stay as they were."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One side of a comparison.

    Attributes:
        label: What people call it: `r-0004`, `HEAD~1`.
        plan: What would run.
        meaning: What decides its results.
        facts: What was measured for it.
    """

    label: str
    plan: Plan
    meaning: Meaning
    facts: Facts


def compare_costs(
    old: Subject, new: Subject, *, ahead: Spending | None = None, notes: Sequence[str] = ()
) -> Comparison:
    """Compare what two plans cost.

    Args:
        old: Before the change.
        new: After it.
        ahead: What the new one is still to pay for, by the ledger.
        notes: What is to be known about the sides.
    """
    changes = compare(old.meaning, new.meaning)
    before = _carried(old, frozenset(), {})
    own = frozenset(name for name, change in changes.items() if _is_another(change, new.meaning))
    models = frozenset(
        name
        for name, model in new.meaning.models.items()
        if model != old.meaning.models.get(name, model)
    )
    was = {name: change.was for name, change in changes.items() if change.was}
    after = _carried(new, own | models, was)
    if same := {name for name, change in changes.items() if change.symbol == "="}:
        before = before.with_those(same, after, was)
    steps = tuple(
        _step(change, before, after, old.meaning, new.meaning) for change in changes.values()
    )
    return Comparison(
        recipe=new.meaning.name,
        old=old.label,
        new=new.label,
        steps=steps,
        data=changed_data(old.meaning, new.meaning),
        total=_moves(before.total, after.total) if before.paid or after.paid else {},
        ahead=ahead,
        notes=tuple(notes),
    )


def _is_another(change: StepChange, new: Meaning) -> bool:
    """Whether what a step makes of a row is uncertain anew."""
    if change.symbol not in "~+":
        return False
    asks = change.name in new.steps and bool(new.steps[change.name].model)
    fields = {c.field.partition(".")[0].partition("[")[0] for c in change.changes}
    return not (asks and fields and fields <= _SAME_REPLIES)


# -- one side


@dataclass(frozen=True, slots=True)
class _Side:
    """What a side does: rows behind each step, and what each pays."""

    rows: Mapping[str, Amount]
    paid: Mapping[str, Amounts]

    @property
    def total(self) -> Amounts:
        """What all steps pay."""
        return together(self.paid.values())

    def with_those(self, same: Collection[str], other: _Side, was: Mapping[str, str]) -> _Side:
        """This side, with what another one says of steps that are the same.

        A sample goes on until enough rows have reached all models, so two plans may have seen
        different rows of a step that they share.
        """
        return _Side(
            {**self.rows, **{was.get(n, n): r for n, r in other.rows.items() if n in same}},
            {**self.paid, **{was.get(n, n): p for n, p in other.paid.items() if n in same}},
        )


class _Fresh(Chance):
    """Chance with draws of their own for what a change makes uncertain anew."""

    def __init__(self, own: frozenset[str], was: Mapping[str, str]) -> None:
        super().__init__()
        self._own, self._was = own, was

    def normals(self, driver: Driver, count: int = 1, degrees: float | None = None) -> Array:
        """See `Chance.normals`."""
        step = self._was.get(driver.step, driver.step)
        if driver.step in self._own and driver.what in _OF_REPLIES:
            step = f"{step}\0changed"
        return super().normals(replace(driver, step=step), count, degrees)


def _carried(side: Subject, own: frozenset[str], was: Mapping[str, str]) -> _Side:
    nodes = {name: _unpaid(seen) for name, seen in side.facts.nodes.items()}
    found = carry(side.plan, replace(side.facts, nodes=nodes), _Fresh(own, was))
    rows = {name: Amount(f.rows, f.basis, f.most) for name, f in found.flows.items()}
    paid = {name: together(by_model.values()) for name, by_model in found.asked.items()}
    for alias, name in side.plan.aliases.items():  # it shares another's rows, and pays for none
        if name in rows:
            rows[alias] = rows[name]
        if name in paid:
            paid[alias] = Amounts(*(nothing() for _ in QUANTITIES))
    return _Side(rows, paid)


def _unpaid(seen: NodeFacts) -> NodeFacts:
    """What was seen of a step, as if the ledger held nothing; what all rows cost stays known."""
    settled = seen.settled
    if settled is not None and seen.whole and seen.settled_rows >= seen.rows_in:
        sure = tuple(tuple(0.0 for _ in row) for row in settled.cov)
        settled = replace(settled, cov=sure)
    return replace(seen, held=0.0, settled=settled)


# -- the difference


_NONE = Amount(None, "?", None)


def _step(change: StepChange, before: _Side, after: _Side, old: Meaning, new: Meaning) -> StepMove:
    was = change.was or change.name
    gone, fresh = change.symbol == "-", change.symbol == "+"
    then, now = before.paid.get(was), after.paid.get(change.name)
    source = change.name in new.steps and new.steps[change.name].op == "source"
    said = tuple(phrase(c) for c in change.changes)
    rows = _move(
        nothing() if fresh else before.rows.get(was, _NONE),
        nothing() if gone else after.rows.get(change.name, _NONE),
    )
    return StepMove(
        name=change.name,
        symbol=change.symbol,
        said=said or (reason(change, source=source),),
        prompts=_prompts(change, old, new),
        rows=rows,
        moves=_moves(then, now) if then or now else {},
    )


def _prompts(change: StepChange, old: Meaning, new: Meaning) -> tuple[FileDiff, ...]:
    if not any(c.kind == "prompt" for c in change.changes):
        return ()
    then, now = old.steps[change.was or change.name], new.steps[change.name]
    found = list(diff_prompts(then.prompt, now.prompt))
    for place in sorted({*then.prompts, *now.prompts}):
        found += diff_prompts(then.prompts.get(place), now.prompts.get(place))
    return tuple({f.path: f for f in found}.values())


def _moves(before: Amounts | None, after: Amounts | None) -> dict[str, Move]:
    return {
        name: _move(
            getattr(before, name) if before else nothing(),
            getattr(after, name) if after else nothing(),
        )
        for name in QUANTITIES
    }


def _move(before: Amount, after: Amount) -> Move:
    if before.values is None or after.values is None:
        return Move(_number(before), _number(after), UNKNOWN)
    values = after.values - before.values
    return Move(_number(before), _number(after), number(values, _basis(values, before, after)))


def _basis(values: Array, before: Amount, after: Amount) -> Any:
    return weakest(before.basis, after.basis) if values.any() else "e"


def _number(amount: Amount) -> Number:
    if amount.values is not None and not amount.values.any():
        return NOTHING
    return amount.number()
