"""What a plan's numbers warn of, before a token is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .affording import affording
from .cost import Estimates, Facts
from .diagnostics import Diagnostic, Label
from .plan import Plan
from .quantities import show_bytes, show_count, show_tokens
from .recipe import PartDecl, Recipe
from .shares import settle_shares

ENOUGH = 20
"""Sampled rows of which none is left before it is worth a word, unless they are all there are."""
APART = 5.0
"""How much longer the rows of one part must be before shares of tokens surprise."""


def outlook(
    plan: Plan, recipe: Recipe, facts: Facts, estimates: Estimates
) -> tuple[Diagnostic, ...]:
    """Warnings that rest on estimates; none stops a run, which counts for itself."""
    return (
        *_emptied(plan, recipe, facts),
        *_mix(plan, recipe, facts, estimates),
        *_small(plan, recipe, estimates),
        *affording(plan, recipe, estimates),
    )


def _emptied(plan: Plan, recipe: Recipe, facts: Facts) -> Iterator[Diagnostic]:
    spans = {s.name: s for s in recipe.steps}
    for node in plan.nodes:
        seen = facts.nodes.get(node.name)
        step = spans.get(node.name)
        if seen is None or step is None or node.asked or seen.assumed or seen.rows_out:
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


def _mix(plan: Plan, recipe: Recipe, facts: Facts, estimates: Estimates) -> Iterator[Diagnostic]:
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
    yield from _uneven(parts, recipe, facts)


def _uneven(parts: Mapping[str, PartDecl], recipe: Recipe, facts: Facts) -> Iterator[Diagnostic]:
    """Equal weights of parts whose rows are of very different length."""
    lengths = {
        name: seen.text_tokens / seen.rows_out
        for name in parts
        if (seen := facts.nodes.get(name)) and seen.rows_out and seen.text_tokens
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
