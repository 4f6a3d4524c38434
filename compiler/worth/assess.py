"""From a plan and its estimates to what its data is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..estimating.estimates import Estimates
from ..plan import Plan
from . import repetition
from .caveats import caveats_of, extrapolated
from .chinchilla import LAWS, UNTRAINED, Law
from .collapse import beside, floor
from .figure import UNKNOWN, Figure, added, corners, figure
from .gates import GateRates
from .making import assess_making
from .parts import Part, assess_parts
from .passing import assess_gates
from .record import Loss, Worth
from .stock import share
from .taking import taken

STUDENT = 1.7e9
"""Parameters of the model to be trained, where nobody says."""


def worth(
    plan: Plan,
    estimates: Estimates,
    *,
    student: float | None = None,
    gates: Mapping[str, GateRates] | None = None,
    sizes: Mapping[str, float] | None = None,
) -> Worth:
    """What the data set of a plan is worth.

    Bands come from the supply's intervals and the gates' rates, evaluated at both ends; between the
    laws the losses differ besides.

    Args:
        plan: The plan.
        estimates: Its estimates.
        student: Parameters of the model to be trained; None for 1.7e9, said to be assumed.
        gates: What checks keep of good and bad rows, by `step.check`.
        sizes: Parameters of the generating models, by name in the recipe; those that are not in it
            are read from the models' names.
    """
    size = student or STUDENT
    takings = taken(plan, estimates)
    known_gates = assess_gates(plan, estimates.steps, gates or {})
    parts = assess_parts(plan, estimates.steps, takings, known_gates)
    supply = {name: one.supply for name, one in takings.items()}
    tokens = added((p.tokens for p in parts), "all parts")
    effective = added((p.effective for p in parts), "all parts")
    human = _human(plan, estimates, parts)
    synthetic = corners(lambda h: 1 - h, human, origin=human.origin)
    outside = extrapolated(size, tokens)
    return Worth(
        student=size,
        assumed=student is None,
        mixed=plan.mix is not None,
        parts=parts,
        tokens=tokens,
        unique=added((p.unique for p in parts), "all parts"),
        effective=effective,
        speed_up=_speed_up(parts, tokens, effective),
        losses=tuple(_losses(size, parts, effective)),
        extrapolated=outside,
        human_share=human,
        least_human=None if plan.mix is None else float(plan.mix["min_human"]),
        synthetic_share=synthetic,
        beside="" if synthetic.value is None else beside(synthetic.value),
        floor=corners(floor, synthetic, origin="p₂² of strong collapse (arXiv:2410.04840)"),
        gates=known_gates,
        making=assess_making(plan, estimates, size, sizes or {}, parts, supply),
        stock=share(added((p.unique for p in parts if p.origin == "human"), "all parts")),
        caveats=caveats_of(parts, known_gates, outside),
    )


def _human(plan: Plan, estimates: Estimates, parts: Sequence[Part]) -> Figure:
    """The human share: as the estimates tell, else by the parts' origins or weights."""
    if estimates.human_share is not None:
        return figure(estimates.human_share)
    if plan.mix is not None:
        weights = {name: float(part["weight"]) for name, part in plan.mix["parts"].items()}
        by_people = sum(weights.get(p.name, 0.0) for p in parts if p.origin == "human")
        return Figure(by_people, origin="by the weights of the mix")
    whole = sum(p.tokens.value or 0.0 for p in parts)
    if not whole or not all(p.tokens.known for p in parts):
        return UNKNOWN
    of_people = sum(p.tokens.value or 0.0 for p in parts if p.origin == "human")
    return Figure(of_people / whole, origin="by the parts' origins")


def _speed_up(parts: Sequence[Part], tokens: Figure, effective: Figure) -> Figure:
    """Effective tokens by tokens; both rise with the supply, so that ends are held together."""
    if not tokens.value or effective.value is None:
        return UNKNOWN
    value = effective.value / tokens.value
    ends = [e / t for e, t in zip(effective.ends, tokens.ends, strict=True) if e is not None and t]
    return Figure(value, min(value, *ends), max(value, *ends), effective.origin)


def _losses(size: float, parts: Sequence[Part], effective: Figure) -> Iterator[Loss]:
    if not effective.value:
        return
    for law in LAWS:
        yield _loss(law, size, effective)
    if any((p.epochs.value or 0.0) > 1.01 for p in parts):
        yield _repeated(size, parts)


def _repeated(size: float, parts: Sequence[Part]) -> Loss:
    """By the law that was fitted on repeated data, parameters in excess discounted too.

    Quality and versions enter it as fewer unique tokens; epochs stay what they are.
    """
    unique, seen = 0.0, 0.0
    for part in parts:
        epochs = max(1.0, part.epochs.value or 0.0)
        fresh = (part.effective.value or 0.0) / repetition.multiple(epochs)
        unique, seen = unique + fresh, seen + fresh * epochs
    value = repetition.loss(size, seen, unique)
    sound = Figure(value, origin="their law") if value < UNTRAINED else UNKNOWN
    same = repetition.tokens_for(size, value)
    found = UNKNOWN if same is None else Figure(same, origin="their law")
    return Loss("Muennighoff et al. 2023, of repeated data", sound, found)


def _loss(law: Law, size: float, effective: Figure) -> Loss:
    def bounded(tokens: float) -> float | None:
        found = law.loss(size, tokens) if tokens > 0 else None
        return found if found is not None and found < UNTRAINED else None

    found = corners(bounded, effective, origin=effective.origin)
    same = corners(lambda one: law.tokens_for(size, one), found, origin=effective.origin)
    return Loss(
        law.name,
        found,
        same if found.known else effective,
        law.tokens_of(size),
        law.size_of(effective.value) if found.known and effective.value else None,
    )
