"""Whether a budget is enough, by the estimates of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .budgets import OWN_HARDWARE, SpendCap
from .cost import BASES, UNKNOWN, Estimates, Number, StepEstimate, total
from .diagnostics import Diagnostic
from .plan import Plan, PlanNode
from .quantities import show_count, show_money
from .recipe import Recipe

_UNITS = {
    "tokens": "output tokens",
    "input_tokens": "input tokens",
    "requests": "requests",
    "gpu_hours": "GPU-hours",
}
Cost = Callable[[PlanNode, StepEstimate], Number]
ZERO = Number(0.0, "e")


def affording(plan: Plan, recipe: Recipe, estimates: Estimates) -> Iterator[Diagnostic]:
    """Caps below what is expected (B554), or below the worst case (B555).

    An expectation that rests on an assumption is no reason to refuse: then it is B555 too.
    """
    for cap in recipe.budget.caps if recipe.budget else ():
        expected, worst = spending(plan, estimates, cap)
        known = expected.value is not None and expected.basis != "a"
        if known and (expected.value or 0.0) > cap.value:
            yield Diagnostic(
                "B554",
                f"{_shown(cap, expected)} expected, above {cap.path} "
                f"{_amount(cap.kind, cap.value)}",
                cap.span,
                help="raise the cap, or make less: mix.total, limit, samples, max_tokens, on_fail",
            )
        elif worst.value is not None and worst.value > cap.value:
            yield Diagnostic(
                "B555",
                f"at worst {_amount(cap.kind, worst.value)}, above {cap.path} "
                f"{_amount(cap.kind, cap.value)}: the run may pause there",
                cap.span,
                notes=(f"{_shown(cap, expected)} expected",) if expected.value is not None else (),
            )


def spending(plan: Plan, estimates: Estimates, cap: SpendCap) -> tuple[Number, Number]:
    """What a cap is estimated to be charged with: expected, and at worst; unknown for `wall`."""
    if cap.kind == "wall":
        return UNKNOWN, UNKNOWN
    expected, worst = _costs(cap.kind, plan)
    named = plan.aliases.get(cap.step, cap.step) if cap.step else None
    nodes = [n for n in plan.nodes if n.asked and named in (None, n.name)]
    steps = [(n, estimates.steps[n.name]) for n in nodes]
    return total([expected(*s) for s in steps]), total([worst(*s) for s in steps])


def _costs(kind: str, plan: Plan) -> tuple[Cost, Cost]:
    hardware = plan.hardware or {}
    gpus = int(hardware.get("count") or 1)
    rate = hardware.get("usd_per_gpu_hour")

    def time(node: PlanNode, step: StepEstimate) -> Number:
        own = any(plan.models[m]["engine"] in OWN_HARDWARE for m in node.asked)
        return (step.seconds or UNKNOWN).times(gpus / 3600, "e") if own else ZERO

    def most_time(node: PlanNode, step: StepEstimate) -> Number:
        reply, worst = step.reply_tokens or UNKNOWN, step.worst_reply or UNKNOWN
        longer = worst.value / reply.value if worst.value is not None and reply.value else None
        return time(node, step).times(longer, worst.basis) if reply.value else time(node, step)

    def money(calls: Sequence[str], passed: Cost) -> Cost:
        def cost(node: PlanNode, step: StepEstimate) -> Number:
            return total([of_model(name, node, step) for name in node.asked])

        def of_model(name: str, node: PlanNode, step: StepEstimate) -> Number:
            model = plan.models[name]
            spent = step.by_model.get(name, step)
            if price := model.get("price"):
                return _paid(price, *(getattr(spent, field) or UNKNOWN for field in calls))
            # What is known of time is that of the step's own model.
            own = model["engine"] in OWN_HARDWARE and rate is not None and name == node.asked[0]
            return passed(node, step).times(rate, "e") if own else ZERO

        return cost

    def field(name: str) -> Cost:
        return lambda node, step: getattr(step, name) or UNKNOWN

    return {
        "tokens": (field("reply_tokens"), field("worst_reply")),
        "input_tokens": (field("prompt_tokens"), field("worst_prompt")),
        "requests": (field("calls"), field("worst_calls")),
        "gpu_hours": (time, most_time),
        "usd": (
            money(("prompt_tokens", "reply_tokens"), time),
            money(("worst_prompt", "worst_reply"), most_time),
        ),
    }[kind]


def _paid(price: Mapping[str, Any], prompt: Number, reply: Number) -> Number:
    """Dollars; that a server may know a prompt already is not counted on."""
    per = price["per"]
    return total([prompt.times(price["input"] / per, "e"), reply.times(price["output"] / per, "e")])


def _shown(cap: SpendCap, number: Number) -> str:
    about = "" if number.basis == "e" else f" ({BASES[number.basis]})"
    are = "is" if cap.kind == "usd" else "are"
    return f"{_amount(cap.kind, number.value or 0.0)}{about} {are}"


def _amount(kind: str, value: float) -> str:
    return show_money(value) if kind == "usd" else f"{show_count(value)} {_UNITS[kind]}"
