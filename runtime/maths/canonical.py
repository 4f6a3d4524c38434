"""One text for all ways of writing an answer, to count votes by."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from .algebra import UnreadError, Value, number
from .dressing import MAX_CHARS, undress
from .forms import (
    FLIPPED,
    Choice,
    Date,
    Equation,
    Form,
    Group,
    Inequality,
    Matrix,
    Moment,
    Named,
    Quantity,
    Ratio,
    Region,
    Unread,
    Words,
)
from .reading import as_ranges, read
from .showing import show
from .units import PERCENT


@lru_cache(maxsize=8_192)
def canonical(text: str) -> str:
    r"""A text that is the same for answers that exact arithmetic finds equal.

    A name (`x = 3`) and a unit are dropped, as nearly all answers to one question share them: 12 cm
    and 12 are one vote, 5 m and 500 cm are two. What is not read stands for itself. Never raises.

    >>> canonical(r"\\frac{2}{4}"), canonical("x = 0.5"), canonical(r"\\boxed{50\\%}")
    ('1/2', '1/2', '50')
    """
    if len(text) > MAX_CHARS:
        return " ".join(text.split())
    form = read(text)
    try:
        return _shown(form)
    except UnreadError:
        return f"?{''.join(undress(text).split())}"


def _shown(form: Form) -> str:
    match form:
        case Quantity():
            return show(_bare(form))
        case Named():
            return _shown(form.form)
        case Group():
            return _group(form)
        case Matrix():
            if min(len(form.rows), len(form.rows[0])) == 1:
                return f"({','.join(_shown(cell) for row in form.rows for cell in row)})"
            return "[" + ";".join(",".join(map(_shown, row)) for row in form.rows) + "]"
        case Region():
            return _region(form)
        case Equation():
            return f"{_scaled(form.zero)}=0"
        case Inequality():
            turned = _lead(form.difference) < 0
            relation = FLIPPED[form.relation] if turned else form.relation
            return f"{_scaled(form.difference)}{relation}0"
        case Ratio():
            return _ratio(form.parts)
        case Moment():
            return (
                f"{form.seconds // 3600:02}:{form.seconds % 3600 // 60:02}:{form.seconds % 60:02}"
            )
        case Date():
            return f"{form.year:04}-{form.month:02}-{form.day:02}"
        case Choice():
            return form.letter
        case Words():
            return form.text
        case Unread():
            return f"?{''.join(form.text.split())}"


def _bare(quantity: Quantity) -> Value:
    """The number as it is written, in the base unit of its kind only where it is money."""
    unit = quantity.unit
    money = unit.dimension and unit.dimension[0][0] == "USD" and unit.special != PERCENT
    return quantity.value * number(unit.factor) if money else quantity.value


def _group(group: Group) -> str:
    if group.kind == "bracket" and len(group.items) == 2:
        return f"[{','.join(map(_shown, group.items))}]"
    names = {item.name for item in group.items if isinstance(item, Named)}
    if len(names) == len(group.items) > 1:
        named = sorted((i for i in group.items if isinstance(i, Named)), key=lambda i: i.name)
        return f"({','.join(_shown(item.form) for item in named)})"
    shown = [_shown(item) for item in group.items]
    if group.kind in ("set", "list"):
        shown = sorted(set(shown) if group.kind == "set" else shown)
        alone = len(shown) == 1 and isinstance(group.items[0], Quantity)
        return shown[0] if alone else f"{{{','.join(shown)}}}"
    return f"({','.join(shown)})"


def _region(region: Region) -> str:
    ranges = as_ranges(region) or ()
    if len(ranges) == 1 and ranges[0].low_in == ranges[0].high_in:
        left, right = "[]" if ranges[0].low_in else "()"
        return f"{left}{show(ranges[0].low)},{show(ranges[0].high)}{right}"
    if ranges and all(r.low == r.high for r in ranges):
        return "{" + ",".join(sorted(show(r.low) for r in ranges)) + "}"
    return (
        "|".join(
            f"{'[' if r.low_in else '('}{show(r.low)},{show(r.high)}{']' if r.high_in else ')'}"
            for r in ranges
        )
        or "{}"
    )


def _scaled(zero: Value) -> str:
    """A difference up to a factor: equations are."""
    lead = _lead(zero)
    return show(zero / number(lead)) if lead else "0"


def _lead(zero: Value) -> Fraction:
    return zero.top[max(zero.top)] if zero.top else Fraction(0)


def _ratio(parts: tuple[Value, ...]) -> str:
    first = parts[-1]
    shown = [show(part / first) for part in parts]
    return shown[0] if len(shown) == 2 else ":".join(shown)
