"""The whole JSON Schema of a recipe, for editors: completion, hover texts, red lines.

`check` does not use it: one schema with if/then is slow on many steps and says less of what is
wrong, and it cannot see a reference, an expression or a prompt.
"""

from __future__ import annotations

from collections.abc import Iterable

from .registry import Catalog
from .schema import CHECKS_SCHEMA, STEP_KEYS, TOP, Schema, kind_schema, step_schema


def recipe_schema(catalog: Catalog) -> Schema:
    """The whole schema (JSON Schema 2020-12), composed from a catalogue of operators.

    The same bytes for the same catalogue, whatever the order of its maps.
    """
    steps, kinds = sorted(catalog.steps), sorted(catalog.checks)
    step = {"properties": STEP_KEYS, **_by("op", "The operator.", "step", steps)}
    any_check = _by("kind", "The kind of check.", "check", kinds)
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
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mashbill recipe",
        **TOP,
        "properties": {**top, "steps": {**top["steps"], "additionalProperties": step}},
        "$defs": {
            **{f"step_{name}": _referring(step_schema(catalog.steps[name])) for name in steps},
            **{f"check_{kind}": kind_schema(catalog.checks[kind]) for kind in kinds},
            "any_check": any_check,
            "checks": checks,
        },
    }


def _by(key: str, about: str, family: str, names: Iterable[str]) -> Schema:
    """One of several maps, told apart by the value of a key."""
    names = list(names)
    return {
        "type": "object",
        "required": [key],
        "allOf": [
            {"properties": {key: {"description": about, "enum": names}}},
            *(
                {
                    "if": {"properties": {key: {"const": name}}, "required": [key]},
                    "then": {"$ref": f"#/$defs/{family}_{name}"},
                }
                for name in names
            ),
        ],
    }


def _referring(schema: Schema) -> Schema:
    """A step's schema in which the open fragment for checks is the kinds that there are."""
    properties = {
        key: {"description": value["description"], "$ref": "#/$defs/checks"}
        if value.get("format") == "checks"
        else value
        for key, value in schema["properties"].items()
    }
    return {**schema, "properties": properties}
