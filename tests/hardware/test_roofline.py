"""The roofline against what was published, and against what physics allows."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

import pytest

from mashbill.compiler.hardware.gpus import GPUS, Gpu, find_gpu
from mashbill.compiler.hardware.known_shapes import KNOWN_SHAPES
from mashbill.compiler.hardware.memory import Room
from mashbill.compiler.hardware.published import SCALED_SPREAD, SPREAD, TABLE, published
from mashbill.compiler.hardware.roofline import Rate, roofline, together


def gpu(name: str) -> Gpu:
    found = find_gpu(name)
    assert found is not None
    return found


H100, L4 = gpu("H100"), gpu("L4")


def rate(name: str, on: Gpu = H100, gpus: int = 1, **kwargs: float) -> Rate | None:
    return roofline(KNOWN_SHAPES[name], on, Room(gpus, on.memory), **kwargs)  # type: ignore[arg-type]


def by_gpu(name: str) -> float:
    """Reply tokens a second of one H100, on as few as hold the model."""
    for gpus in (1, 2, 4):
        if found := rate(name, gpus=gpus):
            return together(found) / gpus
    raise AssertionError(f"{name} fits no four H100")


def test_it_meets_what_was_published() -> None:
    errors = [math.log(by_gpu(name) / tokens) for name, tokens in TABLE.items()]
    assert abs(statistics.mean(errors)) < math.log(1.12), "no bias"
    assert statistics.stdev(errors) < 0.5
    inside = [abs(e) < 1.645 * 0.6 for e in errors]  # the 90 % interval that speeds are given
    assert sum(inside) / len(inside) >= 0.9
    assert all(abs(e) < math.log(3.2) for e in errors)


@pytest.mark.parametrize("name", ["Qwen3-4B", "Qwen3-8B", "gpt-oss-20b"])
def test_it_never_beats_the_bandwidth(name: str) -> None:
    found, shape = rate(name), KNOWN_SHAPES[name]
    assert found is not None
    read = shape.weights() + found.batch * 1536 * shape.kv_bytes()
    assert found.reply < found.batch * H100.bandwidth / read
    assert found.prompt < H100.bf16 / (2 * shape.active)


def test_many_short_texts_are_bound_by_multiplying() -> None:
    found = rate("Qwen3-8B", L4, seqs=4096, prompt=1, reply=2, step_seconds=0)
    shape = KNOWN_SHAPES["Qwen3-8B"]
    assert found is not None and found.batch > 1000
    assert 2 * shape.active * found.reply <= L4.bf16 * 0.5 * (1 + 1e-9)


def test_better_hardware_is_faster() -> None:
    slow, fast = rate("Qwen3-4B", L4), rate("Qwen3-4B", gpu("H200"))
    middle = rate("Qwen3-4B")
    assert slow and middle and fast
    assert slow.reply < middle.reply < fast.reply and slow.batch < middle.batch
    two = rate("Qwen3-8B", gpus=2)
    one = rate("Qwen3-8B")
    assert one and two and one.reply < two.reply < 2.5 * one.reply


def test_a_larger_batch_shares_the_weights() -> None:
    alone, many = rate("Qwen3-8B", seqs=1), rate("Qwen3-8B", seqs=64)
    assert alone and many and 10 * alone.reply < many.reply < 64 * alone.reply


def test_quantised_weights_are_read_faster() -> None:
    wide, narrow = rate("Qwen3-8B", seqs=1), rate("Qwen3-8B", seqs=1, bits=4)
    assert wide and narrow and narrow.reply > 1.5 * wide.reply


def test_one_text_touches_few_experts() -> None:
    shape = KNOWN_SHAPES["Qwen3-30B-A3B"]
    found = roofline(shape, H100, Room(1, H100.memory), seqs=1)
    dense = roofline(replace(shape, used_experts=shape.experts), H100, Room(1, H100.memory), seqs=1)
    assert found and dense and found.reply > 2 * dense.reply


def test_what_does_not_fit_has_no_speed() -> None:
    assert rate("Llama-3.1-70B", L4) is None
    assert rate("Llama-3.1-70B") is None
    assert rate("Llama-3.1-70B", gpus=4) is not None


def test_published_rates_are_scaled_by_bandwidth() -> None:
    assert published("Qwen/Qwen3-4B-Instruct-2507", H100) == ("Qwen3-4B", 7919, SPREAD)
    found = published("Qwen/Qwen3-4B", gpu("H200"))
    assert found is not None and found[1] == pytest.approx(7919 * 4800 / 3350)
    assert found[2] == SCALED_SPREAD > SPREAD
    assert published("Qwen/Qwen2-7B", H100) is None
    assert all(published("google/gemma-3-1b-it", on) for on in GPUS)
