"""What a bare scalar means: the core schema of YAML 1.2, and where other readers differ."""

from __future__ import annotations

import math
import re

from .nodes import Value

_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_OLD_BOOLEANS = frozenset(
    form
    for word in ("y", "n", "yes", "no", "on", "off")
    for form in (word, word.capitalize(), word.upper())
)
_OLD_NUMBERS = re.compile(
    r"[-+]?(?:0[0-9]+|0b[01_]+|[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?|[0-9][0-9_]*(?::[0-5]?[0-9])+)\Z"
)
_FIRST = frozenset("-+.0123456789~nNtTfF")


def resolve(raw: str) -> Value:
    """The value of a bare scalar.

    Raises:
        ValueError: For a number that a 64-bit machine cannot hold; the words say so.
    """
    if raw and raw[0] not in _FIRST:
        return raw
    if raw in _WORDS:
        return _WORDS[raw]
    if _INT.match(raw) or _BASED.match(raw):
        digits = raw.lstrip("+-0")
        number = int(raw, 0 if _BASED.match(raw) else 10) if len(digits) < 30 else 1 << 64
        if not -(1 << 63) <= number < 1 << 63:
            raise ValueError("a whole number must fit 64 bits")
        return number
    if _NOT_FINITE.match(raw):
        raise ValueError("a number must be finite")
    if _FLOAT.match(raw):
        if math.isinf(real := float(raw)):
            raise ValueError("a number must be finite")
        return real
    return raw


def is_old_boolean(raw: str) -> bool:
    """Whether YAML 1.1 reads a bare word as a boolean and 1.2 as text: `no`, `y`, `Off`."""
    return raw in _OLD_BOOLEANS


def ambiguity(raw: str, *, key: bool = False) -> str | None:
    """What some YAML readers take a bare scalar for while others do not; None if all agree.

    YAML 1.1 (its type repository: bool, int, float) reads more booleans and numbers than 1.2. As a
    key, a word that stands for no text counts too.
    """
    if len(raw) > 40:
        return None
    if raw in _OLD_BOOLEANS:
        return "a boolean"
    if _OLD_NUMBERS.match(raw):
        return "a number"
    if key and raw in _WORDS:
        return "not text"
    return None
