"""The `reply:` of the front matter: what it may say, and every complaint with its characters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mashbill.compiler.prompts.replies import Part
from mashbill.compiler.types import STR, Type

from .reading import asking, good, places, read, said

ASKS = "Write <answer>, ## Plan, ```python and \\boxed{} in JSON."


def errors(reply: str, files: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return places(asking(reply, ASKS), files)


@pytest.mark.parametrize(
    ("reply", "parts"),
    [
        ("{ title: text }", [Part("title", "text")]),
        ("{ answer: tag }", [Part("answer", "tag", "answer")]),
        ("{ a: tag answer, b: tag? b }", [Part("a", "tag", "answer"), Part("b", "tag", "b", True)]),
        ("{ the_plan: section }", [Part("the_plan", "section", "The plan")]),
        ("{ plan: section? My Plan }", [Part("plan", "section", "My Plan", True)]),
        ("{ plan: section, code: fence Python }",
         [Part("plan", "section", "Plan"), Part("code", "fence", "python")]),
        ("{ code: fence }", [Part("code", "fence")]),
        ("{ how: text, answer: boxed }", [Part("how", "text"), Part("answer", "boxed")]),
        ("{ json: text }", [Part("json", "text")]),
        ("{ text: boxed }", [Part("text", "boxed")]),
    ],
)  # fmt: skip
def test_shapes_are_read(reply: str, parts: list[Part]) -> None:
    prompt, found = read(asking(reply, ASKS))
    assert [d for d in found if d.code != "P213"] == []
    assert prompt is not None
    assert list(prompt.shape.parts) == parts
    assert prompt.reply == tuple((p.column, STR.maybe(p.optional)) for p in parts)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("text", [("S005", "text")]),
        ("{}", [("S005", "{}")]),
        ("{ answer: tags }", [("P212", "tags")]),
        ("{ answer: xml }", [("P212", "xml")]),
        ("{ answer: [tag] }", [("P212", "[tag]")]),
        ("{ answer: 3 }", [("P212", "3")]),
        ("{ answer: text me }", [("P212", "text me")]),
        ("{ answer: boxed x }", [("P212", "boxed x")]),
        ("{ answer: tag a b }", [("P212", "tag a b")]),
        ("{ code: fence a b }", [("P212", "fence a b")]),
        ("{ plan: 'section ##' }", []),
        ("{ plan: 'section **' }", [("P212", "'section **'")]),
        ("{ _score: text }", [("R114", "_score")]),
        ("{ a b: text }", [("S012", "a b")]),
        ("{ input.text: text }", [("S012", "input.text")]),
        ("{ or: text }", [("S012", "or")]),
        ("{ in: text }", [("S012", "in")]),
        ("{ params: text }", [("S012", "params")]),
        ("{ a: text, b: text }", [("P212", "text")]),
        ("{ a: boxed, b: boxed }", [("P212", "boxed")]),
        ("{ a: tag b, b: tag }", [("P212", "tag")]),
        ("{ plan: section, b: section The_x, c: 'section 1. plan:' }",
         [("P212", "'section 1. plan:'")]),
        ("{ text: tag? }", [("P212", "tag?")]),
        ("{ answer: tag, answer: text }", [("S004", "answer")]),
        ("{ json: schemas/gone.json }", [("R111", "schemas/gone.json")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_shown_to_the_character(
    reply: str, expected: list[tuple[str, str]]
) -> None:
    assert [p for p in errors(reply) if p[0] != "P213"] == expected


def test_a_slip_carries_its_fix() -> None:
    (found,) = said(asking("{ answer: tga name }", ASKS))
    assert [e.replacement for e in found.fix] == ["tag name"]
    (found,) = said(asking("{ answer: box }", ASKS))
    assert found.help == "did you mean `boxed`?"


@pytest.mark.parametrize(
    ("reply", "words", "asked"),
    [
        ("{ answer: tag }", "Answer.", False),
        ("{ answer: tag }", "Write <answer>…</answer>.", True),
        ("{ answer: tag }", "Use answer tags.", True),
        ("{ answer: tag x }", "Write <answer>…</answer>.", False),
        ("{ plan: section }", "Say it.", False),
        ("{ plan: section }", "Begin with a heading `# plan`.", True),
        ("{ code: fence python }", "Say it.", False),
        ("{ code: fence python }", "Give the program as a code block.", True),
        ("{ answer: boxed }", "Say it.", False),
        ("{ answer: boxed }", "Put it in \\boxed{}.", True),
        ("{ title: text }", "Say it.", True),
    ],
)
def test_a_shape_that_the_prompt_never_asks_for(reply: str, words: str, asked: bool) -> None:
    found = places(asking(reply, words))
    assert [code for code, _ in found] == ([] if asked else ["P213"])


def test_examples_show_the_shape_and_must_have_it() -> None:
    shown = 'examples: [{ text: a, reply: "<answer>4</answer>" }]'
    assert places(asking("{ answer: tag }", "Answer.", shown)) == []
    wrong = shown.replace("<answer>4</answer>", "4")
    (found,) = said(asking("{ answer: tag }", "Answer.", wrong))
    assert (found.code, found.help) == ("P212", "it lacks `<answer>…</answer>`")
    assert places(asking("{ answer: tag }", "Answer.", wrong)) == [("P212", '"4"')]


def test_examples_of_a_file_must_have_the_shape_too() -> None:
    lines = '{"text": "a", "reply": "```python\\nx\\n```"}\n{"text": "b", "reply": "x"}\n'
    text = asking("{ code: fence python }", "Code.", "examples: ex.jsonl")
    assert places(text, {"ex.jsonl": lines}) == [("P212", '{"text": "b", "reply": "x"}')]


def test_a_broken_shape_is_not_held_against_the_examples() -> None:
    shown = 'examples: [{ text: a, reply: "4" }]'
    assert [c for c, _ in places(asking("{ answer: tga }", ASKS, shown))] == ["P212"]


# -- schemas

ROOT: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "verdict": {"enum": ["good", "bad"]},
        "score": {"type": "integer", "minimum": 1, "maximum": 5},
        "share": {"type": ["number", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "who": {"$ref": "#/$defs/who"},
        "sure": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "title": "Sure?"},
    },
    "required": ["score", "verdict", "share", "tags"],
    "$defs": {
        "who": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name"],
        }
    },
}


def with_schema(schema: object, reply: str = "{ json: s.json }") -> list[tuple[str, str]]:
    text = schema if isinstance(schema, str) else json.dumps(schema, indent=1)
    return errors(reply, {"s.json": text})


def schema_of(schema: object) -> Any:
    text = asking("{ json: s.json }", ASKS)
    return good(text, {"s.json": json.dumps(schema, indent=1)}).shape.schema


def test_properties_become_columns() -> None:
    schema = schema_of(ROOT)
    who = Type("struct", True, fields=(("name", STR), ("age", Type("int", True))))
    assert [(n, str(t)) for n, t in schema.columns] == [
        ("verdict", "str"),
        ("score", "int"),
        ("share", "float?"),
        ("tags", "list[str]"),
        ("who", str(who)),
        ("sure", "bool?"),
    ]
    sent = json.loads(schema.text)
    assert sent["properties"]["who"] == ROOT["$defs"]["who"]
    assert list(sent["properties"]) == list(ROOT["properties"])
    assert sent["properties"]["sure"] == {"type": ["boolean", "null"]}
    assert "$defs" not in sent


def test_only_what_decides_a_reply_is_identity() -> None:
    text = asking("{ json: s.json }", ASKS)

    def canonical(schema: object, **layout: Any) -> object:
        return good(text, {"s.json": json.dumps(schema, **layout)}).canonical()

    assert canonical(ROOT) == canonical(ROOT, indent="\t", separators=(" , ", " : "))
    titled = {**ROOT, "title": "Verdict", "$comment": "why", "required": ROOT["required"][::-1]}
    assert canonical(ROOT) == canonical(titled)
    inlined = {**ROOT, "properties": {**ROOT["properties"], "who": ROOT["$defs"]["who"]}}
    assert canonical(ROOT) == canonical(inlined)
    stricter = json.loads(json.dumps(ROOT).replace('"maximum": 5', '"maximum": 4'))
    described = json.loads(json.dumps(ROOT).replace('"minimum": 1', '"description": "stars"'))
    # Models that are held to a schema write its properties in order: first think, then judge.
    turned = {**ROOT, "properties": dict(reversed(ROOT["properties"].items()))}
    every = [canonical(s) for s in (ROOT, stricter, described, turned)]
    assert all(one != other for i, one in enumerate(every) for other in every[:i])


def prop(schema: object) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": schema}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("{", "{"),
        ('{"a": 1,}', "}"),
        ("", ""),
        ([1], "["),
        ({"type": "array", "items": {"type": "string"}}, "{"),
        ({"type": "object"}, "{"),
        ({"type": "object", "properties": {}}, "{"),
        (prop({"type": "text"}), '"type"'),
        (prop({}), '"x"'),
        (prop(True), '"x"'),
        (prop({"type": ["string", "integer"]}), '"type"'),
        (prop({"type": "array"}), '"x"'),
        (prop({"type": "string", "pattern": "(a+)+$"}), '"pattern"'),
        (prop({"type": "string", "minLenght": 3}), '"minLenght"'),
        (prop({"type": "string", "maximum": 3}), '"maximum"'),
        (prop({"type": "integer", "maximum": "3"}), '"maximum"'),
        (prop({"oneOf": [{"type": "string"}]}), '"oneOf"'),
        (prop({"anyOf": [{"type": "string"}, {"type": "integer"}]}), '"anyOf"'),
        (prop({"$ref": "#/properties/x"}), '"$ref"'),
        (prop({"$ref": "other.json"}), '"$ref"'),
        (prop({"$ref": "#/$defs/gone"}), '"$ref"'),
        (prop({"type": "object", "properties": {"y": {"type": "array"}}}), '"y"'),
        ({**prop({"type": "string"}), "required": ["z"]}, '"required"'),
        ({**prop({"type": "string"}), "additionalProperties": {"type": "string"}},
         '"additionalProperties"'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_schema_is_shown_in_it(schema: object, expected: str) -> None:
    found = with_schema(schema)
    assert [code for code, _ in found] == ["P212"]
    assert found[0][1][: max(1, len(expected))] == expected[: len(found[0][1])]


def test_a_schema_that_doubles_at_every_level_is_refused() -> None:
    twice = {
        f"d{i}": {
            "type": "object",
            "properties": {"a": {"$ref": f"#/$defs/d{i + 1}"}, "b": {"$ref": f"#/$defs/d{i + 1}"}},
        }
        for i in range(40)
    }
    bomb = {**prop({"$ref": "#/$defs/d0"}), "$defs": {**twice, "d40": {"type": "string"}}}
    assert [c for c, _ in with_schema(bomb)] == ["P212"]  # fmt: skip


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "9" * 5_000, "\ufeff{}", "{}\n"])
def test_schemas_that_are_none(text: str) -> None:
    assert [c for c, _ in with_schema(text)] == ["P212"]


def test_columns_of_a_schema_are_named_as_columns_are() -> None:
    string = {"type": "string"}
    assert with_schema({**prop(string), "properties": {"_id": string}}) == [("R114", "s.json")]
    assert with_schema({**prop(string), "properties": {"a b": string}}) == [("S012", "s.json")]
    assert with_schema(prop(string), "{ x: text, json: s.json }") == [("P212", "text")]
    assert with_schema({**prop(string), "properties": {"text": string}}) == [("P212", "s.json")]


def test_a_schema_file_has_spans_behind_tabs_and_a_byte_order_mark() -> None:
    text = '\ufeff{\n\t"type": "object",\n\t"properties": {"x": {"type": "strin"}}\n}'
    assert with_schema(text) == [("P212", '"type"')]
    (found,) = said(asking("{ json: s.json }", ASKS), {"s.json": text})
    assert found.span is not None
    assert found.span.start == text.rindex('"type"')
    assert [s.text for s in found.secondary] == ["the shape of this prompt's reply"]


def test_json_that_the_prompt_never_asks_for() -> None:
    files = {"s.json": json.dumps(prop({"type": "string"}))}
    assert places(asking("{ json: s.json }", "Judge it."), files) == [("P213", "s.json")]
    assert places(asking("{ json: s.json }", "Answer in JSON."), files) == []
