"""What a step that works on single rows makes of them: model steps, and checks that ask nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from ...compiler.estimating.facts import Moments, NodeFacts
from ..pipeline import assignments, completed
from ..rows import ORDER
from ..stages import fitting
from .arriving import Reaching
from .looking import ROWS, Looked, look
from .parts import tokens_of
from .prompts import Prompts, prompts_of
from .rehearsing import rehearse
from .settled import Settled, settled
from .weights import OWN, THERE, WEIGHT, moments_of, size_of

if TYPE_CHECKING:
    from ...compiler.plan import Plan, PlanNode
    from .moments import Array
    from .replies import Replies

FEW = 8
"""Settled rows from which on their real outputs, and no others, go on to later steps."""


async def row_step(
    node: PlanNode, reaching: Reaching, replies: Replies, plan: Plan, *, part: bool
) -> tuple[NodeFacts, Reaching]:
    """Look at a step that works on single rows.

    Args:
        node: The step.
        reaching: Rows that reach it.
        replies: The ledger's.
        plan: The plan.
        part: Whether its rows are a part of the mix.

    Returns:
        What was seen, and the rows behind the step.

    Raises:
        MisfitError: The step does not fit the rows.
    """
    if not node.asked and reaching.assumed:  # nobody has written what is to be judged
        return _unjudged(node, reaching)
    looked = await look(node, reaching, replies)
    if not node.asked and looked.meant.height and not looked.found:  # not one came back in time
        return _unjudged(node, reaching)
    step = _RowStep(node, reaching, replies, plan, part, looked)
    return await step.asked() if node.asked else step.plain()


def _unjudged(node: PlanNode, reaching: Reaching) -> tuple[NodeFacts, Reaching]:
    """Where nobody can say which rows a step lets go on."""
    behind = Reaching(completed(node)(reaching.frame), True, reaching.whole)
    return NodeFacts(reaching.frame.height, True, reaching.whole), behind


@dataclass(slots=True)
class _RowStep:
    node: PlanNode
    reaching: Reaching
    replies: Replies
    plan: Plan
    part: bool
    looked: Looked

    @property
    def _whole(self) -> bool:
        return self.reaching.whole and self.looked.everything

    # -- steps that ask nobody

    def plain(self) -> tuple[NodeFacts, Reaching]:
        """A check that asks nobody has been run for good."""
        import numpy as np

        looked, rest = self.looked, self.looked.rest
        made, places = self._made(range(len(looked.found)))
        out = self._sized(made, places, looked.meant.height)
        if rest is not None:
            passed = {"rows_out": np.ones(rest.height), "size_out": size_of(rest)}
            if (tokens := self._tokens(rest)) is not None:
                passed["tokens_out"] = tokens
            out = {n: np.concatenate([out[n], passed[n]]) for n in out.keys() & passed.keys()}
        both = looked.both
        reached = moments_of(both, size_of(both), out) if both.height else None
        facts = NodeFacts(both.height, whole=self._whole, reached=reached)
        return facts, Reaching(self._onward(made, rest), False, self._whole)

    # -- steps that ask

    async def asked(self) -> tuple[NodeFacts, Reaching]:
        """A model step shows what it does where its replies are in the ledger."""
        node, looked, given = self.node, self.looked, self.reaching
        known = settled(looked)
        prompts = None
        if node.model is not None:
            steps = sum(n.model is not None for n in self.plan.nodes)
            prompts = prompts_of(node, self.replies.tools_of(node), looked.rows[:ROWS], steps)
        units = sum(prompts.units) / max(prompts.rows, 1) if prompts else 1.0
        ours = set(known.rows)
        unpaid = [row for i, row in enumerate(looked.rows) if i not in ours]
        repairs, checks = await rehearse(node, unpaid or looked.rows, units, self.replies)
        facts = NodeFacts(
            assumed=given.assumed,
            settled=self._outcomes(known, prompts) if known.known else None,
            settled_rows=len(known.rows) if known.known else 0,
            held=known.held,
            longest_prompt=prompts.longest if prompts else 0,
            overlong=prompts.overlong if prompts else 0.0,
            prefix_share=prompts.prefix_share if prompts else 0.0,
            repairs=repairs,
            checks=checks,
        )
        return self._reached(facts, prompts), self._behind(known)

    def _reached(self, facts: NodeFacts, prompts: Prompts | None) -> NodeFacts:
        """Facts with what is known of rows before anything is asked."""
        import numpy as np

        rows = min(len(self.looked.rows), ROWS) if prompts is None else prompts.rows
        seen = self.looked.first(rows)
        both = seen.both

        def padded(values: Sequence[float]) -> Array:
            return np.concatenate([np.asarray(values, np.float64), np.zeros(seen.passed)])

        outcomes: dict[str, Any] = {"passed": 1 - padded([1.0] * rows)}
        if prompts is not None:
            outcomes |= {"units": padded(prompts.units), "prompt": padded(prompts.tokens)}
            if any(prompts.source):
                outcomes["source"] = padded(prompts.source)
        elif seen.found:
            outcomes["units"] = padded([float(f.asks) for f in seen.found])
        if self.part and not self._rewrites:
            tokens = self._tokens(both)
            outcomes |= {} if tokens is None else {"tokens_out": tokens}
        if self.part and seen.passed and seen.rest is not None:
            passing = self._tokens(completed(self.node)(seen.rest))
            if passing is not None:
                outcomes["tokens_passed"] = np.concatenate([np.zeros(rows), passing])
        reached = moments_of(both, size_of(both), outcomes) if both.height else None
        whole = self.reaching.whole and seen.everything
        return replace(facts, rows_in=both.height, whole=whole, reached=reached)

    @property
    def _rewrites(self) -> bool:
        """Whether the text that leaves is the model's."""
        return self.node.model is not None and "text" in self.node.modelled

    def _outcomes(self, known: Settled, prompts: Prompts | None) -> Moments:
        """What became of settled rows."""
        looked, chosen = self.looked, list(known.rows)
        found = [looked.found[i] for i in chosen]
        made, places = self._made(chosen)
        where = {row: k for k, row in enumerate(chosen)}
        outcomes: dict[str, Any] = {"units": [f.units for f in found]}
        outcomes |= self._sized(made, [where[i] for i in places], len(chosen))
        for model in self.node.asked:
            outcomes[f"calls:{model}"] = [f.paid.calls[model] for f in found]
            outcomes[f"prompt:{model}"] = [f.paid.prompt[model] for f in found]
            outcomes[f"reply:{model}"] = [f.paid.reply[model] for f in found]
            if any(f.paid.hidden[model] for f in found):
                outcomes[f"hidden:{model}"] = [f.paid.hidden[model] for f in found]
        if prompts is not None and chosen[-1] < prompts.rows:
            outcomes["prompt"] = [prompts.tokens[i] for i in chosen]
        outcomes["truncated"] = [f.paid.truncated for f in found]
        grown = pl.col(WEIGHT) * pl.Series(known.stands, dtype=pl.Float64)
        rows = looked.meant[chosen].with_columns(grown)
        return moments_of(rows, looked.size[chosen], outcomes)

    # -- rows behind the step

    def _behind(self, known: Settled) -> Reaching:
        """What really comes of settled rows, if there are enough of them; else all as they came."""
        given = self.reaching
        if known.everything or known.asking >= FEW:
            made, places = self._made(known.rows)
            stands = dict(zip(known.rows, zip(known.stands, known.there, strict=True), strict=True))
            grown = pl.Series([stands[i][0] for i in places], dtype=pl.Float64)
            there = pl.Series([stands[i][1] for i in places], dtype=pl.Float64)
            made = made.with_columns(pl.col(WEIGHT) * grown, there.alias(THERE))
            whole = self._whole and known.everything
            return Reaching(self._onward(made, self.looked.rest), given.assumed, whole)
        return Reaching(completed(self.node)(given.frame), True, given.whole)

    def _made(self, chosen: Sequence[int]) -> tuple[pl.DataFrame, list[int]]:
        """Rows that go on of some that were looked at, and which each came of."""
        meant = self.looked.meant
        own = meant.select(c for c in (*OWN, ORDER) if c in meant.columns).rows(named=True)
        rows: list[dict[str, Any]] = []
        places: list[int] = []
        for i in chosen:
            for row in self.looked.found[i].rows:
                rows.append({**row, **own[i]})
                places.append(i)
        if not rows:
            return meant.clear(), places
        with fitting(self.node.name):
            kinds = meant.schema
            return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None), places

    def _sized(self, made: pl.DataFrame, places: Sequence[int], rows: int) -> dict[str, Array]:
        """By row that was looked at: rows and bytes that go on, and of a part their tokens."""
        import numpy as np

        at = np.asarray(places, np.int64)

        def by_row(values: Array) -> Array:
            return np.asarray(np.bincount(at, values, rows), np.float64)

        outcomes = {"rows_out": by_row(np.ones(len(at))), "size_out": by_row(size_of(made))}
        if self.part and (tokens := self._tokens(made)) is not None:
            outcomes["tokens_out"] = by_row(tokens)
        return outcomes

    def _tokens(self, frame: pl.DataFrame) -> Array | None:
        """Tokens of rows as the mix writes them; None where that is not known yet."""
        prints = self.plan.renders.get(self.node.name, {}).get("modelled") or ()
        if not self.part or any(c not in frame.columns for c in prints):
            return None
        return tokens_of(self.plan, self.replies, self.node.name, frame)

    def _onward(self, made: pl.DataFrame, rest: pl.DataFrame | None) -> pl.DataFrame:
        """Rows that were made and those that passed, with what `set:` adds behind the step."""
        node = self.node
        if made.height:
            _, after = assignments(node, self.replies.count)
            with fitting(node.name):
                made = after(made)
        both = made if rest is None else pl.concat([made, rest], how="diagonal_relaxed")
        return completed(node)(both)
