"""What it takes to make the text that models write, beside training on it.

FLOPs are for orders of magnitude: 2 N a token of prompt or reply, 6 N a token trained on (Kaplan et
al. 2020, arXiv:2001.08361), attention and the head left out. Decoding uses far less of a machine
than training does, so that money comes from measured speed and prices, never from these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..estimating.estimates import Estimates, Spending, StepEstimate
from ..estimating.numbers import Number
from ..plan import Plan, PlanNode
from .figure import UNKNOWN, Figure, added, corners, figure
from .parts import Part
from .sizes import size_in


@dataclass(frozen=True, slots=True)
class Making:
    """The cost of the text that models write.

    Attributes:
        once: FLOPs of all calls, those that the ledger answers included.
        training: FLOPs of training the student on the whole data set, repetitions included.
        share: `once` by `training`.
        reuse: FLOPs of training the student once on what models wrote: cost of a reuse.
        break_even: `once` by `reuse`: passes (epochs times models trained) after which training on
            the text has cost as much as making it.
        written: Tokens that models write for one that is kept.
        usd: US dollars for a million kept tokens.
        gpu_hours: GPU-hours for a million kept tokens.
        unsized: Models of unknown size.
        made: Whether the ledger answers every call, so that nobody knows what they came to.
    """

    once: Figure
    training: Figure
    share: Figure
    reuse: Figure
    break_even: Figure
    written: Figure
    usd: Figure
    gpu_hours: Figure
    unsized: tuple[str, ...] = ()
    made: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        figures = [f for f in self.__dataclass_fields__ if f not in ("unsized", "made")]
        shown = {name: getattr(self, name).to_json() for name in figures}
        return {**shown, "unsized": list(self.unsized), "made": self.made}


def generation_flops(size: float, prompt: float, reply: float) -> float:
    """2 N (P + G)."""
    return 2 * size * (prompt + reply)


def training_flops(size: float, tokens: float) -> float:
    """6 N D."""
    return 6 * size * tokens


def assess_making(
    plan: Plan,
    estimates: Estimates,
    student: float,
    sizes: Mapping[str, float],
    parts: Sequence[Part],
    supply: Mapping[str, Figure],
) -> Making | None:
    """The cost of what models write; None where no model is asked.

    Args:
        plan: The plan.
        estimates: Its estimates.
        student: Parameters of the model to be trained.
        sizes: Parameters of generating models, by name in the recipe; else read from their names.
        parts: Parts of the data set.
        supply: Tokens that each part can give.
    """
    asked = [node for node in plan.nodes if node.asked]
    if not asked:
        return None
    known = {name: sizes.get(name) or size_in(str(m["model"])) for name, m in plan.models.items()}
    calls = [one for node in asked for one in _calls(node, estimates.steps.get(node.name))]
    unsized = tuple(sorted({model for model, _ in calls if known.get(model) is None}))
    once = (
        UNKNOWN
        if unsized or not calls
        else added((_flops(spent, known[model] or 0.0) for model, spent in calls), "2 N a token")
    )
    made = [p for p in parts if p.origin != "human"]
    training = corners(
        lambda t: training_flops(student, t),
        added((p.tokens for p in parts), "6 N a token"),
        origin="6 N a token",
    )
    reuse = corners(
        lambda t: training_flops(student, t),
        added((p.unique for p in made), "6 N a token"),
        origin="6 N a token",
    )
    kept = added((supply[p.name] for p in made), "kept")
    spent = [s for _, s in calls]
    return Making(
        once,
        training,
        _ratio(once, training),
        reuse,
        _ratio(once, reuse),
        _ratio(added((figure(s.reply_tokens) for s in spent), "calls"), kept),
        _ratio(added((figure(s.usd) for s in spent), "price"), kept, 1e6),
        _ratio(added((figure(s.gpu_hours) for s in spent), "speed"), kept, 1e6),
        unsized,
        all(s is not None and s.reused >= 1 for s in (estimates.steps.get(n.name) for n in asked)),
    )


_FIELDS = ("calls", "prompt_tokens", "reply_tokens", "usd", "gpu_hours")


def _calls(node: PlanNode, step: StepEstimate | None) -> Iterator[tuple[str, Spending]]:
    """What a step asks of each model, all its rows counted.

    What the ledger answers is no part of an estimate, and is taken to be as the rest.
    """
    left = 0.0
    found: Mapping[str, Spending] = {}
    if step is not None and step.spending is not None:
        left = 1.0 - step.reused
        found = step.by_model or {node.asked[0]: step.spending}
    for model in node.asked:
        spent = found.get(model) or Spending()
        yield model, Spending(**{name: _grown(getattr(spent, name), left) for name in _FIELDS})


def _grown(number: Number, left: float) -> Number:
    if number.value is None or left < 1e-6:
        return Number(None, "?")
    low, high = (None if n is None else n / left for n in (number.low, number.high))
    return Number(number.value / left, number.basis, low, high)


def _flops(spent: Spending, size: float) -> Figure:
    tokens = added((figure(spent.prompt_tokens), figure(spent.reply_tokens)), "2 N a token")
    return corners(lambda t: generation_flops(size, t, 0.0), tokens, origin="2 N a token")


def _ratio(of: Figure, by: Figure, times: float = 1.0) -> Figure:
    return corners(lambda a, b: times * a / b if b else None, of, by, origin=of.origin)
