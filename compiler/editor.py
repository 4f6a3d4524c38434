"""The whole JSON Schema of a recipe, for editors: completion, hover texts, red lines.

`check` does not use it: one schema with if/then is slow on many steps and says less of what is
wrong, and it cannot see a reference, an expression or a prompt. Beside what `check` knows it says
what editors offer: examples of values, what each operator is for, a snippet for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .docstrings import parameter_docs
from .registry import Catalog, Operator
from .schema import CHECKS_SCHEMA, STEP_KEYS, TOP, Schema, kind_schema, step_schema

_ABOUT = {
    "again": "Allow text that is a rewrite already.",
    "keep": "The rows to keep, as an expression; a row for which it is null is rejected.",
    "min_words": "Documents with fewer words than this afterwards are rejected.",
    "model": "A model of this recipe, by name.",
    "pass": "The rows that pass, as an expression.",
    "prompt": "The prompt file, relative to the recipe.",
    "render": "The template that turns the fields of the reply into training text.",
    "samples": "How many replies each row gets; each is a row.",
    "threshold": "How sure it must be that a line is content to keep it.",
}
"""Of parameters whose operator does not describe them."""

_EXAMPLES: Mapping[str, list[Any]] = {
    "bytes": ["256MB"],
    "chunk": [{"by": "sentence", "max": "60 tokens"}],
    "engine": ["local/smollm2-135m", "fake/rewrite", "fake/words"],
    "expression": ["words(text) >= 50", "50 <= words(text) <= 2000", "hash01(_doc) < 0.5"],
    "ladder": [[{"retry": 2}, {"fallback": "input"}], "reject"],
    "pattern": ["(?i)^(sure|here is)"],
    "prompt": ["prompts/book.md.j2"],
    "template": ["prompts/out.j2"],
    "sampling": [{"temperature": 0.7, "max_tokens": 512}],
    "set": [{"level": "= choose(['pupil', 'student'])"}],
    "share": ["50%"],
    "tokens": ["2M tokens"],
}
"""By what a value stands for (the keyword `format`)."""

_LICENCES = ["CC0-1.0", "CC-BY-4.0", "ODC-By-1.0", "MIT", "Apache-2.0"]
_SNIPPETS: Mapping[str, str] = {
    "from": "${1:docs}",
    "model": "${2:writer}",
    "prompt": "prompts/${3:book}.md.j2",
}


def recipe_schema(catalog: Catalog) -> Schema:
    """The whole schema (JSON Schema 2020-12), composed from a catalogue of operators.

    The same bytes for the same catalogue, whatever the order of its maps.
    """
    steps, kinds = sorted(catalog.steps), sorted(catalog.checks)
    step = {
        **_by("op", STEP_KEYS, "step", catalog.steps),
        "description": "One operator applied to rows of others.",
        "defaultSnippets": [_snippet(catalog.steps[name]) for name in steps],
    }
    any_check = {"kind": {"description": "The kind of check."}}
    checks = {
        **CHECKS_SCHEMA,
        "properties": {
            kind: {
                "description": catalog.checks[kind].about,
                "if": {"required": ["kind"]},
                "then": {"$ref": "#/$defs/any_check"},
                "else": {"$ref": f"#/$defs/check_{kind}"},
            }
            for kind in kinds
        },
        "additionalProperties": {"$ref": "#/$defs/any_check"},
    }
    top = TOP["properties"]
    schema: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mashbill recipe",
        **TOP,
        "properties": {**top, "steps": {**top["steps"], "additionalProperties": step}},
        "$defs": {
            **{
                f"step_{name}": _referring(_described(step_schema(op), op))
                for name in steps
                for op in [catalog.steps[name]]
            },
            **{
                f"check_{kind}": _described(kind_schema(op), op)
                for kind in kinds
                for op in [catalog.checks[kind]]
            },
            "any_check": _by("kind", any_check, "check", catalog.checks),
            "checks": checks,
        },
    }
    shown: Schema = _with_examples(_computable(schema))
    return shown


def _computable(schema: Any) -> Any:
    """A schema whose numbers and switches may be expressions instead: `samples: = params.n`."""
    if isinstance(schema, list):
        return [_computable(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _computable(inner) for name, inner in schema.items()}
    kinds = schema.get("type")
    plain = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    if plain and set(plain) <= {"integer", "number", "boolean"} and "const" not in schema:
        return {**made, "type": [*plain, "string"], "pattern": "^="}
    return made


def _by(key: str, shared: Schema, family: str, operators: Mapping[str, Operator]) -> Schema:
    """One of several maps, told apart by the value of a key."""
    names = sorted(operators)
    chosen = {
        "description": shared[key]["description"],
        "enum": names,
        "markdownEnumDescriptions": [operators[name].about for name in names],
    }
    return {
        "type": "object",
        "properties": {**shared, key: chosen},
        "required": [key],
        "allOf": [
            {
                "if": {"properties": {key: {"const": name}}, "required": [key]},
                "then": {"$ref": f"#/$defs/{family}_{name}"},
            }
            for name in names
        ],
    }


def _described(schema: Schema, operator: Operator) -> Schema:
    """A schema whose parameters say what the operator's docstring says of them."""
    said = {**_ABOUT, **parameter_docs(operator)}
    own = {p.name for p in operator.params}
    properties = {
        key: {**value, "description": said[key]} if key in own and key in said else value
        for key, value in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _referring(schema: Schema) -> Schema:
    """A step's schema in which the open fragment for checks is the kinds that there are."""
    properties = {
        key: {"description": value["description"], "$ref": "#/$defs/checks"}
        if value.get("format") == "checks"
        else value
        for key, value in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _snippet(operator: Operator) -> dict[str, Any]:
    """A step with what its operator must have, for an editor to put in."""
    needed = ["from", *(p.name for p in operator.params if p.required)]
    body = {name: _SNIPPETS.get(name, "$0") for name in needed}
    if operator.name == "filter":
        body["keep"] = "words(text) >= ${2:50}"
    return {
        "label": operator.name,
        "description": operator.about,
        "body": {"op": operator.name, **body},
    }


def _with_examples(schema: Any, key: str = "") -> Any:
    """A schema with examples wherever what a value stands for has some."""
    if isinstance(schema, list):
        return [_with_examples(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        name: {k: _with_examples(v, k) for k, v in inner.items()}
        if name in ("properties", "$defs")
        else _with_examples(inner)
        for name, inner in schema.items()
        if name not in ("examples", "defaultSnippets")
    }
    for kept in ("examples", "defaultSnippets"):
        if kept in schema:
            made[kept] = schema[kept]
    found = _LICENCES if key == "license" else _EXAMPLES.get(str(schema.get("format")))
    if found and "examples" not in made:
        made["examples"] = found
    return made
