"""Whether a call fits its function: how many arguments, of which types, which of them constant."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..types import Type
from .function import Function
from .nodes import Call, Constant, Expr, Items
from .patterns import groups

MAX_DIGITS = 15
"""A float holds no more digits after the point for sure."""


@dataclass(frozen=True, slots=True)
class CallFault:
    """What does not fit, and where."""

    code: str
    at: Expr
    message: str
    help: str | None = None


def check_call(function: Function, call: Call, types: list[Type]) -> Type | CallFault:
    """The result's type, nulls of the arguments aside, or the first fault."""
    if not function.least <= len(types) <= (function.most or len(types)):
        message = f"`{call.name}` takes {_count(function)}, not {len(types)}"
        return CallFault("X152", call, message, f"write `{function.signature}`")
    for i, (arg, type) in enumerate(zip(call.args, types, strict=True)):
        parameter = function.parameter(i)
        if parameter.kinds and type.kind not in (*parameter.kinds, "any", "null"):
            takes = " or ".join(parameter.kinds)
            message = f"`{call.name}` takes {takes} for `{parameter.name}`, not {type}"
            return CallFault("X152", arg, message)
        if parameter.constant and not _is_constant(arg):
            message = f"`{parameter.name}` of `{call.name}` is a constant"
            return CallFault("X152", arg, message, "write the value itself")
        if parameter.constant and isinstance(arg, Constant) and arg.value is None:
            return CallFault("X152", arg, f"`{parameter.name}` of `{call.name}` is never null")
    if fault := _check_constants(call):
        return fault
    result = function.result(types)
    if isinstance(result, str):
        return CallFault("X152", call, f"`{call.name}` takes {result}")
    return result


def _count(function: Function) -> str:
    least, most = function.least, function.most
    shown = (
        f"{least}" if least == most else f"{least} or more" if most is None else f"{least}–{most}"
    )
    return f"{shown} argument{'s' * (shown != '1')}"


def _is_constant(expr: Expr) -> bool:
    if isinstance(expr, Items):
        return all(isinstance(item, Constant) for item in expr.items)
    return isinstance(expr, Constant)


def _check_constants(call: Call) -> CallFault | None:
    match call:
        case Call(name="round", args=(_, Constant(value=int(digits)) as at)):
            if not 0 <= digits <= MAX_DIGITS:
                return CallFault("X152", at, f"`digits` is 0 to {MAX_DIGITS}, not {digits}")
        case Call(name="split", args=(_, Constant(value="") as at)):
            help = "write `split(text)` for its words"
            return CallFault("X152", at, "nothing stands between empty separators", help)
        case Call(
            name="extract",
            args=(_, Constant(value=str(pattern)), Constant(value=int(group)) as at),
        ):
            most = groups(pattern)
            if not 0 <= group <= most:
                message = f"the pattern has {most} group{'s' * (most != 1)}, not {group}"
                return CallFault("X152", at, message, "group 0 is the whole match")
        case Call(name="choose", args=(Items(items=()) as at, *_)):
            return CallFault("X152", at, "there is nothing to choose from")
        case Call(name="choose", args=(options, Items() as weights)):
            return _check_weights(options, weights)
    return None


def _check_weights(options: Expr, weights: Items) -> CallFault | None:
    if not isinstance(options, Items):
        help = "write the options as a list, `['a', 'b']`"
        return CallFault("X152", weights, "weights need options that stand here", help)
    if len(weights.items) != len(options.items):
        message = f"{len(options.items)} options have {len(weights.items)} weights"
        return CallFault("X152", weights, message, "write one weight for each option")
    values = [w.value for w in weights.items if isinstance(w, Constant)]
    for value, at in zip(values, weights.items, strict=True):
        if isinstance(value, bool | str) or value is None or value < 0:
            return CallFault("X152", at, "a weight is a number of at least 0")
    total = math.fsum(float(v) for v in values if not isinstance(v, str) and v is not None)
    if not 0 < total < math.inf:
        return CallFault("X152", weights, "the weights add up to nothing that can be drawn")
    return None
