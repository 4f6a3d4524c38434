"""How much of a rewrite is copied: shared runs of four words, and the longest copied span."""

from __future__ import annotations

from .words import WORD

RUN = 4
"""Words in a run: the novel 4-grams of `published-recipes.md` section 10.2."""


def copied(got: str, source: str) -> tuple[float, str]:
    """What a rewrite takes over as it stands.

    Returns:
        The share of its runs of four words that the source has (0.0 without a run), and the longest
        span of its words of which every run is.
    """
    words = WORD.findall(got)
    ours, known = _runs(words), set(_runs(WORD.findall(source)))
    best = start = size = 0
    for i, run in enumerate(ours):
        size = size + 1 if run in known else 0
        if size > best:
            best, start = size, i + 1 - size
    share = sum(run in known for run in ours) / len(ours) if ours else 0.0
    return share, " ".join(words[start : start + best + RUN - 1]) if best else ""


def _runs(words: list[str]) -> list[tuple[str, ...]]:
    folded = [word.casefold() for word in words]
    return list(zip(*(folded[i:] for i in range(RUN)), strict=False))
