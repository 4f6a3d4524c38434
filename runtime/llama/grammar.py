"""A JSON Schema as a GBNF grammar, which a reply is held to while it is drawn.

llama.cpp reads it, and xgrammar, which vLLM uses.
llama.cpp compiles schemas itself, with white space wherever JSON allows it: a model that loops in
it never ends. Here at most one space stands after a colon and after a comma. What a grammar cannot
say, or this one does not, is refused: a limit that is dropped in silence is worse than none.

GBNF: the llama.cpp project (`grammars/README.md`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ..requests import EngineError
from .ranges import decimal_between, integer_between

MAX_DEPTH = 32
MAX_REPEATS = 5000
"""Of characters and items: llama.cpp writes each repetition out. So many cost no time yet."""

_PLACES = 2
"""Digits behind the point of a number with bounds, unless the bounds have more."""

_BASE = {
    "char": r'[\x20-\x21\x23-\x5B\x5D-\uD7FF\uE000-\U0010FFFF] | "\\" escape',
    "escape": r'["\\/bfnrt] | "u" unit',
    # One code unit that is a character of its own: no half of a surrogate pair.
    "unit": "([0-9a-cA-CefEF] hex hex hex | [dD] [0-7] hex hex)",
    "hex": "[0-9a-fA-F]",
    "colon": '":" " "?',
    "comma": '"," " "?',
    "integer": '"-"? ("0" | [1-9] [0-9]{0,17})',
    "number": 'integer ("." [0-9]{1,17})? ([eE] [-+]? [0-9]{1,2})?',
    "boolean": '"true" | "false"',
}
_USES = {"char": ("escape",), "escape": ("unit",), "unit": ("hex",), "number": ("integer",)}

_SILENT = frozenset({
    "$schema", "$id", "$comment", "title", "description", "default", "examples",
})  # fmt: skip
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_KEYWORDS: Mapping[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength"}),
    "integer": _BOUNDS,
    "number": _BOUNDS,
    "boolean": frozenset(),
    "null": frozenset(),
}
_KNOWN = frozenset({"type", "enum", "const", "anyOf"}).union(_SILENT, *_KEYWORDS.values())

Path = tuple[str, ...]


@lru_cache(maxsize=64)
def compile_grammar(schema: str) -> str:
    """The grammar of all replies that meet a schema, written compactly.

    Objects have their declared properties, in the order of the schema; those that are not required
    may be left out. A number with bounds is written with a fixed count of decimals.

    Args:
        schema: A JSON Schema as JSON text: `type` (one or several), `properties`, `required`,
            `additionalProperties` (true or false: others are not written), `items`, `minItems`,
            `maxItems`, `minLength`, `maxLength`, bounds of numbers, `enum`, `const`, `anyOf`.

    Raises:
        EngineError: `schema`, for anything else, and for a schema that nothing meets.
    """
    try:
        root = json.loads(schema)
    except ValueError as reason:
        raise EngineError("schema", f"the schema is not JSON: {reason}", retryable=False) from None
    maker = _Maker()
    text = maker.value(root, ())
    return "\n".join(f"{name} ::= {rule}" for name, rule in [("root", text), *maker.rules()]) + "\n"


@dataclass(slots=True)
class _Maker:
    """Turns schemas into expressions; parts that come again stand in rules of their own."""

    made: dict[str, str] = field(default_factory=dict)
    """Expression to the name of its rule."""
    base: set[str] = field(default_factory=set)

    def rules(self) -> list[tuple[str, str]]:
        named = [(name, text) for text, name in self.made.items()]
        return [*named, *((name, _BASE[name]) for name in _BASE if name in self.base)]

    def rule(self, text: str) -> str:
        return self.made.setdefault(text, f"r{len(self.made)}")

    def use(self, name: str) -> str:
        self.base.add(name)
        for other in _USES.get(name, ()):
            self.use(other)
        return name

    def value(self, node: Any, path: Path) -> str:
        """The expression of a value. Raises `EngineError`."""
        if len(path) > 2 * MAX_DEPTH:
            raise _refused(path, f"it is nested more than {MAX_DEPTH} deep")
        if not isinstance(node, dict):
            raise _refused(path, "a schema is an object")
        unknown = [key for key in node if key not in _KNOWN]
        if unknown:
            raise _refused(path, f"`{unknown[0]}` cannot be held to while a reply is drawn")
        if "enum" in node or "const" in node:
            return self.one_of(node, path)
        if "anyOf" in node:
            return self.either(node, path)
        kinds = _kinds(node, path)
        fitting = _SILENT.union({"type"}, *(_KEYWORDS[kind] for kind in kinds))
        foreign = [key for key in node if key not in fitting]
        if foreign:
            raise _refused(path, f"`{foreign[0]}` says nothing of {' or '.join(kinds)}")
        return _either([getattr(self, f"{kind}_")(node, path) for kind in kinds])

    def one_of(self, node: Mapping[str, Any], path: Path) -> str:
        from jsonschema import Draft202012Validator

        values = node["enum"] if "enum" in node else [node["const"]]
        meets = Draft202012Validator(node)
        texts = dict.fromkeys(_json(v) for v in values if meets.is_valid(v))
        if not texts:
            raise _refused(path, "no value of it meets the rest")
        return _either([_quoted(text) for text in texts])

    def either(self, node: Mapping[str, Any], path: Path) -> str:
        beside = [k for k in node if k != "anyOf" and k not in _SILENT]
        if beside:
            raise _refused(path, f"`{beside[0]}` beside `anyOf` cannot be held to")
        options = node["anyOf"]
        if not isinstance(options, list) or not options:
            raise _refused(path, "`anyOf` is a list of schemas")
        texts = [self.value(o, (*path, f"anyOf {n}")) for n, o in enumerate(options)]
        return _either(list(dict.fromkeys(texts)))

    def object_(self, node: Mapping[str, Any], path: Path) -> str:
        properties, required = node.get("properties", {}), node.get("required", [])
        if not isinstance(node.get("additionalProperties", False), bool):
            raise _refused(path, "`additionalProperties` is true or false here")
        strange = [name for name in required if name not in properties]
        if strange:
            raise _refused(path, f"`{strange[0]}` is required and is no property")
        pairs = []
        for name, schema in properties.items():
            value = self.value(schema, (*path, name))
            pairs.append((f"{_quoted(_json(name))} {self.use('colon')} {value}", name in required))
        return f'"{{" {self.members(pairs)} "}}"' if pairs else '"{}"'

    def members(self, pairs: Sequence[tuple[str, bool]]) -> str:
        """Members in their order, commas between those that are there."""
        # From the end: what follows once a member stands, and what follows while none does.
        after = first = ""
        for text, required in reversed(pairs):
            member = self.rule(text)
            later = f"{self.use('comma')} {member}"
            start = f"{member} {after}".strip()
            if required:
                first = start
                after = f"{later} {after}".strip()
            else:
                first = f"({start} | {first})" if first else f"({start})?"
                after = f"({later})? {after}".strip()
            if len(after) > 80:
                after = self.rule(after)
            if len(first) > 80:
                first = self.rule(first)
        return first

    def array_(self, node: Mapping[str, Any], path: Path) -> str:
        least, most = self.limits(node, "minItems", "maxItems", path)
        if "items" not in node:
            raise _refused(path, "a list says what its items are: `items`")
        if most == 0:
            return '"[]"'
        item = self.rule(self.value(node["items"], (*path, "items")))
        more = _repeat(f"({self.use('comma')} {item})", max(least - 1, 0), most and most - 1)
        inner = f"{item} {more}".strip()
        return f'"[" {inner} "]"' if least else f'"[" ({inner})? "]"'

    def string_(self, node: Mapping[str, Any], path: Path) -> str:
        least, most = self.limits(node, "minLength", "maxLength", path)
        inner = _repeat(self.use("char"), least, most)
        return f'"\\"" {inner} "\\""' if inner else '"\\"\\""'

    def integer_(self, node: Mapping[str, Any], path: Path) -> str:
        low, high = _bounds(node)
        if low is None and high is None:
            return self.use("integer")
        found = integer_between(
            None if low is None else math.ceil(low[0]) + (low[1] and low[0] == math.ceil(low[0])),
            None
            if high is None
            else math.floor(high[0]) - (high[1] and high[0] == math.floor(high[0])),
        )
        if found is None:
            raise _refused(path, "no whole number lies within its bounds")
        return found

    def number_(self, node: Mapping[str, Any], path: Path) -> str:
        low, high = _bounds(node)
        if low is None and high is None:
            return self.use("number")
        given = [b[0] for b in (low, high) if b is not None]
        places = max(_PLACES, *(-int(b.as_tuple().exponent) for b in given))
        one = 10 ** min(places, 15)
        found = decimal_between(
            None if low is None else math.ceil(low[0] * one) + low[1],
            None if high is None else math.floor(high[0] * one) - high[1],
            places=min(places, 15),
        )
        if found is None:
            raise _refused(path, "no number lies within its bounds")
        return found

    def boolean_(self, _node: Mapping[str, Any], _path: Path) -> str:
        return self.use("boolean")

    def null_(self, _node: Mapping[str, Any], _path: Path) -> str:
        return '"null"'

    def limits(
        self, node: Mapping[str, Any], low: str, high: str, path: Path
    ) -> tuple[int, int | None]:
        least, most = node.get(low, 0), node.get(high)
        if most is not None and most < least:
            raise _refused(path, f"`{low}` is above `{high}`")
        for name, count in ((low, least), (high, most or 0)):
            if count > MAX_REPEATS:
                raise _refused(path, f"`{name}` is above {MAX_REPEATS}; leave it to a check")
        return int(least), None if most is None else int(most)


def _kinds(node: Mapping[str, Any], path: Path) -> list[str]:
    said = node.get("type")
    if said is None:
        said = next((kind for kind, keys in _KEYWORDS.items() if keys & node.keys()), None)
    if said is None:
        raise _refused(path, "it has no type")
    kinds = [str(kind) for kind in dict.fromkeys(said if isinstance(said, list) else [said])]
    for kind in kinds:
        if kind not in _KEYWORDS:
            raise _refused(path, f"there is no type `{kind}`")
    return kinds


def _bounds(
    node: Mapping[str, Any],
) -> tuple[tuple[Decimal, bool] | None, tuple[Decimal, bool] | None]:
    """The tighter lower and upper bound, and whether each is itself shut out."""
    lows = [
        (Decimal(str(node[k])), s)
        for k, s in (("minimum", False), ("exclusiveMinimum", True))
        if k in node
    ]
    highs = [
        (Decimal(str(node[k])), s)
        for k, s in (("maximum", False), ("exclusiveMaximum", True))
        if k in node
    ]
    return max(lows, default=None), min(highs, key=lambda b: (b[0], not b[1]), default=None)


def _repeat(text: str, least: int, most: int | None) -> str:
    if most is None:
        return f"{text}*" if not least else f"{text}{{{least},}}"
    if most == 0:
        return ""
    return f"{text}{{{least}}}" if least == most else f"{text}{{{least},{most}}}"


def _either(options: Sequence[str]) -> str:
    return options[0] if len(options) == 1 else f"({' | '.join(options)})"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _refused(path: Path, why: str) -> EngineError:
    where = f"`{'.'.join(path)}`" if path else "the schema of the reply"
    return EngineError("schema", f"{where}: {why}", retryable=False)
