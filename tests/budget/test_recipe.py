"""Budgets, prices and hardware in a recipe: read, layered, planned, estimated, and no identity."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from mashbill.compiler.compile import compile_recipe
from mashbill.compiler.plan import Plan
from mashbill.compiler.render import render
from mashbill.runtime.budget import NoPurse, Purse, open_purse
from mashbill.runtime.budget.amounts import PICO, Price
from mashbill.runtime.budget.carried import write_spent
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.runs import new_run

from ..compiler.world import FILES, Memory, compile_text

RECIPE = """\
mashbill: 1
name: edu
profiles:
  h200: { hardware.gpu: H200, hardware.usd_per_gpu_hour: 3.20, budget.gpu_hours: 40 }
models:
  judge: { use: http/judge, url: http://localhost:8000/v1 }
  tiny: local/smollm2-135m
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  book: { op: rewrite, from: docs, model: judge, prompt: prompts/book.md.j2 }
  copy: { op: rewrite, from: docs, model: tiny, prompt: prompts/book.md.j2 }
mix: { total: 1k tokens, parts: { book: 50%, copy: 50% } }
tokenizer: tiny
"""
PRICE = """\
    price: { input: 0.40, output: $1.60, cached_input: 0.1, per: 1M tokens, as_of: 2026-05-01 }
"""
PRICED = RECIPE.replace(
    "{ use: http/judge, url: http://localhost:8000/v1 }",
    "\n    use: http/judge\n    url: http://localhost:8000/v1\n" + PRICE.rstrip(),
)
BUDGET = """\
budget:
  usd: 150
  gpu_hours: 40
  tokens: 3B
  input_tokens: 10B tokens
  requests: 30k
  wall: 24h
  steps: { book: { requests: 5k, usd: $3.50 } }
  breakers: [ { after: 500, when: rejected > params.most }, { after: 2k, when: errors>0.05, step: book } ]
"""  # noqa: E501
CAPPED = PRICED + BUDGET + "hardware: { gpu: H200, count: 8 }\nparams: { most: 0.5 }\n"


def plan(recipe: str, *sets: str, profile: str | None = None) -> Plan:
    """The plan of a recipe that has no errors."""
    compiled = compile_text(recipe, sets=sets, profile=profile)
    assert compiled.plan is not None, render(compiled.report)
    return compiled.plan


def codes(recipe: str, *sets: str, profile: str | None = None) -> list[str]:
    """Codes of what is wrong with a recipe."""
    return [d.code for d in compile_text(recipe, sets=sets, profile=profile).report.diagnostics]


def test_what_the_plan_holds() -> None:
    made = plan(CAPPED)
    assert made.budget == {
        "usd": 150.0,
        "gpu_hours": 40.0,
        "tokens": 3_000_000_000,
        "input_tokens": 10_000_000_000,
        "requests": 30_000,
        "wall": 86_400.0,
        "steps": {"book": {"usd": 3.5, "requests": 5_000}},
        "breakers": [
            {"after": 500, "when": "rejected > 0.5", "step": None},
            {"after": 2_000, "when": "errors > 0.05", "step": "book"},
        ],
    }
    assert made.hardware == {"gpu": "H200", "count": 8, "usd_per_gpu_hour": None}
    assert made.models["judge"]["price"] == {
        "input": 0.4,
        "output": 1.6,
        "cached_input": 0.1,
        "per": 1_000_000,
        "as_of": "2026-05-01",
    }
    assert made.models["tiny"]["price"] is None
    assert Plan.load(made.dump()) == made


def test_a_recipe_without_any_holds_none() -> None:
    made = plan(RECIPE)
    assert made.budget is None and made.hardware is None


def test_none_of_it_is_identity() -> None:
    bare, capped = plan(RECIPE), plan(CAPPED)
    assert capped.digest == bare.digest
    assert capped.results == bare.results
    assert [n.fingerprint for n in capped.nodes] == [n.fingerprint for n in bare.nodes]


def test_layers_reach_it() -> None:
    bare = RECIPE.replace("use: http/judge", "use: fake/words").replace(
        ", url: http://localhost:8000/v1", ""
    )
    made = plan(bare, "budget.tokens=6M", "budget.steps.copy.requests=60k", profile="h200")
    assert made.budget is not None and made.hardware is not None
    assert made.budget["tokens"] == 6_000_000
    assert made.budget["steps"] == {"copy": {"requests": 60_000}}
    assert made.budget["gpu_hours"] == 40.0
    assert made.hardware["usd_per_gpu_hour"] == 3.2
    assert plan(CAPPED, "budget.breakers=[]").budget["breakers"] == []  # type: ignore[index]


@pytest.mark.parametrize(
    "given",
    [
        "budget.usd=0",
        "budget.usd=$0",
        "budget.usd=-3",
        "budget.tokens=0",
        "budget.tokens=2 GB",
        "budget.requests=-1",
        "budget.requests=5 tokens",
        "budget.gpu_hours=0",
        "budget.gpu_hours=$4",
        "budget.gpu_hours=40 USD",
        "budget.wall=24",
        "budget.wall=0h",
        "budget.steps.book.usd=0",
        "models.judge.price.input=-1",
        "models.judge.price.as_of=soon",
        "models.judge.price.per=0 tokens",
        "hardware.count=0",
        "hardware.usd_per_gpu_hour=cheap",
    ],
)
def test_what_is_no_cap_and_no_price(given: str) -> None:
    (found,) = compile_text(CAPPED, sets=[given]).report.diagnostics
    assert found.code == "S005" and found.span is not None
    assert found.span.file.startswith("--set")


def test_money_needs_a_price_of_all_that_is_used() -> None:
    assert codes(RECIPE, "budget.usd=3") == ["B551"]
    assert codes(PRICED, "budget.usd=3") == []  # `local` is free
    assert codes(RECIPE, "budget.usd=3", "models.judge=fake/words") == []
    assert codes(RECIPE, "budget.steps.copy.usd=3") == []  # `judge` is not used there
    assert codes(PRICED, "budget.usd=3", profile="h200") == []  # `tiny` costs time
    assert codes(PRICED, "budget.steps.copy.usd=3", profile="h200") == ["B551"]
    unused = RECIPE.replace("model: judge", "model: tiny")
    assert codes(unused, "budget.usd=3") == []


@pytest.mark.parametrize(
    ("today", "told"), [("2026-10-28", 0), ("2026-10-29", 1), ("2026-01-01", 0)]
)
def test_a_price_gets_old(today: str, told: int) -> None:
    compiled = compile_recipe(
        PRICED, "recipe.yaml", load_catalog(), Memory(FILES), today=date.fromisoformat(today)
    )
    assert [d.code for d in compiled.report.diagnostics] == ["B552"] * told
    assert compiled.plan is not None


@pytest.mark.parametrize(
    ("price", "fits"),
    [
        ("{ input: 0.01, output: 600 }", True),
        ("{ input: 0, output: 0 }", True),
        ("{ input: 0.00015, output: 0.0006, per: 1k tokens }", True),
        ("{ input: 4e-7, output: 1.6 }", False),
        ("{ input: 0.4, output: 1.6, per: 1 token }", False),
        ("{ input: 40000, output: 1.6 }", False),
        ("{ input: 0.4, output: 1.6, cached_input: 4e-8 }", False),
    ],
)
def test_a_price_that_is_a_million_times_off(price: str, fits: bool) -> None:
    found = codes(RECIPE.replace("localhost:8000/v1 }", f"localhost:8000/v1, price: {price} }}"))
    assert set(found) == (set() if fits else {"B553"})


def test_the_purse_of_a_plan(tmp_path: Path) -> None:
    before = new_run(tmp_path)
    write_spent(before, "edu", {"budget.tokens": 77, "budget.steps.gone.tokens": 5}, False)
    made = plan(CAPPED, "hardware.usd_per_gpu_hour=3.60")
    folder = new_run(tmp_path)
    purse = open_purse(made, folder, tmp_path)
    assert isinstance(purse, Purse)
    assert purse.prices == {"judge": Price(400_000, 1_600_000, 100_000)}
    assert purse.gauges["budget.usd"].limit == 150 * PICO
    assert purse.gauges["budget.steps.book.usd"].limit == 7 * PICO // 2
    assert purse.gauges["budget.wall"].limit == 86_400_000
    assert purse.gauges["budget.gpu_hours"].limit == 40 * 3_600_000
    assert purse.gauges["budget.tokens"].spent == 77
    assert purse.clock.gpus == 8 and purse.rate == 1_000_000
    purse.close()
    assert (folder.path / "spent.json").exists()
    assert isinstance(open_purse(plan(RECIPE), folder, tmp_path), NoPurse)
    assert isinstance(open_purse(plan(CAPPED, "budget={breakers: []}"), folder, tmp_path), NoPurse)


def test_a_plan_of_before_budgets_is_read() -> None:
    made = plan(RECIPE).to_json()
    del made["budget"], made["hardware"]
    for model in made["models"].values():
        del model["price"]
    old = Plan.load(json.dumps(made))
    assert old.budget is None and old.hardware is None
    assert isinstance(open_purse(old, SimpleNamespace(id="r-1"), Path()), NoPurse)  # type: ignore[arg-type]
