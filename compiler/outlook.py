"""What a plan's numbers warn of, before a token is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .diagnostics import Diagnostic, Label
from .estimating.estimates import Estimates
from .estimating.facts import Facts, NodeFacts
from .estimating.propagate import estimate
from .guarding.affording import NO_SPENT, affording
from .plan import Plan
from .quantities import show_bytes, show_count, show_share, show_tokens
from .recipe import PartDecl, Recipe
from .shares import settle_shares
from .thinking import SEEN, told

ENOUGH = 20
"""Sampled rows of which none is left before it is worth a word, unless they are all there are."""
CUT_OFF = 0.02
"""Share of replies that hit `max_tokens` from which on it is worth a word."""
FEW = 20
"""Rows with replies before it is."""
APART = 5.0
"""How much longer the rows of one part must be before shares of tokens surprise."""


def outlook(
    plan: Plan,
    recipe: Recipe,
    facts: Facts,
    estimates: Estimates,
    spent: Mapping[str, float] = NO_SPENT,
) -> tuple[Diagnostic, ...]:
    """What the estimates of a plan warn of.

    Args:
        plan: What would run.
        recipe: What it was made from, for places.
        facts: What was measured.
        estimates: What that comes to.
        spent: What earlier runs of the data set have spent, by cap.
    """
    return (
        *_emptied(plan, recipe, facts),
        *_unsampled(plan, recipe, facts),
        *_cut_off(plan, recipe, estimates),
        *_hidden(plan, recipe, estimates),
        *_mix(plan, recipe, estimates),
        *_small(plan, recipe, estimates),
        *affording(plan, recipe, estimates, facts, estimate, spent=spent),
    )


def _emptied(plan: Plan, recipe: Recipe, facts: Facts) -> Iterator[Diagnostic]:
    spans = {s.name: s for s in recipe.steps}
    for node in plan.nodes:
        seen = facts.nodes.get(node.name)
        step = spans.get(node.name)
        if seen is None or step is None or node.asked or seen.assumed or _kept(seen) != 0:
            continue
        if seen.rows_in >= ENOUGH or (facts.exact and seen.rows_in):
            keep = step.param("keep")
            all_ = "all" if facts.exact else f"{seen.rows_in:,} sampled"
            strictest = f"; its strictest clause is `{seen.strictest}`" if seen.strictest else ""
            yield Diagnostic(
                "D306",
                f"`{node.name}` keeps none of {all_} rows{strictest}",
                keep.span if keep else step.span,
                help=f"loosen it, or look at what it rejects: mashbill show {node.name}",
            )


def _kept(seen: NodeFacts) -> float | None:
    """Rows that go on, by row; None where nobody can say."""
    return seen.reached.of("rows_out") if seen.reached else None


def _unsampled(plan: Plan, recipe: Recipe, facts: Facts) -> Iterator[Diagnostic]:
    """Steps of which no sample says how many rows they keep, since other rows decide it."""
    spans = {s.name: s for s in recipe.steps}
    for node in plan.nodes:
        seen, step = facts.nodes.get(node.name), spans.get(node.name)
        if step is None or seen is None or node.asked or not node.drops or seen.assumed:
            continue
        if seen.rows_in and _kept(seen) is None:
            expected = node.definition["params"].get("expect")
            using = f"using expect: {show_share(expected)}" if expected else "taken as half to all"
            yield Diagnostic(
                "D307",
                f"how many rows `{node.name}` keeps cannot be sampled; {using}",
                step.span,
                help=f"count them, on this machine's CPU alone: mashbill run --until {node.name}",
            )


def _cut_off(plan: Plan, recipe: Recipe, estimates: Estimates) -> Iterator[Diagnostic]:
    """Replies of a pilot or an earlier run that hit `max_tokens`."""
    spans = {s.name: s for s in recipe.steps}
    for node in plan.nodes:
        found, step = estimates.steps[node.name], spans.get(node.name)
        if step is None:
            continue
        share = found.truncated
        if share is not None and share >= CUT_OFF and found.piloted >= FEW:
            longest = (node.definition["params"].get("sampling") or {}).get("max_tokens")
            yield Diagnostic(
                "M255",
                f"{show_share(share)} of the replies in `{node.name}` hit max_tokens {longest}",
                step.span,
                help="raise max_tokens, or ask for less: what is cut off is rejected",
            )


def _hidden(plan: Plan, recipe: Recipe, estimates: Estimates) -> Iterator[Diagnostic]:
    """Models whose replies were thoughts for the most part, each where it thinks most."""
    for model in recipe.models:
        found = [
            (estimate.hidden[model.name], step)
            for step, estimate in estimates.steps.items()
            if model.name in estimate.hidden and estimate.piloted >= SEEN
        ]
        if not found or model.name not in plan.models:
            continue
        share, step = max(found)
        if said := told(model.name, plan.models[model.name], share, f"in `{step}`"):
            yield Diagnostic("M254", said[0], model.span, help=said[1])


def _mix(plan: Plan, recipe: Recipe, estimates: Estimates) -> Iterator[Diagnostic]:
    if plan.mix is None or recipe.mix is None or not estimates.taken:
        return
    parts = {_name(p): p for p in recipe.mix.parts}
    supply = {n: s.value or 0.0 for n, s in estimates.supply.items()}
    shares = settle_shares(plan.mix, supply, dict.fromkeys(supply, True))
    # Under the other policies a shortfall is a decision that has been made.
    for name, (wanted, most) in sorted(shares.short.items()) if shares.failed else ():
        if part := parts.get(name):
            yield Diagnostic(
                "C505",
                f"part `{name}` can supply about {show_count(most)} of {show_tokens(wanted)}; "
                f"on_shortfall: {plan.mix['on_shortfall']}",
                part.weight_span,
                secondary=(Label(recipe.mix.total_span, "the total"),),
                help="lower the weight or the total, or give the part more rows",
            )
    for name, epochs in sorted(shares.epochs.items()):
        part = parts.get(name)
        if part and epochs > 1.01 and name not in shares.short:
            yield Diagnostic(
                "C501",
                f"part `{name}` would repeat {epochs:.1f} times to reach its share",
                part.weight_span,
                f"{show_tokens(shares.targets[name])} of {show_count(supply[name])}",
                help="lower the weight, or give the part more rows",
            )
    yield from _uneven(parts, recipe, estimates)


def _uneven(
    parts: Mapping[str, PartDecl], recipe: Recipe, estimates: Estimates
) -> Iterator[Diagnostic]:
    """Equal weights of parts whose rows are of very different length."""
    lengths = {
        name: tokens / rows
        for name in parts
        if (tokens := estimates.supply[name].value if name in estimates.supply else None)
        and name in estimates.steps
        and (rows := estimates.steps[name].rows_out.value)
    }
    if len(lengths) < 2 or recipe.mix is None:
        return
    long, short = max(lengths, key=lengths.__getitem__), min(lengths, key=lengths.__getitem__)
    times = lengths[long] / lengths[short]
    if times >= APART and parts[long].weight == parts[short].weight:
        yield Diagnostic(
            "C504",
            f"weights are shares of tokens: `{short}` gives about {times:.0f} rows "
            f"for each one of `{long}`",
            parts[short].weight_span,
        )


BYTES_A_TOKEN = 4.0
"""About, in English text under a subword tokenizer."""
MANY = 1000


def _small(plan: Plan, recipe: Recipe, estimates: Estimates) -> Iterator[Diagnostic]:
    """More shards than anyone wants to open."""
    size = sum(estimates.taken.values()) * BYTES_A_TOKEN
    count = size / plan.output["shard"]
    if count > MANY and recipe.output.shard_span:
        yield Diagnostic(
            "O803",
            f"about {show_count(count)} shards of {show_bytes(plan.output['shard'])}",
            recipe.output.shard_span,
            help="raise output.shard",
        )


def _name(part: PartDecl) -> str:
    return part.input.name + (f".{part.input.port}" if part.input.port else "")
