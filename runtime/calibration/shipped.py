"""What Mashbill's own checks were measured to keep, by `make bench NAME=verifiers`.

Taken where a project has no calibration of its own. Each set of rows says what its bad rows are:
those that a model wrote tell what a gate is worth behind that model, planted ones do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...compiler.worth.gates import GateRates

SMALL = "smollm2-135m"


@dataclass(frozen=True, slots=True)
class Shipped:
    """Rows that a check was held against.

    Attributes:
        kind: Of the check.
        version: Of the operator: figures of another say nothing.
        params: What differs from the operator's defaults.
        rates: What it kept.
        writer: The model that wrote the rows, as recipes name it; empty where bad ones are planted.
    """

    kind: str
    version: int
    rates: GateRates
    params: Mapping[str, Any] = field(default_factory=dict)
    writer: str = ""


def _rates(good_kept: int, good: int, bad_kept: int, bad: int, origin: str) -> GateRates:
    return GateRates(good_kept, good, bad_kept, bad, origin, drawn=False)


SHIPPED = (
    Shipped(
        "facts",
        2,
        _rates(52, 63, 3, 97, "160 sentences rewritten by SmolLM2-135M, labelled by hand"),
        {"style": "sentence"},
        SMALL,
    ),
    Shipped(
        "facts",
        2,
        _rates(25, 49, 3, 191, "240 passages rewritten by SmolLM2-135M, labelled by hand"),
        {},
        SMALL,
    ),
    Shipped(
        "facts",
        2,
        _rates(246, 276, 280, 657, "933 SummEdits claims, some edited by a model"),
        {"style": "claim"},
    ),
    Shipped(
        "math_equal",
        1,
        _rates(107, 107, 1, 17, "124 labelled pairs of answers, which say nothing of the steps"),
    ),
    Shipped(
        "arithmetic",
        1,
        _rates(3717, 3737, 207, 3635, "3,737 GSM8K solutions, and with one number changed"),
        {"min": 1},
    ),
    Shipped(
        "arithmetic",
        1,
        _rates(3717, 3737, 207, 3635, "3,737 GSM8K solutions, and with one number changed"),
    ),
    Shipped(
        "unit_tests",
        1,
        _rates(974, 974, 126, 1389, "974 MBPP programs, and 1,389 mutants of them"),
    ),
)
"""By kind, those to be preferred first."""
