"""Whether a budget is enough, by the estimates of a plan, and what would fit if it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..budgets import SpendCap
from ..diagnostics import Diagnostic
from ..estimating.estimates import Estimates
from ..estimating.facts import Facts
from ..estimating.numbers import BASES, Number
from ..plan import Plan
from ..recipe import Recipe
from .charges import FIELDS, amount, bare, charges, ranged, show_limit
from .defaults import caps_in_force, default_caps
from .reductions import Estimate, Reduction, cheapest

ASSUMED = ("a", "?")
"""Bases that are no reason to refuse."""
NO_SPENT: Mapping[str, float] = {}


def affording(
    plan: Plan,
    recipe: Recipe,
    estimates: Estimates,
    facts: Facts | None = None,
    estimate: Estimate | None = None,
    *,
    spent: Mapping[str, float] = NO_SPENT,
) -> Iterator[Diagnostic]:
    """Caps below what is expected (B554), or below the worst case (B555); no cap at all (B556).

    An expectation that rests on an assumption is no reason to refuse: then it is B555 too, and a
    pilot would tell.

    Args:
        plan: What would run.
        recipe: What it was made from, for places.
        estimates: Of the plan.
        facts: What they were made from.
        estimate: The estimator, to try what would cost less; None tries nothing.
        spent: What earlier runs of the data set have spent, by `SpendCap.path`, in its units: caps
            count until the data set is done.
    """
    caps = tuple(c for c in caps_in_force(plan, recipe) if c.kind in FIELDS)
    if default := default_caps(plan):
        yield from _uncapped(plan, estimates, caps, default)
    above = [c for c in caps if _is_above(charges(plan, estimates, c)[0], c, spent)]
    tightest = max(above, key=lambda c: _ratio(plan, estimates, c, spent), default=None)
    for cap in caps:
        expected, worst = charges(plan, estimates, cap)
        gone = spent.get(cap.path, 0.0)
        limit = f"{cap.path} {show_limit(cap.kind, cap.value)}"
        limit = f"above {'the default ' if default else ''}{limit}"
        tries: tuple[Reduction, ...] = ()
        if cap is tightest and facts is not None and estimate is not None:
            tries = cheapest(plan, recipe, facts, estimates, cap, estimate, spent=gone)
        notes = tuple(made.words(cap.kind) for made in tries)
        said = f"{_shown(cap, expected)} expected{_gone(cap, gone)}"
        if cap in above and expected.basis not in ASSUMED:
            raised = _raised(cap, expected, gone)
            help = f"raise the cap: {raised}; or let it pause there: mashbill run --over-budget"
            help = f"type one of these behind the command, or {help}" if notes else help
            yield Diagnostic("B554", f"{said}, {limit}", cap.span, notes=notes, help=help)
        elif cap in above:
            message = f"{said}, {limit}: the run will probably pause there"
            help = "know better before you spend: mashbill plan --pilot 64"
            yield Diagnostic("B555", message, cap.span, notes=notes, help=help)
        elif worst.value is not None and worst.value + gone > cap.value:
            message = f"at worst {amount(cap.kind, worst.value)}{_gone(cap, gone)}, {limit}"
            yield Diagnostic(
                "B555",
                f"{message}: the run may pause there",
                cap.span,
                notes=(f"{_shown(cap, expected)} expected",) if expected.known else (),
            )


def _is_above(expected: Number, cap: SpendCap, spent: Mapping[str, float]) -> bool:
    left = cap.value - spent.get(cap.path, 0.0)
    return expected.value is not None and expected.value > left


def _ratio(plan: Plan, estimates: Estimates, cap: SpendCap, spent: Mapping[str, float]) -> float:
    expected = charges(plan, estimates, cap)[0].value or 0.0
    return (expected + spent.get(cap.path, 0.0)) / cap.value


def _uncapped(
    plan: Plan, estimates: Estimates, caps: tuple[SpendCap, ...], default: Mapping[str, float]
) -> Iterator[Diagnostic]:
    """A recipe that spends and caps nothing."""
    if not any(charges(plan, estimates, cap)[1].value != 0.0 for cap in caps):
        return  # the ledger holds all of it
    shown = " / ".join(
        show_limit(kind, v) if kind == "usd" else f"{v:g} GPU-h" for kind, v in default.items()
    )
    given = ", ".join(f"{c.kind}: {_enough(plan, estimates, c)}" for c in caps)
    yield Diagnostic(
        "B556",
        f"the recipe spends and declares no budget: a default cap of {shown} applies",
        caps[0].span,
        help=f"write what it may cost: `budget: {{ {given} }}`",
    )


def _enough(plan: Plan, estimates: Estimates, cap: SpendCap) -> str:
    expected = charges(plan, estimates, cap)[0]
    return _typed(cap.kind, max(cap.value, expected.high or expected.value or 0.0))


def _shown(cap: SpendCap, number: Number) -> str:
    about = "" if number.basis == "e" else f" ({BASES[number.basis]})"
    are = "is" if cap.kind == "usd" else "are"
    unit = amount(cap.kind, 0).partition(" ")[2] if cap.kind != "usd" else ""
    return " ".join(filter(None, (ranged(cap.kind, number), unit))) + f"{about} {are}"


def _gone(cap: SpendCap, gone: float) -> str:
    return f", {bare(cap.kind, gone)} spent before" if gone else ""


def _raised(cap: SpendCap, expected: Number, gone: float) -> str:
    """The option that makes the cap enough, at the upper end of what is expected."""
    return f"--set {cap.path}={_typed(cap.kind, (expected.high or expected.value or 0.0) + gone)}"


def _typed(kind: str, value: float) -> str:
    """As a recipe says it, two digits, rounded up."""
    import math

    if value <= 0:
        return "1"
    scale = 10.0 ** (math.floor(math.log10(value)) - 1)
    rounded = round(math.ceil(value / scale - 1e-9) * scale, 12)
    if kind in ("usd", "gpu_hours"):
        return f"{rounded:.10g}" if rounded < 1e6 else f"{rounded:.0f}"
    whole = max(1, round(rounded))
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if whole >= size and whole * 10 % size == 0:
            return f"{whole / size:g}{unit}"
    return str(whole)
