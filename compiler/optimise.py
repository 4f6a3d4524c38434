"""Rewrite rules to a fixed point."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .graph import Graph
from .rules import RULES, Applied, Rule
from .rules.draft import Draft


def optimise(
    graph: Graph,
    rules: Sequence[tuple[str, Rule]] = RULES,
    after_each: Callable[[Graph], None] | None = None,
) -> tuple[Graph, tuple[Applied, ...]]:
    """Apply rules until none fires. One that has fired is followed by the first again.

    Args:
        graph: The logical graph.
        rules: Names and rules, in order.
        after_each: Called with the graph after each firing; tests check `spec` there.

    Returns:
        The rewritten graph and what was done to it.

    Raises:
        RuntimeError: If rules undo each other without end.
    """
    applied: list[Applied] = []
    # Each step is merged at most once, passes each other step at most once, and is tuned a few
    # times.
    most = (len(graph.nodes) + 1) ** 2
    draft = Draft(graph)
    at = 0
    while at < len(rules):
        name, rule = rules[at]
        before = len(applied)
        for sentence in rule(draft):
            applied.append(Applied(name, sentence))
            if after_each:
                after_each(draft.graph())
            if len(applied) > most:
                raise RuntimeError(f"rewrite rules do not settle: {name}")
        at = 0 if len(applied) > before else at + 1
    return draft.graph() if applied else graph, tuple(applied)
