"""Binding of a source: its files, its licence, the columns that it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from .asking import ALLOW_OUTSIDE
from .diagnostics import Diagnostic
from .graph import (
    DERIVED,
    Makers,
    Node,
    Traits,
)
from .identity import digest, hash_input
from .recipe import SourceDecl
from .scope import BUILT_IN, Binding
from .types import ANY, STR, Type
from .world import OutsideError


def bind_source(source: SourceDecl, binding: Binding) -> Node:
    """Bind a source: its files must exist, its licence must be known or acknowledged."""
    known = source.license.lower() != "unknown" or "G702" in source.acknowledge
    if not known and not binding.faulty(source.span, source.body):
        binding.add(
            Diagnostic(
                "G702",
                f"the licence of source `{source.name}` is unknown",
                source.license_span,
                help="name the licence, or write `acknowledge: [G702]`",
            )
        )
    if source.path and not binding.faulty(source.path_span):
        try:
            if not binding.world.match(source.path, typed=source.typed):
                binding.add(
                    Diagnostic(
                        "D301",
                        f"{source.path} matches no files",
                        source.path_span,
                        "looked in the current folder"
                        if source.typed
                        else "looked beside the recipe",
                    )
                )
        except OutsideError as error:
            help = f"{ALLOW_OUTSIDE}, or give the path yourself: --set sources.{source.name}.path=…"
            outside = Diagnostic("R112", str(error), source.path_span, help=help)
            binding.add(outside)
    columns: dict[str, Type] = {"text": STR, "source.text": STR, **BUILT_IN}
    columns |= {new: ANY for new, _ in source.columns}
    definition = {
        "data": binding.pins.sources.get(source.name, f"path:{source.path}"),
        "text": source.text,
        "columns": dict(source.columns),
        "key": source.key,
        "origin": source.origin,
        "limit": source.limit,
        **source.reading,
    }
    made = frozenset(columns)
    return identified(
        Node(
            name=source.name,
            op="source",
            version=1,
            stage="scan",
            inputs=(),
            definition=definition,
            columns=columns,
            modelled=made if source.origin != "human" else frozenset(),
            origin=source.origin,
            traits=Traits(frozenset(), made, False, True, False, "free"),
            makers=made_by(source.name, columns),
        ),
        {},
    )


def made_by(name: str, columns: Iterable[str], before: Makers = MappingProxyType({})) -> Makers:
    """The same step or source as the maker of several columns, beside who made them before."""
    return {column: tuple(sorted({name, *before.get(column, ())})) for column in columns}


def identified(
    node: Node, upstream: Mapping[str, Node], packages: Mapping[str, str] | None = None
) -> Node:
    """A node with its identity, taken from its definition and from what it reads."""
    definition = {k: v for k, v in node.definition.items() if k not in DERIVED}
    inputs = (f"{upstream[e.node].fingerprint}.{e.port}" for e in node.inputs)
    whole = hash_input(node.op, node.version, definition, packages or {}, inputs)
    without_limit = {k: v for k, v in definition.items() if k != "limit"}
    rule = {"op": node.op, "version": node.version, "definition": without_limit}
    return replace(node, fingerprint=digest(whole), rule=digest(rule))
