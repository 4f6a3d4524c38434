"""Binding of an expression: parameters put in, names and types checked against the columns."""

from __future__ import annotations

from .bound import BoundExpression
from .constants import fill, uses_parameters
from .counting import check_tokenizer
from .diagnostics import Diagnostic, Edit, Span
from .document import Node, Scalar
from .expr import (
    Expr,
    columns_read,
    infer_type,
    is_random,
    parse_expr,
    patterns,
    show_expr,
    token_counts,
)
from .expr.nodes import Call, walk
from .mending import edit_within
from .scope import Binding, Scope
from .types import ANY, Type


def bind_expression(
    node: Node, binding: Binding, scope: Scope, *, want: Type | None = None, skip: int = 0
) -> BoundExpression | None:
    """Parse and check an expression; None if it is wrong."""
    if not isinstance(node, Scalar) or node.value is None:
        return None
    raw = node.value
    text = raw[skip:] if isinstance(raw, str) else str(raw).lower()

    def at(start: int, end: int) -> Span:
        return node.within(start + skip, end + skip)

    expr, problems = parse_expr(text)
    kind: Type | None = None
    bad = False
    chosen = expr is not None and uses_parameters(expr)
    if expr is not None:
        known = {name: value for name, value in binding.values.items() if value is not None}
        expr, unknown = fill(expr, known)
        hidden = "params" in binding.recipe.unread
        told = (p for p in unknown if not hidden and text[p.start : p.end] not in binding.values)
        problems = (*problems, *told)
        columns = dict(scope.columns)
        if unknown:  # they have been spoken of
            read = columns_read(expr, columns)
            lost = frozenset(n for n in read if n.startswith("params."))
            columns |= dict.fromkeys(lost, ANY.maybe(False))
        if scope.open:  # what is not known to be there may be
            lost = columns_read(expr, columns) - columns.keys()
            columns |= dict.fromkeys(lost, ANY.maybe(False))
        kind, more = infer_type(expr, columns)
        problems = (*problems, *more)
        for pattern, start, end in patterns(expr):
            if why := binding.world.regex_problem(pattern):
                bad = True
                binding.add(bad_pattern(why, at(start, end)))
    for p in problems:
        if chosen and p.code == "X154":  # constant under this value of a parameter only
            continue
        span = at(p.start, p.end)
        fix: tuple[Edit, ...] = ()
        if p.replacement is not None and isinstance(raw, str):
            fix = (edit_within(node, p.start + skip, p.end + skip, p.replacement),)
        found = Diagnostic(p.code, p.message, span, help=p.help, fix=fix)
        binding.add(found)
        bad = bad or found.severity == "error"
    if bad or expr is None or kind is None:
        return None
    if want is not None and kind.kind not in (want.kind, "any", "null"):
        binding.add(
            Diagnostic(
                "X152",
                f"this must be {_a(want)}, and it is {_a(kind)}",
                at(0, len(text)),
                help="compare it with something" if want.kind == "bool" else None,
            )
        )
        return None
    counted = token_counts(expr)
    if counted and not check_tokenizer(binding, at(counted[0].start, counted[0].end)):
        return None
    reads = columns_read(expr, scope.columns)
    if want is not None and not reads and not chosen:
        words = "this is the same for every row, so all rows pass or none"
        binding.add(Diagnostic("X154", words, at(0, len(text)), help="compare a column"))
    return BoundExpression(
        show_expr(expr),
        kind,
        reads,
        is_random(expr),
        is_random(expr) or _hashes(expr),
        tuple(show_expr(call.args[0]) for call in counted),
    )


def _hashes(expr: Expr) -> bool:
    return any(isinstance(part, Call) and part.name == "hash01" for part in walk(expr))


def bad_pattern(why: str, span: Span) -> Diagnostic:
    """X155 for a pattern that the runtime does not take."""
    return Diagnostic("X155", f"not a regular expression here: {why}", span)


def _a(kind: Type) -> str:
    words = {"bool": "true or false", "str": "text", "int": "a whole number", "float": "a number"}
    return words.get(kind.kind, str(kind))
