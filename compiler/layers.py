"""Three layers and no more: the recipe, one profile over it, `--set` over both; later wins.

A change is a dotted path and a value. The value replaces the whole node there; a list is replaced
whole. A path may go through a short form (`models.writer.sampling.temperature` where `writer` is
`local/smollm2-135m`), which is written out first, and may name a key that the format has and the
recipe does not use yet. It may not name a model, source, step or part that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from .diagnostics import Diagnostic, Edit, Span, in_order
from .document import TYPED, List, Map, Node, Scalar, parse_document
from .hidden import hidden_regions, used_names
from .parameters import check_given, fill_parameters
from .registry import Catalog
from .schema import TOP
from .shape import check_shape
from .suggest import nearest

_NAMED = ("params", "models", "sources", "steps", "mix.parts")
_SHORT = {"params": "default", "models": "use", "mix.parts": "weight"}


class Layered(NamedTuple):
    """A document with its layers applied.

    Attributes:
        document: The recipe, with changed nodes that keep the spans of where they were written.
        diagnostics: What could not be applied.
        files: Text by name of each `--set` argument, for `Report.files`.
    """

    document: Map
    diagnostics: tuple[Diagnostic, ...]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Change:
    """One path and value; `path` is the scalar that holds the path, for spans."""

    path: Scalar
    value: Node
    shown: str

    @property
    def typed(self) -> bool:
        """Whether the user typed it after `--set`."""
        return self.path.span.file.startswith(TYPED)

    def segments(self) -> list[Scalar]:
        """The parts of the path, each with its own span."""
        found, at = [], 0
        for name in str(self.path.value).split("."):
            span = self.path.within(at, at + len(name)) if name else self.path.span
            found.append(Scalar(name, span, raw=name, faulty=self.path.faulty))
            at += len(name) + 1
        return found


def apply_layers(document: Map, profile: str | None, sets: Sequence[str]) -> Layered:
    """Lay a profile and the arguments of `--set` over a recipe, in this order."""
    diagnostics: list[Diagnostic] = []
    files: dict[str, str] = {}
    changes: list[_Change] = []
    if profile is not None:
        changes += _profile(document, profile, diagnostics)
    for number, argument in enumerate(sets, 1):
        file = TYPED if len(sets) == 1 else f"{TYPED} {number}"
        files[file] = argument
        changes += _argument(argument, file, diagnostics)
    hidden = hidden_regions(document)
    told: set[str] = set()
    used: frozenset[str] | None = None
    for change in changes:
        if str(change.path.value).partition(".")[0] in hidden:
            continue  # it has its diagnostic: here nothing can be said
        changed = _apply(document, change)
        if isinstance(changed, Diagnostic):
            # Several paths through one name that is not there, or one that is missed elsewhere too.
            lost = _as_far_as(changed, change) if changed.code == "R107" else ""
            used = used_names(document) if used is None else used
            elsewhere = lost in used or _broken_above(document, change)
            if not lost or (lost not in told and (change.typed or not elsewhere)):
                diagnostics.append(changed)
            told.add(lost)
        else:
            document = changed
    return Layered(document, tuple(diagnostics), files)


_MAPS = ("sampling", "chunk", "set", "checks", "placement", "columns")


def _broken_above(document: Map, change: _Change) -> bool:
    """Whether the path leads through what must be a map and is none: shape tells that."""
    node: Node | None = document
    for depth, segment in enumerate(change.segments()):
        if not isinstance(node, Map):
            above = str(change.segments()[depth - 1].value)
            return node is not None and (depth <= 2 or above in _MAPS)
        node = node.get(str(segment.value))
    return False


def _as_far_as(found: Diagnostic, change: _Change) -> str:
    """The path up to what it fails at."""
    end = found.span.end if found.span else change.path.span.end
    text = str(change.path.value)
    return text if change.path.quoted else text[: end - change.path.span.start]


def check_profiles(
    document: Map, catalog: Catalog, chosen: str | None = None
) -> tuple[Diagnostic, ...]:
    """What is wrong with profiles other than the chosen one, each laid over the recipe alone."""
    region = document.get("profiles")
    found: list[Diagnostic] = []
    for name in profiles_of(document):
        if name == chosen or region is None:
            continue
        layered = apply_layers(document, name, ())
        filled = fill_parameters(layered.document, catalog)
        more = (*filled.diagnostics, *check_shape(filled.document, catalog))
        found += layered.diagnostics
        # What is never used is so with every profile, and is told once.
        found += (d for d in more if d.code != "R106" and _inside(d.span, region.span))
    return in_order(found)


def _inside(span: Span | None, region: Span) -> bool:
    return bool(span and span.file == region.file and region.start <= span.start < region.end)


def profiles_of(document: Map) -> tuple[str, ...]:
    """The names of a recipe's profiles."""
    node = document.get("profiles")
    return node.names if isinstance(node, Map) else ()


def _profile(document: Map, name: str, diagnostics: list[Diagnostic]) -> Iterator[_Change]:
    profiles = document.get("profiles")
    body = profiles.get(name) if isinstance(profiles, Map) else None
    if body is None:
        known = profiles_of(document)
        meant = nearest(name, known)
        there = f"{len(known)}: {', '.join(known)}" if known else "the recipe has none"
        message = f"no profile '{name}' ({there})"
        hint = f"did you mean `--profile {meant}`?" if meant else None
        key = document.key("profiles")
        diagnostics.append(Diagnostic("R107", message, key.span if key else None, help=hint))
    if isinstance(body, Map):
        for key, value in body.entries:
            yield _Change(key, value, str(key.value))


def _argument(argument: str, file: str, diagnostics: list[Diagnostic]) -> Iterator[_Change]:
    path, equals, _ = argument.partition("=")
    whole = Span(file, 0, len(argument))
    if not equals or not path.strip():
        message = f"--set needs a path and a value, got {argument!r}"
        hint = "write `--set models.writer=local/smollm2-135m`"
        diagnostics.append(Diagnostic("R107", message, whole, help=hint))
        return
    value, problems = parse_document(argument, file, within=(len(path) + 1, len(argument)))
    diagnostics += [replace(d, fix=()) for d in problems]
    if value is not None:
        start = len(path) - len(path.lstrip())
        text = path.strip()
        key = Scalar(text, Span(file, start, start + len(text)), raw=text)
        if isinstance(value, Scalar) and not value.raw:
            value = replace(value, span=Span(file, len(argument), len(argument)))
        yield _Change(key, value, f"{TYPED} {text}")


def _apply(document: Map, change: _Change) -> Map | Diagnostic:
    result = _put(document, change.segments(), 0, change)
    assert isinstance(result, Map | Diagnostic)
    return result


def _allowed(where: Sequence[str]) -> list[str] | None:
    """The keys that the format has at a place; None where the user or an operator says."""
    schema: Mapping[str, Any] = TOP
    for name in where:
        rest = schema.get("additionalProperties")
        schema = schema.get("properties", {}).get(name) or (rest if isinstance(rest, dict) else {})
    closed = schema.get("additionalProperties") is False
    # A profile is not changed by another layer.
    return [key for key in schema["properties"] if key != "profiles"] if closed else None


def _put(node: Node | None, segments: list[Scalar], at: int, change: _Change) -> Node | Diagnostic:
    """The node with the change made below it; `segments[:at]` lead to the node."""
    if at == len(segments):
        return _value(node, segments, change)
    where = ".".join(str(s.value) for s in segments[:at])
    key = segments[at]
    kind = next((k for k in _NAMED if where == k or where.startswith(f"{k}.")), "")
    inside = kind in _SHORT and where.count(".") == kind.count(".") + 1
    if inside and isinstance(node, Scalar):
        long = Scalar(_SHORT[kind], node.span, raw=_SHORT[kind])
        node = Map(((long, node),), node.span)
    if node is None or (isinstance(node, Scalar) and node.value is None):
        node = Map((), key.span)
    if not isinstance(node, Map):
        what = "a list; replace it whole" if isinstance(node, List) else "a value, not a map"
        return _no_match(change, key, (), f"'{where}' is {what}")
    name = str(key.value)
    if where in _NAMED and name not in node:
        last = where.rpartition(".")[2]
        number = len(node.names)
        what = last if number != 1 else last[:-1]
        listed = f"{number} {what}: {', '.join(node.names[:12])}" if number else f"no {last}"
        return _no_match(change, key, node.names, listed)
    known = _allowed([str(s.value) for s in segments[:at]])
    if known is not None and name not in known:
        there = where or "a recipe"
        return _no_match(change, key, known, f"{there} has no key '{name}'")
    inner = _put(node.get(name), segments, at + 1, change)
    if isinstance(inner, Diagnostic):
        return inner
    if name not in node:
        return Map((*node.entries, (key, inner)), node.span)
    leaf = at + 1 == len(segments)
    entries = ((key if leaf else k, inner) if k.value == name else (k, v) for k, v in node.entries)
    return Map(tuple(entries), node.span)


def _value(node: Node | None, segments: list[Scalar], change: _Change) -> Node | Diagnostic:
    """What stands at the path from now on; of a parameter in its long form, the default."""
    given = change.value
    names = [str(s.value) for s in segments]
    if names[0] != "params" or not isinstance(given, Scalar):
        return given
    if len(names) == 2 and isinstance(node, Map) and "default" in node:
        old = node.get("default")
        wrong = check_given(names[1], old, given) if isinstance(old, Scalar) else None
        entries = ((k, given if k.value == "default" else v) for k, v in node.entries)
        return wrong or Map(tuple(entries), node.span)
    if isinstance(node, Scalar) and names[2:] in ([], ["default"]):
        return check_given(names[1], node, given) or given
    return given


def _no_match(change: _Change, segment: Scalar, known: Sequence[str], why: str) -> Diagnostic:
    """`--set models.writter.use matches nothing (3 models: writer, solver, judge)`."""
    name = str(segment.value)
    meant = nearest(name, known)
    path = str(change.path.value)
    start = segment.span.start - change.path.span.start
    better = (
        f"{path[:start]}{meant}{path[start + len(name) :]}" if not change.path.quoted else meant
    )
    hint = f"did you mean `{better}`?" if meant else None
    typed = segment.span.file.startswith(TYPED)
    fix = (Edit(segment.span, meant),) if meant and not typed else ()
    return Diagnostic(
        "R107", f"{change.shown} matches nothing ({why})", segment.span, help=hint, fix=fix
    )
