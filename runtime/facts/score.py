"""One number for how closely a rewrite keeps to its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from . import loops, support
from .support import Aligned

BIAS = 2.2
NOVELTY, DISORDER, REPETITION = -4.5, -3.4, -1.8
"""A logistic regression (L2, C = 3) over the 144 of 400 labelled rewrites that break no rule but
those of the step `content`; area under the curve in ten folds by source 0.94 (sentences 0.92,
passages 0.97). Fitted with scikit-learn, rounded."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What a rewrite adds or disturbs, each from 0 (nothing) to 1, of its worst sentence.

    Attributes:
        novelty: Share of the sentence's content words that its place in the source lacks.
        disorder: Share of its neighbouring word pairs that the source has nowhere.
        repetition: Share of its content words that are said again.
    """

    novelty: float
    disorder: float
    repetition: float

    @property
    def score(self) -> float:
        """How likely a rewrite like those of the fit is to be faithful, from 0 to 1."""
        weighed = NOVELTY * self.novelty + DISORDER * self.disorder + REPETITION * self.repetition
        return 1 / (1 + exp(-(BIAS + weighed)))


def measure(aligned: Sequence[Aligned], pairs: frozenset[tuple[str, str]]) -> Measures:
    """The measures of a rewrite's sentences, given the word pairs of its source."""
    return Measures(
        max((one.novelty for one in aligned), default=0.0),
        max((support.disorder(one, pairs) for one in aligned), default=0.0),
        max((loops.repeated(one)[0] for one in aligned), default=0.0),
    )
