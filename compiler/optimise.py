"""Rewrite rules to a fixed point."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .graph import Graph
from .rules import RULES, Applied, Rule


def optimise(
    graph: Graph,
    rules: Sequence[tuple[str, Rule]] = RULES,
    after_each: Callable[[Graph], None] | None = None,
) -> tuple[Graph, tuple[Applied, ...]]:
    """Apply rules until none fires.

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
    # Each step is merged at most once and passes each other step at most once.
    most = len(graph.nodes) ** 2
    fired = True
    while fired:
        fired = False
        for name, rule in rules:
            while found := rule(graph):
                fired = True
                graph, sentence = found
                applied.append(Applied(name, sentence))
                if after_each:
                    after_each(graph)
                if len(applied) > most:
                    raise RuntimeError(f"rewrite rules do not settle: {name}")
    return graph, tuple(applied)
