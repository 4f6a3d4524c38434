"""What a change of a product owes to each of its factors, without a remainder.

Logarithmic mean Divisia index, additive form (LMDI-I): of `V = x1 · x2 · …` the change from before
to after owes `L(V₁, V₀) · ln(x₁ / x₀)` to factor `x`, where `L(a, b) = (a - b) / ln(a / b)`. The
shares add up to the change exactly, and are the same with before and after exchanged but for the
sign (Ang, "Decomposition analysis for policymaking in energy: which is the preferred method?",
Energy Policy 32, 2004; Ang and Liu, Energy Policy 35, 2007, for zeros).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

Factors = Mapping[str, float]
"""Factors of a product by name, none of them negative."""


def log_mean(one: float, other: float) -> float:
    """The logarithmic mean of two positive numbers, between their geometric and arithmetic ones."""
    if math.isclose(one, other, rel_tol=1e-12):
        return one
    return (one - other) / math.log(one / other)


def split(before: Factors, after: Factors) -> dict[str, float]:
    """The change of a product, by factor.

    Where the product is zero on one side, all of it is owed to the first factor that is zero there:
    the limit of the formula as that factor goes to zero (Ang and Liu 2007).

    Args:
        before: The factors as they were; the order says which comes first.
        after: The same factors as they are.
    """
    then, now = math.prod(before.values()), math.prod(after.values())
    shares = dict.fromkeys(before, 0.0)
    if then > 0 and now > 0:
        mean = log_mean(now, then)
        return {name: mean * math.log(after[name] / before[name]) for name in before}
    if then != now:
        empty = before if then <= 0 else after
        cause = next(name for name in before if empty[name] <= 0)
        shares[cause] = now - then
    return shares
