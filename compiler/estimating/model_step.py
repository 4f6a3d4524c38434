"""What a step that asks models is expected to ask for, and which rows it lets go on.

Where rows of the sample have all their replies in the ledger, these say what the others will do.
Otherwise the step is priced rung by rung.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..plan import Plan, PlanNode
from .amounts import NONE, Amount, Amounts
from .attempts import calls_of, longest_text
from .by_ladder import by_ladder
from .by_replies import by_replies
from .chance import Chance, full
from .costing import costed
from .facts import Facts, NodeFacts
from .flow import UNSEEN, Flow
from .load import load_of, most_of
from .numbers import Basis, weakest
from .passing import passing

if TYPE_CHECKING:
    from .chance import Array


@dataclass(frozen=True, slots=True)
class Asked:
    """What a step asks for.

    Attributes:
        flow: Rows that go on.
        by_model: What is to be paid for.
        reused: Share of its rows that the ledger answers.
        tokens: Tokens of `text` of the rows that go on, by the mix's tokenizer; None if not known.
    """

    flow: Flow
    by_model: Mapping[str, Amounts]
    reused: float
    tokens: Array | None


def ask(
    node: PlanNode, flow: Flow, seen: NodeFacts, plan: Plan, facts: Facts, chance: Chance
) -> Asked:
    """Carry rows through a step that asks models."""
    import numpy as np

    if flow.rows is None or flow.size is None or seen.reached is None or not seen.rows_in:
        empty = flow.rows is not None and not flow.rows.any()
        none = Amount(full(0.0), "e", 0.0) if empty else NONE
        unknown = {m: costed(m, none, none, none, plan, facts, chance) for m in node.asked}
        return Asked(flow if empty else UNSEEN, unknown, 0.0, full(0.0) if empty else None)
    load = load_of(node, flow, seen, chance)
    if seen.settled is not None and seen.settled.rows:
        made = by_replies(node, seen, load, facts, chance)
    else:
        prior = facts.priors.get(node.name)
        made = by_ladder(node, seen, load, prior, passing(node, plan, facts), chance)
    ladder = calls_of(node, seen, 0.5)
    by_model = {}
    for model in node.asked:
        most = most_of(load, [c for c in ladder if c.model == model])
        calls, prompt, reply = made.asked[model]
        counted: Basis = "a" if model in facts.estimated else "e"
        by_model[model] = costed(
            model,
            _bounded(calls, made.basis_calls, most[0]),
            _bounded(prompt, weakest(made.basis_prompt, counted), most[1]),
            _bounded(reply, made.basis, most[2]),
            plan,
            facts,
            chance,
            seen.prefix_share,
        )
    rows = load.passed + made.rows
    size = _size_of(flow, made.size, rows)
    samples = int(node.definition["params"].get("samples") or 1)
    most_rows = None if flow.most is None else flow.most * samples
    most_size = None if flow.most_size is None else flow.most_size * samples
    settled = weakest(flow.basis, made.basis_rows)
    reused = 1 - float(load.unpaid.mean()) if load.applied.any() else 0.0
    dense = float((load.units / np.maximum(load.applied * load.unpaid, 1e-9)).max())
    grown = flow.grown + longest_text(node) * max(1.0, dense)
    behind = Flow(rows, size, settled, most_rows, most_size, grown)
    tokens = made.tokens
    if tokens is not None and load.kept is not None:
        tokens = tokens + load.kept
    return Asked(behind, by_model, reused, tokens)


def _bounded(values: Array | None, basis: Basis, most: float | None) -> Amount:
    """An amount that cannot be more than the ladder allows, whatever was seen elsewhere."""
    import numpy as np

    if values is not None and most is not None:
        values = np.minimum(values, most)
    return Amount(values, basis, most)


def _size_of(flow: Flow, made: Array | None, rows: Array) -> Array:
    import numpy as np

    assert flow.rows is not None
    assert flow.size is not None
    each = flow.size / np.maximum(flow.rows, 1e-9)
    return rows * each if made is None else made
