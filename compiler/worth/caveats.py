"""What of a worth is unfitted, extrapolated or unknown, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..quantities import show_count
from .chinchilla import SIZES, TOKENS
from .figure import Figure
from .gates import Gate
from .parts import Part

PLATEAU = 300e9
"""Synthetic tokens after which SynthLLM saw no more gain (arXiv:2503.19551)."""


def extrapolated(size: float, tokens: Figure) -> tuple[str, ...]:
    """What lies outside of what the laws were fitted on, each in a sentence.

    Args:
        size: Parameters of the student.
        tokens: Tokens of the data set.
    """
    found: list[str] = []
    if tokens.value is not None and not TOKENS[0] <= tokens.value <= TOKENS[1]:
        low, high = map(sized, TOKENS)
        given = show_count(tokens.value)
        found.append(f"{given} tokens are {_side(tokens.value, TOKENS)} the {low} to {high}")
    if not SIZES[0] <= size <= SIZES[1]:
        low, high = map(sized, SIZES)
        found.append(f"{sized(size)} parameters are {_side(size, SIZES)} the {low} to {high}")
    return tuple(f"{one} that the laws were fitted on" for one in found)


def sized(number: float) -> str:
    """A round number without the digits that it has not: 1.7B, 70M."""
    shown = show_count(number)
    digits, unit = (shown[:-1], shown[-1]) if shown[-1].isalpha() else (shown, "")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + unit


def caveats_of(
    parts: Sequence[Part], gates: Sequence[Gate], outside: Sequence[str]
) -> tuple[str, ...]:
    """The caveats that apply.

    Args:
        parts: Parts of the data set.
        gates: Checks.
        outside: What `extrapolated` found.
    """
    return tuple(_caveats(parts, gates, outside))


def _caveats(parts: Sequence[Part], gates: Sequence[Gate], outside: Sequence[str]) -> Iterator[str]:
    lost = [p.name for p in parts if not p.supply.known]
    if lost:
        yield (
            f"how many tokens {_listed(lost)} will hold is not known before a model has written "
            "some: mashbill plan --pilot 64 --value"
        )
    if outside:
        yield f"extrapolated: {'; '.join(outside)}; take it to compare recipes, not as a prediction"
    yield "the laws are of models trained on web text alone, from nothing"
    if any((p.novelty.value or 1.0) < 1 for p in parts):
        yield (
            "what a further version of one text adds is unfitted: the band goes from nearly "
            "nothing to as much as a new text. Training was seen to be 5–10 times faster where a "
            "third was rephrased (arXiv:2510.01631), which is in none of these laws"
        )
    unknown = [p.name for p in parts if p.origin != "human" and not p.quality.known]
    if unknown:
        yield (
            f"no measured check tells how good {_listed(unknown)} is: it counts as text by people"
            + _how(unknown, gates)
        )
    elif any(p.origin != "human" for p in parts):
        yield "quality as a factor on tokens orders data more than it measures (arXiv:2510.03313)"
    if any((p.epochs.value or 0.0) > 1.01 for p in parts):
        yield (
            "which filter is best depends on compute: repeat few good tokens when there is little, "
            "loosen the filter when there is much (arXiv:2404.07177)"
        )
    made = sum(p.unique.value or 0.0 for p in parts if p.origin != "human")
    if made > PLATEAU:
        yield "gains of synthetic text were seen to level off near 300B tokens (arXiv:2503.19551)"


def _how(unknown: Sequence[str], gates: Sequence[Gate]) -> str:
    return "" if gates else f"; `checks:` on the step before {_listed(unknown)} would"


def _side(value: float, ends: tuple[float, float]) -> str:
    low, high = ends
    if value < low:
        return "far below" if value * 10 <= low else "below"
    return "far above" if value >= high * 10 else "above"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"`{n}`" for n in names)
