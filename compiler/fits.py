"""A fast yes to the question whether a value fits a JSON Schema.

A schema becomes one function of plain tests. Yes is certain; no means only that a full validator
must look, which it then does to say what is wrong. So a recipe in good shape is checked without
importing one, a thousand steps in hundredths of a second, and no keyword can be misjudged: what is
not known here is never a yes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Test = Callable[[Any], bool]
Reader = Callable[[object], object]

_CLASSES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_NUMBERS = (int, float)
_OF_OBJECTS = frozenset({"properties", "required", "additionalProperties", "propertyNames"})
_WORDS = frozenset({"description", "title", "examples", "default"})


def fits(schema: Mapping[str, Any], readers: Mapping[str, Reader]) -> Test:
    """A test that is true only for values that fit.

    Args:
        schema: Of values as YAML gives them: `type(value)` is exact, `True` is no number.
        readers: For a `format`, a function that gives words (a `str`) for a text or number that it
            cannot read. Other formats bind nothing.
    """
    tests: list[Test] = []
    if kinds := schema.get("type"):
        names = [kinds] if isinstance(kinds, str) else kinds
        classes = frozenset(c for name in names for c in _CLASSES[name])
        tests.append(lambda value: type(value) in classes)
    for keyword, limit in schema.items():
        if keyword in _OF_OBJECTS or keyword in _WORDS or keyword == "type":
            continue
        if keyword == "format":
            if reader := readers.get(limit):
                tests.append(_readable(reader))
        elif keyword == "items":
            tests.append(_each(fits(limit, readers)))
        elif make := _KEYWORDS.get(keyword):
            tests.append(make(limit))
        else:
            return lambda _: False
    if not _OF_OBJECTS.isdisjoint(schema):
        tests.append(_object(schema, readers))
    every = tuple(tests)

    def test(value: Any) -> bool:
        for each in every:  # noqa: SIM110 - `all` over a generator costs twice as much
            if not each(value):
                return False
        return True

    return test


def _object(schema: Mapping[str, Any], readers: Mapping[str, Reader]) -> Test:
    properties = {k: fits(v, readers) for k, v in schema.get("properties", {}).items()}
    required = frozenset(schema.get("required", ()))
    names = fits(schema.get("propertyNames", {}), readers)
    more = schema.get("additionalProperties", {})
    rest: Test | None = None if more is False else fits({} if more is True else more, readers)

    def test(value: Any) -> bool:
        if type(value) is not dict:
            return True
        for key, inner in value.items():
            known = properties.get(key, rest)
            if known is None or not known(inner) or not names(key):
                return False
        return required <= value.keys()

    return test


def _each(item: Test) -> Test:
    return lambda value: type(value) is not list or all(map(item, value))


def _readable(read: Reader) -> Test:
    return lambda value: type(value) not in (str, int, float) or not isinstance(read(value), str)


def _pattern(pattern: str) -> Test:
    search = re.compile(pattern).search
    return lambda value: type(value) is not str or search(value) is not None


def _one_of(values: list[Any]) -> Test:
    return lambda value: any(type(value) is type(v) and value == v for v in values)


def _least(of: tuple[type, ...]) -> Callable[[int], Test]:
    return lambda limit: lambda value: type(value) not in of or len(value) >= limit


_KEYWORDS: dict[str, Callable[[Any], Test]] = {
    "enum": _one_of,
    "const": lambda limit: _one_of([limit]),
    "pattern": _pattern,
    "minimum": lambda limit: lambda value: type(value) not in _NUMBERS or value >= limit,
    "maximum": lambda limit: lambda value: type(value) not in _NUMBERS or value <= limit,
    "minLength": _least((str,)),
    "minItems": _least((list,)),
    "minProperties": _least((dict,)),
    "maxProperties": lambda limit: lambda value: type(value) is not dict or len(value) <= limit,
}
