"""What a threshold is looked for of, as the user writes it."""

from __future__ import annotations

from dataclasses import dataclass

from .labelled import CalibrationError

MOST = 1000
"""Values of a parameter that are tried; for each, all rows are judged."""


@dataclass(frozen=True, slots=True)
class By:
    """What a threshold is looked for of.

    Attributes:
        name: A parameter, or a field of the evidence.
        sign: `>=` or `<=` where the user says how the field decides.
        values: That the user wants to be tried.
    """

    name: str
    sign: str | None = None
    values: tuple[float, ...] = ()


def parse_by(text: str) -> By:
    """Read `numbers`, `numbers=0.5,0.6,0.7`, `numbers=0.5:1:0.05`, `score>=` or `score<=`.

    Raises:
        CalibrationError: It is none of these.
    """
    for sign in (">=", "<="):
        if text.endswith(sign):
            return By(text.removesuffix(sign).strip(), sign)
    name, given, values = text.partition("=")
    try:
        if ":" in values:
            low, high, step = (_number(v) for v in values.split(":"))
            count = int((high - low) / step + 1.000001)
            found = tuple(round(low + i * step, 12) for i in range(min(count, MOST + 1)))
        else:
            found = tuple(_number(v) for v in values.split(",")) if given else ()
        if (not found and given) or len(found) > MOST:
            raise ValueError
    except (ValueError, ZeroDivisionError):
        raise CalibrationError(
            f"--by {text}: write {name}, {name}=0.5,0.6,0.7, {name}=0.5:1:0.05 or {name}>="
        ) from None
    return By(name.strip(), None, found)


def _number(text: str) -> float:
    text = text.strip()
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)
