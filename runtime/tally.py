"""What checks found, counted: of each check how many rows it judged, passed, and refused why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .verdict import Row, Verdict

if TYPE_CHECKING:
    from .checkpool import CheckSpec
    from .tools import Judge

ENOUGH = 50
"""Rows after which a check that passed none of them is taken to be wrong itself."""


@dataclass(slots=True)
class Tally:
    """One check of one step. Only what reached it is counted: what failed before did not."""

    judged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> int:
        """How many it let pass."""
        return self.judged - self.reasons.total()

    def to_json(self) -> dict[str, Any]:
        """As the run record holds it, with the 95 % interval of the share that passes."""
        from .calibration.rates import Rate

        return {
            "judged": self.judged,
            "passed": self.passed,
            "interval": [round(end, 6) for end in Rate(self.passed, self.judged).interval()],
            "failed": dict(self.reasons.most_common()),
        }


Tallies = dict[str, Tally]
"""By the name of the check."""


def tallied(judge: Judge, tallies: Tallies) -> Judge:
    """A judge that counts what it finds."""

    async def judging(specs: tuple[CheckSpec, ...], row: Row) -> tuple[Verdict, ...]:
        verdicts = await judge(specs, row)
        for spec, verdict in zip(specs, verdicts, strict=False):
            tally = tallies.setdefault(spec.name, Tally())
            tally.judged += 1
            if not verdict.passed:
                tally.reasons[verdict.reason or spec.name] += 1
        return verdicts

    return judging


def never_passed(checks: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    """Step, name and figures of the checks in a record that refused all of many rows."""
    for step, found in checks.items():
        for name, figures in found.items():
            if figures["judged"] >= ENOUGH and not figures["passed"]:
                yield step, name, figures
