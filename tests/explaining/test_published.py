"""The JSON form of a plan: what is published is what comes out, for every shipped recipe too."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from mashbill.compiler.estimating.estimates import Estimates, StepEstimate
from mashbill.compiler.estimating.numbers import Number
from mashbill.compiler.explaining import PilotSpent, Told, plan_json
from mashbill.compiler.plan import Plan

from .published import schema
from .samples import SAMPLES, about, exact, rows, spending

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "schemas" / "plan.schema.json"
RECIPES = sorted(
    p.parent for top in ("recipes", "examples") for p in ROOT.glob(f"{top}/*/recipe.yaml")
)


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(FILE.read_text("utf-8")))


def told(sample: Told, **more: Any) -> dict[str, Any]:
    made = plan_json(replace(sample, **more))
    value: dict[str, Any] = json.loads(json.dumps(made, allow_nan=False))
    return value


def test_the_published_schema_is_that_of_the_dataclasses() -> None:
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("MASHBILL_UPDATE") == "1":
        FILE.write_text(text, "utf-8")
    assert FILE.read_text("utf-8") == text
    Draft202012Validator.check_schema(schema())


def test_everything_in_it_is_closed_and_described() -> None:
    def walk(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            yield value
        for inner in (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        ):
            yield from walk(inner)

    for found in walk(json.loads(FILE.read_text("utf-8"))):
        if isinstance(found.get("properties"), dict) and "type" in found:
            assert found["additionalProperties"] is False
            for name, inner in found["properties"].items():
                assert len(found["properties"]) == 6 or inner.get("description"), name


@pytest.mark.parametrize("name", SAMPLES)
def test_it_holds_for_plans(name: str) -> None:
    validator().validate(told(SAMPLES[name]()))


def test_it_holds_for_what_a_plan_may_lack() -> None:
    sample = SAMPLES["edu"]()
    for made in (
        told(replace(sample, estimates=None, last=None)),
        told(sample, selected=["judged"], budget={}),
        told(sample, worth=None, pilot=PilotSpent(64)),
    ):
        validator().validate(made)
    with pytest.raises(ValidationError):
        validator().validate({**told(sample), "surprise": 1})


@pytest.mark.parametrize("folder", RECIPES, ids=lambda f: f.name)
def test_it_holds_for_shipped_recipes(folder: Path) -> None:
    import mashbill as mb

    plan = mb.load(folder / "recipe.yaml").compile().plan
    assert plan is not None
    validator().validate(told(Told(plan, guessed(plan))))


def guessed(plan: Plan) -> Estimates:
    """Some numbers for every step of a plan."""
    spent = spending(exact(10), about(100, 0.1, "s"), Number(None, "?"), (10, 100, 1000))
    steps = {
        n.name: StepEstimate(exact(10), about(9, 0.1, "s"), spent if n.asked else None,
                             dict.fromkeys(n.asked, spent))
        for n in plan.nodes
    }  # fmt: skip
    return Estimates(steps, spent, human_share=exact(0.5))


def test_unknown_is_null_and_never_nothing() -> None:
    sample = SAMPLES["edu"]()
    assert sample.estimates is not None
    step = rows(1, Number(None, "?"), spending=spending(
        Number(None, "?"), exact(1), exact(1), (1, 1, 1), usd=Number(None, "?"), worst_usd=None
    ))  # fmt: skip
    made = told(replace(sample, estimates=Estimates({"judged": step}, step.spending)))
    (judged,) = (s["estimate"] for s in made["steps"] if s["name"] == "judged")
    nothing = {"value": None, "basis": "?", "low": None, "high": None}
    assert judged["rows_out"] == judged["spending"]["calls"] == nothing
    assert judged["spending"]["worst_usd"] == made["total"]["usd"] == nothing
    assert made["mix"]["parts"]["web_clean"] == {
        "weight": 0.5, "taken": None, "supply": None, "epochs": None, "render": None
    }  # fmt: skip


def test_caps_are_told_in_the_words_of_the_recipe() -> None:
    made = told(SAMPLES["edu"]())
    caps = {cap["path"]: cap for cap in made["caps"]}
    assert set(caps) == {
        "budget.usd", "budget.gpu_hours", "budget.tokens", "budget.steps.judged.requests"
    }  # fmt: skip
    assert caps["budget.gpu_hours"]["limit"] == 40
    assert caps["budget.gpu_hours"]["worst"]["value"] == 102
    assert caps["budget.steps.judged.requests"]["expected"]["value"] == 30_000
    assert made["budget"] == {"usd": 150, "gpu_hours": 40, "tokens": 3e9, "wall": 86400}


def test_actions_are_words() -> None:
    made = told(SAMPLES["edu"]())
    actions = {s["name"]: s["action"] for s in made["steps"]}
    assert actions["web_quality"] == "changed"
    assert actions["web_rewrite"] == "run_again"
    assert actions["docs"] == "unchanged"
