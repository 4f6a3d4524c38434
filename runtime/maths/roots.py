"""Roots, rational powers and prime factors of exact values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from .algebra import (
    MAX_BITS,
    MAX_POWER,
    ONE_TERMS,
    TooLargeError,
    UnreadError,
    Value,
    atom,
    is_variable,
    number,
    term,
)
from .showing import show

_SMALL_PRIMES = [n for n in range(2, 1_000) if all(n % p for p in range(2, math.isqrt(n) + 1))]
_PRIME_BELOW = 1_000**2


def root(value: Value, degree: int) -> Value:
    """The principal root; of a negative number, an odd root is the real one."""
    if not 1 <= degree <= MAX_POWER:
        raise UnreadError("a root of no degree that is computed")
    single = value.monomial
    if not value.top:
        return value
    if single is None:
        return _denested(value, degree) or atom(f"root({degree};{show(value)})")
    coefficient, atoms = single
    if any(a == "i" or "(" in a or a == "oo" for a, _ in atoms):
        return atom(f"root({degree};{show(value)})")
    free = [(a, p) for a, p in atoms if is_variable(a)]
    if degree % 2 == 0 and free and (len(atoms) > 1 or coefficient != 1 or free[0][1] != 1):
        return atom(f"root({degree};{show(value)})")
    made = number(1)
    if coefficient < 0:
        if degree == 2:
            made = atom("i")
        elif degree % 2:
            made = number(-1)
        else:
            return atom(f"root({degree};{show(value)})")
    made *= rational_power(abs(coefficient), Fraction(1, degree))
    for name, power in atoms:
        made *= Value(term({name: power / degree}), ONE_TERMS)
    return made


def _denested(value: Value, degree: int) -> Value | None:
    """√(a + b√c) as the sum of two roots, where it is one."""
    terms = dict(value.top)
    whole = terms.pop((), Fraction(0))
    if degree != 2 or value.bottom != ONE_TERMS or len(terms) != 1 or whole <= 0:
        return None
    ((atoms, coefficient),) = terms.items()
    if any(not a.isdigit() or p != Fraction(1, 2) for a, p in atoms):
        return None
    inner = coefficient**2 * math.prod(int(a) for a, _ in atoms)
    left = _exact_root(whole**2 - inner)
    if left is None:
        return None
    first = root(number((whole + left) / 2), 2)
    second = root(number((whole - left) / 2), 2)
    return first + second if coefficient > 0 else first - second


def _exact_root(value: Fraction) -> Fraction | None:
    if value < 0:
        return None
    found = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
    return found if found**2 == value else None


def rational_power(base: Fraction, power: Fraction) -> Value:
    """A positive rational number to a rational power."""
    if base <= 0 or abs(power) > MAX_POWER:
        raise UnreadError("a power that is not computed")
    powers: dict[str, Fraction] = {}
    for prime, times in factors(base):
        powers[prime] = powers.get(prime, Fraction(0)) + times * power
    return Value(term(powers), ONE_TERMS)


def factors(value: Fraction) -> Iterator[tuple[str, int]]:
    """Prime atoms of a positive number and their powers; one that is not factored is opaque."""
    for whole, sign in ((value.numerator, 1), (value.denominator, -1)):
        rest = whole
        if rest.bit_length() > MAX_BITS:
            raise TooLargeError("a number too large to factor")
        for prime in _SMALL_PRIMES:
            times = 0
            while rest % prime == 0:
                rest //= prime
                times += 1
            if times:
                yield str(prime), sign * times
            if rest == 1:
                break
        if rest > 1:
            half = math.isqrt(rest)
            if rest < _PRIME_BELOW:
                yield str(rest), sign
            elif half * half == rest and half < _PRIME_BELOW:
                yield str(half), 2 * sign
            else:
                yield f"({rest:x})", sign
