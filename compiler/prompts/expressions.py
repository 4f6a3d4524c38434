"""Expressions that a prompt may hold: variables, literals, comparisons, a few filters.

Every one is total and cheap: there is no call, no arithmetic and no method, so a template can
neither fail on a well-typed row nor make more text than it was given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jinja2 import nodes

from ..diagnostics import Diagnostic, Edit, Span
from ..suggest import nearest
from ..types import ANY, BOOL, FLOAT, INT, NULL, STR, Type, list_of
from .places import node_span, word_span
from .record import Use
from .template import SUBSET, Parsed

FILTERS: Mapping[str, int] = {"trim": 0, "lower": 0, "upper": 0, "join": 1, "length": 0}
"""Filter to the most arguments that it takes."""

MAX_DEPTH = 40
_HALF = re.compile(r"[\ud800-\udfff]")
LOOP: Mapping[str, Type] = {"index": INT, "first": BOOL, "last": BOOL}

_SIMPLE = ("str", "int", "float", "bool", "null")
_TAKES: Mapping[str, tuple[str, ...]] = {"join": ("list",), "length": ("list", "str")}
_NAMED: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calls are",
    nodes.Concat: "`~` is",
    nodes.Dict: "dictionaries are",
    nodes.Slice: "slices are",
    nodes.BinExpr: "arithmetic is",
    nodes.UnaryExpr: "arithmetic is",
}
_CONSTANTS: Mapping[type, Type] = {
    str: STR, int: INT, float: FLOAT, bool: BOOL, type(None): NULL
}  # fmt: skip


@dataclass(slots=True)
class Findings:
    """What a walk over a prompt finds."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    unknown: list[Use] = field(default_factory=list)
    deep: bool = False

    def add(self, code: str, message: str, span: Span, **facts: Any) -> None:
        """Report something."""
        self.diagnostics.append(Diagnostic(code, message, span, **facts))

    def refuse(self, parsed: Parsed, node: nodes.Node, message: str, hint: str = "") -> Type:
        """Report a node that prompts do not have; its type is then not known."""
        notes = () if hint else (SUBSET,)
        span = node_span(parsed, node)
        self.add("P211", message, span, help=hint or None, notes=notes)
        return ANY

    def refuse_depth(self, parsed: Parsed, node: nodes.Node) -> Type:
        """Report what is nested too deeply, once."""
        if not self.deep:
            self.refuse(parsed, node, f"nested more than {MAX_DEPTH} levels deep")
        self.deep = True
        return ANY


@dataclass(frozen=True, slots=True)
class Expressions:
    """Checks expressions of one file in one scope.

    Attributes:
        parsed: The file.
        inputs: Declared inputs.
        scope: Loop variables.
        found: Where findings go.
    """

    parsed: Parsed
    inputs: Mapping[str, Type]
    found: Findings
    scope: Mapping[str, Type] = field(default_factory=dict)

    def within(self, **names: Type) -> Expressions:
        """The same with more loop variables."""
        return replace(self, scope={**self.scope, **names})

    def refuse(self, node: nodes.Node, message: str, hint: str = "") -> Type:
        """Report a node. The inputs in it count as used: one cause, one diagnostic."""
        for name in (node, *node.find_all(nodes.Name)):
            if isinstance(name, nodes.Name) and name.name in self.inputs:
                self.found.uses.append(Use(name.name, node_span(self.parsed, name)))
        return self.found.refuse(self.parsed, node, message, hint)

    def check(self, node: nodes.Node, depth: int) -> Type:
        """The type of an expression, `any` where it is not known or wrong."""
        if depth > MAX_DEPTH:
            return self.found.refuse_depth(self.parsed, node)
        inner = depth + 1
        match node:
            case nodes.Const():
                if isinstance(node.value, str) and _HALF.search(node.value):
                    return self.refuse(node, "this text holds half of a character")
                return _CONSTANTS.get(type(node.value), ANY)
            case nodes.Name() | nodes.Getattr():
                return self.variable(node, inner)
            case nodes.Getitem():
                return self.item(node, inner)
            case nodes.Filter():
                return self.filter(node, inner)
            case nodes.Compare():
                return self.comparison(node, inner)
            case nodes.And() | nodes.Or():
                return self.either(node.left, node.right, inner)
            case nodes.Not():
                self.check(node.node, inner)
                return BOOL
            case nodes.Neg() if isinstance(node.node, nodes.Const):
                return self.check(node.node, inner)
            case nodes.Test():
                return self.test(node, inner)
            case nodes.CondExpr():
                self.check(node.test, inner)
                if node.expr2 is None:
                    return self.refuse(node, "`if` without `else`", "add `else ''`")
                return self.either(node.expr1, node.expr2, inner)
            case nodes.List() | nodes.Tuple():
                kinds = [self.check(part, inner) for part in node.items]
                return list_of(kinds[0] if kinds else ANY)
            case _:
                what = next((w for t, w in _NAMED.items() if isinstance(node, t)), None)
                what = what or f"`{type(node).__name__.lower()}` is"
                return self.refuse(node, f"{what} not part of prompts")

    def either(self, left: nodes.Node, right: nodes.Node, depth: int) -> Type:
        """One of two values."""
        one, other = self.check(left, depth), self.check(right, depth)
        return one if one == other else ANY

    def variable(self, node: nodes.Expr, depth: int) -> Type:
        """A name, a field of a struct, a dotted column, or what `loop` knows."""
        path = _dotted(node)
        if path is not None and len(path) > MAX_DEPTH:
            return self.found.refuse_depth(self.parsed, _root(node))
        if path is None:
            assert isinstance(node, nodes.Getattr)
            return self.attribute(node, self.check(node.node, depth))
        head, name, root = path[0], ".".join(path), _root(node)
        if head in self.scope:
            if head == "loop":
                known = len(path) == 2 and path[1] in LOOP
                message = "`loop` has index, first and last"
                close = nearest(path[-1], LOOP)
                hint = f"did you mean `loop.{close}`?" if close else ""
                return LOOP[path[1]] if known else self.refuse(node, message, hint)
            return self.chain(node, self.scope[head])
        if name in self.inputs:
            self.found.uses.append(Use(name, node_span(self.parsed, node)))
            return self.inputs[name]
        if head in self.inputs:
            self.found.uses.append(Use(head, node_span(self.parsed, root)))
            return self.chain(node, self.inputs[head])
        dotted = any(n.startswith(head + ".") for n in self.inputs)
        span = node_span(self.parsed, node if dotted else root)
        self.found.unknown.append(Use(name if dotted else head, span))
        return ANY

    def chain(self, node: nodes.Expr, kind: Type) -> Type:
        """The type behind a chain of fields that starts at a name of type `kind`."""
        if isinstance(node, nodes.Getattr):
            return self.attribute(node, self.chain(node.node, kind))
        return kind

    def attribute(self, node: nodes.Getattr, base: Type) -> Type:
        """A field of a struct."""
        fields = dict(base.fields)
        if base.kind == "any" or node.attr in fields:
            return fields.get(node.attr, ANY)
        span = word_span(self.parsed, node.attr, node.lineno)
        close = nearest(node.attr, fields)
        self.found.add(
            "P201",
            f"{base} has no field `{node.attr}`",
            span,
            help=f"did you mean `{close}`?" if close else None,
            fix=(Edit(span, close),) if close else (),
        )
        return ANY

    def item(self, node: nodes.Getitem, depth: int) -> Type:
        """A subscript; a literal, so that it can be checked."""
        base = self.check(node.node, depth)
        arg = node.arg.node if isinstance(node.arg, nodes.Neg) else node.arg
        if not isinstance(arg, nodes.Const):
            return self.refuse(node.arg, "a subscript is a number or a name in quotes")
        if base.kind == "list" and type(arg.value) is int:
            return (base.item or ANY).maybe()
        if base.kind == "struct" and arg.value in dict(base.fields):
            return dict(base.fields)[arg.value]
        if base.kind == "any":
            return ANY
        return self.refuse(node.arg, f"{base} has no `{arg.value}`")

    def filter(self, node: nodes.Filter, depth: int) -> Type:
        """A filter of the list, with literal arguments."""
        name = node.name
        base = self.check(node.node, depth) if node.node else ANY
        span = word_span(self.parsed, name, node.lineno)
        # An argument that is wrong is used all the same.
        self.found.uses.extend(
            Use(n.name, node_span(self.parsed, n))
            for argument in node.args
            for n in (argument, *argument.find_all(nodes.Name))
            if isinstance(n, nodes.Name) and n.name in self.inputs
        )
        if name not in FILTERS:
            close = nearest(name, FILTERS)
            hint = f"did you mean `{close}`?" if close else "filters are " + ", ".join(FILTERS)
            fix = (Edit(span, close),) if close else ()
            self.found.add("P211", f"unknown filter `{name}`", span, help=hint, fix=fix)
            return ANY
        literal = all(isinstance(a, nodes.Const) and isinstance(a.value, str) for a in node.args)
        extra = node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None
        if len(node.args) > FILTERS[name] or not literal or extra:
            takes = "one text in quotes" if FILTERS[name] else "no argument"
            self.found.add("P211", f"filter `{name}` takes {takes}", span)
        if base.kind not in (*_TAKES.get(name, _SIMPLE), "any"):
            hint = "join it first: `| join(', ')`" if base.kind == "list" else ""
            self.found.add("P211", f"filter `{name}` does not take {base}", span, help=hint or None)
        return INT if name == "length" else STR

    def test(self, node: nodes.Test, depth: int) -> Type:
        """`is none` and `is not none`."""
        self.check(node.node, depth)
        if node.name != "none" or node.args:
            hint = "ask `is none` or `is not none`; a missing input is an error anyway"
            self.refuse(node, f"the test `{node.name}` is not part of prompts", hint)
        return BOOL

    def comparison(self, node: nodes.Compare, depth: int) -> Type:
        """Comparisons of like with like."""
        left = self.check(node.expr, depth)
        for operand in node.ops:
            right = self.check(operand.expr, depth)
            if not _comparable(operand.op, left, right):
                self.refuse(node, f"cannot compare {left} with {right}", "compare like with like")
            left = right
        return BOOL


def _comparable(op: str, left: Type, right: Type) -> bool:
    if op in ("in", "notin"):
        return right.kind in ("list", "any") or (
            right.kind == "str" and left.kind in ("str", "any")
        )
    if {"any", "null"} & {left.kind, right.kind}:
        return True
    one, other = _family(left), _family(right)
    return one == other and (op in ("eq", "ne") or one in ("number", "str"))


def _family(kind: Type) -> str:
    return "number" if kind.kind in ("int", "float") else kind.kind


def _dotted(node: nodes.Node) -> tuple[str, ...] | None:
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    return (node.name, *reversed(parts)) if isinstance(node, nodes.Name) else None


def _root(node: nodes.Node) -> nodes.Node:
    while isinstance(node, nodes.Getattr):
        node = node.node
    return node
