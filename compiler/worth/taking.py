"""What the mix takes of each part, settled again at both ends of what the parts may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..estimating.estimates import Estimates
from ..plan import Plan
from ..shares import settle_shares
from .figure import UNKNOWN, Figure, figure


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken of a part.

    Attributes:
        supply: Tokens that it can give, each row once.
        tokens: Tokens that are taken, repetitions included.
        epochs: How often its rows are gone through; less than 1 where not all are taken.
        unique: Tokens taken that are no repetition.
    """

    supply: Figure = UNKNOWN
    tokens: Figure = UNKNOWN
    epochs: Figure = UNKNOWN
    unique: Figure = UNKNOWN


def taken(plan: Plan, estimates: Estimates) -> dict[str, Taken]:
    """What is taken of each part; without a mix, all that there is.

    The band holds what is taken where every part gives as little, or as much, as its interval says.
    """
    supply = {part: figure(n) for part, n in estimates.supply.items()}
    values = {part: s.value for part, s in supply.items() if s.value is not None}
    if plan.mix is None or len(values) < len(supply):
        alone = plan.mix is None
        return {part: _whole(s) if alone else Taken(s) for part, s in supply.items()}
    human = {part: plan.origin_of(part) == "human" for part in supply}
    middle = settle_shares(plan.mix, values, human).targets
    ends: list[Mapping[str, float]] = []
    for side in (0, 1):
        given = {part: s.ends[side] or 0.0 for part, s in supply.items()}
        ends.append(settle_shares(plan.mix, given, human).targets)
    found: dict[str, Taken] = {}
    for part, s in supply.items():
        value = estimates.taken.get(part, middle.get(part, 0.0))
        # Caps on sources are not settled again; the mix is taken to scale as it does without them.
        scale = value / middle[part] if middle.get(part) else 1.0
        low, high = (scale * end.get(part, 0.0) for end in ends)
        tokens = Figure(value, min(low, value), max(high, value), s.origin)
        found[part] = _drawn(s, tokens)
    return found


def _whole(supply: Figure) -> Taken:
    once = Figure(1.0, origin="all of it, once") if supply.known else UNKNOWN
    return Taken(supply, supply, once, supply)


def _drawn(supply: Figure, tokens: Figure) -> Taken:
    """Epochs and unique tokens, of a supply and of what is taken of it."""
    have, want = (supply.value or 0.0, *supply.ends), (tokens.value or 0.0, *tokens.ends)
    unique = [min(h or 0.0, w or 0.0) for h, w in zip(have, want, strict=True)]
    epochs = [(w or 0.0) / h if h else 0.0 for h, w in zip(have, want, strict=True)]
    return Taken(
        supply,
        tokens,
        Figure(epochs[0], min(epochs), max(epochs), supply.origin),
        Figure(unique[0], min(unique), max(unique), supply.origin),
    )
