"""What each part of a data set is worth in new tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

from ..estimating.estimates import StepEstimate
from ..plan import Plan
from .figure import UNKNOWN, Figure, rising
from .gates import Gate
from .lineage import Rows, families, rows_of, texts_in_common
from .quality import KAPPA, KAPPA_LEAST, NOVEL, NOVEL_LEAST, novelties, weight
from .repetition import effective_tokens
from .taking import Taken

CONVENTION = Figure(1.0, origin="1 by convention: nothing here measures it")
"""Quality of text by people: that of the web text which the laws were fitted on."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the data set.

    Attributes:
        name: As the recipe names it.
        origin: Whose words: `human`, `synthetic`, `mixed`.
        supply: Tokens that it can give, each row once.
        tokens: Tokens taken, repetitions included.
        epochs: How often its rows are gone through.
        unique: Tokens taken that are no repetition.
        quality: Q: 1 for text by people, by convention; else the precision of its gates.
        novelty: What a token of it adds to other versions of its texts in the parts before it.
        effective: New tokens of web text that are worth as much.
    """

    name: str
    origin: str
    supply: Figure
    tokens: Figure
    epochs: Figure
    unique: Figure
    quality: Figure
    novelty: Figure
    effective: Figure

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        figures = ("supply", "tokens", "epochs", "unique", "quality", "novelty", "effective")
        shown = {name: getattr(self, name).to_json() for name in figures}
        return {"name": self.name, "origin": self.origin, **shown}


def assess_parts(
    plan: Plan,
    steps: Mapping[str, StepEstimate],
    takings: Mapping[str, Taken],
    gates: Sequence[Gate],
) -> tuple[Part, ...]:
    """What each part is worth, those of people first.

    Args:
        plan: The plan.
        steps: Estimates of its steps.
        takings: What is taken of each part.
        gates: The checks of the plan, as far as they are known.
    """
    rows = [rows_of(name, plan, steps) for name in takings]
    rows.sort(key=lambda one: plan.origin_of(one.part) != "human")
    novelty: dict[str, Figure] = {}
    for family in families(rows):
        novelty |= _novelty(family, steps, takings)
    parts: list[Part] = []
    for one in rows:
        origin, taken = plan.origin_of(one.part), takings[one.part]
        quality = CONVENTION if origin == "human" else _quality(one, gates)
        new = novelty[one.part]
        effective = _effective(taken, quality, new)
        parts.append(
            Part(
                name=one.part,
                origin=origin,
                supply=taken.supply,
                tokens=taken.tokens,
                epochs=taken.epochs,
                unique=taken.unique,
                quality=quality,
                novelty=new,
                effective=effective,
            )
        )
    return tuple(parts)


def _quality(rows: Rows, gates: Sequence[Gate]) -> Figure:
    """The precision of the gates that a part's rows have been through.

    Checks of one step refuse much the same rows, so that the least of their precisions counts; what
    one step lets through, the next may refuse for another reason: steps multiply.
    """
    least: list[Gate] = []
    for node in rows.steps:
        known = [g for g in gates if g.step == node.name and g.precision.value is not None]
        if known:
            least.append(min(known, key=lambda g: g.precision.value or 0.0))
    if not least:
        return UNKNOWN
    origin = "; ".join(f"precision of {g.name}: {g.precision.origin}" for g in least)
    return rising(lambda *shares: prod(shares), *(g.precision for g in least), origin=origin)


def _novelty(
    family: Sequence[Rows], steps: Mapping[str, StepEstimate], takings: Mapping[str, Taken]
) -> dict[str, Figure]:
    """What a token of each part of a family adds to those of the parts before it."""
    if len(family) == 1 and family[0].versions <= 1.0:
        return {family[0].part: Figure(1.0, origin="one version of each text")}
    texts = texts_in_common(family, steps)
    members: list[tuple[float, float]] = []
    for rows in family:
        supply, unique = takings[rows.part].supply.value, takings[rows.part].unique.value
        if unique is None or supply is None:
            return {one.part: UNKNOWN for one in family}
        reach = rows.texts / texts if rows.texts and texts else 1.0
        members.append((rows.versions, min(1.0, reach * (unique / supply if supply else 0.0))))
    found = zip(family, novelties(members, NOVEL), novelties(members, NOVEL_LEAST), strict=True)
    origin = "several versions of a text: assumed, unfitted; at best each counts as a new text"
    return {
        rows.part: Figure(1.0, origin="first version of each text")
        if value >= 1 - 1e-9
        else Figure(value, min(low, value), 1.0, origin)
        for rows, value, low in found
    }


def _effective(taken: Taken, quality: Figure, novelty: Figure) -> Figure:
    """D' of a part, Q^κ and the discount of versions in it.

    An unknown quality counts as 1, which the caveats say.
    """
    if taken.unique.value is None or novelty.value is None:
        return UNKNOWN
    sure = quality if quality.known else CONVENTION

    def worth(unique: float, tokens: float, right: float, new: float, kappa: float) -> float:
        return effective_tokens(unique, tokens) * weight(right, kappa) * new

    given = (taken.unique, taken.tokens, sure, novelty)
    middle = rising(partial(worth, kappa=KAPPA), *given, origin="")
    best = rising(partial(worth, kappa=KAPPA_LEAST), *given, origin="")
    origin = "Muennighoff et al. 2023" + ("" if quality.known else "; quality unknown, taken as 1")
    return Figure(middle.value, middle.low, best.high, origin)
