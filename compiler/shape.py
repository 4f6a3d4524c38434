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
from itertools import pairwise
from typing import Any, TypeGuard

from . import budgets, quantities
from .diagnostics import Diagnostic, Edit, Span, in_order
from .fits import Test, fits
from .nodes import TYPED, List, Map, Node, Path, Scalar, plain
from .registry import Catalog, Operator
from .schema import (
    FORM_REASONS,
    MODEL,
    OPTIONS,
    SOURCE,
    STEP_KEYS,
    TOP,
    Schema,
    kind_schema,
    step_schema,
)
from .suggest import nearest
from .wording import Wording, mistyped_key, shown

FORMAT = 1
_SECRET_NAME = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SETTING: Schema = {"type": ["string", "number", "boolean"], "minimum": 0}
_ENGINE = re.compile(r"[a-z][a-z0-9_]*")
_DOES: Mapping[str, str] = {
    "generate": "write text",
    "reward": "rate replies",
    "score": "score pairs of texts",
    "nli": "infer",
    "embed": "embed",
}
"""Tasks in a sentence."""
READERS: dict[str, Callable[[object], object]] = {
    "share": quantities.parse_share,
    "tokens": quantities.parse_tokens,
    "bytes": quantities.parse_bytes,
    "duration": quantities.parse_duration,
    "count": quantities.parse_count,
    "cap": budgets.parse_cap,
    "dollars": budgets.parse_dollars,
    "hours": budgets.parse_hours,
    "price": budgets.parse_price,
    "day": budgets.parse_day,
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
        if moved := self.moved_region() or self.moved_key():
            yield moved  # what stands in it would be told of at the wrong place
            return
        values = plain(self.document)
        if not _fits_top()(values):
            yield from self.wording.tell(errors_of(TOP, values))
        for key, node in _entries(self.document.get("models")):
            yield from self.model(str(key.value), node)
        for key, node in _entries(self.document.get("steps")):
            if isinstance(node, Map):
                name = str(key.value)
                yield from self.step(name, node, values["steps"][name])

    def moved_region(self) -> Diagnostic | None:
        """A region of the recipe that is indented into the one before it."""
        for region, node in self.document.entries:
            if region.value not in ("params", "models", "sources", "steps", "mix", "profiles"):
                continue
            for key, value in _entries(node):
                empty = isinstance(value, Scalar) and value.value is None and not value.raw
                name = str(key.value)
                if empty and name in TOP["properties"] and name not in self.document:
                    message = f"'{name}' belongs at the top level, not below {region.value}"
                    hint = "take the spaces before it away"
                    return Diagnostic("S003", message, key.span, help=hint)
        return None

    def moved_key(self) -> Diagnostic | None:
        """A key of a model, source or step that stands beside it."""
        own = {
            "models": ("use", frozenset(MODEL["properties"])),
            "sources": ("path", frozenset(SOURCE["properties"])),
            "steps": ("op", frozenset(STEP_KEYS) | self.params),
        }
        for region, (needed, keys) in own.items():
            entries = _entries(self.document.get(region))
            for (above, whole), (key, value) in pairwise(entries):
                name = str(key.value)
                lacks = isinstance(whole, Map) and name not in whole
                if not lacks or name not in keys or key.faulty:
                    continue
                if isinstance(value, Map) and needed in value:
                    continue
                if region == "models" and isinstance(value, Scalar) and "/" in str(value.value):
                    continue
                message = f"'{name}' stands beside {region[:-1]} '{above.value}', not in it"
                return Diagnostic("S003", message, key.span, help="indent it as its other keys")
        return None

    @property
    def params(self) -> frozenset[str]:
        """The names of all parameters of steps."""
        return frozenset(p.name for op in self.catalog.steps.values() for p in op.params)

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
            yield from self.options(engine, name, node)
            for address in addresses(node.get("url")):
                yield from self.address(address)

    def placement(
        self, name: str, node: Node | None, settings: Mapping[str, str]
    ) -> Iterator[Diagnostic]:
        """Only settings on the engine's whitelist, since they are no part of identity."""
        if isinstance(node, Map):
            keys: Schema = dict.fromkeys(settings, _SETTING)
            schema = {"properties": keys, "additionalProperties": False}
            values = plain(node)
            if not fits(schema, READERS)(values):
                path = ("models", name, "placement")
                yield from self.wording.tell(errors_of(schema, values), path)

    def options(self, engine: str, name: str, model: Map) -> Iterator[Diagnostic]:
        """Only what the engine knows: another would drop it in silence."""
        known = self.catalog.options.get(engine, {})
        for key, _ in model.entries:
            if key.value in OPTIONS and key.value not in known:
                message = f"model '{name}': engine `{engine}` has no '{key.value}'"
                able = [e for e, keys in self.catalog.options.items() if key.value in keys]
                hint = f"engines that have it: {', '.join(able)}" if able else "delete it"
                yield Diagnostic("S002", message, key.span, help=hint)
        yield from self.task(engine, name, model)

    def task(self, engine: str, name: str, model: Map) -> Iterator[Diagnostic]:
        """Only what the engine does with a model."""
        able, given = self.catalog.tasks.get(engine, ()), model.get("task")
        task = given.value if isinstance(given, Scalar) else None if given else "generate"
        known: tuple[str, ...] = tuple(OPTIONS["task"]["enum"])
        strange = given is not None and "task" not in self.catalog.options.get(engine, {})
        if not able or task in able or task not in known or strange:
            return
        hint = f"write `task: {able[0]}`" if len(able) == 1 else f"it does: {', '.join(able)}"
        if given is None:
            message = f"model '{name}' needs task: engine `{engine}` writes no text"
            yield Diagnostic("S011", message, self.wording.key_span(("models", name)), help=hint)
            return
        others = [e for e, tasks in self.catalog.tasks.items() if task in tasks]
        message = f"model '{name}': engine `{engine}` does not {_DOES.get(str(task), 'do that')}"
        hint = f"engines with `task: {task}`: {', '.join(others)}" if others else hint
        yield Diagnostic("S005", message, given.span, help=hint)

    def address(self, node: Node | None) -> Iterator[Diagnostic]:
        """An environment variable in an address is written `${NAME}`, else it stays as it is."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(node, Scalar) and isinstance(value, str):
            left = _SECRET_NAME.sub("", value)
            at = next((i for i, char in enumerate(left) if char in "${}"), None)
            if at is not None:
                message = f"url holds a {left[at]!r} that belongs to no variable"
                hint = "a variable is written `${NAME}`"
                yield Diagnostic("S005", message, node.span, help=hint)

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
        known = self.params | set(STEP_KEYS)
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
            spot = kind or key
            if not isinstance(spot, Scalar) or spot.faulty or not isinstance(spot.value, str):
                continue  # it has its diagnostic
            name = spot.value
            if name not in self.catalog.checks:
                if kind is None and (meant := self.meant_kind(value)):
                    yield mistyped_key(meant, "kind", f"check '{name}'")
                    continue
                yield self.unknown("check", name, self.catalog.checks, spot.span, spot)
                continue
            at = str(key.value)
            yield from self.tell(("check", name), values[at], (*path, at))
            yield from _unsatisfiable(key, value, values[at], self.catalog.checks[name])

    def meant_kind(self, check: Map) -> Scalar | None:
        """The key that was to be `kind`, of a check whose name is no kind."""
        known = {p.name for check in self.catalog.checks.values() for p in check.params}
        keys = (key for key, _ in check.entries if key.value not in known)
        return next((key for key in keys if nearest(str(key.value), ["kind"])), None)

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
                last = str(rung.value) if rung.value in ("route", "reject") else None
            elif isinstance(rung, Map):
                last = "fallback" if rung.names == ("fallback",) else None
                again = rung.get("retry") or rung.get("repair")
                wanted = again.get("for") if isinstance(again, Map) else None
                for item in wanted.items if isinstance(wanted, List) else ():
                    known = (*names, *FORM_REASONS)
                    named = isinstance(item, Scalar) and isinstance(item.value, str)
                    if isinstance(item, Scalar) and named and names and item.value not in known:
                        yield from self.asked_for(item, known)

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


def addresses(node: Node | None) -> tuple[Node, ...]:
    """The addresses of a model, which may be one or a list."""
    return node.items if isinstance(node, List) else (node,) if node else ()


def _unsatisfiable(
    key: Scalar, node: Map, values: Mapping[str, Any], operator: Operator
) -> Iterator[Diagnostic]:
    """A check that asks for nothing, or for more than its most."""
    name = str(key.value)
    if operator.needs and not any(n in node for n in operator.needs):
        words = " or ".join(operator.needs)
        strange = [k for k in node.names if nearest(k, operator.needs)]
        if not strange:
            hint = f"add `{operator.needs[0]}: …`"
            yield Diagnostic("S011", f"check '{name}' needs {words}", key.span, help=hint)
    usual = {p.name: p.default for p in operator.params if p.name in ("min", "max")}
    low, high = ({**usual, **values}.get(word) for word in ("min", "max"))
    given = node.get("min") or node.get("max")
    if given and _number(low) and _number(high) and low > high >= 0:
        message = f"check '{name}' passes nothing: its min {low:g} is above its max {high:g}"
        hint = "lower `min`, or raise `max`"
        yield Diagnostic("S005", message, given.span, help=hint)


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


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
