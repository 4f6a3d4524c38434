"""Exact values as texts that are the same for equal ones, and as floats."""

from __future__ import annotations

import math
from fractions import Fraction

from .algebra import (
    ONE_TERMS,
    Monomial,
    Terms,
    UnreadError,
    Value,
    bits,
    bounded,
    is_log,
    is_variable,
    quotient,
    term,
    total,
)

_CONSTANTS = {"pi": math.pi, "e": math.e, "oo": math.inf}


def show(value: Value) -> str:
    """A text that is the same for equal values, as far as their forms show it.

    Quotients of sums in variables are told apart, and found the same, by their values at two
    places (Schwartz 1980): cancelling them would need factors of polynomials.
    """
    if value.bottom != ONE_TERMS and value.variables:
        return f"{_show(_lowest(value))}"
    if value.bottom != ONE_TERMS:
        return f"({_show(value.top)})/({_show(value.bottom)})"
    return _show(value.top)


def _lowest(value: Value) -> Terms:
    """A fingerprint of a quotient: its values where the variables are given numbers."""
    made: dict[Monomial, Fraction] = {}
    for place in (0, 1):
        at = [_at(terms, place) for terms in (value.top, value.bottom)]
        if not at[1]:
            raise UnreadError("a quotient that is not shown")
        found = quotient(at[0], at[1])
        for monomial, coefficient in found.top.items():
            made[(("at", Fraction(place)), *monomial)] = coefficient
    names = tuple((name, Fraction(1)) for name in sorted(value.variables))
    return {**made, (("of", Fraction(1)), *names): Fraction(1)}


def _at(terms: Terms, place: int) -> Terms:
    made: Terms = {}
    for monomial, coefficient in terms.items():
        factor, rest = coefficient, {}
        for name, power in monomial:
            if is_variable(name) and power.denominator == 1:
                seed = sum(ord(c) * 31**k for k, c in enumerate(name)) * (7 + 6 * place)
                bounded(64 * abs(power.numerator))
                factor *= Fraction(101 + seed % 9973, 97) ** power.numerator
            else:
                rest[name] = power
        made = total(made, term(rest, factor))
    return made


def _show(terms: Terms) -> str:
    if not terms:
        return "0"
    return "+".join(_show_term(m, c) for m, c in sorted(terms.items())).replace("+-", "-")


def _show_term(monomial: Monomial, coefficient: Fraction) -> str:
    shown = [a if p == 1 else f"{a}^{p}" for a, p in monomial]
    if coefficient == 1 and shown:
        return "*".join(shown)
    sign = "-" if coefficient < 0 else ""
    if abs(coefficient) != 1 or not shown:
        shown.insert(0, _digits(abs(coefficient)))
    return sign + "*".join(shown)


def _digits(value: Fraction) -> str:
    if bits(value) > 4_000:  # Python refuses to print what is much longer
        return f"0x{value.numerator:x}/0x{value.denominator:x}"
    return str(value)


def approximate(value: Value) -> float | None:
    """A real constant as a float; None for what is neither."""
    parts = [_approximate(terms) for terms in (value.top, value.bottom)]
    if parts[0] is None or not parts[1]:
        return None
    return parts[0] / parts[1]


def _approximate(terms: Terms) -> float | None:
    made_of = 0.0
    for monomial, coefficient in terms.items():
        try:
            made = float(coefficient)
            for name, power in monomial:
                base = _CONSTANTS.get(name)
                if base is None:
                    if not (name.isdigit() or is_log(name)):
                        return None
                    base = float(name) if name.isdigit() else math.log(int(name[2:]))
                made *= base ** float(power)
        except OverflowError:
            return None
        made_of += made
    return None if math.isnan(made_of) else made_of
