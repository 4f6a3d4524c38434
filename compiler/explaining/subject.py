"""What is told of a plan, whatever form it is told in: which steps, why, their sum, the caps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..cells import clean
from ..changes import StepChange, compare, reason
from ..estimating.estimates import Estimates, Spending, StepEstimate
from ..meaning import Meaning, meaning_of
from ..plan import Plan, PlanNode
from .measures import Measure, measures_of, total_of

Last = tuple[str, Plan | Meaning]
"""Id of the last run of the recipe, and what decided its results (or its plan, which says most)."""

WORDS: Mapping[str, str] = {
    "+": "new",
    "~": "changed",
    "↻": "run again",
    "=": "unchanged",
    "-": "dropped",
}


@dataclass(frozen=True, slots=True)
class PilotSpent:
    """What a pilot has just spent, for the legend.

    Attributes:
        rows: Real rows a step.
        calls: Calls that it sent; those that the ledger held are not among them.
        usd: What they cost; None where nothing is priced.
        stopped: Why it ended early; empty if it did not.
    """

    rows: int
    calls: int = 0
    usd: float | None = None
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step as it is told.

    Attributes:
        name: Its name.
        symbol: What becomes of it: a key of `WORDS`.
        why: In a few words.
        node: None for one that was dropped.
        estimate: None where nothing was measured.
    """

    name: str
    symbol: str
    why: str
    node: PlanNode | None = None
    estimate: StepEstimate | None = None

    @property
    def asks(self) -> bool:
        """Whether it asks a model."""
        return self.node is not None and bool(self.node.asked)

    @property
    def spending(self) -> Spending | None:
        """What it is still to pay for; None where it asks nobody or nothing was measured."""
        return self.estimate.spending if self.estimate else None

    @property
    def idle(self) -> bool:
        """Whether it is as it was and has nothing left to pay for."""
        if self.symbol != "=":
            return False
        spent = self.spending
        return not self.asks if spent is None else spent.calls.value == 0


@dataclass(frozen=True)
class Subject:
    """A plan to be told.

    Attributes:
        plan: The plan.
        estimates: None where nothing was measured.
        steps: All its steps, or those that were selected, the dropped ones last.
        shown: Those with a line of their own.
        selected: Whether only some steps are told and summed.
        caps: What its budget caps, by kind, and `steps`.
        compared: The run that it is compared with; empty for none.
    """

    plan: Plan
    estimates: Estimates | None
    steps: tuple[Step, ...]
    shown: tuple[Step, ...]
    selected: bool
    caps: Mapping[str, Any]
    compared: str

    @property
    def hidden(self) -> int:
        """How many steps have no line."""
        return len(self.steps) - len(self.shown)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many steps there are of each symbol, in the order of `WORDS`."""
        found = Counter(step.symbol for step in self.steps)
        return {symbol: found[symbol] for symbol in WORDS if found[symbol]}

    @cached_property
    def total(self) -> Spending | None:
        """What the steps spend together; None where none asks a model, or nothing was measured."""
        if self.estimates is None:
            return None
        if not self.selected:
            return self.estimates.total
        spent = [s.spending for s in self.steps if s.spending]
        return total_of(spent) if spent else None

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What is worth a column."""
        spent = [s.spending for s in self.steps if s.spending]
        return measures_of(self.plan, spent, self.total, {} if self.selected else self.caps)


def subject_of(
    plan: Plan,
    estimates: Estimates | None,
    last: Last | None = None,
    *,
    meaning: Meaning | None = None,
    budget: Mapping[str, Any] | None = None,
    verbose: bool = False,
    selected: Collection[str] | None = None,
) -> Subject:
    """What is told of a plan; see `explain` for the arguments."""
    changes = compare(_meant(last), meaning or meaning_of(plan))
    known = estimates.steps if estimates else {}
    wanted = None if selected is None else {plan.aliases.get(name, name) for name in selected}
    steps = []
    for node in plan.nodes:
        change = changes.get(node.name, StepChange(node.name, "+"))
        why = clean(reason(change, source=node.stage == "scan"))
        steps.append(Step(node.name, change.symbol, why, node, known.get(node.name)))
    gone = [Step(name, "-", reason(c)) for name, c in changes.items() if c.symbol == "-"]
    told = tuple(s for s in [*steps, *gone] if wanted is None or s.name in wanted)
    return Subject(
        plan,
        estimates,
        told,
        told if verbose or wanted is not None else tuple(s for s in told if not s.idle),
        wanted is not None,
        (plan.budget if budget is None else budget) or {},
        last[0] if last else "",
    )


def _meant(last: Last | None) -> Meaning | None:
    if last is None:
        return None
    return meaning_of(last[1]) if isinstance(last[1], Plan) else last[1]
