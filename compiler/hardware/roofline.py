"""How fast a model generates, from its shape and the hardware's figures alone.

A step of an engine writes one token for each text of a batch. It reads the weights once and the
cache of each text, and multiplies each token with the weights; the slower of the two bounds it
(the roofline of Williams, Waterman and Patterson 2009). Prompts are bound by multiplying.
"""

from __future__ import annotations

from dataclasses import dataclass

from .gpus import Gpu
from .memory import Room, needs
from .shapes import Shape

READ_SHARE = 0.75
"""Of the stated bandwidth, what engines reach `[ours]`. With the next two the roofline meets the
published throughput of `published` with a geometric mean of 1, within a factor 3."""
COMPUTE_SHARE = 0.5
"""Of the stated operations a second, what prompts reach `[ours]`."""
STEP_SECONDS = 0.004
"""What a step takes beside: scheduling, sampling, launching `[ours]`."""
PROMPT, REPLY = 1024, 1024
"""Tokens of a prompt and a reply where nobody knows better."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens a second of one copy of a model.

    Attributes:
        reply: While replies are written.
        prompt: While prompts are read.
        batch: Texts that are written at once.
    """

    reply: float
    prompt: float
    batch: float


def roofline(
    shape: Shape,
    gpu: Gpu,
    room: Room,
    *,
    seqs: int = 256,
    bits: float | None = None,
    kv_width: float = 2.0,
    prompt: float = PROMPT,
    reply: float = REPLY,
    step_seconds: float = STEP_SECONDS,
) -> Rate | None:
    """The rate of one copy of a model; None where not one text has room.

    Args:
        shape: Of the model.
        gpu: What it runs on.
        room: How many of them share it, and the memory that it gets there.
        seqs: Texts at once at most.
        bits: That weights are loaded at; None for as they are stored.
        kv_width: Bytes of a number in the cache.
        prompt: Tokens of a prompt.
        reply: Tokens of a reply.
        step_seconds: What a step takes beside reading and multiplying.
    """
    length = prompt + reply / 2  # of a text in the middle of its reply
    needed = needs(shape, context=round(length), bits=bits, kv_width=kv_width, parts=room.gpus)
    spare = room.usable - needed.weights - needed.overhead
    batch = min(float(seqs), spare / needed.kv)
    if batch < 1:
        return None
    unused = (1 - shape.used_experts / shape.experts) ** batch if shape.experts > 1 else 0.0
    read = needed.weights * (1 - unused) + batch * needed.kv
    reading = read / (gpu.bandwidth * room.gpus * READ_SHARE)
    fast = gpu.fp8 if (bits or shape.bits) == 8 and gpu.fp8 else gpu.bf16
    computing = fast * room.gpus * COMPUTE_SHARE
    step = max(reading, 2 * shape.active * batch / computing) + step_seconds
    return Rate(batch / step, computing / (2 * shape.active), batch)


def together(rate: Rate, prompt: float = PROMPT, reply: float = REPLY) -> float:
    """Reply tokens a second, the time for their prompts included."""
    return 1 / (1 / rate.reply + prompt / reply / rate.prompt)
