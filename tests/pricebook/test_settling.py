"""Prices in a plan: the recipe's, a user's, the map's, in this order; what the purse sees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from mashbill.compiler.compile import Compiled, compile_recipe
from mashbill.compiler.plan import Plan
from mashbill.compiler.render import render
from mashbill.runtime.budget import Purse, open_purse
from mashbill.runtime.budget.amounts import PICO
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.prices import find_prices, user_prices
from mashbill.runtime.runs import new_run

from ..compiler.world import FILES, Memory

RECIPE = """\
mashbill: 1
name: edu
models:
  judge: { use: http/openai/gpt-4o-mini-2024-07-18, url: "${GATEWAY_URL}" }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  book: { op: rewrite, from: docs, model: judge, prompt: prompts/book.md.j2 }
budget: { usd: 150 }
"""
OWN = "as_of: 2026-11-01\nmodels: { gpt-4o-mini: { input: 0.20, output: 0.70 } }\n"
TODAY = date(2026, 11, 22)


def compiled(
    recipe: str = RECIPE,
    beside: str | None = None,
    others: Sequence[tuple[str, str]] = (),
    today: date | None = TODAY,
) -> Compiled:
    files = {**FILES, **({"prices.yaml": beside} if beside is not None else {})}
    return compile_recipe(
        recipe, "recipe.yaml", load_catalog(), Memory(files), today=today, prices=others
    )


def plan_of(*args: object, **kwargs: object) -> Plan:
    found = compiled(*args, **kwargs)  # type: ignore[arg-type]
    assert found.plan is not None, render(found.report)
    return found.plan


def test_a_cap_on_money_takes_a_price_of_the_map(tmp_path: Path) -> None:
    plan = plan_of()
    prices, unpriced = find_prices(plan)
    judge = prices["judge"]
    assert unpriced == frozenset()
    assert (judge.input, judge.output) == pytest.approx((0.15e-6, 0.60e-6))
    assert judge.cached_input == pytest.approx(0.075e-6)
    assert (judge.batch, judge.stacks, judge.as_of) == (0.5, False, "2026-10-03")
    assert judge.origin == "price map, openai/gpt-4o-mini"
    purse = open_purse(plan, new_run(tmp_path), tmp_path)
    assert isinstance(purse, Purse)
    worst = purse.prices["judge"].worst(1_000_000, 1_000_000)
    assert worst == 75 * PICO // 100, "the purse charges what the plan says"


def test_the_price_is_no_identity() -> None:
    assert plan_of().digest == plan_of(beside=OWN).digest


def test_the_nearest_word_counts() -> None:
    home = ("/home/me/.config/mashbill/prices.yaml", OWN.replace("0.20", "0.30"))
    said = RECIPE.replace(
        'url: "${GATEWAY_URL}"', 'url: "${GATEWAY_URL}", price: { input: 0.5, output: 1 }'
    )
    layers = [
        (said, OWN, [home], "recipe", 0.5),
        (RECIPE, OWN, [home], "prices.yaml, gpt-4o-mini", 0.2),
        (RECIPE, None, [home], f"{home[0]}, gpt-4o-mini", 0.3),
    ]
    for recipe, beside, others, origin, dollars in layers:
        price = find_prices(plan_of(recipe, beside, others))[0]["judge"]
        assert price.origin == origin
        assert price.input == pytest.approx(dollars / 1e6)


def test_an_unknown_model_stays_unknown() -> None:
    recipe = RECIPE.replace("openai/gpt-4o-mini-2024-07-18", "somebody/own-model")
    (found,) = compiled(recipe).report.diagnostics
    assert found.code == "B551"
    uncapped = recipe.replace("budget: { usd: 150 }\n", "")
    assert find_prices(plan_of(uncapped)) == ({}, frozenset({"judge"}))
    own = "models: { own-model: { input: 1, output: 2 } }"
    assert find_prices(plan_of(recipe, own))[0]["judge"].origin == "prices.yaml, own-model"


def test_models_of_ones_own_cost_nothing_a_token() -> None:
    recipe = RECIPE.replace(
        '{ use: http/openai/gpt-4o-mini-2024-07-18, url: "${GATEWAY_URL}" }', "fake/gpt-4o-mini"
    )
    assert find_prices(plan_of(recipe)) == ({}, frozenset())


def test_a_bad_file_is_told_of_at_its_place() -> None:
    found = compiled(beside="models:\n  gpt-4o-mini: { input: 0.2, ouput: 0.7 }\n")
    text = render(found.report, width=80)
    assert [d.code for d in found.report.errors] == ["B558", "B558"]
    assert "prices.yaml:2:" in text and "did you mean `output`?" in text
    assert found.plan is None


def test_a_bad_file_of_others_is_told_of_too() -> None:
    found = compiled(others=[("~/p.yaml", "models: 3\n")])
    assert [d.code for d in found.report.diagnostics] == ["B558"]
    assert "~/p.yaml" in found.report.files


def test_nobody_reads_prices_that_nobody_needs() -> None:
    recipe = RECIPE.replace(
        '{ use: http/openai/gpt-4o-mini-2024-07-18, url: "${GATEWAY_URL}" }', "fake/any"
    )
    assert compiled(recipe, beside="rows of prices that are data").report.diagnostics == ()
    said = RECIPE.replace(
        'url: "${GATEWAY_URL}"', 'url: "${GATEWAY_URL}", price: { input: 0.5, output: 1 }'
    )
    assert compiled(said, beside="rows of prices that are data").report.diagnostics == ()


def test_old_prices_of_the_map_are_one_quiet_note() -> None:
    recipe = RECIPE.replace(
        "sources:", '  second: { use: http/gpt-4o, url: "${GATEWAY_URL}" }\nsources:'
    )
    assert compiled(recipe).report.diagnostics == ()
    late = compiled(recipe, today=date(2027, 6, 1))
    (note,) = late.report.diagnostics
    assert (note.code, note.severity) == ("B559", "note")
    assert "`judge` (price map, openai/gpt-4o-mini)" in note.message and "second" in note.message
    assert "241 days" in note.message
    assert late.plan is not None


def test_the_file_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_prices() == ()
    file = tmp_path / "mashbill" / "prices.yaml"
    file.parent.mkdir()
    file.write_text(OWN, "utf-8")
    assert user_prices() == ((str(file), OWN),)
    file.write_bytes(b"models: \xff")
    ((_, text),) = user_prices()
    assert [d.code for d in compiled(others=user_prices()).report.diagnostics] == ["B558"], text
