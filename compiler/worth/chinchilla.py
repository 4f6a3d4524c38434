"""Loss of a language model by its size and its tokens: L(N, D) = E + A / N^α + B / D^β.

Hoffmann et al. 2022 (arXiv:2203.15556) fitted the law; Besiroglu et al. of Epoch AI 2024
(arXiv:2404.10102) fitted it again to the same runs and got other constants. Neither is right for a
data set of one's own, so that both are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pow

SIZES = (70e6, 16e9)
"""Parameters of the models that the law was fitted on, the least and the most."""
TOKENS = (5e9, 500e9)
"""Tokens that they were trained on, likewise: both from the abstract of Hoffmann et al."""
UNTRAINED = log(50_257)
"""Loss of guessing among the tokens of GPT-2: a law that predicts more has left its ground."""


@dataclass(frozen=True, slots=True)
class Law:
    """A fit of the law.

    Attributes:
        name: Who fitted it, for people.
        floor: E: the loss that no model and no data lower.
        a: A.
        alpha: α.
        b: B.
        beta: β.
    """

    name: str
    floor: float
    a: float
    alpha: float
    b: float
    beta: float

    def loss(self, size: float, tokens: float) -> float:
        """Nats a token, of a model of `size` parameters after `tokens` new tokens of web text.

        Raises:
            ZeroDivisionError: There are no tokens, or no parameters.
        """
        return self.floor + self.a / pow(size, self.alpha) + self.b / pow(tokens, self.beta)

    def tokens_for(self, size: float, loss: float) -> float | None:
        """New tokens that a model needs to come to a loss; None where no number is enough."""
        rest = loss - self.floor - self.a / pow(size, self.alpha)
        return pow(self.b / rest, 1 / self.beta) if rest > 0 else None

    @property
    def ratio(self) -> float:
        """G = (αA / βB)^(1 / (α + β)).

        Of C FLOPs most is made by N* = G (C / 6)^(β / (α + β)) parameters and D* = C / 6 N* tokens.
        """
        return pow(self.alpha * self.a / (self.beta * self.b), 1 / (self.alpha + self.beta))

    def tokens_of(self, size: float) -> float:
        """D* of the run whose N* is a size."""
        return pow(size / self.ratio, (self.alpha + self.beta) / self.beta) / size

    def size_of(self, tokens: float) -> float:
        """N* of the run whose D* is a number of tokens."""
        return pow(tokens * self.ratio, (self.alpha + self.beta) / self.alpha) / tokens


EPOCH = Law("Epoch AI 2024", 1.8172, 482.01, 0.3478, 2085.43, 0.3658)
PRINTED = Law("Hoffmann et al. 2022, as printed", 1.69, 406.4, 0.34, 410.7, 0.28)
LAWS = (EPOCH, PRINTED)
