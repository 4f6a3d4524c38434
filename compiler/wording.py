"""What a JSON Schema validator finds, in the user's words, at the exact characters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .diagnostics import Diagnostic, Edit, Span
from .homes import homes, place
from .nodes import List, Map, Node, Path, Scalar, find
from .registry import Catalog
from .schema import PORT, TOP, Schema
from .suggest import distance, nearest

_TYPES = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "a map",
    "array": "a list",
    "null": "nothing",
}
_FORMATS = {
    "share": "a share like 50% or 0.5",
    "tokens": "a number of tokens like 600M tokens",
    "bytes": "a size like 256MB",
    "duration": "a duration like 10s",
    "count": "a count like 500 or 10k",
    "column": "the name of a column",
    "expression": "an expression",
    "pattern": "a regular expression",
    "prompt": "the path of a prompt file",
    "template": "the path of a render template",
    "model": "the name of a model",
    "engine": "engine/model, as in local/smollm2-135m",
    "chunk": "a map like { by: sentence, max: 60 tokens }",
    "ladder": "a list like [ { retry: 1 }, reject ]",
    "rung": "retry, repair, fallback, route or reject",
}
_EXAMPLES = {
    "by": "by: sentence",
    "from": "from: docs",
    "keep": "keep: words(text) > 50",
    "license": "license: CC0-1.0",
    "mashbill": "mashbill: 1",
    "max": "max: 60 tokens",
    "model": "model: writer",
    "name": "name: first",
    "op": "op: filter",
    "default": "default: 8",
    "origin": "origin: human",
    "parts": "parts: { docs: 100% }",
    "path": "path: docs.jsonl",
    "prompt": "prompt: prompts/book.md.j2",
    "render": "render: prompts/out.j2",
    "sources": "sources: { docs: { path: docs.jsonl, license: CC0-1.0, origin: human } }",
    "times": "times: 1",
    "total": "total: 2M tokens",
    "use": "use: local/smollm2-135m",
    "weight": "weight: 50%",
}
_RUNGS = {
    "retry": "write `{ retry: 1 }`",
    "repair": "write `{ repair: prompts/fix.md.j2 }`",
    "fallback": "write `{ fallback: input }`",
}


@dataclass(slots=True)
class Wording:
    """Diagnostics for the validation errors of one document.

    Attributes:
        document: What the paths of errors start from.
        catalog: To know where else a key exists.
    """

    document: Map
    catalog: Catalog
    _expected: set[tuple[Path, str]] = field(default_factory=set)
    _mistyped: set[Path] = field(default_factory=set)

    def tell(self, errors: Iterable[Any], base: Path = ()) -> Iterator[Diagnostic]:
        """One diagnostic a cause, for the errors of the value at `base`."""
        found = [(error, (*base, *error.absolute_path)) for error in errors]
        # A mistyped key accounts for the key that is missing because of it, so keys come first.
        # The type of a value comes before its range.
        found.sort(key=lambda pair: (pair[0].validator == "required", pair[0].validator != "type"))
        for error, path in found:
            node = find(self.document, path)
            filled = isinstance(node, Scalar) and node.raw.lstrip("'\"").startswith("=")
            for d in self._one(error, path):
                yield replace(d, notes=(*d.notes, _rests_on(node))) if filled else d

    def _one(self, error: Any, path: Path) -> Iterator[Diagnostic]:
        if error.validator not in ("additionalProperties", "required"):
            if error.validator != "type" and path in self._mistyped:
                return  # of another type, it is out of range only by chance
            if error.validator == "type":
                self._mistyped.add(path)
        node = find(self.document, path)
        if node is None or (isinstance(node, Scalar) and node.faulty):
            return
        if "propertyNames" in error.schema_path and isinstance(node, Map):
            yield from self._bad_key(str(error.instance), node, path)
            return
        match error.validator:
            case "additionalProperties" if isinstance(node, Map):
                for key, _ in node.entries:
                    if key.value not in error.schema.get("properties", {}) and not key.faulty:
                        yield self._unknown_key(key, node, path, error.schema)
            case "required" if isinstance(node, Map):
                yield from self._missing(node, path, error.validator_value)
            case "anyOf":
                yield from self._branches(error, node, path)
            case "type":
                if not (len(path) == 1 and self._moved_out(str(path[0]))):
                    yield self._type(node, path, error.schema)
            case "enum":
                yield self._enum(node, path, error.validator_value)
            case _:
                yield self._value(error, node, path)

    # -- keys

    def _unknown_key(self, key: Scalar, node: Map, path: Path, schema: Schema) -> Diagnostic:
        name, here = str(key.value), place(path)
        if above := self._emptied(key, node, path):
            message = f"'{name}' stands beside '{above}', not below it"
            return Diagnostic("S003", message, key.span, help="indent it by two spaces")
        known = [k for k in schema["properties"] if k not in node]
        needed = (k for k in schema.get("required", ()) if k in known)
        meant = nearest(name, known) or next((k for k in needed if distance(name, k, 1) == 1), None)
        elsewhere = homes(name, self.catalog, path)
        if meant and not (elsewhere and distance(name.lower(), meant, 1) > 1):
            self._expected.add((path, meant))
            return mistyped_key(key, meant, here)
        if elsewhere:
            message = f"'{name}' belongs {' or '.join(elsewhere[:2])}, not in {here}"
            return Diagnostic("S003", message, key.span, help="move it there, or take it out")
        if twin := nearest(name, schema["properties"]):
            message = f"unknown key '{name}' in {here}; '{twin}' is there already"
            return Diagnostic("S002", message, key.span, help="take it out")
        listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        hint = f"keys that {here} can still take: {listed}" if known else "take it out"
        return Diagnostic("S002", f"unknown key '{name}' in {here}", key.span, help=hint)

    def _moved_out(self, region: str) -> bool:
        """Whether a region of the recipe is empty because what follows should stand below it."""
        names = self.document.names
        at = names.index(region) + 1
        if at >= len(names) or names[at] in TOP["properties"]:
            return False
        key = self.document.entries[at][0]
        return self._emptied(key, self.document, ()) == region

    def _emptied(self, key: Scalar, node: Map, path: Path) -> str:
        """The region right before an unknown key that is empty, since its map was moved out."""
        at = node.names.index(str(key.value)) - 1
        if path or at < 0:
            return ""
        above, value = node.entries[at]
        empty = isinstance(value, Scalar) and value.value is None and not value.raw
        name = str(above.value)
        return name if empty and name in TOP["properties"] else ""

    def _missing(self, node: Map, path: Path, required: Sequence[str]) -> Iterator[Diagnostic]:
        names = [n for n in required if n not in node and (path, n) not in self._expected]
        self._expected.update((path, n) for n in names)
        if not names:
            return
        wanted = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        examples = ", ".join(_EXAMPLES.get(n, f"{n}: …") for n in names)
        message = f"{place(path)} needs {wanted}"
        yield Diagnostic("S011", message, self.key_span(path), help=f"add `{examples}`")

    def _bad_key(self, name: str, node: Map, path: Path) -> Iterator[Diagnostic]:
        key = node.key(name)
        if key is None or key.faulty or (path, name) in self._expected:
            return
        self._expected.add((path, name))
        yield bad_name(name, key.span)

    def key_span(self, path: Path) -> Span:
        """The key under which the value at a path stands; of the recipe, its first key."""
        parent = find(self.document, path[:-1]) if path else None
        if isinstance(parent, Map) and (key := parent.key(str(path[-1]))):
            return key.span
        node = find(self.document, path) or self.document
        if isinstance(node, Map) and node.entries:
            return node.entries[0][0].span
        return node.span

    # -- values

    def _branches(self, error: Any, node: Node, path: Path) -> Iterator[Diagnostic]:
        """Of the forms that a value may take, explain the one that it comes closest to."""
        base = path[: len(path) - len(error.absolute_path)]
        forms: dict[int, list[Any]] = {}
        for inner in error.context:
            forms.setdefault(inner.schema_path[0], []).append(inner)
        fitting = [
            inner
            for inner in forms.values()
            if not any(e.validator == "type" and not e.path for e in inner)
        ]
        if fitting:
            yield from self.tell(sorted(fitting, key=len)[0], base)
            return
        words = error.schema.get("format")
        each = dict.fromkeys(_expected(branch) for branch in error.validator_value)
        expected = _FORMATS.get(words) or _or(each)
        yield self._wrong(node, path, expected)

    def _type(self, node: Node, path: Path, schema: Schema) -> Diagnostic:
        return self._wrong(node, path, _expected(schema), quote="string" in _types(schema))

    def _wrong(self, node: Node, path: Path, expected: str, quote: bool = False) -> Diagnostic:
        hint: str | None = None
        fix: tuple[Edit, ...] = ()
        bare = isinstance(node, Scalar) and not node.quoted and node.raw[:1] not in ("", "=")
        if quote and isinstance(node, Scalar) and bare:
            hint, fix = f"write '{node.raw}'", (Edit(node.span, f"'{node.raw}'"),)
        elif "a map" in expected and isinstance(node, Scalar) and node.value is None:
            hint = f"write `{path[-1]}: {{}}`"
        elif isinstance(node, Scalar) and str(node.value).startswith("="):
            hint = "an expression can stand in a `set:` value only; write the value itself"
        message = f"{name_of(path)} must be {expected}, got {shown(node)}"
        return Diagnostic("S005", message, self._spot(node, path), help=hint, fix=fix)

    def _enum(self, node: Node, path: Path, values: Sequence[Any]) -> Diagnostic:
        choices = _or(dict.fromkeys(str(v) for v in values))
        message = f"{name_of(path)} must be {choices}, got {shown(node)}"
        text = str(node.value) if isinstance(node, Scalar) else ""
        meant = nearest(text, [str(v) for v in values])
        fix = (Edit(node.span, meant),) if meant else ()
        hint = f"did you mean `{meant}`?" if meant else None
        return Diagnostic("S005", message, self._spot(node, path), help=hint, fix=fix)

    def _value(self, error: Any, node: Node, path: Path) -> Diagnostic:
        limit, name, got = error.validator_value, name_of(path), shown(node)
        span = self._spot(node, path)
        hint: str | None = None
        match error.validator:
            case "minimum":
                message = f"{name} must be at least {limit:g}, got {got}"
            case "maximum":
                message = f"{name} must be at most {limit:g}, got {got}"
            case "minLength" | "minItems" | "minProperties":
                message = f"{name} is empty"
            case "maxProperties":
                message, hint = "a rung has one key", "make each key an item of its own"
            case "format":
                words, _, better = str(error.cause).partition("; did you mean ")
                better = better or _with_unit(str(error.instance), limit)
                message, hint = f"{name}: {words}", f"write `{better[:-1]}`" if better else None
            case "pattern" if path == ("name",):
                return bad_name(str(error.instance), span)
            case "pattern" if limit == PORT:
                message = f"{name} must be the name of a step or source, got {got}"
            case "pattern" if error.schema.get("format") in ("rung", "ladder"):
                choices = ("route", "reject", *_RUNGS)
                message = f"{name} must be {_or(choices)}, got {got}"
                meant = nearest(str(error.instance), choices)
                hint = f"did you mean `{meant}`?" if meant else None
                hint = _RUNGS.get(str(error.instance), hint)
            case "pattern":
                expected = _FORMATS.get(error.schema.get("format", ""), f"of the form {limit}")
                message = f"{name} must be {expected}, got {got}"
            case _:
                message = f"{name}: {error.message}"
        return Diagnostic("S005", message, span, help=hint)

    def _spot(self, node: Node, path: Path) -> Span:
        """The value; where there is none to be seen, or it is long, its key."""
        if isinstance(node, Scalar) and node.raw and "\n" not in node.raw:
            return node.span
        if isinstance(node, Scalar) or (path and isinstance(path[-1], str)):
            return self.key_span(path)
        return node.span


def mistyped_key(key: Scalar, meant: str, here: str) -> Diagnostic:
    """A key that is not known in a place, and the one that was meant."""
    message = f"unknown key '{key.value}' in {here}; did you mean '{meant}'?"
    fix = (Edit(key.span, meant),)
    return Diagnostic("S002", message, key.span, help=f"write `{meant}`", fix=fix)


def _rests_on(node: Node | None) -> str:
    """That a value was worked out, so that what is wrong may stand elsewhere."""
    assert isinstance(node, Scalar)
    return f"the value is worked out from `{node.raw.strip(chr(34) + chr(39))}`"


_UNITS = {"share": "%", "tokens": " tokens"}
_AMOUNT = re.compile(r"\$?(\d+(?:\.\d+)?)\s*([kMBT]?)\s*([^\d\s]*)")


def _with_unit(written: str, kind: str) -> str:
    """A quantity with the unit that its place takes, for a misspelled one (`5 percent`)."""
    found = _AMOUNT.fullmatch(written)
    known = {"share": ("%%", "percent", "pct", ""), "tokens": ("tokens", "toks")}.get(kind, ())
    if not found or not (found[3] in known or nearest(found[3], known)):
        return ""
    return f"{found[1]}{found[2]}{_UNITS[kind]}?" if found[3] or written[0] == "$" else ""


def bad_name(name: str, span: Span) -> Diagnostic:
    """A name that is not made as names are."""
    if name in ("on", "off", "yes", "no", "y", "n"):
        message = f"'{name}' cannot be a name: it is a boolean to some YAML readers"
        return Diagnostic("S012", message, span)
    if name.startswith("_"):
        message = f"'{name}' cannot be a name: names with a leading _ belong to Mashbill"
        return Diagnostic("S012", message, span)
    message = f"'{name}' cannot be a name: use lower-case letters, digits and _, a letter first"
    better = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.lower()).strip("_")
    hint = f"write `{better}`" if better[:1].isalpha() else None
    return Diagnostic("S012", message, span, help=hint)


def name_of(path: Path) -> str:
    """What a value is called: its key; for an item of a list, the list's."""
    words = [p for p in path if isinstance(p, str)]
    if not words:
        return "a recipe"
    return f"an item of {words[-1]}" if isinstance(path[-1], int) else words[-1]


def shown(node: Node) -> str:
    """A value as it is written, shortened."""
    if isinstance(node, Map):
        return "a map"
    if isinstance(node, List):
        return "a list"
    if node.value is None:
        return "nothing"
    filled = node.raw.lstrip("'\"").startswith("=")  # `= params.x`: the value says more
    text = (
        json.dumps(node.value, ensure_ascii=False)
        if filled or isinstance(node.value, str)
        else node.raw
    )
    return text if len(text) <= 40 else f"{text[:36]}…" + ('"' if text[0] == '"' else "")


def _types(schema: Schema) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _expected(schema: Schema) -> str:
    if words := _FORMATS.get(schema.get("format", "")):
        return words
    if "enum" in schema:
        return _or([str(v) for v in schema["enum"]])
    return _or([_TYPES[kind] for kind in _types(schema)]) or "something else"


def _or(words: Iterable[str]) -> str:
    *first, last = list(words) or [""]
    return f"{', '.join(first)} or {last}" if first else last
