"""The JSON object of a reply: where it stands, whether it meets its schema, its columns."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...types import ANY, Type
from .marks import Mark, fences
from .shapes import Schema

_UNINDENTED = re.compile(r"^\{", re.M)
_TRIES = 32
"""Places where an object may begin in a reply that says something before it."""
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Found:
    """An object and where it stands."""

    value: Mapping[str, Any]
    mark: Mark


def find_object(text: str) -> Found | str:
    """The JSON object of a reply, or why there is none.

    It is the whole reply; else the last fenced block (of `json`, or of no language) that holds one;
    else what begins with a brace at the start of a line and runs to the end.
    """
    whole = _decode(text)
    if isinstance(whole, dict):
        return Found(whole, Mark(0, len(text), (0, len(text))))
    for fence in reversed(fences(text)):
        if fence.language in ("", "json"):
            value = _decode(text[slice(*fence.inner)])
            if isinstance(value, dict):
                return Found(value, fence)
    for start in [m.start() for m in _UNINDENTED.finditer(text, 1)][-_TRIES:]:
        value = _decode(text[start:])
        if isinstance(value, dict):
            return Found(value, Mark(start, len(text), (start, len(text))))
    return whole if isinstance(whole, str) else "not an object"


def _decode(text: str) -> Any:
    """A JSON value; a `str` says why there is none, so a JSON string is refused as well."""
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos}"
    except (ValueError, RecursionError):
        return "not JSON: a number is too long, or it is nested too deeply"
    return "not an object" if isinstance(value, str) else value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def read_object(schema: Schema, value: Mapping[str, Any]) -> dict[str, Any] | str:
    """The columns of an object, or the first reason why it does not meet its schema."""
    error = next(iter(_validator(schema.text).iter_errors(value)), None)
    if error is not None:
        return f"{_place(error.absolute_path)}{error.message}"[:200]
    try:
        return {name: _shaped(value.get(name), kind) for name, kind in schema.columns}
    except ValueError as unfit:
        return str(unfit)


@lru_cache(maxsize=64)
def _validator(text: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(text))


def _place(path: Any) -> str:
    return ".".join(map(str, path)) + ": " if path else ""


def _shaped(value: Any, kind: Type) -> Any:
    """A value as its column holds it. Raises `ValueError` for what no column can."""
    if value is None:
        return None
    match kind.kind:
        case "str":
            try:
                str(value).encode()
            except UnicodeEncodeError:
                raise ValueError("a character is half of a surrogate pair") from None
        case "int":
            if not -_INT64 <= value < _INT64:
                raise ValueError("a whole number does not fit 64 bits")
            return int(value)
        case "float":
            try:
                value = float(value)
            except OverflowError:
                value = math.inf
            if not math.isfinite(value):
                raise ValueError("a number is too large")
        case "list":
            return [_shaped(v, kind.item or ANY) for v in value]
        case "struct":
            return {name: _shaped(value.get(name), inner) for name, inner in kind.fields}
        case _:
            pass
    return value
