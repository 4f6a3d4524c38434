"""What fits where: weights, keys and values, computing."""

from __future__ import annotations

import pytest

from mashbill.compiler.hardware.gpus import find_gpu
from mashbill.compiler.hardware.known_shapes import KNOWN_SHAPES
from mashbill.compiler.hardware.memory import Fit, Room, fit, needs


def fitting(name: str, gpu: str, context: int, gpus: int = 1, share: float = 0.9) -> Fit:
    found = find_gpu(gpu)
    assert found is not None
    needed = needs(KNOWN_SHAPES[name], context=context, parts=gpus)
    return fit(needed, Room(gpus, found.memory, share), context)


def test_needs_of_a_known_model() -> None:
    needed = needs(KNOWN_SHAPES["Llama-3-8B"], context=8192, batch=4)
    assert needed.weights == pytest.approx(16.06e9, rel=0.001)
    assert needed.kv == 4 * 2**30, "a GiB for 8k tokens of Llama 3 8B"
    assert 0.5e9 < needed.overhead < 3e9


def test_narrower_numbers_need_less() -> None:
    shape = KNOWN_SHAPES["Qwen3-8B"]
    plain = needs(shape, context=1024)
    packed = needs(shape, context=1024, bits=8, kv_width=1)
    assert packed.weights == plain.weights / 2 and packed.kv == plain.kv / 2


def test_more_gpus_than_heads_keep_copies_of_the_cache() -> None:
    shape = KNOWN_SHAPES["gemma-3-1b"]  # one head of keys and values
    one, four = needs(shape, context=1024), needs(shape, context=1024, parts=4)
    assert four.kv == 4 * one.kv and four.weights == one.weights


def test_what_everybody_knows() -> None:
    assert fitting("Qwen3-8B", "H100", 40_960).batch > 8
    assert not fitting("Qwen3-8B", "T4", 4096).fits, "16 GB of weights into 15"
    assert fitting("Qwen3-8B", "T4", 4096).context == 0
    assert not fitting("Llama-3.1-70B", "H100", 8192).fits
    assert not fitting("Llama-3.1-70B", "H100", 8192, gpus=1, share=1.0).fits
    assert fitting("Llama-3.1-70B", "H100", 8192, gpus=4).fits
    assert fitting("Qwen3-32B", "H100", 8192).fits
    assert fitting("SmolLM2-135M", "T4", 8192).fits


def test_a_shorter_context_has_room() -> None:
    long = fitting("Qwen3-14B", "RTX 5090", 40_960, share=0.95)
    assert not long.fits or long.batch < 1
    assert 0 < long.context < 40_960 and long.context % 256 == 0
    short = fitting("Qwen3-14B", "RTX 5090", long.context, share=0.95)
    assert short.fits and short.batch >= 1
    over = fitting("Qwen3-14B", "RTX 5090", long.context + 512, share=0.95)
    assert over.batch < 1


def test_weights_beside_the_gpu_leave_room() -> None:
    shape = KNOWN_SHAPES["Qwen3-8B"]
    memory = 15 * 2**30
    needed = needs(shape, context=4096)
    assert not fit(needed, Room(1, memory), 4096).fits
    assert fit(needed, Room(1, memory, beside=8e9), 4096).fits
