"""When a limit is felt before a costly step, and each reason why it must not be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.estimating.facts import Facts, SourceFacts
from mashbill.compiler.estimating.propagate import estimate
from mashbill.compiler.graph import Graph
from mashbill.compiler.optimise import optimise
from mashbill.compiler.plan import Plan, lower
from mashbill.compiler.render import render
from mashbill.compiler.rules.push_limit import push_limit
from mashbill.compiler.spec import violations

from ..estimating.population import asked
from .world import compile_text

RULE = [("push_limit", push_limit)]

BASE = """\
mashbill: 1
name: first
tokenizer: writer
models: { writer: fake/rewrite }
sources:
  docs: { path: docs.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
  web: { path: web.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
steps:
  pages: { op: filter, from: docs, keep: words(text) > 3 }
  book:
    op: rewrite
    from: pages
    model: writer
    prompt: prompts/book.md.j2
    checks: { length: {} }
    on_fail: [{ retry: 1 }, { fallback: input }]
  few: { op: filter, from: book, limit: 100 }
"""
FEW = "  few: { op: filter, from: book, limit: 100 }\n"
AGAIN = """\
  again:
    op: rewrite
    from: book
    again: true
    model: writer
    prompt: prompts/book.md.j2
    on_fail: [{ fallback: input }]
"""


def graph_of(*changes: tuple[str, str], more: str = "") -> Graph:
    """The logical graph of the base recipe with pieces replaced, and lines put at its end."""
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    compiled = compile_text(text + more)
    assert compiled.report.ok and compiled.graph, render(compiled.report)
    return compiled.graph


def pushed(graph: Graph) -> dict[str, int]:
    """Where limits are felt that stand further on; the graph stays sound after every firing."""

    def check(after: Graph) -> None:
        assert violations(after) == ()
        assert after.results == graph.results
        assert {n.name: n.definition for n in after} == {n.name: n.definition for n in graph}

    after, applied = optimise(graph, RULE, check)
    felt = {n.name: n.tuning.first for n in after if n.tuning.first is not None}
    assert bool(felt) == bool(applied)
    return felt


def test_fires() -> None:
    graph, applied = optimise(graph_of(), RULE)
    assert [a.sentence for a in applied] == [
        "`few` keeps the first 100 rows: `book` is given no more"
    ]
    assert graph.nodes["book"].tuning.first == 100
    assert graph.nodes["few"].definition["limit"] == 100
    assert not optimise(graph, RULE)[1]


def test_identity_is_untouched() -> None:
    before = graph_of()
    after, _ = optimise(before, RULE)
    assert {n.name: (n.fingerprint, n.rule) for n in after} == {
        n.name: (n.fingerprint, n.rule) for n in before
    }


def test_fires_down_to_the_first_of_several_model_steps() -> None:
    assert pushed(graph_of((FEW, AGAIN + FEW.replace("from: book", "from: again")))) == {
        "book": 100
    }


def test_fires_over_a_step_that_only_sets_columns() -> None:
    sized = "  sized: { op: filter, from: book, set: { size: = words(text) } }\n"
    assert pushed(graph_of((FEW, sized + FEW.replace("from: book", "from: sized")))) == {
        "book": 100
    }


def test_fires_below_a_union_and_for_samples_and_where_rows_pass_by() -> None:
    assert pushed(graph_of(("from: pages", "from: [pages, web]"))) == {"book": 100}
    assert pushed(graph_of(("    checks", "    samples: 3\n    checks"))) == {"book": 100}
    assert pushed(graph_of(("    checks", "    when: words(text) > 9\n    checks"))) == {
        "book": 100
    }


def test_fires_for_a_model_step_with_a_limit_of_its_own() -> None:
    more = AGAIN.replace("    model", "    limit: 7\n    model")
    assert pushed(graph_of((FEW, more))) == {"book": 7}


def test_the_smaller_of_two_limits_is_felt_below_both() -> None:
    def limits(low: int, high: int) -> dict[str, int]:
        body = AGAIN.replace("    model", f"    limit: {low}\n    model")
        few = FEW.replace("from: book", "from: again").replace("100", str(high))
        return pushed(graph_of((FEW, body + few)))

    assert limits(low=50, high=20) == {"book": 20}
    assert limits(low=20, high=50) == {"book": 20}


def test_a_limit_felt_already_gives_way_to_a_smaller_one_behind_it() -> None:
    graph = graph_of()
    book = graph.nodes["book"]
    felt = replace(book, tuning=replace(book.tuning, first=200))
    assert pushed(replace(graph, nodes={**graph.nodes, "book": felt})) == {"book": 100}


def test_the_plan_counts_calls_for_the_rows_of_the_limit_alone() -> None:
    def calls(plan: Plan) -> float | None:
        facts = Facts(
            {"docs": SourceFacts(5000.0, 50_000.0)},
            {"book": asked(100, 10.0, units=2.0, prompt=50.0)},
        )
        found = estimate(plan, facts).steps["book"].spending
        assert found is not None
        return found.calls.value

    text = BASE.replace("from: pages", "from: docs").replace("{ retry: 1 }, ", "")
    compiled = compile_text(text)
    assert compiled.graph and compiled.recipe
    graph, applied = optimise(compiled.graph, RULE)
    assert applied
    assert calls(lower(compiled.recipe, graph, applied, {})) == 200
    assert calls(lower(compiled.recipe, compiled.graph, (), {})) == 10_000


# -- blocked: what is limited


def test_blocked_without_a_limit() -> None:
    assert not pushed(graph_of((", limit: 100", "")))


def test_blocked_where_rows_pass_the_limited_step_by() -> None:
    assert not pushed(graph_of((", limit: 100", ", limit: 100, when: words(text) > 9")))


def test_blocked_when_the_limited_step_reads_several() -> None:
    assert not pushed(graph_of(("from: book", "from: [book, web]")))


@pytest.mark.parametrize("port", ["rejected", "routed", "errors"])
def test_blocked_when_the_limited_step_reads_what_is_put_aside(port: str) -> None:
    assert not pushed(graph_of(("from: book", f"from: book.{port}")))


# -- blocked: what is below it


def test_blocked_when_nothing_costly_is_below() -> None:
    assert not pushed(graph_of(("from: book", "from: pages")))


def test_blocked_when_the_model_step_can_reject() -> None:
    """Whoever is rejected makes room for the next in line."""
    assert not pushed(graph_of((", { fallback: input }", "")))


def test_blocked_behind_a_filter_that_keeps_some() -> None:
    some = "  some: { op: filter, from: book, keep: words(text) > 9 }\n"
    assert not pushed(graph_of((FEW, some + FEW.replace("from: book", "from: some"))))


def test_blocked_behind_a_check() -> None:
    held = "  held: { op: verify, from: book, checks: { length: {} } }\n"
    assert not pushed(graph_of((FEW, held + FEW.replace("from: book", "from: held"))))


def test_blocked_when_a_smaller_limit_is_there_already() -> None:
    assert not pushed(graph_of(("    checks", "    limit: 100\n    checks")))
    assert pushed(graph_of(("    checks", "    limit: 101\n    checks"))) == {"book": 100}


def changed(**traits: object) -> Graph:
    """The base graph with traits of the model step changed by hand."""
    graph = graph_of()
    assert pushed(graph)
    book = graph.nodes["book"]
    fresh = replace(book.traits, **traits)  # type: ignore[arg-type]
    return replace(graph, nodes={**graph.nodes, "book": replace(book, traits=fresh)})


def test_blocked_when_what_the_step_below_reads_is_unknown() -> None:
    assert not pushed(changed(reads=None))


def test_blocked_when_the_step_below_looks_at_other_rows() -> None:
    assert not pushed(changed(row_local=False))


def test_blocked_when_the_step_below_makes_other_documents() -> None:
    assert not pushed(changed(writes=frozenset({"text", "_id", "_doc"})))


# -- blocked: who else looks


def test_blocked_when_the_step_below_has_another_reader() -> None:
    more = "  all: { op: filter, from: [few, book], keep: words(text) > 1 }\n"
    assert not pushed(graph_of(more=more))


def test_blocked_when_what_the_step_below_puts_aside_is_read() -> None:
    more = "  all: { op: filter, from: [few, book.errors], keep: words(text) > 1 }\n"
    assert not pushed(graph_of(more=more))


def test_blocked_when_the_step_below_is_a_part_of_the_mix() -> None:
    parts = "mix: {{ total: 1M tokens, parts: {{ few: 50%, {}: 50% }} }}\n"
    assert not pushed(graph_of(more=parts.format("book")))
    assert pushed(graph_of(more=parts.format("pages"))) == {"book": 100}
