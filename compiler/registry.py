"""Operators as the compiler sees them: names, parameters, traits, versions and cases.

An operator is one file in `runtime/ops/` or `runtime/checks/`: a function under one of the
decorators below. Its signature is its parameters; its docstring's first line says what it does. The
compiler is handed a filled `Catalog` and never imports the operators itself.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NewType, TypeVar, get_args, get_origin

Column = NewType("Column", str)
"""A parameter that names a column: bound against the columns that reach the step."""

Expression = NewType("Expression", str)
"""A parameter that is always an expression, without a leading `=`."""

Pattern = NewType("Pattern", str)
"""A regular expression in the dialect of polars (no look-around, no back-references)."""

Rank = NewType("Rank", str)
"""An expression by whose number rows are put in order, the largest first."""

Share = NewType("Share", float)
"""A share, written `0.5` or `50%`."""

Count = NewType("Count", int)
"""A whole number of at least 1."""

ONE = Count(1)

Ratio = NewType("Ratio", float)
"""A number from 0 on: how many times as much."""

Duration = NewType("Duration", float)
"""A time, written `10s` or `2m`; in seconds."""

Size = NewType("Size", int)
"""A size, written `512MB`; in bytes."""

Prompt = NewType("Prompt", str)
"""The path of a prompt file."""

Template = NewType("Template", str)
"""The path of a render template, which turns the fields of a row into text."""

Model = NewType("Model", str)
"""The name of a model of the recipe."""

Cost = Literal["free", "cpu", "model"]
OpKind = Literal["step", "check"]
Stage = Literal["map", "generate", "check", "gather"]


@dataclass(frozen=True, slots=True)
class Case:
    """An example that documents an operator and tests it.

    For a check, `row` holds the columns it reads and `expect` is `True` or the reason of rejection;
    for one that asks a model, `replies` is what the model says, in the order in which it is asked,
    and `files` the texts of the prompts that its parameters name, by path.
    For a map step, `row` is one input row and `expect` the columns of the row that comes out, or
    the reason of rejection.
    """

    params: Mapping[str, Any]
    row: Mapping[str, Any]
    expect: bool | str | Mapping[str, Any]
    replies: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pace:
    """What an operator takes for a row on a usual machine: by it `plan` bounds how many it tries.

    It is declared, not measured, so that a plan tries the same rows everywhere; half as much or
    twice as much does no harm.

    Attributes:
        row: Seconds, however little it holds.
        byte: Seconds for each byte of its text columns.
    """

    row: float = 0.0
    byte: float = 0.0


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of an operator, from its function's signature."""

    name: str
    type: Any
    default: Any
    required: bool
    python: str
    """Its name in the function, which may have a trailing underscore."""

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        return type_schema(self.type)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Attributes:
        name: What a recipe writes after `op:`, or the kind of a check.
        kind: `step` or `check`.
        stage: The physical stage that a step lowers to.
        version: Raised whenever results change.
        build: The decorated function: bound parameters to a kernel.
        params: From the signature.
        cost: free (columnar), cpu (worth a worker process) or model.
        reads: Columns it reads besides those that its parameters name.
        writes: Columns it writes besides those that its parameters name.
        drops: Whether it can reject rows.
        row_local: Whether each row's result depends on that row alone.
        packages: Packages whose versions change results.
        cases: At least one accepted and one rejected, if it can reject.
        about: The first line of the docstring.
        needs: Parameters of which a recipe gives at least one.
        later: Parameters that came after the operator had users: at their defaults they are no part
            of identity, so that what was made before stays.
        makes: Of a check that asks a model: what its prompts and expressions see beside the row's
            columns and the prompt's reply, since the check puts it there.
        tasks: Parameters that name a model, to the tasks that it may have; one that writes, where
            nothing is said.
        whole: Whether rows of other documents decide what becomes of a row, so that a sample says
            nothing of how many are left (what merges or drops duplicates).
        pace: What it takes for a row, where that is not what is usual for its cost.
    """

    name: str
    kind: OpKind
    stage: Stage
    version: int
    build: Callable[..., Any]
    params: tuple[Param, ...]
    cost: Cost
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    drops: bool = True
    row_local: bool = True
    packages: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    about: str = ""
    needs: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    tasks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    whole: bool = False
    pace: Pace | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The closed JSON Schema of the parameters."""
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {p.name: p.schema for p in self.params},
            "required": [p.name for p in self.params if p.required],
        }


@dataclass(frozen=True, slots=True)
class Catalog:
    """The operators that a recipe may use."""

    steps: Mapping[str, Operator] = field(default_factory=dict)
    checks: Mapping[str, Operator] = field(default_factory=dict)
    engines: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Engine name to its whitelist of placement settings."""
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Engine name to the keys of a model that it knows beside `use`: part of identity."""
    tasks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Engine name to the values of a model's `task` that it does; absent: it only writes."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Installed versions of the packages that operators declare."""
    faults: tuple[str, ...] = ()
    """Plug-ins whose operators are absent, since they failed to import: what to say of each."""


F = TypeVar("F", bound=Callable[..., Any])
OPERATOR = "__mashbill_operator__"


def step(
    *,
    stage: Stage,
    version: int,
    cost: Cost = "free",
    reads: Iterable[str] = (),
    writes: Iterable[str] = (),
    drops: bool = True,
    packages: Iterable[str] = (),
    cases: Iterable[Case] = (),
    tasks: Mapping[str, tuple[str, ...]] | None = None,
    later: Iterable[str] = (),
    whole: bool = False,
    pace: Pace | None = None,
) -> Callable[[F], F]:
    """Declare a step operator; its name is the function's, a trailing underscore dropped."""
    return _declare(
        "step",
        stage=stage,
        row_local=stage != "gather",
        version=version,
        cost=cost,
        reads=tuple(reads),
        writes=tuple(writes),
        drops=drops,
        packages=tuple(packages),
        cases=tuple(cases),
        tasks=dict(tasks or {}),
        later=tuple(later),
        whole=whole,
        pace=pace,
    )


def check(
    *,
    version: int,
    cost: Cost = "cpu",
    reads: Iterable[str] = (),
    packages: Iterable[str] = (),
    cases: Iterable[Case] = (),
    needs: Iterable[str] = (),
    makes: Iterable[str] = (),
    tasks: Mapping[str, tuple[str, ...]] | None = None,
    later: Iterable[str] = (),
    pace: Pace | None = None,
) -> Callable[[F], F]:
    """Declare a check: `build(**params)` gives a function from a row to a `Verdict`.

    A check may have parameters of the types `Model` and `Prompt`. Where a recipe gives it a model,
    it runs on the event loop and not in a worker, and `build` gives a function from a row and a
    `Consult` to a `Verdict` to await (`runtime/consult.py`). A prompt reaches `build` as a
    `PromptFile`; a model that is given, as the name of the parameter, by which `Consult` knows it.
    """
    return _declare(
        "check",
        stage="check",
        version=version,
        cost=cost,
        reads=tuple(reads),
        packages=tuple(packages),
        cases=tuple(cases),
        needs=tuple(needs),
        makes=tuple(makes),
        tasks=dict(tasks or {}),
        later=tuple(later),
        pace=pace,
    )


def operator_of(function: Any) -> Operator | None:
    """The operator that a decorated function declares, if it does."""
    found = getattr(function, OPERATOR, None)
    return found if isinstance(found, Operator) else None


def _declare(kind: OpKind, **facts: Any) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        params = tuple(
            Param(
                name=name.rstrip("_"),
                type=_resolved(p.annotation, function),
                default=None if p.default is inspect.Parameter.empty else p.default,
                required=p.default is inspect.Parameter.empty,
                python=name,
            )
            for name, p in inspect.signature(function).parameters.items()
        )
        about = (inspect.getdoc(function) or "").split("\n", 1)[0]
        operator = Operator(
            name=function.__name__.rstrip("_"),
            kind=kind,
            build=function,
            params=params,
            about=about,
            **facts,
        )
        setattr(function, OPERATOR, operator)
        return function

    return decorate


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """A parameter's type. The result's is left alone: it may name a library that is not loaded."""
    if isinstance(annotation, str):
        return eval(annotation, function.__globals__)
    return annotation


_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Column: {"type": "string", "format": "column"},
    Expression: {"type": ["string", "boolean", "number"], "format": "expression"},
    Rank: {"type": ["string", "number"], "format": "expression"},
    Pattern: {"type": "string", "format": "pattern"},
    Share: {"type": ["number", "string"], "format": "share"},
    Count: {"type": "integer", "minimum": 1},
    Ratio: {"type": "number", "minimum": 0},
    Duration: {"type": ["number", "string"], "format": "duration"},
    Size: {"type": ["number", "string"], "format": "bytes"},
    Prompt: {"type": "string", "format": "prompt"},
    Template: {"type": "string", "format": "template"},
    Model: {"type": "string", "format": "model"},
}


def type_schema(hint: Any) -> dict[str, Any]:
    """The JSON Schema of a parameter's type.

    Raises:
        TypeError: For a type that a recipe cannot write.
    """
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    declared: dict[str, Any] | None = getattr(hint, "__schema__", None)
    if declared is not None:
        return dict(declared)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (typing.Union, types.UnionType):
        rest = [a for a in args if a is not type(None)]
        if len(rest) == 1:
            return type_schema(rest[0])
    if origin in (list, tuple) and args:
        return {"type": "array", "items": type_schema(args[0])}
    if origin in (dict, Mapping) or str(origin) == "<class 'collections.abc.Mapping'>":
        return {"type": "object", "additionalProperties": type_schema(args[1])}
    raise TypeError(f"no recipe can write a parameter of type {hint!r}")
