"""Facts as they would be, had a step made fewer or other calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..estimating.facts import Facts, Moments, NodeFacts

CALLED = ("units", "prompt", "source", "calls:", "prompt:", "reply:", "hidden:", "truncated")
"""Outcomes that go with calls, or names that they begin with."""
MADE = ("rows_out", "size_out", "tokens_out")
"""Outcomes that go with the rows that leave."""


def scaled(moments: Moments | None, factor: Callable[[str], float]) -> Moments | None:
    """Moments whose outcomes are each so many times as large.

    Args:
        moments: As seen.
        factor: Of an outcome, by its name.
    """
    if moments is None:
        return None
    times = tuple(map(factor, moments.names))
    return replace(
        moments,
        mean=tuple(m * t for m, t in zip(moments.mean, times, strict=True)),
        slope=tuple(s * t for s, t in zip(moments.slope, times, strict=True)),
        cov=tuple(
            tuple(c * a * b for c, b in zip(row, times, strict=True))
            for row, a in zip(moments.cov, times, strict=True)
        ),
    )


def is_called(name: str) -> bool:
    """Whether an outcome goes with calls."""
    return name in CALLED or name.startswith(tuple(c for c in CALLED if c.endswith(":")))


def with_node(facts: Facts, name: str, made: NodeFacts) -> Facts:
    """Facts with those of a step replaced."""
    return replace(facts, nodes={**facts.nodes, name: made})


def fewer_calls(
    seen: NodeFacts, share: float, *, rows: float = 1.0, settled: float | None = None
) -> NodeFacts:
    """Facts of a step that asks for a share of its calls, and lets a share of its rows out.

    Args:
        seen: As it is.
        share: Of the calls that rows ask for, as they reach the step.
        rows: Share of the rows that leave it.
        settled: Share of the calls that rows were really settled by; as `share` if not given.
    """
    made = share if settled is None else settled

    def factor(share: float) -> Callable[[str], float]:
        return lambda name: share if is_called(name) else rows if name in MADE else 1.0

    return replace(
        seen,
        reached=scaled(seen.reached, factor(share)),
        settled=scaled(seen.settled, factor(made)),
    )


def of_other_model(seen: NodeFacts, old: str, new: str) -> NodeFacts:
    """Facts of a step whose calls go to another model; the ledger holds nothing of that one.

    That the other is asked as often, and replies at the same length, is an assumption.
    """
    settled = seen.settled
    if settled is not None:
        kinds = ("calls:", "prompt:", "reply:")
        names = {f"{kind}{old}": f"{kind}{new}" for kind in kinds}
        settled = replace(settled, names=tuple(names.get(n, n) for n in settled.names))
    return replace(seen, settled=settled, held=0.0)
