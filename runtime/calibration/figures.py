"""What a check does to rows whose verdict is known, in figures.

φ = P(keep | good) and ψ = P(keep | bad) describe the check alone; what they come to depends on the
share of bad rows in the pool that it is used on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...compiler.worth import gates
from .labelled import Example
from .rates import Rate


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and what the check said of it.

    Attributes:
        example: The row.
        kept: The verdict; None if the check could not judge it, which is no rejection.
        reason: Of the rejection, or what went wrong.
        evidence: The check's.
    """

    example: Example
    kept: bool | None
    reason: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a check keeps.

    Attributes:
        phi: Good rows that it keeps.
        psi: Bad rows that it keeps.
        by_kind: The same by what is wrong with them; a row of several kinds counts for each.
        reasons: Why rows were rejected: the reason to good and bad ones.
        errors: Rows that it could not judge, by what went wrong; they count nowhere else.
    """

    phi: Rate
    psi: Rate
    by_kind: Mapping[str, Rate]
    reasons: Mapping[str, tuple[int, int]]
    errors: Mapping[str, int]

    @property
    def wrong(self) -> float:
        """The share of bad rows in the data."""
        return self.psi.of / (self.phi.of + self.psi.of)

    @property
    def balanced_accuracy(self) -> float | None:
        """The mean of what is right of good and of bad rows; 0.5 for a check that guesses."""
        phi, psi = self.phi.share, self.psi.share
        return None if phi is None or psi is None else (phi + 1 - psi) / 2

    def precision(self, wrong: float) -> float | None:
        """The share of good rows among those kept, of a pool with that share of bad ones."""
        return precision(self.phi.share, self.psi.share, wrong)

    def precision_interval(self, wrong: float) -> tuple[float, float]:
        """See `precision_interval`."""
        return precision_interval(self.phi, self.psi, wrong)

    def yield_(self, wrong: float) -> float | None:
        """The share of the pool that is kept."""
        phi, psi = self.phi.share, self.psi.share
        return None if phi is None or psi is None else gates.kept_share(phi, psi, wrong)

    @property
    def break_even(self) -> float | None:
        """p*: the share of wrong rows above which more wrong than right ones are kept.

        See `mashbill.compiler.worth.gates.break_even`.
        """
        phi, psi = self.phi.share, self.psi.share
        return None if phi is None or psi is None else gates.break_even(phi, psi)


def precision(phi: float | None, psi: float | None, wrong: float) -> float | None:
    """(1 - p) φ / ((1 - p) φ + p ψ); None where nothing is kept."""
    return None if phi is None or psi is None else gates.precision(phi, psi, wrong)


def precision_interval(phi: Rate, psi: Rate, wrong: float) -> tuple[float, float]:
    """How sure a precision is, of what was kept of good rows and of bad ones.

    Where the pool has the data's own share of bad rows it was counted, and has a 95 % interval.
    Elsewhere this is the least and the most that the intervals of φ and ψ allow.
    """
    if abs(wrong - psi.of / max(1, phi.of + psi.of)) < 1e-9:
        return Rate(phi.kept, phi.kept + psi.kept).interval()
    (phi_low, phi_high), (psi_low, psi_high) = phi.interval(), psi.interval()
    low, high = precision(phi_low, psi_high, wrong), precision(phi_high, psi_low, wrong)
    return 0.0 if low is None else low, 1.0 if high is None else high


def figures_of(judged: Iterable[Judged]) -> Figures:
    """Count verdicts."""
    kept: Counter[bool] = Counter()
    of: Counter[bool] = Counter()
    kinds: dict[str, list[bool]] = {}
    reasons: dict[str, list[int]] = {}
    errors: Counter[str] = Counter()
    for one in judged:
        good = one.example.good
        if one.kept is None:
            errors[one.reason] += 1
            continue
        of[good] += 1
        kept[good] += one.kept
        for kind in one.example.kinds:
            kinds.setdefault(kind, []).append(one.kept)
        if not one.kept:
            reasons.setdefault(one.reason, [0, 0])[not good] += 1
    by_kind = {kind: Rate(sum(keeps), len(keeps)) for kind, keeps in kinds.items()}
    return Figures(
        Rate(kept[True], of[True]),
        Rate(kept[False], of[False]),
        dict(sorted(by_kind.items(), key=lambda k: (-k[1].of, k[0]))),
        {r: (g, b) for r, (g, b) in sorted(reasons.items(), key=lambda x: (-sum(x[1]), x[0]))},
        dict(errors.most_common()),
    )


def mistakes(judged: Sequence[Judged], *, kept: bool) -> list[Judged]:
    """Bad rows that were kept, or good ones that were rejected, in the order of the data."""
    return [one for one in judged if one.kept is kept and one.example.good is not kept]
