"""A recipe's text to one document in which every field holds its value, whatever layer gave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from .diagnostics import Diagnostic
from .document import Map, Node, parse_document
from .environment import misplaced_variables
from .layers import apply_layers, check_profiles
from .nodes import TYPED, List, Scalar, plain
from .parameters import Parameter, fill_parameters
from .registry import Catalog
from .renamed import with_new_names
from .shape import check_shape


@dataclass(slots=True)
class Resolved:
    """What a text says under a profile and settings.

    Attributes:
        diagnostics: What is wrong so far: YAML, layers, parameters, shape.
        files: Text by name.
        written: The document as it stands in the file; None where it is no YAML.
        document: The same with all layers and values; None where it is no map.
        parameters: By name.
    """

    diagnostics: list[Diagnostic]
    files: dict[str, str]
    written: Node | None = None
    document: Map | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def resolve_recipe(
    text: str, file: str, catalog: Catalog, profile: str | None = None, sets: Sequence[str] = ()
) -> Resolved:
    """Parse a recipe, lay profile and settings over it, work out its fields, check its shape."""
    written, problems = parse_document(text, file)
    made = Resolved([*problems], {file: text}, written)
    if not isinstance(written, Map):
        if written is not None:
            made.diagnostics += check_shape(written, catalog)
        return made
    document, old = with_new_names(written)
    layered = apply_layers(document, profile, sets)
    filled = fill_parameters(layered.document, catalog)
    made.diagnostics += (
        *old,
        *layered.diagnostics,
        *check_profiles(document, catalog, profile),
        *filled.diagnostics,
        *check_shape(filled.document, catalog),
        *misplaced_variables(filled.document, catalog),
    )
    made.files.update(layered.files)
    made.document, made.parameters = filled.document, filled.parameters
    return made


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a resolved recipe.

    Attributes:
        path: Dotted.
        value: Plain.
        layer: `recipe`, `profile NAME` or `--set`.
        written: The expression that it was worked out from; empty for a plain value.
    """

    path: str
    value: Any
    layer: str
    written: str = ""


def settings(resolved: Resolved) -> Iterator[Setting]:
    """Every value with the layer that it came from, in the order of the file."""
    if resolved.document is None:
        return
    for path, node in _leaves(resolved.document, ()):
        if path[0] != "profiles":
            yield Setting(".".join(path), plain(node), layer_of(node, resolved), _written(node))


def show_settings(resolved: Resolved) -> str:
    """The resolved recipe as YAML, each value that a layer changed marked with it."""
    if resolved.document is None:
        return ""
    lines: list[tuple[str, str]] = []
    _lines(resolved.document, 0, resolved, lines)
    longest = max((len(text) for text, note in lines if note and len(text) <= 60), default=0)
    return "\n".join(f"{text:<{longest}}  # {note}" if note else text for text, note in lines)


def layer_of(node: Node, resolved: Resolved) -> str:
    """Which layer wrote a value."""
    if node.span.file.startswith(TYPED):
        return TYPED
    written = resolved.written
    profiles = written.get("profiles") if isinstance(written, Map) else None
    for key, body in profiles.entries if isinstance(profiles, Map) else ():
        if body.span.start <= node.span.start < max(body.span.end, body.span.start + 1):
            return f"profile {key.value}"
    return "recipe"


def _leaves(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    if isinstance(node, Map) and node.entries:
        for key, value in node.entries:
            yield from _leaves(value, (*path, str(key.value)))
    else:
        yield path, node


def _written(node: Node) -> str:
    if not isinstance(node, Scalar):
        return ""
    raw = node.raw.strip("'\"")
    return raw if raw.startswith("=") and node.value != raw else ""


def _lines(node: Map, depth: int, resolved: Resolved, lines: list[tuple[str, str]]) -> None:
    for key, value in node.entries:
        if not depth and key.value == "profiles":
            continue
        head = f"{'  ' * depth}{key.value}:"
        if isinstance(value, Map) and value.entries:
            lines.append((head, ""))
            _lines(value, depth + 1, resolved, lines)
            continue
        layer = layer_of(value, resolved)
        notes = [n for n in (_written(value), layer if layer != "recipe" else "") if n]
        lines.append((f"{head} {_flow(value)}", ", ".join(notes)))


def _flow(node: Node) -> str:
    """A value on one line."""
    if isinstance(node, Map):
        inside = ", ".join(f"{k.value}: {_flow(v)}" for k, v in node.entries)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(node, List):
        return f"[{', '.join(_flow(i) for i in node.items)}]"
    # PyYAML quotes whatever any reader might take for something else.
    listed = yaml.safe_dump([node.value], default_flow_style=True, width=10**9, allow_unicode=True)
    return listed.rstrip()[1:-1]
