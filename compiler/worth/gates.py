"""What a check is worth as a gate: how right is what it keeps, how much that is, what it bears.

φ = P(keep | good), ψ = P(keep | bad), p = the share of wrong rows before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .figure import UNKNOWN, Figure, corners
from .intervals import Z90, wilson


@dataclass(frozen=True, slots=True)
class GateRates:
    """What a check kept of labelled rows.

    Attributes:
        good_kept: Good rows that it kept.
        good: Good rows.
        bad_kept: Bad rows that it kept.
        bad: Bad rows.
        origin: Where that was measured, in words.
        alike: Whether the check was that of the plan: kind and parameters. Else it is of the same
            kind, and `origin` says so.
        drawn: Whether the labelled rows are such as a model writes, so that their share of bad
            rows, and how bad these are, tells of a pool. Planted errors and edited claims are not:
            of these φ, ψ and p* are told, and no precision.
    """

    good_kept: int
    good: int
    bad_kept: int
    bad: int
    origin: str
    alike: bool = True
    drawn: bool = True

    @property
    def phi(self) -> Figure:
        """φ, with its 90 % interval by Wilson's score."""
        return _share(self.good_kept, self.good, self.origin)

    @property
    def psi(self) -> Figure:
        """ψ, likewise."""
        return _share(self.bad_kept, self.bad, self.origin)

    @property
    def wrong(self) -> Figure:
        """Share of bad ones among the labelled rows; unknown where no model wrote such rows."""
        return _share(self.bad, self.good + self.bad, self.origin) if self.drawn else UNKNOWN


@dataclass(frozen=True, slots=True)
class Gate:
    """A check of a plan, and what is known of it as a gate.

    Attributes:
        step: The step that holds rows to it.
        check: Its name there.
        kind: Its kind.
        phi: Good rows kept; unknown where nobody measured.
        psi: Bad rows kept, likewise.
        wrong: p.
        precision: Share of good rows in what it keeps.
        kept: Share of rows that it keeps.
        tolerated: p*.
        alike: Whether φ and ψ were measured with these parameters.
    """

    step: str
    check: str
    kind: str
    phi: Figure = UNKNOWN
    psi: Figure = UNKNOWN
    wrong: Figure = UNKNOWN
    precision: Figure = UNKNOWN
    kept: Figure = UNKNOWN
    tolerated: Figure = UNKNOWN
    alike: bool = True

    @property
    def dearer(self) -> Figure:
        """Drafts written for one that is kept, and so how much dearer a kept token is."""
        return corners(lambda k: 1 / k if k else None, self.kept, origin=self.kept.origin)

    @property
    def name(self) -> str:
        """As `mashbill calibrate` takes it."""
        return f"{self.step}.{self.check}"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        figures = ("phi", "psi", "wrong", "precision", "kept", "tolerated")
        return {
            "step": self.step,
            "check": self.check,
            "kind": self.kind,
            **{name: getattr(self, name).to_json() for name in figures},
            "drafts_per_kept": self.dearer.to_json(),
            "alike": self.alike,
        }


def precision(phi: float, psi: float, wrong: float) -> float | None:
    """(1 - p) φ / ((1 - p) φ + p ψ); None where nothing is kept."""
    right, false = (1 - wrong) * phi, wrong * psi
    return right / (right + false) if right + false else None


def kept_share(phi: float, psi: float, wrong: float) -> float:
    """(1 - p) φ + p ψ."""
    return (1 - wrong) * phi + wrong * psi


def break_even(phi: float, psi: float) -> float | None:
    """p* = 1 / (1 + ψ / φ): the share of wrong rows above which more wrong than right are kept.

    Training on what is kept works below it (Feng et al. 2024, arXiv:2406.07515). Their threshold is
    sharp for a linear classifier: for language models it is an index, of which more is better, and
    no guarantee. None where nothing is kept of good rows.
    """
    return 1 / (1 + psi / phi) if phi else None


def wrong_share(phi: float, psi: float, kept: float) -> float | None:
    """p, from the share of rows that a check keeps: (φ - kept) / (φ - ψ), held to 0 … 1.

    The inverse of `kept_share` (Rogan and Gladen, American Journal of Epidemiology 107, 1978). None
    where the check does not tell good from bad.
    """
    return min(1.0, max(0.0, (phi - kept) / (phi - psi))) if phi > psi else None


def assess_gate(
    step: str, check: str, kind: str, rates: GateRates | None, passed: Figure = UNKNOWN
) -> Gate:
    """What is known of a check.

    Args:
        step: The step that holds rows to it.
        check: Its name there.
        kind: Its kind.
        rates: As measured; None where nobody did.
        passed: Share of the step's rows that pass, where a pilot or a run showed it. Other checks
            of the step refuse rows too, so that the share of wrong rows is at most what it tells.
    """
    if rates is None:
        return Gate(step, check, kind)
    phi, psi = rates.phi, rates.psi
    even = corners(break_even, phi, psi, origin=rates.origin)
    if not rates.drawn:
        return Gate(step, check, kind, phi, psi, kept=passed, tolerated=even, alike=rates.alike)
    wrong = corners(wrong_share, phi, psi, passed, origin=_inferred(passed))
    if wrong.known:
        kept = passed
        right = corners(_precision_of, phi, psi, passed, origin=_inferred(passed))
    else:
        wrong = rates.wrong
        kept = corners(kept_share, phi, psi, wrong, origin=rates.origin)
        right = corners(precision, phi, psi, wrong, origin=rates.origin)
    return Gate(step, check, kind, phi, psi, wrong, right, kept, even, rates.alike)


def _precision_of(phi: float, psi: float, kept: float) -> float | None:
    wrong = wrong_share(phi, psi, kept)
    return None if wrong is None else precision(phi, psi, wrong)


def _inferred(passed: Figure) -> str:
    return f"from what passes ({passed.origin}); at most, where other checks refuse rows too"


def _share(kept: int, of: int, origin: str) -> Figure:
    if not of:
        return UNKNOWN
    low, high = wilson(kept, of, Z90)
    return Figure(kept / of, low, high, origin)
