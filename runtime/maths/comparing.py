"""Whether two answers are equal, by exact arithmetic: yes, no, or not to be told so.

Long for one file: what holds answers is compared by what it holds, so all of it calls itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from .algebra import ONE_TERMS, UnreadError, Value, equal_values, number
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
from .functions import degrees
from .reading import as_equation, as_ranges, read
from .regions import compare_numbers, same_region
from .showing import approximate
from .units import DEGREE, PERCENT, Unit


@dataclass(frozen=True, slots=True)
class Rules:
    """How answers are compared.

    Attributes:
        units: `ignore` accepts a unit on one side alone; `require` does not. Two units are always
            compared, and converted where they measure the same.
        tolerance: Largest relative difference of two numbers; 0 compares exactly.
        round: Whether a decimal counts that is the wanted value rounded to its own digits.
        order: Whether a list without brackets has an order, as a tuple always has.
    """

    units: Literal["ignore", "require"] = "ignore"
    tolerance: float = 0.0
    round: bool = False
    order: bool = False


EXACT = Rules()


def compare(gold: Form, got: Form, rules: Rules = EXACT) -> bool | None:
    """Whether what is given is what was wanted; None where exact arithmetic cannot tell."""
    try:
        return _same(gold, got, rules)
    except UnreadError:
        return None


def _same(gold: Form, got: Form, rules: Rules) -> bool | None:
    if isinstance(gold, Unread) or isinstance(got, Unread):
        return None
    if isinstance(gold, Choice) or isinstance(got, Choice):
        return _choices(gold, got, rules)
    if isinstance(gold, Named) or isinstance(got, Named):
        return _named(gold, got, rules)
    if isinstance(gold, Group) and isinstance(got, Group):
        return _groups(gold, got, rules)
    if isinstance(gold, Words) and isinstance(got, Words):
        return gold.text == got.text and bool(gold.text)
    if isinstance(gold, Date) and isinstance(got, Date):
        return (gold.month, gold.day) == (got.month, got.day) and gold.year in (0, got.year)
    match gold, got:
        case Quantity(), Quantity():
            return _quantities(gold, got, rules)
        case Matrix(), Matrix():
            return _matrices(gold, got, rules)
        case (Matrix(), Group()) | (Group(), Matrix()):
            return _vector(gold, got, rules)
        case (Region(), Region()):
            return same_region(gold, got)
        case (Region(), Group()) | (Group(), Region()):
            left, right = as_ranges(gold), as_ranges(got)
            if left is None or right is None:
                return False
            return same_region(Region(left), Region(right))
        case Equation(), Equation():
            return _proportional(gold.zero, got.zero)
        case Inequality(), Inequality():
            return _inequalities(gold, got)
        case (Equation(), Group()) | (Group(), Equation()):
            return None
        case (Inequality(), Region()) | (Region(), Inequality()):
            return None
        case (Ratio() | Moment() | Quantity(), Ratio() | Moment() | Quantity()):
            return _ratios(gold, got)
        case (Group(), Quantity()) | (Quantity(), Group()):
            return _alone(gold, got, rules)
        case _:
            return False


# -- quantities


def _quantities(gold: Quantity, got: Quantity, rules: Rules) -> bool | None:
    wanted, given = gold.unit, got.unit
    bare = wanted == Unit() or given == Unit()
    if bare and wanted != given:
        if rules.units == "require":
            return False
        return _half_bare(gold, got, rules)
    if wanted.special or given.special:
        if wanted.special != given.special and rules.units == "require":
            return False
        return _numbers(_plain(gold), _plain(got), got.places, rules)
    if not wanted.known or not given.known:
        if rules.units == "require" and (wanted.known or given.known or wanted.noun != given.noun):
            return False
        return _numbers(gold.value, got.value, got.places, rules)
    if wanted.dimension != given.dimension:
        # An angle in radians is a number: 180° is π rad.
        return False
    scaled = got.value * number(given.factor / wanted.factor)
    places = got.places if given.factor == wanted.factor else None
    return _numbers(gold.value, scaled, places, rules)


def _half_bare(gold: Quantity, got: Quantity, rules: Rules) -> bool | None:
    """One side has a unit, the other has none."""
    unit = gold.unit if gold.unit != Unit() else got.unit
    if unit.special == PERCENT:
        return _percent(gold, got, rules)
    same = _numbers(gold.value, got.value, got.places, rules)
    if same or unit.special != DEGREE:
        return same
    return _numbers(_plain(gold), _plain(got), None, rules)


def _percent(gold: Quantity, got: Quantity, rules: Rules) -> bool | None:
    """A bare number over 1 beside a percentage is a number of per cent; at most 1, a share."""
    bare = gold if gold.unit == Unit() else got
    share = bare.value.rational
    if share is not None and abs(share) > 1 and _numbers(gold.value, got.value, got.places, rules):
        return True
    return _numbers(_plain(gold), _plain(got), None if got.unit.special else got.places, rules)


def _plain(quantity: Quantity) -> Value:
    """The number that a percentage or an angle is."""
    if quantity.unit.special == PERCENT:
        return quantity.value / number(100)
    return degrees(quantity.value) if quantity.unit.special == DEGREE else quantity.value


def _numbers(gold: Value, got: Value, places: int | None, rules: Rules) -> bool | None:
    same = equal_values(gold, got)
    if same or not (rules.tolerance or rules.round):
        return same
    wanted, given = approximate(gold), approximate(got)
    if wanted is None or given is None:
        return same
    if rules.tolerance and abs(given - wanted) <= rules.tolerance * abs(wanted):
        return True
    exact = got.rational
    if rules.round and places and exact is not None:
        return abs(Fraction(wanted) - exact) <= Fraction(1, 2 * 10**places) + Fraction(1, 10**12)
    return same


# -- several


def _groups(gold: Group, got: Group, rules: Rules) -> bool | None:
    wanted, given = gold.items, got.items
    if _assigned(wanted) or _assigned(given):
        return _assignments(gold, got, rules)
    loose = ("set", "list")
    if gold.kind in loose and got.kind in loose:
        if "set" in (gold.kind, got.kind):
            wanted, given = _distinct(wanted, rules), _distinct(given, rules)
        elif rules.order:
            return _in_order(wanted, given, rules)
        return _any_order(wanted, given, rules)
    if "set" in (gold.kind, got.kind):
        return False
    brackets = {gold.kind, got.kind}
    if brackets == {"tuple", "bracket"} and len(wanted) == 2:
        return False  # (2, 7) and [2, 7] are intervals as well
    return _in_order(wanted, given, rules)


def _assigned(items: Sequence[Form]) -> bool:
    names = [i.name for i in items if isinstance(i, Named)]
    return len(names) == len(items) and len(set(names)) == len(names) > 1


def _assignments(gold: Group, got: Group, rules: Rules) -> bool | None:
    """`x = 3, y = -1` against the same, or against a tuple in the order of the names."""
    sides = []
    names = []
    for side in (gold, got):
        if _assigned(side.items):
            named = [i for i in side.items if isinstance(i, Named)]
            named.sort(key=lambda item: item.name)
            names.append([i.name for i in named])
            sides.append([i.form for i in named])
        elif side.kind == "set" or any(isinstance(i, Named) for i in side.items):
            return False
        else:
            sides.append(list(side.items))
    if len(names) == 2 and names[0] != names[1]:
        return False
    return _in_order(sides[0], sides[1], rules)


def _in_order(gold: Sequence[Form], got: Sequence[Form], rules: Rules) -> bool | None:
    if len(gold) != len(got):
        return False
    return _all(_same(a, b, rules) for a, b in zip(gold, got, strict=True))


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    found = list(verdicts)
    if False in found:
        return False
    return None if None in found else True


def _any_order(gold: Sequence[Form], got: Sequence[Form], rules: Rules) -> bool | None:
    if len(gold) != len(got):
        return False
    rest = list(got)
    unsure = False
    for item in gold:
        verdicts = [_same(item, other, rules) for other in rest]
        if True in verdicts:
            del rest[verdicts.index(True)]
        elif None in verdicts:
            unsure = True
        else:
            return False
    return None if unsure else True


def _distinct(items: Sequence[Form], rules: Rules) -> tuple[Form, ...]:
    kept: list[Form] = []
    for item in items:
        if not any(_same(item, other, rules) for other in kept):
            kept.append(item)
    return tuple(kept)


def _alone(gold: Form, got: Form, rules: Rules) -> bool | None:
    """A set of one number against the number: the solutions against the solution."""
    group, other = (gold, got) if isinstance(gold, Group) else (got, gold)
    assert isinstance(group, Group)
    if len(group.items) != 1 or not isinstance(group.items[0], Quantity):
        return False
    inner = group.items[0]
    return _same(inner, other, rules) if group is gold else _same(other, inner, rules)


def _matrices(gold: Matrix, got: Matrix, rules: Rules) -> bool | None:
    if len(gold.rows) != len(got.rows):
        return False
    return _all(_in_order(a, b, rules) for a, b in zip(gold.rows, got.rows, strict=True))


def _vector(gold: Form, got: Form, rules: Rules) -> bool | None:
    """A matrix of one row or column against its entries."""
    matrix, group = (gold, got) if isinstance(gold, Matrix) else (got, gold)
    assert isinstance(matrix, Matrix) and isinstance(group, Group)
    if group.kind == "set" or min(len(matrix.rows), len(matrix.rows[0])) != 1:
        return False
    entries = [cell for row in matrix.rows for cell in row]
    if matrix is gold:
        return _in_order(entries, group.items, rules)
    return _in_order(group.items, entries, rules)


# -- relations


def _named(gold: Form, got: Form, rules: Rules) -> bool | None:
    if isinstance(gold, Named) and isinstance(got, Named):
        if gold.name == got.name:
            return _same(gold.form, got.form, rules)
        wanted, given = as_equation(gold), as_equation(got)
        if wanted is None or given is None or not (_has_variables(gold) and _has_variables(got)):
            return False
        return _proportional(wanted.zero, given.zero)
    named, other = (gold, got) if isinstance(gold, Named) else (got, gold)
    assert isinstance(named, Named)
    if isinstance(other, Equation):
        equation = as_equation(named)
        return False if equation is None else _proportional(equation.zero, other.zero)
    return _same(named.form, got, rules) if named is gold else _same(gold, named.form, rules)


def _has_variables(named: Named) -> bool:
    return isinstance(named.form, Quantity) and bool(named.form.value.variables)


def _proportional(a: Value, b: Value) -> bool | None:
    """Whether two equations have the same sides up to a factor."""
    factor = _factor(a, b)
    if factor is not None:
        return True
    linear = all(
        sum(abs(p) for n, p in m if n[0].isalpha() and n not in ("pi", "e", "i")) <= 1
        for value in (a, b)
        for m in value.top
    )
    certain = a.certain and b.certain and a.bottom == b.bottom == ONE_TERMS
    if not certain:
        return None
    return False if linear or a.variables != b.variables else None


def _factor(a: Value, b: Value) -> Value | None:
    """The constant by which one difference is the other."""
    if not a.top or not b.top:
        return None
    monomial = max(b.top)
    if a.bottom != ONE_TERMS or b.bottom != ONE_TERMS or monomial not in a.top:
        return None
    factor = number(a.top[monomial] / b.top[monomial])
    return factor if equal_values(a, b * factor) else None


def _inequalities(gold: Inequality, got: Inequality) -> bool | None:
    a, b = gold.difference, got.difference
    factor = _factor(a, b)
    if factor is None:
        return False if a.variables != b.variables and a.certain and b.certain else None
    turned = compare_numbers(factor, number(0)) < 0
    return gold.relation == (FLIPPED[got.relation] if turned else got.relation)


# -- ratios, times, choices


def _ratios(gold: Form, got: Form) -> bool | None:
    if isinstance(gold, Moment) and isinstance(got, Moment):
        if gold.half == got.half:
            return gold.seconds == got.seconds
        return gold.seconds == got.seconds or (gold.seconds - got.seconds) % 43_200 == 0
    left, right = _parts(gold), _parts(got)
    if left is None or right is None or len(left) != len(right):
        return False
    return _all(
        equal_values(a * right[0], b * left[0]) for a, b in zip(left[1:], right[1:], strict=True)
    )


def _parts(form: Form) -> tuple[Value, ...] | None:
    """A ratio's parts; of a number, itself to one; of a time without its half, as `12:15` reads."""
    match form:
        case Ratio():
            return form.parts if all(p.top for p in form.parts) else None
        case Quantity() if form.value.top:
            return form.value, number(1)
        case Moment() if not form.half and form.seconds % 3600:
            return number(form.seconds // 3600), number(form.seconds % 3600 // 60)
        case _:
            return None


def _choices(gold: Form, got: Form, rules: Rules) -> bool | None:
    if isinstance(gold, Choice) and isinstance(got, Choice):
        return gold.letter == got.letter
    choice, other = (gold, got) if isinstance(gold, Choice) else (got, gold)
    assert isinstance(choice, Choice)
    if choice.content:
        content = read(choice.content)
        return _same(content, got, rules) if choice is gold else _same(gold, content, rules)
    if isinstance(other, Quantity):
        symbol = other.value.symbol
        return symbol is not None and symbol.upper() == choice.letter
    if isinstance(other, Named):
        return (
            _same(choice, other.form, rules) if choice is gold else _same(other.form, choice, rules)
        )
    return False
