"""How much of a data set models wrote, beside what has been published, and the risk of it."""

from __future__ import annotations

from dataclasses import dataclass

WARN = 0.5
HIGHEST = 0.8


@dataclass(frozen=True, slots=True)
class Published:
    """A synthetic share that somebody trained on and reported as good."""

    name: str
    low: float
    high: float


PUBLISHED = (
    Published("Nemotron-CC", 0.30, 0.30),  # arXiv:2412.02595: 1.9 of 6.3 T tokens
    Published("Demystifying", 0.30, 0.30),  # arXiv:2510.01631: over 1,000 models, about 30 %
    Published("BeyondWeb", 0.40, 0.40),  # arXiv:2508.10975, by memory
    Published("WRAP", 0.50, 0.50),  # arXiv:2401.16380
    Published("RePro", 0.50, 0.50),  # arXiv:2510.10681
    Published("Phi-4", 0.55, 0.55),  # arXiv:2412.08905: 40 % synthetic and 15 % rewritten
    Published("FinePhrase", 0.60, 0.80),  # arXiv:2604.13977: by style, 21 B tokens
)


def floor(share: float) -> float:
    """p₂²: how much of the mismatch c² more data does not remove (strong collapse).

    The error tends to p₂² c² for a fixed synthetic share p₂ (arXiv:2410.04840). c² is how far
    synthetic text is from human text, which a gate lowers and nobody can tell beforehand.
    """
    return share * share


def beside(share: float) -> str:
    """A synthetic share beside those on record, in one sentence."""
    if share <= 0:
        return "nothing here is written by a model"
    known = ", ".join(f"{p.name} {_shown(p)}" for p in PUBLISHED)
    if share > HIGHEST:
        return (
            f"above all that is on record ({known}); training on textbooks by models alone looked "
            "like collapse (arXiv:2510.01631)"
        )
    if share > WARN:
        return f"more than most on record: {known}; they conflict, so try a lower share too"
    least = min(p.low for p in PUBLISHED)
    if share > least:
        return f"within what is on record: {known}"
    return f"no more than the least on record: {known}"


def _shown(published: Published) -> str:
    low, high = published.low * 100, published.high * 100
    return f"{low:.0f}%" if low == high else f"{low:.0f}–{high:.0f}%"
