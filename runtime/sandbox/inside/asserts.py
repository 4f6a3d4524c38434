"""Tests taken apart, so that the process that judges keeps what is expected to itself.

Each `assert` becomes a call: `assert f(2) == 4` sends the value of `f(2)` to the judge, which holds
the 4; other comparisons are made where the program runs, with both sides kept as evidence.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


@dataclass(slots=True)
class Asked:
    """One `assert`.

    Attributes:
        text: Its source.
        line: Where it stands in the tests.
        expected: What the value must equal, if the judge compares it.
        held: Whether the judge compares it.
        must: Whether a run of the tests cannot pass it by.
    """

    text: str
    line: int
    expected: Any = None
    held: bool = False
    must: bool = False


@dataclass(slots=True)
class Suite:
    """Tests ready to run.

    Attributes:
        units: Pieces that run one after the other, each with its place.
        asked: Every `assert` in them.
        count: Assertions of any kind, those of unittest and pytest among them.
    """

    units: list[tuple[str, ast.Module]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    count: int = 0


def taken_apart(sources: list[str], name: str) -> Suite:
    """The suite of some test sources, whose helper is called `name`. Raises `SyntaxError`."""
    suite = Suite()
    for number, source in enumerate(sources):
        file = "tests.py" if len(sources) == 1 else f"test {number + 1}"
        tree = ast.parse(source, file)
        suite.count += assertions(tree)
        rewriter = _Rewriter(suite, source, name)
        body = [rewriter.visit(node) for node in tree.body]
        rewriter.mark(tree.body, body)
        for node in body:
            suite.units.append((file, ast.Module([node], [])))
        suite.units += [(file, unit) for unit in _calls(tree)]
    return suite


def assertions(tree: ast.AST) -> int:
    """How many things are asserted: `assert`, `self.assert…`, `pytest.raises`."""
    return sum(
        isinstance(node, ast.Assert)
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and (node.func.attr.startswith("assert") or node.func.attr == "raises")
        )
        for node in ast.walk(tree)
    )


class _Rewriter(ast.NodeTransformer):
    """Asserts to calls of the helper; remembers which call is which assert."""

    def __init__(self, suite: Suite, source: str, name: str) -> None:
        self._suite, self._source, self._name = suite, source, name
        self._numbers: dict[ast.AST, int] = {}
        self._guarded = 0

    def visit_Try(self, node: ast.Try) -> ast.AST:
        return self._inside(node)

    def visit_With(self, node: ast.With) -> ast.AST:
        return self._inside(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        call = node.value
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            return self.generic_visit(node)
        if call.func.attr not in ("assertEqual", "assertEquals") or len(call.args) < 2:
            return self.generic_visit(node)
        test = ast.Compare(call.args[0], [ast.Eq()], [call.args[1]])
        return self.visit_Assert(ast.copy_location(ast.Assert(test), node))

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        text = ast.get_source_segment(self._source, node) or ast.unparse(node)
        asked = Asked(text[:500], node.lineno)
        number = len(self._suite.asked)
        self._suite.asked.append(asked)
        test = node.test
        arguments: list[ast.expr] = [ast.Constant(number)]
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            left, (right,), (operator,) = test.left, test.comparators, test.ops
            closed = [side for side in (right, left) if _is_closed(side)]
            if isinstance(operator, ast.Eq) and len(closed) == 1 and not self._guarded:
                asked.held, asked.expected = True, _value(closed[0])
                arguments.append(left if closed[0] is right else right)
            else:
                arguments += [ast.Constant(_OPERATORS[type(operator)]), left, right]
        else:
            arguments += [ast.Constant("true"), test]
        if node.msg and not asked.held:
            nothing = ast.arguments([], [], None, [], [], None, [])
            while len(arguments) < 4:
                arguments.append(ast.Constant(None))
            arguments.append(ast.Lambda(nothing, node.msg))
        call = ast.Expr(ast.Call(ast.Name(self._name, ast.Load()), arguments, []))
        made = ast.fix_missing_locations(ast.copy_location(call, node))
        self._numbers[made] = number
        return made

    def mark(self, before: list[ast.stmt], after: list[ast.stmt]) -> None:
        """Say which asserts a run cannot pass by: those of the module and of its tests' bodies."""
        for old, new in zip(before, after, strict=True):
            if isinstance(old, ast.Assert):
                self._suite.asked[self._numbers[new]].must = True
            elif isinstance(old, ast.FunctionDef) and _is_test(old) and not old.decorator_list:
                for inner in new.body:  # type: ignore[attr-defined]
                    if inner in self._numbers:
                        self._suite.asked[self._numbers[inner]].must = True
                    elif not isinstance(inner, ast.Assign | ast.Expr | ast.AnnAssign | ast.Import):
                        break

    def _inside(self, node: ast.AST) -> ast.AST:
        self._guarded += 1
        made = self.generic_visit(node)
        self._guarded -= 1
        return made


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test")


def _calls(tree: ast.Module) -> list[ast.Module]:
    """Calls of the test functions and classes that a source defines, in their order."""
    made = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _is_test(node):
            text = f"{node.name}()"
        elif isinstance(node, ast.ClassDef) and any(
            _names(base, "TestCase") for base in node.bases
        ):
            text = (
                "import unittest as __u; __r = __u.TestResult(); "
                f"__u.defaultTestLoader.loadTestsFromTestCase({node.name}).run(__r)\n"
                "for __t, __e in __r.failures + __r.errors: raise AssertionError(__e)"
            )
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            names = [inner.name for inner in node.body if _is_test(inner)]  # type: ignore[attr-defined]
            text = "\n".join(f"{node.name}().{name}()" for name in names)
        else:
            continue
        for call in ast.parse(text).body:
            for inner in ast.walk(call):
                if hasattr(inner, "lineno"):
                    inner.lineno = inner.end_lineno = node.lineno  # type: ignore[attr-defined]
            made.append(ast.Module([call], []))
    return made


def _names(node: ast.expr, name: str) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) == name


_CALLS: dict[str, type] = {"set": set, "frozenset": frozenset, "float": float, "tuple": tuple}


def _is_closed(node: ast.expr) -> bool:
    """Whether an expression's value is plain from its text alone."""
    try:
        _value(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, OverflowError):
        return False
    return True


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        made = _CALLS.get(node.func.id)
        if made is None or len(node.args) > 1:
            raise ValueError(node.func.id)
        return made(*map(_value, node.args))
    return ast.literal_eval(node)
