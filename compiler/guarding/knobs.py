"""What of a recipe can be turned down so that it costs less: pure functions of plan and facts.

A knob is given the share of the spending that is to stay, and says what to type and what plan and
facts would then be. It keeps more where it moves in steps, and gives None where it cannot go as
low. What the trial really costs is for the estimator to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..estimating.estimates import Estimates
from ..estimating.facts import Facts, Price
from ..plan import Plan, PlanNode
from ..quantities import show_share
from ..recipe import Recipe
from .changed import above, below, with_definition, with_limit, with_model, with_params
from .ladder import ladder_knobs
from .moments import fewer_calls, of_other_model, with_node
from .trial import Knob, Trial

LEAST_TOKENS = 32
"""A shorter limit makes no reply worth having."""
LEAST_ROWS = 10
CHEAPER = 0.9
"""Another model is worth a word if its tokens cost this much of the others' at most."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What knobs are made from."""

    plan: Plan
    recipe: Recipe
    facts: Facts
    estimates: Estimates


def knobs_of(bench: Bench, node: PlanNode) -> Iterator[Knob]:
    """What can be turned down at a step that asks a model, the least harm first."""
    params = node.definition["params"]
    if isinstance(share := params.get("sample"), int | float) and params.get("mode") == "audit":
        yield Knob("sample", lambda keep: _sample(bench, node, float(share), keep))
    if (samples := int(params.get("samples") or 1)) > 1:
        yield Knob("samples", lambda keep: _samples(bench, node, samples, keep))
    yield from ladder_knobs(bench.plan, bench.recipe, bench.facts, node)
    yield from _models(bench, node)
    seen = bench.facts.nodes.get(node.name)
    unknown = seen is None or seen.settled is None
    if unknown and node.model and (params.get("sampling") or {}).get("max_tokens"):
        yield Knob("max_tokens", lambda keep: _max_tokens(bench, node, keep))
    yield Knob("limit", lambda keep: _limit(bench, node, keep))


def knobs_of_sources(bench: Bench, node: PlanNode) -> Iterator[Knob]:
    """The sources that a step reads, to be read less of."""
    for source in above(bench.plan, node.name):
        if source.stage == "scan" and source.name in bench.facts.sources:
            yield Knob("source", _of_source(bench, source.name))


# -- each knob


def _sample(bench: Bench, node: PlanNode, share: float, keep: float) -> Trial | None:
    """Judge fewer rows: no row is lost, but the rates are known less well."""
    lower = _floor(share * keep, 2)
    if not 0 < lower < share:
        return None
    facts = _seen(bench.facts, node, lower / share, rows=1.0)
    plan = with_params(bench.plan, node.name, sample=lower)
    shown = show_share(lower)
    return Trial(f"steps.{node.name}.sample={shown}", show_share(share), lower / share, plan, facts)


def _samples(bench: Bench, node: PlanNode, samples: int, keep: float) -> Trial | None:
    """Draw fewer samples of each row."""
    fewer = max(1, math.floor(samples * keep + 1e-9))
    if fewer >= samples:
        return None
    share = fewer / samples
    made = _still_drawn(bench, node, samples, fewer)
    facts = _seen(bench.facts, node, share, rows=made, settled=made)
    plan = with_params(bench.plan, node.name, samples=fewer)
    for after in below(bench.plan, node.name):
        params = after.definition.get("params") or {}
        if params.get("draws") == samples:
            plan = with_params(plan, after.name, draws=fewer)
        if isinstance(take := params.get("take"), int) and after.stage == "gather":
            facts = _chosen(bench, facts, node, after, (samples, fewer, take))
    return Trial(f"steps.{node.name}.samples={fewer}", str(samples), share, plan, facts)


def _still_drawn(bench: Bench, node: PlanNode, samples: int, fewer: int) -> float:
    """Share of the draws that were made which still are: with `until:` few rows took them all."""
    until = node.tuning.until or node.definition["params"].get("until")
    seen = bench.facts.nodes.get(node.name)
    if until is None or seen is None or seen.settled is None:
        return fewer / samples
    drawn = seen.settled.of("units") or float(samples)
    return min(1.0, fewer / drawn)


def _chosen(
    bench: Bench, facts: Facts, node: PlanNode, after: PlanNode, drawn: tuple[int, int, int]
) -> Facts:
    """Facts of a choice among fewer draws: more of the rows that reach it go on.

    Draws are taken to pass by themselves, each with the share that is estimated: of rows that are
    hard for the model more are lost than this says.
    """
    seen = facts.nodes.get(after.name)
    rows = bench.estimates.steps[node.name].rows_in.value
    left = bench.estimates.steps[after.name].rows_in.value
    if seen is None or seen.reached is None or seen.assumed or not rows or not left:
        return facts
    samples, fewer, take = drawn
    passing = min(1.0, left / (rows * samples))
    times = _taken(fewer, passing, take) / fewer / (_taken(samples, passing, take) / samples)
    return with_node(facts, after.name, fewer_calls(seen, 1.0, rows=times))


def _taken(draws: int, passing: float, take: int) -> float:
    """Expected rows that are chosen of one row's draws: the mean of min(Bin(draws, p), take)."""
    return sum(
        min(n, take) * math.comb(draws, n) * passing**n * (1 - passing) ** (draws - n)
        for n in range(draws + 1)
    )


def _models(bench: Bench, node: PlanNode) -> Iterator[Knob]:
    """Other models of the recipe whose price is known, and lower."""
    own = bench.facts.prices.get(node.model or "")
    if node.model is None or own is None:
        return
    task = bench.plan.models[node.model]["options"].get("task")
    for model in bench.recipe.models:
        if model.name == node.model or dict(model.options).get("task") != task:
            continue
        price = bench.facts.prices.get(model.name)
        if price is None and model.price is not None:
            said = model.price
            price = Price(said.input / said.per, said.output / said.per)
        if price is None or not _cheaper(price, own):
            continue
        known = bench.plan.models.get(model.name)
        entry = known or {"engine": model.engine, "model": model.model, "options": {}}
        yield Knob("model", _of_model(bench, node, model.name, price, entry), once=True)


def _cheaper(price: Price, than: Price) -> bool:
    return price.output <= CHEAPER * than.output and price.input <= than.input


def _of_model(
    bench: Bench, node: PlanNode, name: str, price: Price, entry: Mapping[str, Any]
) -> Callable[[float], Trial | None]:
    def turned(_: float) -> Trial | None:
        old = node.model or ""
        facts = replace(bench.facts, prices={**bench.facts.prices, name: price})
        if seen := facts.nodes.get(node.name):
            facts = with_node(facts, node.name, of_other_model(seen, old, name))
        plan = with_model(bench.plan, node.name, name, entry)
        return Trial(f"steps.{node.name}.model={name}", old, 0.0, plan, facts)

    return turned


def _max_tokens(bench: Bench, node: PlanNode, keep: float) -> Trial | None:
    """Cut replies off sooner, where nobody has seen how long they are."""
    sampling = node.definition["params"]["sampling"]
    longest = int(sampling["max_tokens"])
    lower = _round_down(max(keep, 0.5) * longest)  # half of it is as far as a guess should go
    if not LEAST_TOKENS <= lower < longest:
        return None
    plan = with_params(bench.plan, node.name, sampling={**sampling, "max_tokens": lower})
    typed = f"steps.{node.name}.sampling.max_tokens={lower}"
    return Trial(typed, str(longest), lower / longest, plan, bench.facts)


def _limit(bench: Bench, node: PlanNode, keep: float) -> Trial | None:
    """Let fewer rows into a step."""
    rows = bench.estimates.steps[node.name].rows_in.value
    lower = _round_down((rows or 0.0) * keep)
    if rows is None or not LEAST_ROWS <= lower < rows:
        return None
    plan = with_definition(bench.plan, node.name, limit=lower)
    typed = f"steps.{node.name}.limit={lower}"
    return Trial(typed, f"{rows:,.0f}", lower / rows, plan, bench.facts)


def _of_source(bench: Bench, name: str) -> Callable[[float], Trial | None]:
    def turned(keep: float) -> Trial | None:
        read = bench.facts.sources[name]
        lower = _round_down(read.rows * keep)
        if not LEAST_ROWS <= lower < read.rows:
            return None
        share = lower / read.rows
        less = replace(read, rows=float(lower), size=read.size * share, rows_spread=0.0)
        facts = replace(bench.facts, sources={**bench.facts.sources, name: less})
        typed = f"sources.{name}.limit={lower}"
        was = f"{read.rows:,.0f}"
        return Trial(typed, was, share, with_limit(bench.plan, name, lower), facts)

    return turned


def _seen(
    facts: Facts, node: PlanNode, share: float, *, rows: float, settled: float | None = None
) -> Facts:
    seen = facts.nodes.get(node.name)
    if seen is None:
        return facts
    return with_node(facts, node.name, fewer_calls(seen, share, rows=rows, settled=settled))


def _floor(number: float, digits: int) -> float:
    """So many significant digits, rounded down."""
    if number <= 0:
        return 0.0
    scale = 10.0 ** (math.floor(math.log10(number)) - digits + 1)
    return round(math.floor(number / scale + 1e-9) * scale, 12)


def _round_down(number: float) -> int:
    return int(_floor(number, 2))
