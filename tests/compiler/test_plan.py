"""The plan as a file and as text: the same bytes for the same recipe, and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mashbill.compiler.changes import compare, reason
from mashbill.compiler.explaining import Last, Told, explain
from mashbill.compiler.meaning import meaning_of
from mashbill.compiler.plan import Plan
from mashbill.compiler.render import display_width
from mashbill.compiler.world import Pins

from .edits import BOOK, FILES, PINS, RECIPE
from .world import compile_text, plan_of

PLANS = Path(__file__).parent / "plans"
UPDATE = os.environ.get("MASHBILL_UPDATE") == "1"
PLAN = plan_of(RECIPE, FILES, pins=PINS)
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
  same:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    on_fail: [{ fallback: input }]
  english: { op: filter, from: book, keep: lang == 'en' }
  german: { op: filter, from: same, keep: lang == 'de' }
  a_step_with_a_name_that_is_very_long_indeed: { op: filter, from: [english, german] }
"""


def golden(name: str, text: str) -> None:
    file = PLANS / name
    if UPDATE:
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


@pytest.mark.parametrize("recipe", [RECIPE, PUSHED], ids=["mixed", "pushed"])
def test_a_dumped_plan_loads_as_itself(recipe: str) -> None:
    plan = plan_of(recipe, FILES if recipe is RECIPE else None, pins=PINS)
    again = Plan.load(plan.dump())
    assert again == plan
    assert again.dump() == plan.dump()
    assert again.digest == plan.digest == json.loads(plan.dump())["digest"]


def test_what_is_no_plan_is_refused() -> None:
    for text in ("{}", "[]", "3", PLAN.dump().replace('"mashbill_plan": 1', '"mashbill_plan": 2')):
        with pytest.raises(ValueError, match="not a plan"):
            Plan.load(text)
    with pytest.raises(ValueError):
        Plan.load("no JSON")


def test_the_same_recipe_gives_the_same_bytes() -> None:
    assert plan_of(RECIPE, FILES, pins=PINS).dump() == PLAN.dump()


def test_the_bytes_rest_on_no_hash_seed() -> None:
    """Sets are ordered before they are written, and before a name is guessed from them."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from compiler.test_plan import PUSHED, RECIPE, FILES, PINS\n"
        "from compiler.world import compile_text, plan_of\n"
        "from mashbill.compiler.render import render\n"
        "print(plan_of(RECIPE, FILES, pins=PINS).dump(), plan_of(PUSHED).dump())\n"
        "wrong = RECIPE.replace('from: clean', 'from: clea_').replace('half: 25%', 'halb: 25%')\n"
        "print(render(compile_text(wrong, FILES).report))\n"
    )
    tests = str(Path(__file__).parents[1])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, tests],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_the_golden_plan() -> None:
    golden("mixed.plan.json", PLAN.dump())


def test_names_lead_through_aliases() -> None:
    plan = plan_of(PUSHED)
    assert plan.aliases == {"same": "book"}
    assert plan.node("same") is plan.node("book")
    assert plan.find("nobody") is None
    with pytest.raises(KeyError):
        plan.node("nobody")


def test_secrets_are_names_in_a_plan() -> None:
    assert PLAN.models["judge"]["key"] == "${KEY}"


# -- plan as text


def changed(*pairs: tuple[str, str], pins: Pins = PINS) -> Plan:
    recipe = RECIPE
    for old, new in pairs:
        assert old in recipe or old in BOOK
        recipe = recipe.replace(old, new)
    book = BOOK
    for old, new in pairs:
        book = book.replace(old, new)
    return plan_of(recipe, {**FILES, "prompts/book.md.j2": book}, pins=pins)


LAST: Last = ("r-0007", changed(("words(text) > 3", "words(text) > 2"), ("retry: 2", "retry: 1")))
MISSING = {
    "writer": "local/smollm2-135m is not here; type: mashbill models get smollm2-135m",
    "judge": "set the variable URL",
}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["unmeasured", "rules"])
def test_the_golden_text(name: str, width: int) -> None:
    """Those of measured plans stand in `tests/explaining`."""
    text = {
        "unmeasured": lambda: explain(Told(PLAN, last=LAST, missing=MISSING), width=width),
        "rules": lambda: explain(Told(plan_of(PUSHED)), width=width),
    }[name]()
    golden(f"{name}.{width}.txt", f"{text}\n")
    assert all(display_width(line) <= width for line in text.splitlines())


THREE = ("words(text) > 3", "words(text) > 2")


@pytest.mark.parametrize(
    ("before", "step", "symbol", "why"),
    [
        (THREE, "pages", "~", "keep: …(text) > 2 and l… → …(text) > 3 and l…"),
        (THREE, "clean", "↻", "upstream pages"),
        (THREE, "book", "↻", "upstream clean"),
        (THREE, "drawn", "=", "unchanged"),
        (("retry: 2", "retry: 1"), "book", "~", "on_fail[0].times: 1 → 2"),
        (("min: 0.5", "min: 0.4"), "book", "~", "checks.length.min: 0.4 → 0.5"),
        (("> 2 }", "> 1 }"), "book", "~", "checks.ours.pass: words(text) > 1 → words(text) > 2"),
        (("Keep all facts.", "Keep facts."), "book", "~", "prompt: system block"),
        (("2 + 2 = 4.", "4."), "book", "~", "prompt: examples"),
        (("max_tokens: 400", "max_tokens: 300"), "book", "~", "prompt: max_tokens"),
        (("'plain', 'fine'", "'plain'"), "drawn", "~",
         "set.style: choose(['plain']) → …(['plain', 'fine…"),
        (("max: 60 tokens", "max: 50 tokens"), "book", "~", "chunk.max: 50 → 60"),
        (("local/smollm2-135m", "local/other"), "book", "=", "unchanged"),
        (("  half:", "  old:"), "half", "=", "unchanged, was `old`"),
        (("from: clean", "from: pages"), "book", "~", "from: pages → clean"),
        (("seed: 7", "seed: 6"), "half", "~", "seed: 6 → 7"),
        (("samples: 2 }", "samples: 2, limit: 5 }"), "asked", "~", "limit: 5 → none"),
    ],
)  # fmt: skip
def test_the_reason(before: tuple[str, str], step: str, symbol: str, why: str) -> None:
    pairs = [before]
    if "old" in before[1] and "half" in before[0]:
        pairs.append(("half: 25%", "old: 25%"))
    last = changed(*pairs)
    assert action_of(PLAN, step, last) == (symbol, why)


def action_of(plan: Plan, step: str, last: Plan | None) -> tuple[str, str]:
    node = plan.node(step)
    change = compare(meaning_of(last) if last else None, meaning_of(plan))[node.name]
    return change.symbol, reason(change, source=node.stage == "scan")


def test_the_reason_is_a_model() -> None:
    weights = plan_of(RECIPE, FILES, pins=replace(PINS, models={"writer": "w0", "judge": "j1"}))
    assert action_of(PLAN, "book", weights) == ("~", "model: other weights")
    other = changed(
        ("local/smollm2-135m", "local/other"), pins=replace(PINS, models={"writer": "w0"})
    )
    assert action_of(PLAN, "book", other) == ("~", "model: local/other → local/smollm2-135m")


def test_the_reason_is_data_or_a_new_source() -> None:
    other = plan_of(RECIPE, FILES, pins=replace(PINS, sources={"docs": "d0", "web": "e1"}))
    assert action_of(PLAN, "docs", other) == ("~", "data changed")
    assert action_of(PLAN, "docs", None) == ("+", "new source")


def test_the_reason_of_a_step_that_a_rule_moved_is_what_the_recipe_says_it_reads() -> None:
    recipe = (
        PUSHED.partition("  same:")[0] + "  en: { op: filter, from: book, keep: lang == 'en' }\n"
    )
    here, there = plan_of(recipe), plan_of(recipe.replace("fallback: input", "retry: 1"))
    assert here.applied and here.node("en").inputs == (("docs", ""),)
    assert action_of(here, "en", there) == ("↻", "upstream book")


def test_a_step_that_another_stands_in_for_is_not_new() -> None:
    alone = plan_of(PUSHED.partition("  same:")[0].replace("  book:", "  same:"))
    both = plan_of(PUSHED)
    assert action_of(both, "same", alone)[0] == "+"
    assert action_of(alone, "same", both) == ("=", "unchanged")


def test_text_of_a_recipe_cannot_steer_the_terminal() -> None:
    last = changed(("\"'plain'\"", '"\\e[31mred\\nline"'))
    text = explain(Told(PLAN, last=("r", last)))
    assert "\x1b" not in text
    assert "set.level" in text


def test_compiled_without_pins_is_a_plan_too() -> None:
    plan = compile_text(RECIPE, FILES).plan
    assert plan is not None
    assert plan.models["writer"]["digest"] == ""
    assert plan.digest != PLAN.digest
