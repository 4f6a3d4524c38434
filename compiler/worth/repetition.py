"""What tokens are worth that are seen more than once.

Muennighoff et al. 2023 (arXiv:2305.16264), with the constants of their code
(github.com/huggingface/datablations): a repeated token loses value exponentially, and so does a
parameter beyond what the unique tokens can fill.
"""

from __future__ import annotations

from math import exp, pow

DECAY_TOKENS = 15.387756
"""R_D*: repetitions after which a token has lost 1 - 1/e of its value."""
DECAY_SIZE = 5.309743
"""R_N*: the same of parameters in excess."""
FLOOR = exp(0.6254804)
A, B = exp(6.255414), exp(7.3049974)
EXPONENT = 0.3526596
"""α = β."""


def saturated(unique: float, repeats: float, decay: float) -> float:
    """U + U R* (1 - exp(-R / R*)): the worth of `unique` things that are had `repeats` times more.

    Rises in both; at most U (1 + R*).
    """
    return unique * (1 + decay * (1 - exp(-repeats / decay)))


def effective_tokens(unique: float, tokens: float) -> float:
    """D': new tokens that are worth as much as `tokens` tokens drawn from `unique` ones.

    Args:
        unique: U_D, tokens that differ; no more of them are counted than are seen.
        tokens: D, tokens seen, repetitions included.
    """
    unique = min(unique, tokens)
    return saturated(unique, tokens / unique - 1, DECAY_TOKENS) if unique > 0 else 0.0


def multiple(epochs: float) -> float:
    """How many times its unique tokens a part is worth after so many epochs; 3.73 after four."""
    return effective_tokens(1.0, epochs) if epochs > 1 else epochs


def useful_size(size: float, unique: float) -> float:
    """U_N: parameters that so many unique tokens can fill, of those that there are."""
    ratio = pow(A / B, 1 / (2 * EXPONENT))
    return min(size, unique * ratio * ratio)


def effective_size(size: float, unique: float) -> float:
    """N': parameters in the sense of the law, those in excess discounted."""
    useful = useful_size(size, unique)
    return saturated(useful, size / useful - 1, DECAY_SIZE)


def loss(size: float, tokens: float, unique: float) -> float:
    """Nats a token by their law, of a model after `tokens` tokens drawn from `unique` ones.

    Raises:
        ZeroDivisionError: There are no tokens, or no parameters.
    """
    unique = min(unique, tokens)
    return (
        FLOOR
        + A / pow(effective_size(size, unique), EXPONENT)
        + B / pow(effective_tokens(unique, tokens), EXPONENT)
    )


def tokens_for(size: float, wanted: float) -> float | None:
    """New tokens, each seen once, that bring a model to a loss; None where no number does.

    Found by halving, to a part in a million: between one token and 10^18.
    """
    low, high = 0.0, 18.0
    if loss(size, 10**high, 10**high) >= wanted or loss(size, 1.0, 1.0) <= wanted:
        return None
    while high - low > 1e-7:
        middle = (low + high) / 2
        if loss(size, 10**middle, 10**middle) > wanted:
            low = middle
        else:
            high = middle
    return pow(10, high)
