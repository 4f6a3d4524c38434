"""Whether a text is JSON, and of a certain shape."""

from __future__ import annotations

import json as parser
from collections.abc import Mapping, Sequence
from typing import Any

from ...compiler.params import JsonSchema
from ...compiler.registry import Case, Column, check
from ..verdict import Check, Row, Verdict

_TEXT = Column("text")
_PRICED = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "prices": {"items": {"minimum": 0}}},
    "required": ["name"],
}
_SHOWN = 200


@check(
    version=1,
    packages=("jsonschema",),
    cases=(
        Case({}, {"text": ' {"a": [1, 2.5, null]}\n'}, True),
        Case({}, {"text": '{"a": 1,}'}, "not_json"),
        Case({}, {"text": '{"a": 1, "a": 2}'}, "not_json"),
        Case({}, {"text": "NaN"}, "not_json"),
        Case({}, {"text": ""}, "not_json"),
        Case({"schema": _PRICED}, {"text": '{"name": "tea", "prices": [1, 0]}'}, True),
        Case({"schema": _PRICED}, {"text": '{"name": "tea", "prices": [1, -2]}'}, "schema"),
        Case({"schema": _PRICED}, {"text": "{}"}, "schema"),
        Case({"got": "item", "schema": _PRICED}, {"item": {"name": "tea"}}, True),
    ),
)
def json(got: Column = _TEXT, schema: JsonSchema | None = None) -> Check:
    """Hold a column to JSON, and to a JSON Schema if one is given.

    Stricter than most readers: no key twice in one object, no NaN, nothing before or behind. The
    evidence is the place of the first fault, as a path: `$.prices[1]`.

    Args:
        got: The column: a text, or what a reply's JSON became.
        schema: A file of the recipe (`schemas/item.json`), or the schema itself. References stay
            within it.
    """
    from jsonschema import Draft202012Validator

    wanted: Any = parser.loads(schema) if isinstance(schema, str) else schema
    validator: Any = Draft202012Validator({} if wanted is None else wanted)

    def judge(row: Row) -> Verdict:
        value = row[got]
        if isinstance(value, str) or value is None:
            try:
                value = parser.loads(
                    value or "", object_pairs_hook=_once, parse_constant=_no_constant
                )
            except (ValueError, RecursionError) as error:
                return Verdict(False, "not_json", {"problem": _words(error)})
        faults = sorted(validator.iter_errors(value), key=lambda f: [str(p) for p in f.path])
        if not faults:
            return Verdict(True)
        first = faults[0]
        seen = {"path": _path(first.absolute_path), "problem": first.message[:_SHOWN]}
        return Verdict(False, "schema", {**seen, "faults": len(faults)})

    return judge


def _once(pairs: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _words(error: Exception) -> str:
    if isinstance(error, parser.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return str(error) if isinstance(error, ValueError) else "nested too deeply"


def _path(parts: Sequence[str | int]) -> str:
    """As people write it: `$.prices[1]`."""
    return "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts)
