"""Parameters of a recipe: declared with a type and limits, set by layers, read as `params.name`.

A field whose value begins with `=` holds an expression over parameters alone; it is worked out here
and stands in the document as the plain value, so that every later stage sees what is meant. Only
`set:` and fields that are expressions anyway are left: they are worked out row by row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .constants import evaluate, fill
from .diagnostics import Diagnostic, Edit, Label
from .expr import parse_expr
from .hidden import hidden_regions
from .nodes import List, Map, Node, Path, Scalar, Value, plain, walk
from .quantities import (
    parse_bytes,
    parse_count,
    parse_duration,
    parse_money,
    parse_share,
    parse_tokens,
)
from .registry import Catalog, Operator
from .schema import STEP_KEYS, TOP
from .suggest import nearest
from .wording import shown

PREFIX = "params."
_USED = re.compile(r"\bparams\.([A-Za-z_]\w*)")
_QUANTITIES: Mapping[str, Callable[[object], object]] = {
    "a number of tokens like 600M tokens": parse_tokens,
    "a size like 256MB": parse_bytes,
    "a share like 50%": parse_share,
    "a duration like 24h": parse_duration,
    "US dollars like $150": parse_money,
    "a count like 10k": parse_count,
}
_TYPES: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter with the value that holds after all layers."""

    name: str
    key: Scalar
    value: Scalar
    about: str = ""
    sound: bool = True
    """Whether it is within its limits; what rests on it is not reported a second time if not."""


class Filled(NamedTuple):
    """A document whose fields hold plain values, its parameters, and what is wrong with either."""

    document: Map
    parameters: Mapping[str, Parameter]
    diagnostics: tuple[Diagnostic, ...]


def fill_parameters(document: Map, catalog: Catalog) -> Filled:
    """Read the parameters and work out every field that begins with `=`."""
    found: list[Diagnostic] = []
    parameters = dict(_declared(document.get("params"), found))
    _unused(document, parameters, found)
    if not parameters and not _may_hold(document):
        return Filled(document, parameters, tuple(found))
    hidden = "params" in hidden_regions(document)
    filled = _Filling(catalog, parameters, found, hidden).node(document, ())
    assert isinstance(filled, Map)
    return Filled(filled, parameters, tuple(found))


def _may_hold(node: Node) -> bool:
    return any(_is_expression(inner) for _, inner in walk(node))


def _is_expression(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str) and node.value.startswith("=")


# -- declarations


def _declared(region: Node | None, found: list[Diagnostic]) -> Iterator[tuple[str, Parameter]]:
    for key, node in region.entries if isinstance(region, Map) else ():
        name = str(key.value)
        value = node.get("default") if isinstance(node, Map) else node
        if not isinstance(value, Scalar) or value.faulty or value.value is None:
            # Shape has its diagnostic; what reads the parameter is not reported as well.
            yield name, Parameter(name, key, Scalar(None, key.span, faulty=True), sound=False)
            continue
        if _is_expression(value):
            message = f"params.{name} is a plain value, not an expression"
            found.append(Diagnostic("S005", message, value.span, help="write the value itself"))
            continue
        about = node.get("about") if isinstance(node, Map) else None
        before = len(found)
        if isinstance(node, Map):
            _check_limits(name, value, node, found)
        sound = len(found) == before
        yield name, Parameter(name, key, value, str(plain(about)) if about else "", sound)


def _check_limits(name: str, value: Scalar, node: Map, found: list[Diagnostic]) -> None:
    """Hold the value to the limits that stand beside it."""
    read = _reader(value.value)
    size = read(value.value)
    low, high = node.get("min"), node.get("max")
    for word, limit in (("min", low), ("max", high)):
        if not isinstance(limit, Scalar) or limit.faulty or limit.value is None:
            continue
        if isinstance(value.value, bool | str) and read is _itself:
            message = f"params.{name} is {_TYPES[type(value.value)]}: it has no {word}"
            found.append(Diagnostic("S005", message, limit.span, help="take it out"))
            continue
        bound = read(limit.value)
        if type(bound) is not type(size) and not _numbers(bound, size):
            message = f"{word} of params.{name} is not of the same kind as its value"
            found.append(
                Diagnostic("S005", message, limit.span, secondary=(Label(value.span, "the value"),))
            )
        elif _beyond(word, size, bound):
            words = "at least" if word == "min" else "at most"
            found.append(
                Diagnostic(
                    "S005",
                    f"params.{name} is {words} {limit.raw}, got {value.raw}",
                    value.span,
                    secondary=(Label(limit.span, f"its {word}"),),
                )
            )
    choices = node.get("one_of")
    other = _of_another_type(choices, value) if isinstance(choices, List) else None
    if other is not None:
        message = f"params.{name} is {_TYPES[type(value.value)]}, and this choice is not"
        label = Label(value.span, "the value")
        found.append(Diagnostic("S005", message, other.span, secondary=(label,)))
    elif isinstance(choices, List):
        allowed = [plain(c) for c in choices.items]
        if value.value not in allowed or any(
            isinstance(value.value, bool) != isinstance(a, bool) for a in allowed
        ):
            words = ", ".join(str(a) for a in allowed)
            meant = nearest(str(value.value), [str(a) for a in allowed])
            found.append(
                Diagnostic(
                    "S005",
                    f"params.{name} is one of {words}, got {shown(value)}",
                    value.span,
                    secondary=(Label(choices.span, "the choices"),),
                    help=f"did you mean `{meant}`?" if meant else None,
                    fix=(Edit(value.span, meant),) if meant and not value.quoted else (),
                )
            )


def _of_another_type(choices: List, value: Scalar) -> Node | None:
    """The first choice that is of another type than the value."""
    for choice in choices.items:
        if not isinstance(choice, Scalar) or choice.faulty or choice.value is None:
            continue  # shape has its diagnostic
        given = choice.value
        if type(given) is not type(value.value) and not _numbers(given, value.value):
            return choice
    return None


def _beyond(word: str, size: object, bound: object) -> bool:
    if not _numbers(size, bound):
        return False
    assert isinstance(size, int | float)
    assert isinstance(bound, int | float)
    return size < bound if word == "min" else size > bound


def _numbers(*values: object) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _itself(value: object) -> object:
    return value


def _reader(value: Value) -> Callable[[object], object]:
    """How values of a parameter are compared: as what its default is a quantity of."""
    if isinstance(value, str):
        for read in _QUANTITIES.values():
            if not isinstance(read(value), str):
                return read
    return _itself


def kind_of(value: Value) -> str:
    """What a parameter with this default holds, in words."""
    if isinstance(value, str):
        for words, read in _QUANTITIES.items():
            if not isinstance(read(value), str):
                return words
    return _TYPES.get(type(value), "nothing")


def check_given(name: str, was: Scalar, given: Scalar) -> Diagnostic | None:
    """What is wrong with the type of a value that a layer gives a parameter."""
    if given.faulty or was.faulty or was.value is None:
        return None
    old, new = was.value, given.value
    same = type(old) is type(new) or (isinstance(old, float) and _numbers(new))
    quantity = _reader(old)
    if same and quantity is not _itself:
        same = not isinstance(quantity(new), str)
    if same:
        return None
    return Diagnostic(
        "S005",
        f"params.{name} is {kind_of(old)}, got {shown(given)}",
        given.span,
        secondary=(Label(was.span, "its default"),),
    )


def _unused(document: Map, parameters: Mapping[str, Parameter], found: list[Diagnostic]) -> None:
    """Parameters that no field and no expression reads."""
    if not parameters:
        return
    used: set[str] = set()
    for key, region in document.entries:
        if key.value in ("params", "profiles"):
            continue
        for _, node in walk(region):
            if isinstance(node, Scalar) and isinstance(node.value, str):
                used.update(_USED.findall(node.value))
    if used - parameters.keys():  # a name that is mistyped may be any of them
        return
    for name, parameter in parameters.items():
        if name not in used:
            found.append(
                Diagnostic(
                    "R106",
                    f"params.{name} is never used",
                    parameter.key.span,
                    help=f"write `= params.{name}` where it is meant, or take it out",
                )
            )


# -- fields


@dataclass(slots=True)
class _Filling:
    catalog: Catalog
    parameters: Mapping[str, Parameter]
    found: list[Diagnostic]
    hidden: bool
    """Whether parameters are declared in a region that is mistyped."""
    values: Mapping[str, Value] = field(init=False)

    def __post_init__(self) -> None:
        self.values = {f"{PREFIX}{n}": p.value.value for n, p in self.parameters.items()}

    def node(self, node: Node, path: Path) -> Node:
        if isinstance(node, Map):
            return self.map(node, path)
        if isinstance(node, List):
            items = tuple(self.node(item, (*path, i)) for i, item in enumerate(node.items))
            return node if items == node.items else replace(node, items=items)
        return self.scalar(node, path) if _is_expression(node) else node

    def map(self, node: Map, path: Path) -> Map:
        entries = []
        same = True
        for key, value in node.entries:
            here = (*path, str(key.value))
            filled = value if self._own(here, node) else self.node(value, here)
            same = same and filled is value
            entries.append((key, filled))
        return node if same else Map(tuple(entries), node.span)

    def _own(self, path: Path, around: Map) -> bool:
        """Whether a field is left as it is: expressions of rows, and what is no field at all."""
        match path:
            case ("params" | "profiles", *_):
                return True
            case (str(region),) if region not in TOP["properties"]:
                return True  # it has its diagnostic
            case ("steps", _, "set" | "when"):
                return True
            case ("steps", _, str(name)):
                known = _params_of(self.catalog.steps, around.get("op"))
                strange = known is not None and name not in known and name not in STEP_KEYS
                return strange or _takes_expression(self.catalog.steps, around.get("op"), name)
            case ("steps", _, "checks", str(check), str(name)):
                kind = around.get("kind") or Scalar(check, around.span)
                return _takes_expression(self.catalog.checks, kind, name)
        return False

    def scalar(self, node: Scalar, path: Path) -> Node:
        if path and (path[-1] in _NAMES or path[:1] == ("mashbill",)):
            message = f"{path[-1]} is a name, not an expression"
            self.found.append(Diagnostic("S005", message, node.span, help="write the name itself"))
            return replace(node, faulty=True)
        text = str(node.value)[1:]
        used = _USED.findall(text)
        lost = (self.parameters[n].value.faulty for n in used if n in self.parameters)
        if any(lost) or (used and self.hidden):
            return replace(node, faulty=True)
        expr, problems = parse_expr(text)
        if expr is not None:
            expr, more = fill(expr, self.values)
            problems = (*problems, *more)
        value: Value = None
        if expr is not None and not problems:
            value, more = evaluate(expr)
            problems = more
        for p in problems:
            span = node.within(p.start + 1, p.end + 1)
            fix = (Edit(span, p.replacement),) if p.replacement is not None else ()
            self.found.append(Diagnostic(p.code, p.message, span, help=p.help, fix=fix))
        if problems or expr is None:
            return replace(node, faulty=True)
        sound = all(self.parameters[n].sound for n in used if n in self.parameters)
        return replace(node, value=value, faulty=not sound)


_NAMES = ("op", "from", "kind", "name", "mashbill")


def _params_of(known: Mapping[str, Operator], op: Node | None) -> set[str] | None:
    operator = known.get(str(plain(op))) if isinstance(op, Scalar) else None
    return {p.name for p in operator.params} if operator else None


def _takes_expression(known: Mapping[str, Operator], op: Node | None, name: str) -> bool:
    operator = known.get(str(plain(op))) if isinstance(op, Scalar) else None
    if operator is None:
        return False
    return any(p.name == name and p.schema.get("format") == "expression" for p in operator.params)
