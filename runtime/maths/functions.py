"""Functions of exact values: roots, powers, sines, logarithms, factorials."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from .algebra import (
    MAX_POWER,
    ONE_TERMS,
    Monomial,
    TooLargeError,
    UnreadError,
    Value,
    atom,
    number,
)
from .roots import factors, rational_power, root
from .showing import approximate, show

MAX_FACTORIAL = 3_000
MAX_AHEAD = 12
_DEGREE = Fraction(1, 180)


def power(base: Value, exponent: Value) -> Value:
    """A value to the power of another."""
    degree = exponent.rational
    if degree is not None:
        return _constant_power(base, degree)
    if exponent.bottom != ONE_TERMS:
        return atom(f"power({show(base)};{show(exponent)})")
    return _map_product(exponent, lambda m, c: _symbolic_power(base, m, c))


def _map_product(value: Value, function: Callable[[Monomial, Fraction], Value]) -> Value:
    """The product of what a function makes of each term."""
    made = number(1)
    for monomial, coefficient in value.top.items():
        made *= function(monomial, coefficient)
    return made


def _constant_power(base: Value, degree: Fraction) -> Value:
    if abs(degree) > MAX_POWER or degree.denominator > MAX_POWER:
        raise TooLargeError("a power too high")
    if degree.denominator == 1:
        return base**degree.numerator
    rational = base.rational
    if rational is not None and rational > 0:
        return rational_power(rational, degree)
    if rational is not None and rational < 0 and degree.denominator % 2:
        raise UnreadError("an odd root of a negative number has two meanings")
    inner = root(base, degree.denominator)
    return inner**degree.numerator if degree.numerator != 1 else inner


def _symbolic_power(base: Value, monomial: Monomial, coefficient: Fraction) -> Value:
    """A base to the power of one term: `4^(2n)` is `2^(n)` to the fourth."""
    if not monomial:
        return _constant_power(base, coefficient)
    shown = "*".join(a if p == 1 else f"{a}^{p}" for a, p in monomial)
    rational = base.rational
    if rational is not None and rational > 0:
        made = number(1)
        for prime, times in factors(rational):
            made *= atom(f"{prime}^({shown})", coefficient * times)
        return made
    if base.symbol is not None:
        return atom(f"{base.symbol}^({shown})", coefficient)
    if base == atom("e"):
        turn = dict(monomial)
        if turn == {"i": 1, "pi": 1}:
            return cosine(coefficient) + atom("i") * cosine(coefficient - Fraction(1, 2))
        return _e_to_logs(monomial, coefficient) or atom(f"e^({shown})", coefficient)
    term = show(Value({monomial: coefficient}, ONE_TERMS))
    return atom(f"power({show(base)};{term})")


def _e_to_logs(monomial: Monomial, coefficient: Fraction) -> Value | None:
    if len(monomial) == 1 and monomial[0][0].startswith("ln") and monomial[0][1] == 1:
        prime = monomial[0][0][2:]
        return rational_power(Fraction(int(prime)), coefficient) if prime.isdigit() else None
    return None


def cosine(turns: Fraction) -> Value:
    """The cosine of so many times pi."""
    turns = abs(turns) % 2
    turns = 2 - turns if turns > 1 else turns
    if turns > Fraction(1, 2):
        return -cosine(1 - turns)
    known = {
        Fraction(0): number(1),
        Fraction(1, 12): (_root(6) + _root(2)) / number(4),
        Fraction(1, 6): _root(3) / number(2),
        Fraction(1, 5): (number(1) + _root(5)) / number(4),
        Fraction(1, 4): _root(2) / number(2),
        Fraction(1, 3): number(Fraction(1, 2)),
        Fraction(2, 5): (_root(5) - number(1)) / number(4),
        Fraction(5, 12): (_root(6) - _root(2)) / number(4),
        Fraction(1, 2): number(0),
    }
    return known.get(turns) or atom(f"cos({turns}pi)")


def _root(whole: int) -> Value:
    return root(number(whole), 2)


def _cos(angle: Value) -> Value:
    turns = _turns(angle)
    return atom(f"cos({show(angle)})") if turns is None else cosine(turns)


def _sin(angle: Value) -> Value:
    turns = _turns(angle)
    return atom(f"sin({show(angle)})") if turns is None else cosine(turns - Fraction(1, 2))


def _turns(angle: Value) -> Fraction | None:
    """How many times pi an angle is, if that is rational."""
    return (angle / atom("pi")).rational


def _inverse(function: Callable[[Value], Value], lowest: int) -> Callable[[Value], Value]:
    """An inverse of a trigonometric function for the values of its table."""

    def invert(value: Value) -> Value:
        for step in range(lowest, lowest + 13):
            angle = number(Fraction(step, 12)) * atom("pi")
            try:
                if function(angle) == value:
                    return angle
            except UnreadError:
                continue
        return atom(f"arc({function.__name__};{show(value)})")

    return invert


def _tan(angle: Value) -> Value:
    return _sin(angle) / _cos(angle)


def ln(value: Value) -> Value:
    """The natural logarithm: of a positive rational number, a sum of those of primes."""
    term = value.monomial
    if term is None or term[0] <= 0 or any(a != "e" and not a.isdigit() for a, _ in term[1]):
        return atom(f"ln({show(value)})")
    made = number(0)
    powers = [(name, Fraction(times)) for name, times in factors(term[0])]
    for name, times in [*powers, *term[1]]:
        made += number(times) * (number(1) if name == "e" else atom(f"ln{name}"))
    return made


def log(value: Value, base: Value) -> Value:
    """The logarithm to a base."""
    return ln(value) / ln(base)


def absolute(value: Value) -> Value:
    """The absolute value of a constant, real or complex."""
    rough = approximate(value)
    if rough is not None and rough != 0:
        return -value if rough < 0 else value
    real = Value({m: c for m, c in value.top.items() if ("i", Fraction(1)) not in m}, ONE_TERMS)
    imaginary = (value - real) / atom("i")
    if value.bottom == ONE_TERMS and not value.variables and value.certain:
        return root(real * real + imaginary * imaginary, 2)
    return atom(f"abs({show(value)})")


def factorial(value: Value) -> Value:
    """N! of a whole number."""
    whole = _whole(value)
    if whole is None:
        return _symbolic_factorial(value)
    if not 0 <= whole <= MAX_FACTORIAL:
        raise TooLargeError("a factorial that is not computed")
    return number(math.factorial(whole))


def _symbolic_factorial(value: Value) -> Value:
    """(n + 2)! as n! (n + 1) (n + 2)."""
    ahead = value.top.get((), Fraction(0)) if value.bottom == ONE_TERMS else Fraction(0)
    if ahead.denominator != 1 or abs(ahead) > MAX_AHEAD:
        return atom(f"factorial({show(value)})")
    base = value - number(ahead)
    made = atom(f"factorial({show(base)})")
    for step in range(1, int(ahead) + 1):
        made *= base + number(step)
    for step in range(int(ahead) + 1, 1):
        made /= base + number(step)
    return made


def binomial(n: Value, k: Value) -> Value:
    """How many choices of k among n."""
    above, below = _whole(n), _whole(k)
    if above is None or below is None:
        return atom(f"binomial({show(n)};{show(k)})")
    if not below >= 0 or not 0 <= above <= MAX_FACTORIAL:
        raise TooLargeError("a binomial that is not computed")
    return number(math.comb(above, below))


def _whole(value: Value) -> int | None:
    found = value.rational
    return found.numerator if found is not None and found.denominator == 1 else None


def _rounded(name: str, function: Callable[[Fraction], int]) -> Callable[[Value], Value]:
    def rounded(value: Value) -> Value:
        found = value.rational
        return atom(f"{name}({show(value)})") if found is None else number(function(found))

    return rounded


floor = _rounded("floor", math.floor)
ceiling = _rounded("ceiling", math.ceil)


def degrees(value: Value) -> Value:
    """An angle in degrees, in radians."""
    return value * atom("pi") * number(_DEGREE)


FUNCTIONS: dict[str, Callable[[Value], Value]] = {
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "cot": lambda v: _cos(v) / _sin(v),
    "sec": lambda v: number(1) / _cos(v),
    "csc": lambda v: number(1) / _sin(v),
    "arcsin": _inverse(_sin, -6),
    "arccos": _inverse(_cos, 0),
    "arctan": _inverse(_tan, -6),
    "ln": ln,
    "log": lambda v: log(v, number(10)),
    "lg": lambda v: log(v, number(10)),
    "exp": lambda v: power(atom("e"), v),
    "abs": absolute,
    "sqrt": lambda v: root(v, 2),
    "cbrt": lambda v: root(v, 3),
    "floor": floor,
    "ceil": ceiling,
    "factorial": factorial,
}  # fmt: skip
