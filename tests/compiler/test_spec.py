"""Each invariant of a graph, broken by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mashbill.compiler.graph import (
    Cycle,
    Edge,
    Graph,
    Node,
    in_topological_order,
    topological_order,
)
from mashbill.compiler.spec import (
    SPEC,
    Invariant,
    edges_end_somewhere,
    everything_is_needed,
    felt_limits_are_there,
    fused_steps_follow_one_another,
    order_is_topological,
    reads_are_there,
    sources_read_nothing,
    violations,
    what_is_cut_short_has_one_reader,
    what_is_read_is_carried,
)
from mashbill.compiler.tuning import Tuning

from .edits import FILES, RECIPE
from .world import compile_text

GRAPH = compile_text(RECIPE, FILES).graph
assert GRAPH is not None


def with_node(graph: Graph, name: str, change: Callable[[Node], Node]) -> Graph:
    return replace(graph, nodes={**graph.nodes, name: change(graph.nodes[name])})


def tuned(graph: Graph, **tunings: Tuning) -> Graph:
    for name, tuning in tunings.items():
        graph = with_node(graph, name, lambda n, t=tuning: replace(n, tuning=t))  # type: ignore[misc]
    return graph


def reading(*edges: Edge) -> Callable[[Node], Node]:
    return lambda node: replace(node, inputs=edges)


def test_a_bound_graph_breaks_none() -> None:
    assert GRAPH is not None
    assert violations(GRAPH) == ()


BROKEN: list[tuple[Invariant, str, Callable[[Graph], Graph]]] = [
    (
        edges_end_somewhere,
        "`clean` reads `nobody.rejected`, which is not in the graph",
        lambda g: with_node(g, "clean", reading(Edge("nobody", "rejected"))),
    ),
    (
        edges_end_somewhere,
        "the output reads `nobody`, which is not in the graph",
        lambda g: replace(g, outputs=(*g.outputs, Edge("nobody"))),
    ),
    (
        order_is_topological,
        "`book` comes before `clean`, which it reads",
        lambda g: replace(g, nodes={"book": g.nodes["book"], **g.nodes}),
    ),
    (
        reads_are_there,
        "`pages` reads ['lang'], which nothing above it makes",
        lambda g: with_node(
            g,
            "docs",
            lambda n: replace(n, columns={c: k for c, k in n.columns.items() if c != "lang"}),
        ),
    ),
    (
        reads_are_there,
        "`clean` reads ['_accepted'], which nothing above it makes",
        lambda g: with_node(
            g,
            "clean",
            lambda n: replace(n, traits=replace(n.traits, reads=frozenset({"_accepted", "text"}))),
        ),
    ),
    (
        sources_read_nothing,
        "`docs` is a scan with 1 inputs",
        lambda g: with_node(g, "docs", reading(Edge("web"))),
    ),
    (
        sources_read_nothing,
        "`clean` is a map with 0 inputs",
        lambda g: with_node(g, "clean", reading()),
    ),
    (
        everything_is_needed,
        "nothing reads `drawn`",
        lambda g: replace(g, outputs=tuple(e for e in g.outputs if e.node != "drawn")),
    ),
    (
        what_is_read_is_carried,
        "`pages` reads ['lang'], which `docs` does not carry",
        lambda g: tuned(g, docs=Tuning(keeps=("text",))),
    ),
    (
        what_is_read_is_carried,
        "the output has ['style'], which `drawn` does not carry",
        lambda g: replace(
            tuned(g, drawn=Tuning(keeps=("text",))), wanted=frozenset({"style", "lang_"})
        ),
    ),
    (
        fused_steps_follow_one_another,
        "`clean` cannot share a stage with `pages`",
        lambda g: tuned(g, clean=Tuning(fused="pages")),
    ),
    (
        fused_steps_follow_one_another,
        "`clean` cannot share a stage with `pages`",
        lambda g: tuned(g, pages=Tuning(fused="pages"), clean=Tuning(fused="pages", first=3)),
    ),
    (
        fused_steps_follow_one_another,
        "what `clean` reads inside a stage is wanted outside",
        lambda g: tuned(g, pages=Tuning(fused="pages"), clean=Tuning(fused="pages")),
    ),
    (
        felt_limits_are_there,
        "`asked` is given 3 rows, and no limit says so",
        lambda g: tuned(g, asked=Tuning(first=3)),
    ),
    (
        felt_limits_are_there,
        "`pages` is given 3 rows, and no limit says so",
        lambda g: tuned(g, pages=Tuning(first=3)),
    ),
    (
        what_is_cut_short_has_one_reader,
        "`asked` stops early, and not all who read it say so",
        lambda g: tuned(g, asked=Tuning(until={"vote": "answer"})),
    ),
    (
        what_is_cut_short_has_one_reader,
        "`pages` stops early, and not all who read it say so",
        lambda g: tuned(g, pages=Tuning(fed=("clean", 3, 9))),
    ),
]


@pytest.mark.parametrize(("invariant", "words", "broken"), BROKEN, ids=[b[1] for b in BROKEN])
def test_each_is_broken_by_hand(
    invariant: Invariant, words: str, broken: Callable[[Graph], Graph]
) -> None:
    assert GRAPH is not None
    assert invariant(GRAPH) is None
    graph = broken(GRAPH)
    found = invariant(graph)
    assert found == words
    assert found in violations(graph)


def test_each_has_a_case() -> None:
    assert {invariant for invariant, _, _ in BROKEN} == set(SPEC)


def test_a_column_that_only_what_goes_on_has_does_not_reach_a_reader_of_what_is_put_aside() -> None:
    assert GRAPH is not None
    aside = with_node(GRAPH, "half", reading(Edge("asked", "rejected")))
    needy = with_node(
        aside,
        "half",
        lambda n: replace(n, traits=replace(n.traits, reads=frozenset({"answer"}))),
    )
    assert reads_are_there(aside) is None
    assert reads_are_there(needy) == "`half` reads ['answer'], which nothing above it makes"


# -- the order


def test_the_order_is_that_of_reading_and_then_of_names() -> None:
    assert topological_order({"c": {"a"}, "b": {"a"}, "d": {"b", "c"}}) == ("a", "b", "c", "d")


def test_a_cycle_goes_from_what_is_read_to_its_reader() -> None:
    assert topological_order({"a": {"a"}}) == Cycle(("a", "a"))
    found = topological_order({"b": {"a"}, "c": {"b"}, "a": {"c"}})
    assert isinstance(found, Cycle)
    steps = list(zip(found.names, found.names[1:], strict=False))
    assert set(steps) == {("a", "b"), ("b", "c"), ("c", "a")}


def test_nodes_of_a_cycle_have_no_order() -> None:
    assert GRAPH is not None
    ring = with_node(GRAPH, "pages", reading(Edge("clean")))
    with pytest.raises(ValueError, match="cycle: "):
        in_topological_order(ring.nodes.values())


def test_readers_are_each_told_once() -> None:
    assert GRAPH is not None
    twice = with_node(GRAPH, "clean", reading(Edge("pages"), Edge("pages", "rejected")))
    assert [n.name for n in twice.readers("pages")] == ["asked", "clean"]
    assert [n.name for n in twice.readers("pages", "rejected")] == ["clean"]
    assert twice.readers("book") == () and twice.leaves("book")
    assert not twice.leaves("book", "rejected")
