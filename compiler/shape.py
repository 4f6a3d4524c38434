"""Whether a document has the shape of a recipe: keys, types, ranges, names.

Each place is checked with its own closed schema: the fixed places with `schema.TOP`, a step with
the schema of its `op:`, a check with that of its kind. So an error is one exact sentence, and a
thousand steps cost little. Nothing here looks from one step to another; names are bound later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from . import quantities
from .diagnostics import Diagnostic, Edit, Span, in_order
from .fits import Test, fits
from .nodes import TYPED, List, Map, Node, Path, Scalar, plain
from .registry import Catalog
from .schema import STEP_KEYS, TOP, Schema, kind_schema, step_schema
from .suggest import nearest
from .wording import Wording, shown

FORMAT = 1
_SECRET_NAME = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_ENGINE = re.compile(r"[a-z][a-z0-9_]*")
READERS: dict[str, Callable[[object], object]] = {
    "share": quantities.parse_share,
    "tokens": quantities.parse_tokens,
    "bytes": quantities.parse_bytes,
    "duration": quantities.parse_duration,
    "count": quantities.parse_count,
}


def check_shape(document: Node, catalog: Catalog) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with the shape of a recipe, in file order."""
    if not isinstance(document, Map):
        return (_no_recipe(document),)
    if later := _version(document):
        return (later,)
    found = in_order(_Shape(document, catalog).check())
    return tuple(replace(d, fix=()) if _typed(d) else d for d in found)


def _typed(d: Diagnostic) -> bool:
    """Whether the place is an argument, which no `--fix` can mend."""
    return d.span is not None and d.span.file.startswith(TYPED)


def _no_recipe(document: Node) -> Diagnostic:
    span = document.span
    hint = "a recipe is a map and begins with `mashbill: 1`"
    if isinstance(document, Scalar) and document.value is None:
        return Diagnostic("S001", "the recipe is empty", span, help=hint)
    first = Span(span.file, span.start, min(span.end, span.start + 1))
    return Diagnostic("S001", f"a recipe is a map of keys, got {shown(document)}", first, help=hint)


def _version(document: Map) -> Diagnostic | None:
    """A version of the format that is not ours makes every other error moot."""
    node = document.get("mashbill")
    if node is None or (isinstance(node, Scalar) and (node.faulty or node.raw == str(FORMAT))):
        return None
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int) and not isinstance(value, bool) and value > FORMAT:
        message = f"format {value} needs a later mashbill; this one reads format {FORMAT}"
        return Diagnostic("S008", message, node.span, help="upgrade mashbill")
    key = document.key("mashbill")
    span = node.span if (isinstance(node, Scalar) and node.raw) or key is None else key.span
    message = f"mashbill is the version of the format, {FORMAT}, got {shown(node)}"
    fix = (Edit(node.span, str(FORMAT)),) if isinstance(node, Scalar) and node.raw else ()
    return Diagnostic("S008", message, span, help=f"write `mashbill: {FORMAT}`", fix=fix)


@dataclass(slots=True)
class _Shape:
    """One document against one catalogue."""

    document: Map
    catalog: Catalog
    wording: Wording = field(init=False)
    schemas: dict[tuple[str, str], tuple[Test, Schema]] = field(default_factory=dict)
    pieces: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wording = Wording(self.document, self.catalog)

    def check(self) -> Iterator[Diagnostic]:
        values = plain(self.document)
        if not _fits_top()(values):
            yield from self.wording.tell(errors_of(TOP, values))
        for key, node in _entries(self.document.get("models")):
            yield from self.model(str(key.value), node)
        for key, node in _entries(self.document.get("steps")):
            if isinstance(node, Map):
                name = str(key.value)
                yield from self.step(name, node, values["steps"][name])

    # -- models

    def model(self, name: str, node: Node) -> Iterator[Diagnostic]:
        use = node.get("use") if isinstance(node, Map) else node
        engine, slash, _ = (
            str(use.value).partition("/") if isinstance(use, Scalar) else ("", "", "")
        )
        if not isinstance(use, Scalar) or not slash or not _ENGINE.fullmatch(engine):
            return
        if engine not in self.catalog.engines:
            span = use.within(0, len(engine))
            yield self.unknown("engine", engine, self.catalog.engines, span, use)
        elif isinstance(node, Map):
            yield from self.placement(name, node.get("placement"), self.catalog.engines[engine])
            yield from self.secret(name, node.get("key"))

    def placement(
        self, name: str, node: Node | None, settings: Mapping[str, str]
    ) -> Iterator[Diagnostic]:
        """Only settings on the engine's whitelist, since they are no part of identity."""
        if isinstance(node, Map) and not settings.keys() >= set(node.names):
            keys: Schema = {setting: {} for setting in settings}
            schema = {"properties": keys, "additionalProperties": False}
            yield from self.wording.tell(
                errors_of(schema, plain(node)), ("models", name, "placement")
            )

    def secret(self, name: str, node: Node | None) -> Iterator[Diagnostic]:
        """A secret is named; what stands in a recipe is read by everybody."""
        value = node.value if isinstance(node, Scalar) else None
        if node and isinstance(value, str) and not _SECRET_NAME.fullmatch(value):
            message = f"the key of model '{name}' is written out; name a variable instead"
            hint = f"write `key: ${{{name.upper()}_API_KEY}}`"
            yield Diagnostic("G704", message, node.span, help=hint)

    # -- steps

    def step(self, name: str, node: Map, values: Mapping[str, Any]) -> Iterator[Diagnostic]:
        path: Path = ("steps", name)
        op = node.get("op")
        if op is None:
            yield from self.without_op(node, path)
            return
        if not isinstance(op, Scalar) or op.faulty:
            return
        if op.value not in self.catalog.steps:
            yield self.unknown("op", str(op.value or ""), self.catalog.steps, op.span, op)
            return
        operator = self.catalog.steps[str(op.value)]
        pieces = self.pieces.get(operator.name)
        if pieces is None:
            pieces = [(p.name, p.schema.get("format")) for p in operator.params]
            self.pieces[operator.name] = pieces
        yield from self.tell(("step", operator.name), values, path)
        for param, kind in pieces:
            value = node.get(param)
            if kind == "checks" and isinstance(value, Map):
                yield from self.checks(value, values[param], (*path, param))
            elif kind == "ladder" and value is not None:
                yield from self.ladder(value, node.get("checks"), (*path, param))

    def tell(self, what: tuple[str, str], value: object, path: Path) -> Iterator[Diagnostic]:
        """What is wrong with a step or a check, by the schema of its operator."""
        found = self.schemas.get(what)
        if found is None:
            kind, name = what
            schema = (
                step_schema(self.catalog.steps[name])
                if kind == "step"
                else kind_schema(self.catalog.checks[name])
            )
            found = self.schemas[what] = (fits(schema, READERS), schema)
        if not found[0](value):
            yield from self.wording.tell(errors_of(found[1], value), path)

    def without_op(self, node: Map, path: Path) -> Iterator[Diagnostic]:
        known = {p.name for op in self.catalog.steps.values() for p in op.params} | set(STEP_KEYS)
        for key, value in node.entries:
            names_one = isinstance(value, Scalar) and value.value in self.catalog.steps
            if key.value not in known and (names_one or nearest(str(key.value), ["op"])):
                message = f"unknown key '{key.value}' in step '{path[1]}'; did you mean 'op'?"
                fix = (Edit(key.span, "op"),)
                yield Diagnostic("S002", message, key.span, help="write `op`", fix=fix)
                return
        message = f"step '{path[1]}' needs op"
        hint = f"op is one of: {', '.join(sorted(self.catalog.steps))}"
        yield Diagnostic("S011", message, self.wording.key_span(path), help=hint)

    def checks(self, node: Map, values: Mapping[str, Any], path: Path) -> Iterator[Diagnostic]:
        for key, value in node.entries:
            if not isinstance(value, Map):
                continue
            kind = value.get("kind")
            spot = kind if isinstance(kind, Scalar) else key
            name = str(spot.value)
            if spot.faulty:
                continue
            if name not in self.catalog.checks:
                yield self.unknown("check", name, self.catalog.checks, spot.span, spot)
                continue
            at = str(key.value)
            yield from self.tell(("check", name), values[at], (*path, at))

    def ladder(self, node: Node, checks: Node | None, path: Path) -> Iterator[Diagnostic]:
        rungs = node.items if isinstance(node, List) else (node,)
        names = checks.names if isinstance(checks, Map) else ()
        last: str | None = None
        for rung in rungs:
            if last:
                message = f"nothing after '{last}' is ever tried"
                yield Diagnostic("S005", message, rung.span, help="take it out, or put it before")
                return
            if isinstance(rung, Scalar):
                last = str(rung.value)
            elif isinstance(rung, Map):
                last = "fallback" if rung.names == ("fallback",) else None
                retry = rung.get("retry")
                wanted = retry.get("for") if isinstance(retry, Map) else None
                for item in wanted.items if isinstance(wanted, List) else ():
                    if isinstance(item, Scalar) and names and item.value not in names:
                        yield from self.asked_for(item, names)

    def asked_for(self, item: Scalar, names: tuple[str, ...]) -> Iterator[Diagnostic]:
        """A check that `for:` names and the step lacks, unless its kind is what is mistyped."""
        meant = nearest(str(item.value), names)
        if meant is None or meant in self.catalog.checks or item.value not in self.catalog.checks:
            yield self.unknown("check", str(item.value), names, item.span, item)

    def unknown(self, what: str, name: str, known: Any, span: Span, node: Scalar) -> Diagnostic:
        """A name that is not among those known."""
        meant = nearest(name, known)
        hint = f"did you mean `{meant}`?" if meant else f"known: {', '.join(sorted(known))}"
        fix = (Edit(span, meant),) if meant and not node.quoted else ()
        return Diagnostic("S010", f"unknown {what} '{name}'", span, help=hint, fix=fix)


@cache
def _fits_top() -> Test:
    return fits(TOP, READERS)


@cache
def _kit() -> tuple[Any, Any]:
    """The validator class and format checker; importing jsonschema takes a tenth of a second."""
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.validators import extend

    def whole(_: Any, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    extended: Any = extend  # has no annotations
    kinds = Draft202012Validator.TYPE_CHECKER.redefine("integer", whole)
    strict = extended(Draft202012Validator, type_checker=kinds)
    formats = FormatChecker(formats=())
    for name, read in READERS.items():
        formats.checks(name, raises=ValueError)(_raising(read))
    return strict, formats


def _raising(read: Callable[[object], object]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        number = isinstance(value, str | int | float) and not isinstance(value, bool)
        if number and isinstance(found := read(value), str):
            raise ValueError(found)
        return True

    return check


def errors_of(schema: Schema, value: object) -> Iterator[Any]:
    """What jsonschema finds wrong; an integer is an `int` here, and quantities are read."""
    strict, formats = _kit()
    found: Iterator[Any] = strict(schema, format_checker=formats).iter_errors(value)
    return found


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, Map) else ()
