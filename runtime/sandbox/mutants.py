"""Programs with one small fault each, and a stub of a program: tests that pass them do not bite.

Operators after the usual sets of mutation testing (mutmut, cosmic-ray): comparisons and arithmetic
swapped, constants off by one, conditions negated, statements dropped, results replaced by None.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program with one fault.

    Attributes:
        kind: `comparison arithmetic logic constant condition dropped result`.
        line: Where the fault is.
        code: The whole program.
    """

    kind: str
    line: int
    code: str


def stub_of(code: str) -> str:
    """The program with no function doing anything. Raises `SyntaxError`."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            node.body = [ast.Pass()]
    return ast.unparse(ast.fix_missing_locations(tree))


def mutants_of(code: str, most: int) -> list[Mutant]:
    """At most so many mutants, spread over the kinds of fault, always the same ones.

    Raises:
        SyntaxError: If the program is none.
    """
    tree = ast.parse(code)
    by_kind: dict[str, list[tuple[str, int, ast.Module]]] = {}
    original = ast.unparse(tree)
    for place, (node, kind) in enumerate(_places(tree)):
        changed = _changed(tree, place)
        by_kind.setdefault(kind, []).append((f"{place}", getattr(node, "lineno", 0), changed))
    queues = [
        sorted(found, key=lambda f: blake2b(f"{original}{f[0]}".encode()).digest())
        for _, found in sorted(by_kind.items())
    ]
    kinds = sorted(by_kind)
    made: list[Mutant] = []
    seen = {original}
    while any(queues) and len(made) < most:
        for kind, queue in zip(kinds, queues, strict=True):
            if queue and len(made) < most:
                _, line, changed = queue.pop(0)
                text = ast.unparse(ast.fix_missing_locations(changed))
                if text not in seen:
                    seen.add(text)
                    made.append(Mutant(kind, line, text))
    return made


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every place of a program that can be faulty, and how; the order is part of the contract."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
            yield node, "comparison"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
            yield node, "arithmetic"
        elif isinstance(node, ast.BoolOp):
            yield node, "logic"
        elif isinstance(node, ast.Constant) and type(node.value) in (int, bool):
            yield node, "constant"
        elif isinstance(node, ast.If | ast.While | ast.IfExp):
            yield node, "condition"
        elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
            yield node, "result"
        elif _may_go(node):
            yield node, "dropped"


def _may_go(node: ast.AST) -> bool:
    """Whether a statement can be dropped and leave a program that means something else."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Assign | ast.Continue | ast.Break)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _changed(tree: ast.Module, place: int) -> ast.Module:
    made = copy.deepcopy(tree)
    node = next(found for i, (found, _) in enumerate(_places(made)) if i == place)
    match node:
        case ast.Compare():
            node.ops[0] = _COMPARISONS[type(node.ops[0])]()
        case ast.BinOp() | ast.AugAssign():
            node.op = _ARITHMETIC[type(node.op)]()
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value)):
            node.value = value + 1
        case ast.If() | ast.While() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Return():
            node.value = ast.Constant(None)
        case _:
            _drop(made, node)
    return made


def _drop(tree: ast.Module, gone: ast.AST) -> None:
    for node in ast.walk(tree):
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and gone in value:
                value[value.index(gone)] = ast.Pass()
                return
