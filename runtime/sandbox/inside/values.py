"""Values as JSON, so that one process can compute them and another compare them.

What a program's class says of itself is never asked: a list is sent by its items, whatever its
`__eq__` pretends. What has no such form is sent as its type and `repr`, and equals nothing.
"""

from __future__ import annotations

import datetime
import math
from collections import deque
from collections.abc import Callable, KeysView
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

DEEPEST = 100

_SEQUENCES: tuple[tuple[str, type], ...] = (
    ("list", list),
    ("tuple", tuple),
    ("set", set),
    ("frozenset", frozenset),
    ("deque", deque),
)
_TEXTS: tuple[tuple[str, type], ...] = (
    ("datetime", datetime.datetime),
    ("date", datetime.date),
    ("time", datetime.time),
)
_MAKERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda text: int(text, 16),
    "float": float,
    "complex": lambda parts: complex(*map(float, parts)),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "Decimal": Decimal,
    "Fraction": lambda parts: Fraction(int(parts[0], 16), int(parts[1], 16)),
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda parts: datetime.timedelta(*parts),
    "range": lambda parts: range(*(int(p, 16) for p in parts)),
    "keys": lambda items: dict.fromkeys(map(decode, items)).keys(),
}


class Foreign:
    """A value that has no plain form; equal to nothing."""

    def __init__(self, kind: str, shown: str) -> None:
        self.kind, self.shown = kind, shown

    def __repr__(self) -> str:
        return f"{self.shown} ({self.kind})"


def encode(value: Any, depth: int = 0) -> Any:
    """A JSON form of a value, by what it holds. Raises `RecursionError` for one too deep."""
    if depth > DEEPEST:
        raise RecursionError("a value nests too deeply to be compared")
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if -(2**53) < value < 2**53 else {"int": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    for name, base in _SEQUENCES:
        if isinstance(value, base):
            return {name: [encode(item, depth + 1) for item in base.__iter__(value)]}  # type: ignore[attr-defined]
    if isinstance(value, dict):
        items = dict.items(value)
        return {"dict": [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in items]}
    return _scalar(value, depth)


def decode(form: Any) -> Any:
    """The value again, as an exact builtin or standard type."""
    if not isinstance(form, dict):
        return form
    ((name, inner),) = form.items()
    if name == "dict":
        return {decode(k): decode(v) for k, v in inner}
    if name == "other":
        return Foreign(*inner)
    for sequence, base in _SEQUENCES:
        if name == sequence:
            return base(map(decode, inner))
    return _MAKERS[name](inner)


def _scalar(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray):
        return {type(value).__name__: bytes(value).hex()}
    if isinstance(value, int):
        return encode(int.__add__(value, 0), depth)
    if isinstance(value, float):
        return encode(float.__add__(value, 0.0), depth)
    if isinstance(value, complex):
        return {"complex": [repr(value.real), repr(value.imag)]}
    if isinstance(value, Decimal):
        return {"Decimal": Decimal.__str__(value)}
    if isinstance(value, Fraction):
        return {"Fraction": [hex(value.numerator), hex(value.denominator)]}
    if isinstance(value, range):
        return {"range": [hex(value.start), hex(value.stop), hex(value.step)]}
    if isinstance(value, datetime.timedelta):
        return {"timedelta": [value.days, value.seconds, value.microseconds]}
    for name, base in _TEXTS:
        if isinstance(value, base):
            return {name: base.isoformat(value)}  # type: ignore[attr-defined]
    if isinstance(value, KeysView):
        return {"keys": [encode(item, depth + 1) for item in value]}
    if isinstance(value, MappingProxyType):
        return encode(dict(value), depth)
    return _other(value, depth)


def _other(value: Any, depth: int) -> Any:
    """Numbers of other libraries by their value; anything else by what it shows of itself."""
    for convert in ("__index__", "__float__"):
        if hasattr(type(value), convert):
            made = getattr(value, convert)()
            if type(made) in (int, float):
                return encode(made, depth)
    return {"other": [type(value).__name__, shown(value)]}


def shown(value: Any, most: int = 200) -> str:
    """Its `repr`, cut; a `repr` that fails is said to."""
    try:
        text = repr(value)
    except Exception as error:
        return f"<no repr: {type(error).__name__}>"
    return text if len(text) <= most else text[: most - 1] + "…"
