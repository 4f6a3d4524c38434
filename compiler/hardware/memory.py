"""What a model needs of a GPU's memory, and what of a context and batch has room there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .shapes import Shape

_UNCOUNTED = 0.5e9
"""Bytes that CUDA, its libraries and captured graphs take beside what is counted `[ours]`."""
_AT_ONCE = 8192
"""Tokens that one step of an engine computes, unless it is told (vLLM on large GPUs)."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes, of all GPUs that hold one copy of a model together.

    Attributes:
        weights: Its weights.
        kv: Keys and values of `batch` texts of `context` tokens.
        overhead: What computing takes: activations, logits, libraries. An estimate.
    """

    weights: float
    kv: float
    overhead: float


def needs(
    shape: Shape,
    *,
    context: int,
    batch: int = 1,
    bits: float | None = None,
    kv_width: float = 2.0,
    parts: int = 1,
    seqs: int = 256,
) -> Needs:
    """What a copy of a model needs.

    Args:
        shape: Of the model. Sliding windows are ignored, so what has some needs less.
        context: Tokens of prompt and reply.
        batch: How many of these at once.
        bits: That weights are loaded at; None for as they are stored.
        kv_width: Bytes of a number in the cache: 2, or 1 for an fp8 cache.
        parts: GPUs that share each layer (tensor parallelism). More of them than key-value heads
            keep copies of some.
        seqs: Texts that the engine writes at once at most, for the size of its logits.
    """
    copies = max(1.0, parts / shape.kv_heads)
    computed = _AT_ONCE * (2 * shape.inner * shape.used_experts + 4 * shape.hidden) * 2
    logits = 2 * seqs * shape.vocabulary * 4
    return Needs(
        shape.weights(bits),
        shape.kv_bytes(kv_width) * context * batch * copies,
        computed + logits + _UNCOUNTED * parts,
    )


@dataclass(frozen=True, slots=True)
class Room:
    """Memory for one copy of a model.

    Attributes:
        gpus: GPUs that hold it together.
        memory: Bytes of each.
        share: Of these, what the engine takes.
        beside: Bytes of weights that lie in the machine's own memory.
    """

    gpus: int
    memory: float
    share: float = 0.9
    beside: float = 0.0

    @property
    def usable(self) -> float:
        """Bytes for weights, keys, values and computing."""
        return self.gpus * self.memory * self.share + self.beside


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits.

    Attributes:
        fits: Whether weights and one text of the whole context have room.
        context: The longest context of which one text has room; 0 where the weights have none.
        batch: Texts of the whole context that have room at once, overhead counted.
    """

    fits: bool
    context: int
    batch: float


def fit(needed: Needs, room: Room, context: int) -> Fit:
    """Whether what one text of `context` tokens needs has room.

    A refusal counts weights and cache alone, which are known; what computing takes is estimated,
    and counts for the room that is left.

    Args:
        needed: With `batch` 1.
        room: Where it is to go.
        context: Tokens of prompt and reply that were reckoned with.
    """
    by_token = needed.kv / context
    left = room.usable - needed.weights
    spare = left - needed.overhead
    longest = math.floor(max(0.0, spare) / by_token / 256) * 256 if by_token else context
    batch = max(0.0, spare) / needed.kv if needed.kv else math.inf
    return Fit(left >= needed.kv, min(longest, context), batch)
