"""The JSON Schema of a reply: a closed part of the language, in which every value has one type.

A column has one type, so a schema here says one: a property is text, a number, a whole number, true
or false, a list of one of these, or an object of named properties. References within the file are
resolved. What would let a schema run for long on a reply (`pattern`, `uniqueItems`), or say what no
column can hold (`oneOf`, `patternProperties`, recursion), is refused: a check of the step holds the
column to it instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...diagnostics import Diagnostic, Label, Span
from ...document import Map, Node, find, parse_document
from ...suggest import nearest
from ...types import BOOL, FLOAT, INT, STR, Type, list_of
from ..files import Files
from .shapes import Schema

MAX_DEPTH = 8
MAX_NODES = 500

_SCALARS = {"string": STR, "integer": INT, "number": FLOAT, "boolean": BOOL}
_LIMITS: Mapping[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "boolean": (),
    "array": ("items", "minItems", "maxItems"),
    "object": ("properties", "required", "additionalProperties"),
}
_ANYWHERE = ("type", "enum", "const", "description", "anyOf", "$ref")
_SILENT = ("$schema", "$id", "$comment", "$defs", "definitions", "title", "default", "examples",
           "format")  # fmt: skip
KEYWORDS = tuple(dict.fromkeys((*_ANYWHERE, *_SILENT, *(k for ks in _LIMITS.values() for k in ks))))
_KINDS: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}

Path = tuple[str | int, ...]


class _Refused(Exception):
    def __init__(self, message: str, path: Path, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.path, self.hint = message, path, hint


def read_schema(
    path: str, named: Span, files: Files, diagnostics: list[Diagnostic]
) -> Schema | None:
    """Read a schema file of the recipe; None, and diagnostics in it, if it cannot be used.

    Args:
        path: As the front matter names it.
        named: Where it does.
        files: Reads it.
        diagnostics: Gets what is wrong.
    """
    text = files.text(path, named, diagnostics)
    if text is None:
        return None
    shown = files.prefix + path

    def refuse(message: str, span: Span, hint: str | None = None) -> None:
        why = (Label(named, "the shape of this prompt's reply"),)
        diagnostics.append(Diagnostic("P212", message, span, secondary=why, help=hint))

    try:
        root = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        at = min(error.pos + text.startswith("\ufeff"), max(0, len(text) - 1))
        refuse(f"{path} is not JSON: {error.msg.lower()}", Span(shown, at, at + 1))
        return None
    except (ValueError, RecursionError):
        refuse(f"{path} is not JSON that can be read", Span(shown, 0, 1))
        return None
    try:
        resolved, kind = _Resolver(root).object(root, ())
        _check(resolved)
    except _Refused as refused:
        refuse(refused.message, _span(text, shown, refused.path), refused.hint)
        return None
    made = json.dumps(resolved, ensure_ascii=False, separators=(",", ":"))
    return Schema(made, kind.fields)


@dataclass(slots=True)
class _Resolver:
    """Turns a schema into one without references, and into a type, at the same time."""

    root: Any
    nodes: int = 0
    stack: list[str] = field(default_factory=list)

    def object(self, node: Any, path: Path) -> tuple[dict[str, Any], Type]:
        """The schema of the reply itself."""
        made, kind = self.node(node, path)
        if kind.kind != "struct" or kind.nullable:
            raise _Refused('a reply is an object: write `"type": "object"`', path)
        return made, kind

    def node(self, node: Any, path: Path) -> tuple[dict[str, Any], Type]:
        """A schema and its type. Raises `_Refused`."""
        self.nodes += 1
        if self.nodes > MAX_NODES or len(path) > 4 * MAX_DEPTH:
            raise _Refused(f"a reply's schema has at most {MAX_NODES} parts, {MAX_DEPTH} deep", ())
        if not isinstance(node, dict):
            raise _Refused("a schema is an object", path)
        for key in node:
            if key not in KEYWORDS:
                raise _unknown(key, path)
        if "$ref" in node:
            return self.reference(node, path)
        if "anyOf" in node:
            return self.either(node, path)
        name, nullable = _type_name(node, path)
        made: dict[str, Any] = {"type": [name, "null"] if nullable else name}
        made |= {k: node[k] for k in ("enum", "const", "description") if k in node}
        made |= {k: node[k] for k in _LIMITS[name] if k in node}
        foreign = [k for k in node if k not in (*_ANYWHERE, *_SILENT, *_LIMITS[name])]
        if foreign:
            raise _Refused(f"`{foreign[0]}` does not go with {name}", (*path, foreign[0]))
        if name == "array":
            if "items" not in node:
                hint = 'write `"items": { "type": "string" }`'
                raise _Refused("a list says what its items are", path, hint)
            made["items"], item = self.node(node["items"], (*path, "items"))
            return made, list_of(item).maybe(nullable)
        if name == "object":
            made, fields = self.fields(made, node, path)
            return made, Type("struct", nullable, fields=fields)
        return made, _SCALARS[name].maybe(nullable)

    def fields(
        self, made: dict[str, Any], node: Mapping[str, Any], path: Path
    ) -> tuple[dict[str, Any], tuple[tuple[str, Type], ...]]:
        """The properties of an object; one that is not required may be null."""
        given = node.get("properties")
        if not isinstance(given, dict) or not given:
            hint = 'write `"properties": { "answer": { "type": "string" } }`'
            raise _Refused("an object names its properties", path, hint)
        required = node.get("required", [])
        if not isinstance(required, list):
            raise _Refused("`required` is a list", (*path, "required"))
        for name in required:
            if name not in given:
                close = nearest(str(name), given)
                message = f"`{name}` is required and is no property"
                meant = f"did you mean `{close}`?" if close else None
                raise _Refused(message, (*path, "required"), meant)
        if not isinstance(node.get("additionalProperties", False), bool):
            message = "`additionalProperties` is true or false here"
            raise _Refused(message, (*path, "additionalProperties"))
        found = {n: self.node(v, (*path, "properties", n)) for n, v in given.items()}
        made["properties"] = {n: schema for n, (schema, _) in found.items()}
        if required:
            made["required"] = sorted(set(required))
        fields = ((n, t.maybe(t.nullable or n not in required)) for n, (_, t) in found.items())
        return made, tuple(fields)

    def reference(self, node: Mapping[str, Any], path: Path) -> tuple[dict[str, Any], Type]:
        """What a `$ref` within the file names."""
        name = node["$ref"]
        here = (*path, "$ref")
        if not isinstance(name, str) or not name.startswith("#/"):
            raise _Refused("a reference stays within its file: `#/$defs/…`", here)
        if name in self.stack:
            raise _Refused(f"`{name}` holds itself, and a column cannot", here)
        target: Any = self.root
        for key in name[2:].split("/"):
            key = key.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or key not in target:
                raise _Refused(f"there is no `{name}`", here)
            target = target[key]
        self.stack.append(name)
        made, kind = self.node(target, path)
        self.stack.pop()
        return (
            {**made, "description": node["description"]} if "description" in node else made
        ), kind

    def either(self, node: Mapping[str, Any], path: Path) -> tuple[dict[str, Any], Type]:
        """A schema or null, which is all that `anyOf` is for here."""
        options = node["anyOf"] if isinstance(node["anyOf"], list) else []
        rest = [o for o in options if o != {"type": "null"}]
        if len(rest) != 1:
            message = "`anyOf` is for one schema or null: a column has one type"
            raise _Refused(message, (*path, "anyOf"))
        made, kind = self.node(rest[0], path)
        if len(options) > 1 and not kind.nullable:
            made["type"] = [made["type"], "null"]
            if "enum" in made:
                made["enum"] = [*made["enum"], None]
            if "const" in made:
                made["enum"] = [made.pop("const"), None]
        if "description" in node:
            made["description"] = node["description"]
        return made, kind.maybe(len(options) > 1 or kind.nullable)


def _type_name(node: Mapping[str, Any], path: Path) -> tuple[str, bool]:
    """The one type that a schema says, and whether null is one as well."""
    said = node.get("type")
    values = node.get("enum") if "enum" in node else [node["const"]] if "const" in node else None
    if said is None and isinstance(values, list) and values:
        kinds = {_KINDS.get(type(v), "object") for v in values if v is not None}
        said = sorted(kinds) if len(kinds) > 1 else next(iter(kinds), "null")
        said = "number" if said == ["integer", "number"] else said
        if None in values and isinstance(said, str):
            said = [said, "null"]
    names = said if isinstance(said, list) else [said]
    rest = [n for n in names if n != "null"]
    if len(rest) != 1 or rest[0] not in _LIMITS:
        types = ", ".join(_LIMITS)
        where = f"`{path[-1]}`" if path else "the schema"
        message = f"{where} has no type that a column can have"
        raise _Refused(message, (*path, "type") if "type" in node else path, f"types: {types}")
    nullable = "null" in names and ("enum" not in node or None in node["enum"])
    return str(rest[0]), nullable and ("const" not in node or node["const"] is None)


def _unknown(key: str, path: Path) -> _Refused:
    if key in ("pattern", "format", "uniqueItems", "multipleOf"):
        hint = (
            "hold the column to it with a check of the step: `checks: { form: { kind: regex, … } }`"
        )
        return _Refused(f"`{key}` is not part of reply schemas", (*path, key), hint)
    close = nearest(key, KEYWORDS)
    hint = f"did you mean `{close}`?" if close else "keywords: type, properties, required, items, …"
    return _Refused(f"`{key}` is not part of reply schemas", (*path, key), hint)


def _check(schema: Mapping[str, Any]) -> None:
    """Whether all limits are of the right kind; what they are is JSON Schema's own matter."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        path = tuple(error.absolute_path)
        name = f"`{path[-1]}`: " if path else ""
        raise _Refused(f"{name}{error.message}"[:160], path) from None


def _span(text: str, shown: str, path: Path) -> Span:
    """Where a path of the file was written, its key if it has one. JSON is YAML but for tabs."""
    document, _ = parse_document(text.replace("\t", " "), shown)
    while document is not None and path:
        parent, last = find(document, path[:-1]), path[-1]
        if isinstance(parent, Map) and isinstance(last, str) and (key := parent.key(last)):
            return key.span
        node: Node | None = find(document, path)
        if node is not None:
            return node.span
        path = path[:-1]
    start = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    return Span(shown, start, min(start + 1, len(text)))
