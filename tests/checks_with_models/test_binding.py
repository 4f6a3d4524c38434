"""What the compiler makes of a check that asks models: names, columns, identity, the plan."""

from __future__ import annotations

from typing import Any

import pytest

from mashbill.compiler.changes import compare
from mashbill.compiler.meaning import meaning_of
from mashbill.compiler.plan import Plan
from mashbill.compiler.world import Pins
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.specs import check_specs
from tests.compiler.world import compile_text, plan_of

JURY = """\
---
inputs: { text: str, votes_cast: int }
reply: { verdict: tag, marks: tag }
---
{% block user %}{{ votes_cast }} votes. <verdict></verdict> <marks></marks> {{ text }}{% endblock %}
"""
FILES = {"prompts/jury.md.j2": JURY}
RECIPE = """\
mashbill: 1
name: first
models: { writer: fake/rewrite, judge: { use: fake/echo, sampling: { temperature: 0.1 } } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  good:
    op: verify
    from: docs
    checks:
      jury: { model: judge, prompt: prompts/jury.md.j2 }
      a_short: { kind: expr, pass: words(text) > 5 }
"""


def good(text: str = RECIPE, files: dict[str, str] | None = None, **more: Any) -> Any:
    return plan_of(text, {**FILES, **(files or {})}, **more).node("good")


def said(text: str, files: dict[str, str] | None = None) -> list[tuple[str, str]]:
    compiled = compile_text(text, {**FILES, **(files or {})})
    found = compiled.report.diagnostics
    return [(d.code, d.message) for d in found if d.severity == "error"]


def test_the_plan_says_who_is_asked_what() -> None:
    plan = plan_of(RECIPE, FILES)
    node = plan.node("good")
    assert node.model is None and node.prompt is None
    assert node.models == {"checks.jury.model": "judge"}
    assert node.asked == ("judge",)
    assert node.prompts["checks.jury.prompt"]["files"] == FILES
    assert set(plan.models) == {"judge"}, "nobody asks the writer"
    free, jury = node.definition["params"]["checks"]
    assert free["name"] == "a_short" and "models" not in free
    assert jury["models"] == {
        "model": {
            "model": {"engine": "fake", "model": "echo"},
            "sampling": {"temperature": 0.1, "top_p": 1.0, "max_tokens": 512},
        }
    }
    assert "model" not in jury["params"] and "sampling" not in jury["params"]
    read = Plan.load(plan.dump())
    assert read == plan or read.to_json() == plan.to_json()
    assert read.node("good").models == node.models


def test_checks_that_ask_come_last() -> None:
    text = RECIPE.replace("a_short", "z_short")
    assert [c["name"] for c in good(text).definition["params"]["checks"]] == ["z_short", "jury"]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("judge", "juror", True),  # what the recipe calls it
        ("temperature: 0.1", "temperature: 0.2", False),
        ("fake/echo", "fake/words", False),
        ("prompt: prompts/jury.md.j2", "prompt: prompts/other.md.j2", True),
        ("prompt: prompts/jury.md.j2", "prompt: prompts/jury.md.j2, votes: 1", True),
        ("prompt: prompts/jury.md.j2", "prompt: prompts/jury.md.j2, votes: 2", False),
        (
            "prompt: prompts/jury.md.j2",
            "prompt: prompts/jury.md.j2, sampling: { temperature: 0.1 }",
            True,
        ),
        (
            "prompt: prompts/jury.md.j2",
            "prompt: prompts/jury.md.j2, sampling: { max_tokens: 9 }",
            False,
        ),
    ],
)
def test_identity(old: str, new: str, same: bool) -> None:
    changed = good(RECIPE.replace(old, new), {"prompts/other.md.j2": JURY})
    assert (changed.fingerprint == good().fingerprint) is same


def test_weights_stand_for_the_model_once_they_are_known() -> None:
    pinned = good(pins=Pins(models={"judge": "d1"}))
    (_, jury) = pinned.definition["params"]["checks"]
    assert jury["models"]["model"]["model"] == {"digest": "d1"}
    assert pinned.fingerprint != good().fingerprint


def test_words_of_the_prompt_are_identity() -> None:
    changed = good(files={"prompts/jury.md.j2": JURY.replace(" votes.", " voices.")})
    assert changed.fingerprint != good().fingerprint
    commented = JURY.replace("{% block user %}", "{# why #}\n{% block user %}")
    assert good(files={"prompts/jury.md.j2": commented}).fingerprint == good().fingerprint


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("model: judge", "model: juge", "R110", "no model is called `juge`"),
        ("prompts/jury", "prompts/jurry", "R111", "no such prompt file"),
        ("j2 }", "j2, pass: mark > 3 }", "X151", "`mark`"),
        ("j2 }", "j2, second: judg }", "R110", "no model is called `judg`"),
    ],
)
def test_what_is_wrong_is_told(old: str, new: str, code: str, words: str) -> None:
    ((found, message),) = said(RECIPE.replace(old, new))
    assert found == code and words in message


def test_a_prompt_of_a_check_sees_what_the_check_sees() -> None:
    unknown = JURY.replace("text: str", "txt: str").replace("{{ text }}", "{{ txt }}")
    ((code, _),) = said(RECIPE, {"prompts/jury.md.j2": unknown})
    assert code == "P201"
    ours = JURY.replace("text: str", "input.text: str").replace("{{ text }}", "{{ input.text }}")
    ((code, _),) = said(RECIPE, {"prompts/jury.md.j2": ours})
    assert code == "P201", "rows of a source were given nothing"
    made = RECIPE.replace("op: verify", "op: rewrite").replace(
        "from: docs", "from: docs\n    model: writer\n    prompt: prompts/book.md.j2"
    )
    assert not said(made, {"prompts/jury.md.j2": ours})


def test_an_expression_of_a_check_sees_its_reply() -> None:
    (check,) = (
        c
        for c in good(
            RECIPE.replace("j2 }", "j2, pass: \"verdict == 'good' and votes_cast > 0\" }")
        ).definition["params"]["checks"]
        if c["name"] == "jury"
    )
    assert check["params"]["pass"] == "verdict == 'good' and votes_cast > 0"


def test_reads_are_columns_of_the_row() -> None:
    compiled = compile_text(RECIPE.replace("j2 }", "j2, pass: \"marks == '1'\" }"), FILES)
    assert compiled.graph is not None
    traits = compiled.graph.nodes["good"].traits
    assert traits.reads == {"text"}
    assert traits.cost == "model"


def test_why_names_the_check() -> None:
    other = RECIPE.replace("fake/echo", "fake/words")
    plans = [plan_of(text, FILES) for text in (RECIPE, other)]
    before, after = (meaning_of(plan, catalog=load_catalog()) for plan in plans)
    (change,) = compare(before, after)["good"].changes
    assert (change.kind, change.field) == ("model", "checks.jury.model")
    assert (change.old, change.new) == ("fake/echo", "fake/words")


def test_equal_steps_share_their_calls_unless_their_models_differ() -> None:
    twice = RECIPE + RECIPE.split("steps:\n")[1].replace("good:", "more:")
    both = twice + "  all: { op: filter, from: [good, more], keep: true }\n"
    assert plan_of(both, FILES).aliases == {"more": "good"}
    other = both.replace("judge: {", "other: fake/echo, judge: {")
    first, second = other.split("  more:")
    apart = first + "  more:" + second.replace("model: judge", "model: other")
    assert plan_of(apart, FILES).aliases == {}


def test_a_spec_of_a_check_that_asks() -> None:
    free, jury = check_specs(good().definition["params"]["checks"])
    assert free.models == ()
    assert dict(dict(jury.models)["model"])["max_tokens"] == 512
    assert hash(jury) == hash(jury)
