"""What tokens of a quality are worth, and several versions of one text.

Quality enters the law as a factor on tokens, D_eff = D Q^κ: fits give κ = γ / β = 1.01 for language
models and 0.69 for translation (arXiv:2510.03313; small models with injected noise, so that it
orders data and does not measure it). What versions of one text add is Mashbill's own rule, which
nobody has fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, pow, prod

KAPPA = 1.0
KAPPA_LEAST = 0.7
"""κ for which low quality harms least, of the published fits."""
VERSIONS = 4.0
"""k*: versions after which a further one adds 1/e of what the second did."""
NOVEL = 0.5
"""ρ: share of a version's runs of four words that its source has not; assumed, since nobody can
measure it before the text is there."""
NOVEL_LEAST = 0.2
"""ρ of the faithful among 400 labelled rewrites by SmolLM2-135M, which copies much: 0.27 of 63
sentences, 0.20 of 49 passages."""


def weight(quality: float, kappa: float = KAPPA) -> float:
    """Q^κ: what a token is worth beside one of quality 1."""
    return pow(quality, kappa)


def versions(count: float, novel: float) -> float:
    """1 + ρ (1 - exp(-(k - 1) / k*)): texts that `count` versions of one text are worth.

    Args:
        count: k, at least 1.
        novel: ρ, from 0 (copies) to 1.
    """
    return 1 + novel * (1 - exp(-(count - 1) / VERSIONS))


def worth_of_versions(members: Sequence[tuple[float, float]], novel: float) -> float:
    """What the versions of a text in a data set are worth, in texts: the mean over all texts.

    Each version of a text is there or not, whatever the others are. `versions` is averaged over how
    many may be there of one text; none of them is worth nothing.

    Args:
        members: By part: versions of a text that it has, and the share of them, over all texts,
            that the data set takes, from 0 to 1.
        novel: ρ.
    """
    step = exp(-1 / VERSIONS)
    none = prod(pow(1 - share, count) for count, share in members)
    # The mean of step^K, over K versions of a text, is a product since they come independently.
    fading = prod(pow(1 - share + share * step, count) for count, share in members)
    return (1 - none) * (1 + novel) - novel * (fading - none) / step


def novelties(members: Sequence[tuple[float, float]], novel: float) -> tuple[float, ...]:
    """What a version adds, part by part, to those of the parts before it: from 0 to 1.

    Args:
        members: As `worth_of_versions` takes them; originals first.
        novel: ρ.
    """
    worths = [worth_of_versions(members[:i], novel) for i in range(len(members) + 1)]
    return tuple(
        min(1.0, (after - before) / (count * share)) if share else 1.0
        for (count, share), before, after in zip(members, worths, worths[1:], strict=False)
    )
