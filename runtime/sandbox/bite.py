"""Whether tests bite: a stub of the program, and enough mutants of it, must fail them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from ..verdict import Verdict
from .limits import Limits
from .mutants import Mutant, mutants_of, stub_of
from .program import Outcome

Try = Callable[[str, Limits], Outcome]
"""Runs the tests against another program."""

MOST_SECONDS = 30.0
"""For all mutants of a program together; those that are left then are not counted."""


def toothless(
    code: str, outcome: Outcome, run: Try, limits: Limits, most: int, killed: float
) -> Verdict | None:
    """Why tests that the program passes say little about it; None if they bite.

    A mutant that takes much longer than the program has failed.

    Args:
        code: The program; Python, unless `most` is 0.
        outcome: How it passed.
        run: Runs its tests against another program.
        limits: Of the program.
        most: How many mutants to try.
        killed: Share of them that must fail.
    """
    short = replace(limits, seconds=min(limits.seconds, 1.0 + 5 * outcome.seconds))
    if run(stub_of(code) if most else "", short).passed:
        return Verdict(False, "stub_passes")
    if not most:
        return None
    mutants = mutants_of(code, most)
    need = math.ceil(killed * len(mutants))
    alive: list[Mutant] = []
    dead = 0
    began = time.monotonic()
    for mutant in mutants:
        if dead >= need or time.monotonic() - began > MOST_SECONDS:
            return None
        if run(mutant.code, short).passed:
            alive.append(mutant)
        else:
            dead += 1
        if len(mutants) - len(alive) < need:
            return Verdict(False, "mutant_passes", _shown(alive, len(mutants)))
    return None


def _shown(alive: list[Mutant], tried: int) -> dict[str, object]:
    lines = [f"line {mutant.line}: {mutant.kind}" for mutant in alive]
    return {"passed": len(alive), "tried": tried, "mutants": lines[:5]}
