"""Which steps run again after an edit: no wrong decision over the edits below."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.compiler.bind import PERMISSIONS
from mashbill.compiler.changes import changed_data, comparable, compare
from mashbill.compiler.compile import Compiled
from mashbill.compiler.graph import Graph
from mashbill.compiler.identity import canonical, difference, differences, digest
from mashbill.compiler.meaning import Meaning, StepMeaning, meaning_of
from mashbill.compiler.render import render
from mashbill.compiler.schema import LADDER_SCHEMA, MIX, OUTPUT, SAMPLING_SCHEMA
from mashbill.compiler.world import Pins

from .corpus import BASE as CORPUS
from .corpus import CATALOG, COSMETIC, SEMANTIC, Generated, show
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


# -- the generated corpus: every operator, check and key of a place


def compile_generated(change: Generated) -> Compiled:
    compiled = compile_text(change.text, change.files, pins=change.pins, catalog=change.catalog)
    assert compiled.plan and compiled.graph, f"{change.name}\n{render(compiled.report)}"
    return compiled


UNCHANGED = Generated("", "unchanged", show(CORPUS), frozenset())
WHOLE = compile_generated(UNCHANGED)
assert WHOLE.graph and WHOLE.plan
BEFORE = meaning_of(WHOLE.plan, WHOLE.graph, CATALOG)


@cache
def meaning_after(change_at: int) -> Meaning:
    change = GENERATED[change_at]
    compiled = compile_generated(change)
    assert compiled.plan is not None
    return meaning_of(compiled.plan, compiled.graph, change.catalog)


GENERATED = [*SEMANTIC, *COSMETIC]
KINDS = list(dict.fromkeys(e.kind for e in GENERATED))


@pytest.mark.parametrize("kind", KINDS)
def test_what_runs_again_after_a_generated_edit(kind: str) -> None:
    wrong = []
    for at, change in enumerate(GENERATED):
        if change.kind != kind:
            continue
        after = meaning_after(at)
        found = compare(BEFORE, after)
        again = {name for name, step in found.items() if step.symbol != "="}
        if again != change.changed:
            wrong.append((change.name, sorted(again ^ change.changed)))
        if (after.digest != BEFORE.digest) != change.semantic:
            wrong.append((change.name, ["the data set"]))
    assert not wrong


def test_the_corpus_is_large_enough() -> None:
    assert len(COSMETIC) >= 100
    assert len(SEMANTIC) >= 100
    assert len({(e.kind, e.name, e.text, *e.files.values()) for e in COSMETIC}) == len(COSMETIC)
    assert all(e.semantic for e in SEMANTIC if e.kind != "model")
    assert not any(e.semantic for e in COSMETIC)


def test_every_field_of_identity_was_edited() -> None:
    """What a hash input can hold, from the code, against what the edits are seen to change."""
    missing = required_fields() - touched_fields()
    assert not missing, f"the edit corpus does not edit: {', '.join(sorted(missing))}"


def required_fields() -> set[str]:
    """Fields by operator and by check, from signatures, schemas and real definitions."""
    wanted = {"op", "inputs", "mix", "output", "split"}
    for operator in CATALOG.steps.values():
        wanted |= {f"{operator.name} version", f"{operator.name} packages"}
        for param in operator.params:
            form = param.schema.get("format")
            field = "model" if form == "model" else param.name
            if param.name in PERMISSIONS:
                continue
            if form in ("sampling", "chunk"):
                wanted |= {f"{operator.name}.{field}.{k}" for k in param.schema["properties"]}
            else:
                wanted.add(f"{operator.name}.{field}")
    for check in CATALOG.checks.values():
        wanted |= {f"check {check.name} version", f"check {check.name} packages"}
        wanted |= {f"check {check.name}.{param.name}" for param in check.params}
    wanted |= {f"rung {word}" for word in (*LADDER_SCHEMA["properties"], "route", "reject")}
    retry = LADDER_SCHEMA["properties"]["retry"]["properties"]
    wanted |= {f"retry.{key}" for key in retry if key != "sampling"}
    wanted |= {f"retry.sampling.{key}" for key in SAMPLING_SCHEMA["properties"]}
    wanted |= {f"prompt.{k}" for k in ("system", "user", "assistant")}
    prompt = next(s.definition["params"]["prompt"] for s in BEFORE.steps.values() if s.prompt)
    wanted |= {f"prompt.{k}" for k in prompt if k not in ("blocks", "reply")}
    wanted |= {f"mix.{k}" for k in MIX["properties"]}
    wanted |= {f"output.{k}" for k in OUTPUT["properties"] if k != "path"}
    for meaning in (BEFORE, *map(meaning_after, range(len(GENERATED)))):
        for step in meaning.steps.values():
            op = "source" if step.op == "source" else "step"
            # `site` is the name of a step that draws: one of the edits by hand.
            wanted |= {f"{op}.{key}" for key in step.definition if key not in ("params", "site")}
    return wanted


def touched_fields() -> set[str]:
    """Fields that some edit changes, by comparing what is hashed before and after."""
    found: set[str] = set()
    for at, change in enumerate(GENERATED):
        after = meaning_after(at)
        for one in changed_data(BEFORE, after):
            where = one.field.split(".")
            found |= {where[0], ".".join(where[:2])}
        for name, step in compare(BEFORE, after).items():
            if step.symbol == "~":
                found |= set(touched(BEFORE.steps[name], after.steps[name], change))
    return found


def touched(old: StepMeaning, new: StepMeaning, change: Generated) -> Iterator[str]:
    if old.reads != new.reads:
        yield "inputs"
    for _ in differences(old.packages, new.packages):
        yield f"{old.op} packages"
        for check in old.definition["params"].get("checks", ()):
            yield f"check {check['kind']} packages"
    kinds = {c["name"]: c["kind"] for c in old.definition.get("params", {}).get("checks") or ()}
    for rung in new.definition.get("params", {}).get("on_fail") or ():
        yield f"rung {rung['rung']}"
    for path, before, after in differences(comparable(old), comparable(new)):
        field = re.sub(r"\[\d+\]", "", path)
        words = field.split(".")
        yield f"{'source' if old.op == 'source' else 'step'}.{words[0]}"
        if field == "op":
            yield "op"
        elif field == "operator version":
            yield f"{old.op} version"
        elif words[0] == "checks" and len(words) > 2 and words[2] == "version":
            yield f"check {kinds[words[1]]} version"
        elif words[0] == "checks" and words[2:3] == ["models"]:
            # By parameter: which model it is, and how it is asked.
            named = words[3:4] or [*(before or {}), *(after or {})]
            named += ["sampling"] if words[4:5] == ["sampling"] else []
            yield from (f"check {kinds[words[1]]}.{name}" for name in named)
        elif words[0] == "checks" and len(words) > 2:
            yield f"check {kinds[words[1]]}.{words[2]}"
        elif words[0] == "on_fail" and len(words) > 1:
            yield f"retry.{'.'.join(words[1:])}"
        elif words[:2] == ["prompt", "blocks"]:
            yield f"prompt.{words[2]}"
        elif words[0] == "prompt":
            yield f"prompt.{words[1]}"
        yield f"{old.op}.{words[0]}"
        yield f"{old.op}.{'.'.join(words[:2])}"


def test_what_a_run_stores_is_what_was_hashed() -> None:
    """`why` compares the hash input itself: its digest is the fingerprint, after JSON too."""
    for compiled in (WHOLE, BASE):
        assert compiled.plan is not None
        meaning = meaning_of(compiled.plan, compiled.graph, CATALOG)
        again = Meaning.from_json(json.loads(json.dumps(meaning.to_json())))
        for name, step in again.steps.items():
            assert digest(again.input_of(name)) == step.fingerprint
    for at, change in enumerate(GENERATED):
        if change.kind in ("package", "version", "ladder"):
            after = meaning_after(at)
            assert all(digest(after.input_of(n)) == s.fingerprint for n, s in after.steps.items())


def test_a_meaning_of_another_scheme_is_refused() -> None:
    value = BEFORE.to_json()
    for other in ({**value, "scheme": "x"}, {**value, "mashbill_identity": 99}, {}):
        with pytest.raises(ValueError, match="identity"):
            Meaning.from_json(other)


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


def test_all_differences_are_found_in_order() -> None:
    old = {"a": 1, "b": {"c": [1, 2], "d": 3}, "e": None}
    new = {"a": 2, "b": {"c": [1, 5], "f": 4}, "e": None}
    assert list(differences(old, new)) == [
        ("a", 1, 2), ("b.c[1]", 2, 5), ("b.d", 3, None), ("b.f", None, 4)
    ]  # fmt: skip
