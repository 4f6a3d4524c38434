"""Binding of a JSON Schema that a check holds texts to: a file of the recipe, or written in place.

What is bound is its canonical text, so the file's name and layout are no part of identity.
"""

from __future__ import annotations

import json
from typing import Any

from .asking import reader_for
from .bound import Bound
from .diagnostics import Diagnostic, Span
from .document import Map, Node, plain
from .scope import Binding


def bind_json_schema(node: Node, binding: Binding, bound: Bound) -> str | None:
    """The schema's text; None, and a diagnostic, where it is none."""
    schema = plain(node) if isinstance(node, Map) else _read(str(plain(node)), node, binding, bound)
    if schema is None:
        return None
    if wrong := _wrong(schema):
        binding.add(Diagnostic("S005", f"this is not a JSON Schema: {wrong}", node.span))
        return None
    return json.dumps(schema, sort_keys=True, ensure_ascii=False)


def _read(path: str, node: Node, binding: Binding, bound: Bound) -> Any:
    read = reader_for(path, node, binding, bound.prompt_files, "schema file")
    if read is None:
        return None
    text = read(path)
    shown = binding.world.shown(path)
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        at = min(error.pos, max(0, len(text) - 1))
        message = f"{path} is not JSON: {error.msg.lower()}"
        binding.add(Diagnostic("S005", message, Span(shown, at, at + 1)))
    except (ValueError, RecursionError):
        message = f"{path} is not JSON that can be read"
        binding.add(Diagnostic("S005", message, Span(shown, 0, 1)))
    return None


def _wrong(schema: Any) -> str:
    """What is wrong with a schema, in a few words; empty where nothing is."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if not isinstance(schema, dict):
        return "it is a map of keywords"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = ".".join(str(p) for p in error.absolute_path)
        return f"{place}: {error.message}" if place else error.message
    if strange := next(_outside(schema), None):
        return f"it refers to `{strange}`, and only its own parts can be referred to (`#/$defs/…`)"
    return ""


def _outside(value: Any) -> Any:
    """References that lead out of the schema: nothing is ever fetched."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("$ref", "$dynamicRef") and isinstance(inner, str):
                if not inner.startswith("#"):
                    yield inner
            else:
                yield from _outside(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _outside(inner)
