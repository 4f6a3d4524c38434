"""Speeds of prompts and replies apart, from what was measured of both together.

Reading a token of a prompt takes a share of the time of writing one that depends on the model and
its hardware; a roofline gives that share, and cancels in what it is wrong about.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .past import Work

if TYPE_CHECKING:
    from ...compiler.estimating.facts import Speed

ONE_RUN = 0.25
"""Spread where one run speaks: other texts, another batch, another load of the machine `[ours]`."""


def measured(works: Sequence[Work], share: float | None) -> Speed:
    """The speed that earlier runs showed.

    Args:
        works: One or more, of the same model.
        share: Time of a prompt token over that of a reply token; None where nobody knows: then a
            reply carries the time of its prompt, as long as those were.
    """
    from ...compiler.estimating.facts import Speed

    weight = share or 0.0
    paces = [(w.reply + weight * w.prompt) / w.seconds for w in works]
    reply = sum(w.reply + weight * w.prompt for w in works) / sum(w.seconds for w in works)
    return Speed(
        reply=reply,
        prompt=reply / share if share else None,
        spread=_spread(paces),
        basis="h",
        origin="measured in " + ", ".join(w.run for w in works),
    )


def split(together: float, share: float | None) -> tuple[float, float | None]:
    """Reply and prompt tokens a second, from replies a second with prompts of the same length."""
    if not share:
        return together, None
    reply = together * (1 + share)
    return reply, reply / share


def _spread(paces: Sequence[float]) -> float:
    """Standard deviation of the logarithm, with `ONE_RUN` counted as one observation more.

    The posterior mean of a scaled inverse chi-squared prior with one degree of freedom (Gelman et
    al., Bayesian Data Analysis, §2.6): runs that agree narrow it, runs that do not widen it.
    """
    if len(paces) < 2 or not all(paces):
        return ONE_RUN
    squares = (len(paces) - 1) * statistics.variance(map(math.log, paces))
    return math.sqrt((ONE_RUN**2 + squares) / len(paces))
