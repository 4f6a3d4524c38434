"""Where a run is heading: from what it has done, and from what its plan expected, step by step.

What was seen is taken from the rows in the order in which they came (see `cohort`), so that short
replies, which come home first, do not pass for all. It is weighed against the plan by the precision
of both, so a forecast begins as the plan and ends as what happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..cohort import CALLS, HELD, OUT, PROMPT, REPLY, ROWS, Sight, Sums
from ..planning.planned import QUANTITIES, Planned, Quantity
from .guess import Guess, Rate, extended, planned, rate, summed, weighed
from .snapshot import Forecast, Snapshot, StepView

if TYPE_CHECKING:
    from ...compiler.plan import PlanNode

GUESSED = 2.0
"""How far the costs of unfinished rows may be off, by the square of their share: the more there
are, the longer are those that outlast all that is known."""
SPEED_SPREAD = 0.1
"""Of the speed that is left, beside the one so far: engines warm up, and prompts differ."""
ALIKE = 20
"""Rows of a frame that tell as much as one, where a step filters frames: neighbours are alike."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a step has done so far.

    Attributes:
        sight: Rows in the order in which they came.
        spent: All that was paid for, of rows behind it too.
        prompt_share: Share of the money that prompts cost.
    """

    sight: Sight = field(default_factory=Sight)
    spent: Mapping[Quantity, float | None] = field(default_factory=dict)
    prompt_share: float = 0.0


Steps = Mapping[str, Mapping[Quantity, Guess]]


def forecast(
    view: Snapshot,
    nodes: Sequence[PlanNode],
    expected: Mapping[str, Planned],
    seen: Mapping[str, Seen],
) -> Forecast:
    """What the whole run will have spent.

    Args:
        view: The run as it stands.
        nodes: Its plan's, in order.
        expected: What the plan said, by step; empty without an estimate.
        seen: What steps have done, by step.
    """
    reply = [p.spending.get("reply_tokens") for p in expected.values() if p.spending]
    values = [n.value for n in reply if n is not None]
    told = None if not values or None in values else sum(v for v in values if v is not None)
    steps = forecast_steps({s.name: s for s in view.steps}, nodes, expected, seen)
    asked = [n.name for n in nodes if n.asked]
    whole: dict[Quantity, Guess] = {}
    for quantity in QUANTITIES:
        parts = [steps[name][quantity] for name in asked if quantity in steps.get(name, {})]
        if parts and len(parts) == len(asked):
            whole[quantity] = summed(parts)
    calls = whole["calls"].value if "calls" in whole else None
    answered = view.total("sent") - view.total("retried") - view.total("in_flight")
    seconds = None if asked else _by_rows(view)
    if calls is not None and view.calls_per_second:
        seconds = max(calls - answered, 0.0) / view.calls_per_second
    return Forecast(
        calls,
        whole["reply_tokens"].value if "reply_tokens" in whole else None,
        told,
        whole["usd"].value if view.spent is not None and "usd" in whole else None,
        seconds,
        {q: g.number() for q, g in whole.items()},
        {n: {q: g.number() for q, g in found.items()} for n, found in steps.items()},
    )


def forecast_steps(
    views: Mapping[str, StepView],
    nodes: Sequence[PlanNode],
    expected: Mapping[str, Planned],
    seen: Mapping[str, Seen],
) -> dict[str, dict[Quantity, Guess]]:
    """What each step that asks a model will have spent; a quantity nobody can tell is left out."""
    leaving: dict[str, Guess | None] = {}
    found: dict[str, dict[Quantity, Guess]] = {}
    for node in nodes:
        name = node.name
        step, plan = views.get(name, StepView(name, 0, 0)), expected.get(name, Planned())
        own = seen.get(name, Seen())
        rows = _rows_in(node, step, plan, views, leaving)
        leaving[name] = _rows_out(node, step, plan, rows, own)
        if node.asked:
            found[name] = _spending(node, step, plan, rows, own)
    return found


def _rows_in(
    node: PlanNode,
    step: StepView,
    plan: Planned,
    views: Mapping[str, StepView],
    leaving: Mapping[str, Guess | None],
) -> Guess | None:
    """Rows that reach a step by its end."""
    before = planned(plan.rows_in)
    if step.ended:
        return Guess(float(step.rows_in), 0.0)
    if not node.inputs or node.tuning.fed or any(port for _, port in node.inputs):
        return _at_least(before, step.rows_in)
    above = [leaving.get(name) for name, _ in node.inputs]
    if any(a is None for a in above):
        return _at_least(before, step.rows_in)
    rows = summed([a for a in above if a is not None])
    if all(name in views and views[name].ended for name, _ in node.inputs):
        rows = Guess(rows.value, 0.0)
    if node.most_rows is not None and rows.value >= node.most_rows:
        rows = Guess(float(node.most_rows), 0.0)
    return _at_least(rows, step.rows_in)


def _rows_out(
    node: PlanNode, step: StepView, plan: Planned, rows: Guess | None, seen: Seen
) -> Guess | None:
    """Rows that leave a step by its end."""
    if step.ended:
        return Guess(float(step.rows_out), 0.0)
    if rows is None or not node.inputs:
        return rows
    out, came = planned(plan.rows_out), plan.rows_in.value
    if out is not None and came:
        out = Guess(out.value * rows.value / came, out.spread)
    if node.stage == "gather" or node.most_rows is not None:  # it holds its rows to the end
        return out
    batches = seen.sight.batches
    found = _rate(batches, OUT, ROWS, seen.sight.unfinished)
    if found is not None:
        total = _total(batches)
        return weighed(out, extended(total[OUT], total[ROWS], rows, found))
    if batches or node.asked or not step.rows_in or not step.rows_out:
        return out
    kept = step.rows_out / step.rows_in
    spread = max((1 - kept) / kept / step.rows_in * ALIKE, 0.0) ** 0.5
    return weighed(out, Guess(kept * rows.value, max(spread, rows.spread)))


def _spending(
    node: PlanNode, step: StepView, plan: Planned, rows: Guess | None, seen: Seen
) -> dict[Quantity, Guess]:
    """What a step pays for by its end."""
    spent = {q: float(seen.spent.get(q) or 0.0) for q in QUANTITIES}
    unknown = {q for q in QUANTITIES if q in seen.spent and seen.spent[q] is None}
    if step.ended:
        return {q: Guess(v, 0.0) for q, v in spent.items() if q not in unknown}
    before = {q: _planned(plan, q, rows) for q in QUANTITIES}
    made: dict[Quantity, Guess | None] = {}
    batches, unfinished = _open(seen.sight.batches), seen.sight.unfinished
    total = _total(batches)

    # Where prompts grow longer from row to row, as in a source that is sorted, the rows to come are
    # unlike those so far in all else too.
    rates = [_rate(batches, c, ROWS, unfinished) for c in (CALLS, PROMPT, REPLY)]
    trend = max((r.trend for r in rates if r is not None), default=0.0)

    def ahead(column: int, base: int, whole: Guess | None) -> Guess | None:
        found = _rate(batches, column, base, unfinished)
        if found is None or whole is None:
            return None
        return extended(total[column], total[base], whole, replace(found, trend=trend))

    # How many rows a step that is fed lets in is what the rows so far do not say.
    whole = None if node.tuning.fed else _open_rows(plan, rows, seen.sight.batches)
    asked = made["calls"] = weighed(before["calls"], ahead(CALLS, ROWS, whole))
    prompt = made["prompt_tokens"] = weighed(before["prompt_tokens"], ahead(PROMPT, CALLS, asked))
    # Rewrites are as long as what they rewrite, reasoning is not: what scatters less is followed.
    ways = [g for g in (ahead(REPLY, CALLS, asked), ahead(REPLY, PROMPT, prompt)) if g is not None]
    reply = min(ways, key=lambda g: g.spread, default=None)
    made["reply_tokens"] = weighed(before["reply_tokens"], reply)
    if "usd" not in unknown:
        paid = _carried(spent["usd"], spent, made, seen.prompt_share, 0.0)
        made["usd"] = weighed(before["usd"], paid)
    hours = _carried(spent["gpu_hours"], spent, made, 0.0, SPEED_SPREAD)
    made["gpu_hours"] = weighed(before["gpu_hours"], hours)
    return {q: Guess(max(g.value, spent[q]), g.spread) for q, g in made.items() if g is not None}


def _planned(plan: Planned, quantity: Quantity, rows: Guess | None) -> Guess | None:
    """What the plan says of a quantity, for as many rows as there turn out to be."""
    guess, came = planned(plan.spending.get(quantity)), planned(plan.rows_in)
    if guess is None or rows is None or came is None or not came.value:
        return guess
    # How many rows come is no part of the plan's error any more, as far as that is known by now.
    own = max(guess.spread**2 - came.spread**2, guess.spread**2 / 16)
    return Guess(guess.value * rows.value / came.value, (own + rows.spread**2) ** 0.5)


def _open_rows(plan: Planned, rows: Guess | None, batches: Sequence[Sums]) -> Guess | None:
    """Rows whose replies are not all in the ledger."""
    if rows is None:
        return None
    total = _total(batches)
    held = max(rows.value * plan.reused, total[HELD])
    return Guess(max(rows.value - held, total[ROWS] - total[HELD]), rows.spread)


def _open(batches: Sequence[Sums]) -> list[Sums]:
    """Batches without the rows whose replies were held; those of such rows alone left out."""
    return [[b[ROWS] - b[HELD], *b[1:]] for b in batches if b[ROWS] - b[HELD] > 1e-9]


def _carried(
    spent: float,
    so_far: Mapping[Quantity, float],
    made: Mapping[Quantity, Guess | None],
    prompt_share: float,
    unsteady: float,
) -> Guess | None:
    """Money or hours: as much a token as so far.

    Args:
        spent: Of it.
        so_far: Tokens that it was spent on.
        made: Tokens by the end.
        prompt_share: Share of it that prompts took.
        unsteady: Spread of what a token will take from now on.
    """
    parts = []
    shares: tuple[tuple[Quantity, float], ...] = (
        ("prompt_tokens", prompt_share),
        ("reply_tokens", 1 - prompt_share),
    )
    for tokens, share in shares:
        guess = made.get(tokens)
        if share and (guess is None or not so_far[tokens]):
            return None
        if share and guess is not None:
            parts.append(Guess(spent * share * guess.value / so_far[tokens], guess.spread))
    whole = summed(parts)
    if not spent or not whole.value:
        return None
    left = max(1 - spent / whole.value, 0.0)
    return Guess(whole.value, (whole.spread**2 + (unsteady * left) ** 2) ** 0.5)


def _rate(batches: Sequence[Sums], over: int, under: int, unfinished: float) -> Rate | None:
    """The ratio of two columns; rows that are not done say nothing of how far it is off."""
    found = rate([b[over] for b in batches], [b[under] for b in batches])
    if found is None:
        return None
    own = found.spread**2 / (1 - unfinished)
    return replace(found, spread=(own + (GUESSED * unfinished**2) ** 2) ** 0.5)


def _total(batches: Sequence[Sums]) -> Sums:
    return [sum(column) for column in zip(*batches, strict=True)] or [0.0] * 6


def _at_least(guess: Guess | None, least: float) -> Guess | None:
    return None if guess is None else Guess(max(guess.value, float(least)), guess.spread)


def _by_rows(view: Snapshot) -> float | None:
    """Seconds left where no model is paid: those of the slowest step."""
    left = [
        (s.total - s.rows_in) / s.rate
        for s in view.steps
        if s.total is not None and s.rate and not s.ended and s.total > s.rows_in
    ]
    return max(left, default=None)
