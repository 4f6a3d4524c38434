"""Exact values: quotients of sums of terms, in a form in which equal values look equal.

A term is a rational coefficient and powers of atoms: variables, `pi`, `e`, `i`, primes under a root
(`2` to the power 1/2 is the square root of two), logarithms of primes (`ln2`), and functions that
nothing simplifies, whose names hold a bracket. Products of roots of primes are linearly independent
over the rationals (Besicovitch 1940), so two sums without opaque atoms are equal exactly if their
terms are; two quotients are if their cross products are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

Monomial = tuple[tuple[str, Fraction], ...]
"""Atoms and their powers, sorted."""
Terms = Mapping[Monomial, Fraction]

MAX_TERMS = 400
MAX_BITS = 40_000
"""Bounds on the size of a value: beyond them it is not computed."""
MAX_POWER = 10_000
_LONGEST_DIVISION = 100
_ONE: Monomial = ()
ONE_TERMS: Terms = {_ONE: Fraction(1)}


class UnreadError(ValueError):
    """The text is no value that exact arithmetic knows, or too large a one."""


class TooLargeError(UnreadError):
    """A value that would take too long to compute, for anybody."""


@dataclass(frozen=True, slots=True)
class Value:
    """A quotient of sums; the denominator is not zero."""

    top: Terms
    bottom: Terms

    def __add__(self, other: Value) -> Value:
        if self.bottom == other.bottom:
            return quotient(total(self.top, other.top), self.bottom)
        left, right = _product(self.top, other.bottom), _product(other.top, self.bottom)
        return quotient(total(left, right), _product(self.bottom, other.bottom))

    def __neg__(self) -> Value:
        return Value({m: -c for m, c in self.top.items()}, self.bottom)

    def __sub__(self, other: Value) -> Value:
        return self + -other

    def __mul__(self, other: Value) -> Value:
        return quotient(_product(self.top, other.top), _product(self.bottom, other.bottom))

    def __truediv__(self, other: Value) -> Value:
        if not other.top:
            raise UnreadError("division by zero")
        return quotient(_product(self.top, other.bottom), _product(self.bottom, other.top))

    def __pow__(self, power: int) -> Value:
        if not -MAX_POWER <= power <= MAX_POWER:
            raise TooLargeError("a power too high")
        many = len(self.top) - 1
        if many > 0 and math.comb(abs(power) + min(many, 40), min(many, 40)) > MAX_TERMS:
            raise TooLargeError("too many terms")
        base = number(1) / self if power < 0 else self
        made, square, left = number(1), base, abs(power)
        while left:
            if left & 1:
                made *= square
            left >>= 1
            if left:
                square *= square
        return made

    @property
    def rational(self) -> Fraction | None:
        """The value as a fraction, if it is one."""
        if self.bottom == ONE_TERMS and (not self.top or set(self.top) == {_ONE}):
            return self.top.get(_ONE, Fraction(0))
        return None

    @property
    def monomial(self) -> tuple[Fraction, Monomial] | None:
        """Coefficient and atoms, if the value is a single term."""
        if self.bottom == ONE_TERMS and len(self.top) == 1:
            ((atoms, coefficient),) = self.top.items()
            return coefficient, atoms
        return None

    @property
    def symbol(self) -> str | None:
        """The name, if the value is one variable."""
        term = self.monomial
        if term and term[0] == 1 and len(term[1]) == 1 and term[1][0][1] == 1:
            name = term[1][0][0]
            return name if is_variable(name) else None
        return None

    @property
    def atoms(self) -> set[str]:
        """All atoms that occur."""
        return {a for terms in (self.top, self.bottom) for m in terms for a, _ in m}

    @property
    def variables(self) -> set[str]:
        """The variables that occur outside of opaque functions."""
        return {a for a in self.atoms if is_variable(a)}

    @property
    def certain(self) -> bool:
        """Whether a value of another form is another value."""
        return not any(
            "(" in atom or (is_variable(atom) and power.denominator != 1)
            for terms in (self.top, self.bottom)
            for monomial in terms
            for atom, power in monomial
        )


def equal_values(a: Value, b: Value) -> bool | None:
    """Whether two values are equal; None where that cannot be told from their forms."""
    same = _product(a.top, b.bottom) == _product(b.top, a.bottom)
    return True if same else False if a.certain and b.certain else None


def number(value: Fraction | int) -> Value:
    """A rational number."""
    fraction = Fraction(value)
    return Value({_ONE: fraction} if fraction else {}, ONE_TERMS)


def atom(name: str, power: Fraction | int = 1) -> Value:
    """One atom to a power."""
    return Value({((name, Fraction(power)),): Fraction(1)}, ONE_TERMS)


def is_variable(name: str) -> bool:
    """Whether an atom is a variable rather than a constant, a root or a function."""
    return (
        name[0].isalpha()
        and name not in ("pi", "e", "i", "oo")
        and not is_log(name)
        and ("(" not in name)
    )


def is_log(name: str) -> bool:
    """Whether an atom is the logarithm of a prime."""
    return name.startswith("ln") and name[2:].isdigit()


def term(powers: Mapping[str, Fraction], coefficient: Fraction = Fraction(1)) -> Terms:
    """One term in normal form: roots below 1, `i` at most to the power 1."""
    kept: list[tuple[str, Fraction]] = []
    for name in sorted(powers):
        power = powers[name]
        if name.isdigit() or name[0] == "(":
            whole = power.numerator // power.denominator
            base = int(name) if name.isdigit() else int(name[1:-1], 16)
            bounded(base.bit_length() * abs(whole))
            coefficient *= Fraction(base) ** whole
            power -= whole
        elif name == "i":
            turns = int(power) % 4
            coefficient *= -1 if turns > 1 else 1
            power = Fraction(turns % 2)
        if power:
            kept.append((name, power))
    return {tuple(kept): coefficient}


def _times(a: Monomial, b: Monomial, coefficient: Fraction) -> Terms:
    if not a or not b:
        return {a or b: coefficient}
    powers = dict(a)
    for name, power in b:
        powers[name] = powers.get(name, Fraction(0)) + power
    return term(powers, coefficient)


def total(a: Terms, b: Terms) -> Terms:
    """The sum of two sums."""
    made = dict(a)
    for monomial, coefficient in b.items():
        found = made.get(monomial, Fraction(0)) + coefficient
        if found:
            made[monomial] = found
        else:
            made.pop(monomial, None)
    return made


def _product(a: Terms, b: Terms) -> Terms:
    if a == ONE_TERMS or b == ONE_TERMS:
        return b if a == ONE_TERMS else a
    if len(a) * len(b) > 20 * MAX_TERMS:
        raise TooLargeError("too many terms")
    made: dict[Monomial, Fraction] = {}
    for first, c in a.items():
        for second, d in b.items():
            bounded(bits(c) + bits(d))
            for monomial, coefficient in _times(first, second, c * d).items():
                found = made.get(monomial, Fraction(0)) + coefficient
                if found:
                    made[monomial] = found
                else:
                    made.pop(monomial, None)
    if len(made) > MAX_TERMS:
        raise TooLargeError("too many terms")
    return made


def bits(value: Fraction) -> int:
    """How long a number is."""
    return value.numerator.bit_length() + value.denominator.bit_length()


def bounded(bits: int) -> None:
    """Refuse a number that would be longer than `MAX_BITS`."""
    if bits > MAX_BITS:
        raise TooLargeError("a number too large")


def quotient(top: Terms, bottom: Terms) -> Value:
    """A quotient in the simplest form that is cheap: no single term and no root below."""
    if not bottom:
        raise UnreadError("division by zero")
    if bottom == ONE_TERMS or not top:
        return Value(top, ONE_TERMS)
    while len(bottom) > 1 and (conjugate := _conjugate(bottom)) is not None:
        top, bottom = _product(top, conjugate), _product(bottom, conjugate)
    if len(bottom) == 1:
        ((atoms, coefficient),) = bottom.items()
        inverse = term({a: -p for a, p in atoms}, 1 / coefficient)
        return Value(_product(top, inverse), ONE_TERMS)
    lead = bottom[max(bottom)]
    if lead != 1:
        top = {m: c / lead for m, c in top.items()}
        bottom = {m: c / lead for m, c in bottom.items()}
    divided = _divided(top, bottom)
    return Value(top, bottom) if divided is None else Value(divided, ONE_TERMS)


def _divided(top: Terms, bottom: Terms) -> Terms | None:
    """A sum by another that has more than roots, if that leaves no rest."""
    least: dict[str, Fraction] = {}
    for name, power in (pair for terms in (top, bottom) for m in terms for pair in m):
        least[name] = min(power, least.get(name, Fraction(0)))
        if _is_free(name) and power.denominator != 1:
            return None
    names = sorted(least, key=lambda name: (not _is_free(name), name))
    free = sum(map(_is_free, names))
    if not free:
        return None
    shift = term({name: -power for name, power in least.items() if power < 0})
    top, bottom = _product(top, shift), _product(bottom, shift)

    def order(monomial: Monomial) -> list[Fraction]:
        found = dict(monomial)
        return [found.get(name, Fraction(0)) for name in names]

    lead = max(bottom, key=order)
    made: Terms = {}
    rest = top
    for _ in range(_LONGEST_DIVISION):
        if not rest:
            return made
        first = max(rest, key=order)
        left = [a - b for a, b in zip(order(first), order(lead), strict=True)]
        if min(left[:free]) < 0:
            return None
        part = term(dict(zip(names, left, strict=True)), rest[first] / bottom[lead])
        made = total(made, part)
        rest = total(rest, {m: -c for m, c in _product(bottom, part).items()})
    return None


def _is_free(name: str) -> bool:
    """Whether no power of an atom is a number: all but roots and `i`."""
    return not name.isdigit() and name != "i" and name[0] != "("


def _conjugate(terms: Terms) -> Terms | None:
    """What takes one square root, or `i`, out of a constant sum."""
    atoms = {a: p for m in terms for a, p in m}
    if len(atoms) > 5 or any(is_variable(a) or "(" in a for a in atoms):
        return None
    for name in sorted(atoms, reverse=True):
        powers = {p for m in terms for a, p in m if a == name}
        if powers == {Fraction(1) if name == "i" else Fraction(1, 2)} and (
            name == "i" or name.isdigit()
        ):
            return {m: -c if any(a == name for a, _ in m) else c for m, c in terms.items()}
    return None
