"""Which steps run again after an edit: no wrong decision over the edits below."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.compiler.compile import Compiled
from mashbill.compiler.graph import Graph
from mashbill.compiler.identity import canonical, difference, digest
from mashbill.compiler.render import render
from mashbill.compiler.world import Pins

from .edits import ALL, BOOK, FILES, NOTHING, RECIPE, SOMETHING, Edit, edit
from .world import compile_text


def compile_edit(change: Edit) -> Compiled:
    recipe = RECIPE
    for old, new in change.recipe:
        assert old in recipe, old
        recipe = recipe.replace(old, new)
    old, new = change.book
    assert old in BOOK
    files = {**FILES, "prompts/book.md.j2": BOOK.replace(old, new), **change.files}
    compiled = compile_text(
        recipe, files, sets=change.sets, pins=change.pins, catalog=change.catalog
    )
    assert compiled.plan and compiled.graph, render(compiled.report)
    return compiled


def prints(graph: Graph) -> dict[str, str]:
    return {node.name: node.fingerprint for node in graph}


BASE = compile_edit(Edit("none", set()))
assert BASE.graph and BASE.plan and prints(BASE.graph).keys() == ALL


@pytest.mark.parametrize("change", [*NOTHING, *SOMETHING], ids=lambda change: change.name)
def test_what_runs_again(change: Edit) -> None:
    assert BASE.graph is not None
    graph = compile_edit(change).graph
    assert graph is not None
    after = {change.renamed.get(name, name): p for name, p in prints(graph).items()}
    before = prints(BASE.graph)
    assert {name for name in after if after[name] != before.get(name)} == change.changed


def test_the_table_is_worth_something() -> None:
    assert len({e.name for e in [*NOTHING, *SOMETHING]}) == len(NOTHING) + len(SOMETHING)
    assert set().union(*(e.changed for e in SOMETHING)) == ALL
    assert all(not e.changed for e in NOTHING) and all(e.changed for e in SOMETHING)


def digest_after(*pairs: tuple[str, str], **changes: object) -> str:
    plan = compile_edit(replace(edit("", *pairs), **changes)).plan  # type: ignore[arg-type]
    assert plan is not None
    return plan.digest


@pytest.mark.parametrize(
    "pair",
    [
        ("path: out/edits", "path: out/elsewhere"),
        ("name: edits", "name: renamed"),
        ("What an edit changes.", "Something else."),
        ("seed: 7", "seed: 7\nversion: 1.2.0\nlicense: MIT"),
        ("book: 50%, half: 25%", "half: 25%, book: 0.5"),
        ("  writer: local/smollm2-135m", "  writer: { use: local/smollm2-135m }"),
    ],
)
def test_the_plan_keeps_its_digest(pair: tuple[str, str]) -> None:
    assert BASE.plan is not None
    assert digest_after(pair) == BASE.plan.digest


@pytest.mark.parametrize(
    "pair",
    [
        ("total: 2M tokens", "total: 3M tokens"),
        ("book: 50%, half: 25%", "book: 40%, half: 35%"),
        ("on_shortfall: shrink", "on_shortfall: reweight"),
        ("max_epochs: 2", "max_epochs: 3"),
        ("min_human: 25%", "min_human: 20%"),
        ("path: out/edits", "path: out/edits, format: jsonl"),
        ("path: out/edits", "path: out/edits, shard: 1MB"),
        ("path: out/edits", "path: out/edits, columns: [text]"),
        ("tokenizer: writer", "tokenizer: judge"),
        ("seed: 7", "seed: 8"),
        ("words(text) > 3", "words(text) > 4"),
    ],
)
def test_the_plan_has_another_digest(pair: tuple[str, str]) -> None:
    assert BASE.plan is not None
    assert digest_after(pair) != BASE.plan.digest


PUSHED = """\
mashbill: 1
name: pushed
models: { writer: fake/rewrite }
sources:
  docs: { path: docs.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
steps:
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    on_fail: [{ fallback: input }]
  english: { op: filter, from: book, keep: lang == 'en' }
"""


def test_a_filter_that_a_rule_moved_is_part_of_the_plans_identity() -> None:
    here, there = compile_text(PUSHED).plan, compile_text(PUSHED.replace("'en'", "'de'")).plan
    assert here and there and here.applied and there.applied
    assert here.digest != there.digest


def test_without_a_mix_the_seed_and_the_tokenizer_matter_to_what_draws_alone() -> None:
    here = compile_text(PUSHED).plan
    for new in ("name: pushed\nseed: 9", "name: pushed\ntokenizer: other.json"):
        there = compile_text(PUSHED.replace("name: pushed", new)).plan
        assert here and there and here.digest == there.digest


def test_order_and_repetition_of_what_is_retried_do_not_matter() -> None:
    def book(reasons: str) -> str:
        change = edit("", ("retry: 2", f"retry: {{ times: 2, for: [{reasons}] }}"))
        graph = compile_edit(change).graph
        assert graph is not None
        return graph.nodes["book"].fingerprint

    assert book("length, ours") == book("ours, length") == book("ours, length, ours")
    assert book("length, ours") != book("length")


def test_renaming_changes_no_row() -> None:
    """Rows are named by what a step does; how many it lets in does not matter to one of them."""
    assert BASE.graph is not None
    for pair in (("  book:", "  tome:"), ("    chunk:", "    limit: 9\n    chunk:")):
        renamed = edit("", pair, *([("book: 50%", "tome: 50%")] if "tome" in pair[1] else []))
        graph = compile_edit(renamed).graph
        assert graph is not None
        rules = {node.rule for node in graph if node.op == "rewrite"}
        assert rules == {BASE.graph.nodes["book"].rule}


def test_an_unpinned_source_or_model_is_known_by_its_name() -> None:
    compiled = compile_edit(Edit("", set(), pins=Pins()))
    moved = compile_edit(Edit("", set(), (("path: docs.jsonl", "path: d*.jsonl"),), pins=Pins()))
    other = compile_edit(Edit("", set(), (("local/smollm2-135m", "local/other"),), pins=Pins()))
    assert compiled.graph and moved.graph and other.graph
    base = prints(compiled.graph)
    assert prints(moved.graph)["docs"] != base["docs"]
    assert prints(other.graph)["book"] != base["book"]
    assert prints(other.graph)["asked"] == base["asked"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_equal_values_have_equal_digests_and_no_difference(value: object) -> None:
    assert digest(value) == digest(value)
    assert difference(value, value) is None


@settings(deadline=None)
@given(st.dictionaries(st.text(), JSON, min_size=2, max_size=5))
def test_order_of_keys_is_no_part_of_a_digest(value: dict[str, object]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@settings(deadline=None)
@given(JSON, JSON)
def test_a_difference_is_found_if_and_only_if_the_digests_differ(a: object, b: object) -> None:
    assert (difference(a, b) is None) == (canonical(a) == canonical(b))


def test_a_difference_names_its_place() -> None:
    old = {"params": {"checks": [{"min": 1}], "keep": "a"}}
    new = {"params": {"checks": [{"min": 2}], "keep": "a"}}
    assert difference(old, new) == ("params.checks[0].min", 1, 2)
    assert difference({"a": 1}, {"a": 1, "b": 2}) == ("b", None, 2)
    assert difference([1, 2], [1]) == ("", [1, 2], [1])
    assert difference(1, 1.0) is None and difference(1, True) is not None
