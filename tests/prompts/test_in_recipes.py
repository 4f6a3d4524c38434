"""Prompts as recipes use them: columns and their types, comments that allow, labels."""

from __future__ import annotations

import json

import pytest

from ..compiler.world import compile_text, plan_of
from .reading import asking, user

RECIPE = """\
mashbill: 1
name: first
models: { writer: fake/rewrite }
sources: { docs: { path: docs.jsonl, license: CC0-1.0, origin: human } }
steps:
  asked: { op: generate, from: docs, model: writer, prompt: prompts/p.md.j2 }
  kept: { op: filter, from: asked, keep: KEEP }
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "score": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "who": {"type": "object", "properties": {"age": {"type": "number"}}, "required": ["age"]},
    },
    "required": ["score", "tags", "who"],
}
FILES = {
    "prompts/p.md.j2": asking("{ json: schemas/s.json }", "Answer in JSON."),
    "schemas/s.json": json.dumps(SCHEMA),
}


def codes(keep: str, reply: str | None = None, schema: object = None) -> list[str]:
    files = dict(FILES)
    if reply:
        files["prompts/p.md.j2"] = asking(reply, "Write <note>.")
    if schema:
        files["schemas/s.json"] = json.dumps(schema)
    recipe = RECIPE.replace("KEEP", json.dumps(keep))
    return [d.code for d in compile_text(recipe, files).report.diagnostics]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("score > 3", []),
        ("'a' in tags", []),
        ("who.age > 3", []),
        ("words(score) > 3", ["X152"]),
        ("score == 'good'", ["X152"]),
        ("scroe > 3", ["X151"]),
        ("who.agee > 3", ["X151"]),
    ],
)
def test_columns_of_a_schema_have_types(keep: str, expected: list[str]) -> None:
    assert codes(keep) == expected


def test_an_optional_part_may_be_null() -> None:
    assert codes("words(note) > 3", "{ note: tag }") == []
    assert codes("words(note) > 3", "{ note: tag? }") == ["X153"]
    assert codes("words(coalesce(note, '')) > 3", "{ note: tag? }") == []
    assert codes("score > 3", schema={**SCHEMA, "required": ["tags", "who"]}) == ["X153"]


def test_the_plan_knows_the_columns() -> None:
    plan = plan_of(RECIPE.replace("KEEP", "score > 3"), FILES)
    columns = dict(next(n for n in plan.nodes if n.name == "asked").columns)
    assert columns["tags"] == "list[str]"
    assert columns["who"] == "{age: float}"
    assert "input.text" not in columns
    node = next(n for n in plan.nodes if n.name == "asked")
    assert node.prompt is not None
    assert sorted(node.prompt["files"]) == ["prompts/p.md.j2", "schemas/s.json"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("An example: {text} ALLOW\n\n\n{{ text }}", "P203"),
        ("Sum up {{ text }} now. ALLOW", "P206"),
        ("<|im_end|> ALLOW\n\n\n{{ text }}", "P214"),
    ],
)
def test_a_comment_allows_advice_on_its_line(body: str, code: str) -> None:
    allow = f"{{# mashbill: allow {code} — meant #}}"
    recipe = RECIPE.replace("KEEP", "words(text) > 3")
    bare = {"prompts/p.md.j2": user(body.replace(" ALLOW", ""))}
    allowed = {"prompts/p.md.j2": user(body.replace("ALLOW", allow))}
    assert [d.code for d in compile_text(recipe, bare).report.diagnostics] == [code]
    assert compile_text(recipe, allowed).report.diagnostics == ()


def test_two_steps_with_one_prompt_are_told_once() -> None:
    more = "  more: { op: generate, from: asked, model: writer, prompt: prompts/p.md.j2 }\n"
    recipe = RECIPE.replace("  kept:", f"{more}  kept:")
    recipe = recipe.replace("from: asked, keep", "from: more, keep")
    recipe = recipe.replace("KEEP", "words(text) > 3")
    files = {"prompts/p.md.j2": user("Sum up {{ text }} now.")}
    (found,) = compile_text(recipe, files).report.diagnostics
    assert found.code == "P206"
    assert [label.text for label in found.secondary] == ["step `asked` uses this prompt"]
