"""What is wrong with a budget: caps that nothing can guard, names of no step, dead breakers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .budgets import FREE, OWN_HARDWARE, BreakerDecl, SpendCap
from .diagnostics import Diagnostic
from .expr import parse_expr
from .formulas import bind_expression
from .graph import Graph
from .mending import renaming
from .nodes import Scalar
from .prices import check_prices
from .rates import RATES, never_or_always, not_understood
from .recipe import ModelDecl, StepDecl
from .scope import Binding, Scope
from .suggest import nearest
from .types import FLOAT


def check_spending(
    graph: Graph, binding: Binding, priced: frozenset[str] = frozenset()
) -> list[dict[str, Any]] | None:
    """Report what is wrong with budget and prices.

    Args:
        graph: The recipe's.
        binding: Its records.
        priced: Models whose price is known though the recipe does not give it.

    Returns:
        The recipe's breakers as the plan holds them; None where it leaves them to Mashbill.
    """
    budget = binding.recipe.budget
    for found in [*check_prices(binding), *_steps(binding), *_caps(graph, binding, priced)]:
        binding.add(found)
    if budget is None or budget.breakers is None:
        return None
    bound = ((b, _condition(b, binding)) for b in budget.breakers)
    return [{"after": b.after, "when": when, "step": b.step} for b, when in bound if when]


def _caps(graph: Graph, binding: Binding, priced: frozenset[str]) -> Iterator[Diagnostic]:
    budget = binding.recipe.budget
    if budget is not None and "models" not in binding.recipe.unread:
        for cap in budget.caps:
            if cap.kind == "usd":
                yield from _unguarded(cap, graph, binding, priced)


def _steps(binding: Binding) -> Iterator[Diagnostic]:
    """Steps that a cap or a breaker names and the recipe does not have."""
    budget = binding.recipe.budget
    if budget is None or "steps" in binding.recipe.unread:
        return
    named = [*budget.steps, *((b.step, b.step_span) for b in budget.breakers or ())]
    steps = tuple(s.name for s in binding.recipe.steps)
    for name, span in named:
        if name is None or span is None or name in steps or binding.faulty(span):
            continue
        meant = nearest(name, steps)
        hint = f"did you mean `{meant}`?" if meant else f"steps: {', '.join(steps) or 'none'}"
        fix = renaming(span, meant)
        yield Diagnostic("R101", f"no step is called `{name}`", span, help=hint, fix=fix)


def _unguarded(
    cap: SpendCap, graph: Graph, binding: Binding, priced: frozenset[str]
) -> Iterator[Diagnostic]:
    """Models without a price under a cap on money: nothing could be held to it."""
    hardware = binding.recipe.hardware
    if hardware and binding.faulty(hardware.rate_span):
        return
    rate = hardware.usd_per_gpu_hour if hardware else None
    models = binding.models()
    nodes = (n for n in graph if cap.step in (None, n.name))
    for name in dict.fromkeys(m for n in nodes for m in n.asked):
        model = models.get(name)
        if model is None or model.price or name in priced or binding.faulty(model.span):
            continue
        timed = model.engine in OWN_HARDWARE and rate is not None
        if (timed and cap.step is None) or (model.engine in FREE and not timed):
            continue
        yield Diagnostic(
            "B551",
            f"`{name}` has no price{' a token' if timed else ''}, so {cap.path} cannot guard it",
            model.span,
            help=_way_out(model, timed),
        )


def _way_out(model: ModelDecl, timed: bool) -> str:
    if timed:
        return "time is paid by the run, not by the step: cap `budget.usd`, or the step's `tokens`"
    if model.engine in OWN_HARDWARE:
        return "write `hardware: { usd_per_gpu_hour: … }`, or cap `gpu_hours` or `tokens` instead"
    return (
        f"write `price: {{ input: …, output: …, per: 1M tokens }}` in `models.{model.name}`, "
        "or cap `tokens` instead"
    )


def _condition(breaker: BreakerDecl, binding: Binding) -> str | None:
    """The condition in canonical text; None if it is wrong, which is reported."""
    node = breaker.when
    if not isinstance(node, Scalar) or node.faulty or binding.faulty(node.span):
        return None
    step = StepDecl("budget", "", breaker.span, breaker.span, breaker.span)
    before = len(binding.diagnostics)
    bound = bind_expression(node, binding, Scope(step, dict.fromkeys(RATES, FLOAT), frozenset()))
    expr = parse_expr(bound.text)[0] if bound else None
    if bound is None or expr is None:
        return None
    if (strange := not_understood(expr)) is not None or bound.type.kind != "bool":
        what = "takes no function, list or text" if strange else f"this is a {bound.type}"
        message = f"a breaker compares shares of rows, and {what}"
        hint = f"write `rejected > 0.5`; rates: {', '.join(RATES)}"
        binding.add(Diagnostic("X152", message, node.span, help=hint))
        return None
    said = any(d.code == "X154" for d in binding.diagnostics[before:])
    if (constant := never_or_always(expr)) is not None and not said:
        message = (
            f"this breaker trips after {breaker.after} rows, whatever becomes of them"
            if constant
            else "this breaker never trips"
        )
        hint = "rates are shares from 0 to 1: `rejected > 0.5` is more than half of the rows"
        binding.add(Diagnostic("X154", message, node.span, help=hint))
    return bound.text
