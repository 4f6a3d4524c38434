"""Carry facts through the graph by Monte Carlo: yields, calls, tokens, money and time together.

Each step draws its own noise once for all that it does, so that steps below see the same rows in
the same replicate, and an interval of a sum is that of the sum, not the sum of intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..draw_costs import drawing
from ..plan import Plan, PlanNode
from .amounts import Amounts, together
from .chance import Chance, Driver, number, surely
from .estimates import Estimates, StepEstimate
from .facts import Facts, Moments, NodeFacts, SourceFacts
from .flow import UNSEEN, Flow, first, joined
from .mix import mixed
from .model_step import ask
from .numbers import Basis, weakest
from .passing import Passing, passing
from .regression import totals

if TYPE_CHECKING:
    from .chance import Array

FEWEST = 0.5
"""Share of rows that a step which nobody can sample is taken to keep at least, where no `expect:`
says; all of them at most."""
EXPECTED_SPREAD = 0.3
"""Spread of the logarithm of a share that `expect:` names."""


@dataclass(slots=True)
class Carried:
    """What has been carried so far: rows behind each step, what each pays, and what parts hold."""

    flows: dict[str, Flow] = field(default_factory=dict)
    incoming: dict[str, Flow] = field(default_factory=dict)
    asked: dict[str, Mapping[str, Amounts]] = field(default_factory=dict)
    reused: dict[str, float] = field(default_factory=dict)
    tokens: dict[str, Array | None] = field(default_factory=dict)

    def spending(self) -> Amounts | None:
        """Of all steps together; None where none asks a model."""
        found = [amounts for step in self.asked.values() for amounts in step.values()]
        return together(found) if found else None


def estimate(plan: Plan, facts: Facts) -> Estimates:
    """Estimate a plan.

    Args:
        plan: What would run.
        facts: What was measured.
    """
    from .leverage import leverage

    chance = Chance()
    carried = carry(plan, facts, chance)
    steps = {node.name: _step(node, carried, facts) for node in plan.nodes}
    whole = carried.spending()
    mix = mixed(plan, facts, carried.flows, carried.tokens)
    return Estimates(
        steps=steps,
        total=whole.spending() if whole else None,
        supply=mix.supply,
        taken=mix.taken,
        human_share=mix.human_share,
        epochs=mix.epochs,
        sources=dict(facts.sources),
        speeds=dict(facts.speeds),
        prices=dict(facts.prices),
        unpriced=facts.unpriced,
        leverage=leverage(plan, facts, chance, carried),
        hurried=facts.hurried,
    )


def carry(plan: Plan, facts: Facts, chance: Chance) -> Carried:
    """Carry rows through all steps, with this chance."""
    carried = Carried()
    for node in plan.nodes:
        _carry(node, plan, facts, chance, carried)
    return carried


def _carry(node: PlanNode, plan: Plan, facts: Facts, chance: Chance, carried: Carried) -> None:
    if node.stage == "scan":
        carried.flows[node.name] = _scanned(node.name, facts.sources.get(node.name), chance)
        return
    seen = facts.nodes.get(node.name, NodeFacts())
    # How many rows leave aside is not carried: it comes out of the difference of two estimates.
    inputs = [UNSEEN if port else carried.flows[name] for name, port in node.inputs]
    flow = first(joined(inputs), node.most_rows)
    carried.incoming[node.name] = flow
    if node.asked:
        made = ask(node, flow, seen, plan, facts, chance)
        carried.flows[node.name] = made.flow
        carried.asked[node.name] = made.by_model
        carried.reused[node.name] = made.reused
        carried.tokens[node.name] = made.tokens
        return
    unread = passing(node, plan, facts) if node.definition["params"].get("checks") else None
    carried.flows[node.name], carried.tokens[node.name] = _plain(node, flow, seen, unread, chance)
    if node.stage == "gather" and (seen.assumed or seen.reached is None):
        carried.flows[node.name] = _chosen(node, flow, plan, carried)


def _scanned(name: str, source: SourceFacts | None, chance: Chance) -> Flow:
    if source is None:
        return UNSEEN
    basis: Basis = "e" if source.exact else "s"
    rows = chance.around(
        Driver(name, "rows", basis, source.sampled), source.rows, source.rows_spread
    )
    size = chance.around(
        Driver(name, "bytes", basis, source.sampled), source.size, source.size_spread
    )
    most, most_size = (surely(values) for values in (rows, size))
    return Flow(rows, size, basis, most, most_size)


def _plain(
    node: PlanNode, flow: Flow, seen: NodeFacts, unread: Passing | None, chance: Chance
) -> tuple[Flow, Array | None]:
    """A step that asks nobody: what goes on, and its tokens as a part of the mix.

    `unread` is what passes its checks of rows that nobody has written yet.
    """
    import numpy as np

    if flow.rows is None or flow.size is None:
        return UNSEEN, None
    if not node.drops and (seen.reached is None or "rows_out" not in seen.reached.names):
        return flow, None
    if seen.reached is None or "rows_out" not in seen.reached.names:
        return _unsampled(node, flow, seen, unread, chance), None
    below = flow.basis in ("p", "h", "a")
    whole = seen.whole and not below and not seen.assumed
    own: Basis = "a" if seen.assumed else "e" if whole else "p" if below else "s"
    driver = Driver(node.name, "yield", own, seen.rows_in)
    left = 0.0 if whole else max(0.0, 1 - seen.rows_in / max(flow.mean, 1.0))
    found = totals(
        seen.reached, flow.rows, flow.size, chance, driver, factor=left, unsure=("rows_out",)
    )
    many = not node.drops or node.stage == "gather"
    rows = found["rows_out"] if many else np.minimum(found["rows_out"], flow.rows)
    size = found.get("size_out")
    if size is None:
        size = flow.size * rows / np.maximum(flow.rows, 1e-9)
    basis = weakest(flow.basis, own)
    most, most_size = flow.most, flow.most_size
    if not below and not seen.assumed:
        # Of rows that a model has not touched, a sample bounds how many can be left.
        most, most_size = (surely(values) for values in (rows, size))
        if not whole:
            most, most_size = _bounded(most, flow.most), _bounded(most_size, flow.most_size)
    behind = Flow(rows, size, basis, most, most_size, flow.grown)
    return behind, found.get("tokens_out")


def _bounded(value: float, bound: float | None) -> float:
    return value if bound is None else min(value, bound)


def _unsampled(
    node: PlanNode, flow: Flow, seen: NodeFacts, unread: Passing | None, chance: Chance
) -> Flow:
    """What a step leaves of rows that nobody has written yet, or of which it needs all.

    No sample of rows says how many are alike: in a corpus with 67 % duplicates a sample of 1 %
    shows 20 % (`[calc]`), so what counts is what the recipe expects, or bounds.
    """
    import numpy as np

    assert flow.rows is not None
    assert flow.size is not None
    if not seen.rows_in and not flow.rows.any():
        return flow
    expected = node.definition["params"].get("expect")
    driver = Driver(node.name, "yield", "a")
    if expected is not None:
        kept = 1 - np.minimum(chance.around(driver, float(expected), EXPECTED_SPREAD), 1.0)
    elif unread is not None:
        kept = chance.share(driver, unread.logit, unread.spread)
    else:
        kept = FEWEST + (1 - FEWEST) * chance.share(driver, 0.0, 1.8)
    return Flow(flow.rows * kept, flow.size * kept, "a", flow.most, flow.most_size, flow.grown)


def _chosen(node: PlanNode, flow: Flow, plan: Plan, carried: Carried) -> Flow:
    """What is left where a step chooses among draws that nobody has made yet.

    Each source row of which any draw is left is taken to have one that goes on.
    """
    import numpy as np

    if flow.rows is None or flow.size is None:
        return UNSEEN
    params = node.definition["params"]
    take, wanted = params["take"], params.get("rows")
    left = flow.rows
    for name in drawing(node, plan):
        groups = carried.incoming[name].rows
        if take != "all" and groups is not None:
            left = np.minimum(left, groups * take)
    if wanted is not None:
        left = np.minimum(left, wanted * (flow.rows if take == "all" else take))
    share = left / np.maximum(flow.rows, 1e-9)
    return Flow(left, flow.size * share, "a", flow.most, flow.most_size, flow.grown)


def _step(node: PlanNode, carried: Carried, facts: Facts) -> StepEstimate:
    out = carried.flows[node.name]
    flow = carried.incoming.get(node.name, out)
    seen = facts.nodes.get(node.name, NodeFacts())
    asked = carried.asked.get(node.name)
    settled = seen.settled
    truncated = settled.of("truncated") if settled else None
    replies = sum(settled.of(f"calls:{m}") or 0.0 for m in node.asked) if settled else 0.0
    source = facts.sources.get(node.name)
    return StepEstimate(
        rows_in=number(flow.rows, flow.basis),
        rows_out=number(out.rows, out.basis),
        spending=together(asked.values()).spending() if asked else None,
        by_model={m: a.spending() for m, a in asked.items()} if asked and len(asked) > 1 else {},
        reused=carried.reused.get(node.name, 0.0),
        sampled=source.sampled if source else seen.rows_in,
        piloted=seen.settled_rows,
        truncated=truncated / replies if truncated is not None and replies else None,
        hidden=_hidden(node, settled) if settled else {},
        overlong=seen.overlong,
        prefix_share=seen.prefix_share,
    )


def _hidden(node: PlanNode, settled: Moments) -> dict[str, float]:
    """Share of reply tokens that no text shows, of each model that thinks."""
    found = {}
    for model in node.asked:
        thought, all_ = settled.of(f"hidden:{model}"), settled.of(f"reply:{model}")
        if thought and all_:
            found[model] = thought / all_
    return found
