"""Names in mathematical expressions: letters, constants, functions by their other names."""

from __future__ import annotations

_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu "
    "nu xi rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma "
    "Phi Psi Omega ell hbar"
)
_SHORT = (
    "or and not is no the of to in an at by if on so we it be as do go he me my up us yes all "
    "any one two six ten for are was has per inf nan"
)

GREEK = frozenset(_GREEK.split())
CONSTANTS = {"pi": "pi", "infty": "oo", "infinity": "oo", "inf": "oo"}
INVERSES = {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}
ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "tg": "tan", "ctg": "cot",
            "cosec": "csc", "ceiling": "ceil"}  # fmt: skip
WORDS = frozenset(_SHORT.split())
"""Short words that are no products of letters."""
