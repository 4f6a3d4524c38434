"""Speeds of a plan's models: measured before published before reckoned, and labelled so."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mashbill.compiler.estimating.facts import Speed
from mashbill.runtime.engine_room import room_of
from mashbill.runtime.hardware.layout import layout_of
from mashbill.runtime.hardware.machine import (
    Found,
    found_gpus,
    hardware_of,
    main_memory,
    usable_cores,
)
from mashbill.runtime.hardware.speeds import find_speeds
from mashbill.runtime.models import find_model
from mashbill.runtime.piloting.pilot_log import note_pilot, placed
from mashbill.runtime.requests import EngineError

from .projects import QWEN3_8B, compiled, driver, past_run, project, weights

H100 = "{ gpu: H100 }"


@pytest.fixture(autouse=True)
def no_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    found_gpus.cache_clear()
    yield
    found_gpus.cache_clear()


def speed(folder: Path, model: str, hardware: str = "", digest: str = "") -> Speed | None:
    recipe = project(folder, model, hardware)
    plan = compiled(recipe, digest).plan
    assert plan is not None
    return find_speeds(plan, recipe.project, room_of(plan, recipe.project)).get("writer")


def test_what_was_published(tmp_path: Path) -> None:
    found = speed(tmp_path, "vllm/Qwen/Qwen3-4B-Instruct-2507", H100)
    assert found is not None and found.prompt and found.basis == "a"
    assert 1 / (1 / found.reply + 1 / found.prompt) == pytest.approx(7919), "prompts included"
    assert found.prompt > 1.5 * found.reply, "reading is faster than writing"
    assert found.origin == "published for Qwen3-4B on one H100 (FinePhrase)"


def test_scaled_to_another_gpu_it_is_less_sure(tmp_path: Path) -> None:
    one = speed(tmp_path, "vllm/Qwen/Qwen3-4B", H100)
    other = speed(tmp_path, "vllm/Qwen/Qwen3-4B", "{ gpu: L4 }")
    assert one and other and one.prompt and other.prompt
    both = 1 / one.reply + 1 / one.prompt, 1 / other.reply + 1 / other.prompt
    assert both[1] == pytest.approx(both[0] * 3350 / 300)
    assert other.spread > one.spread and "scaled to L4" in other.origin


def test_idle_gpus_are_paid_for(tmp_path: Path) -> None:
    model = "vllm/Qwen/Qwen3-4B"
    one, eight = speed(tmp_path, model, H100), speed(tmp_path, model, "{ gpu: H100, count: 8 }")
    assert one and eight and eight.reply == pytest.approx(one.reply / 8), "all of them count"
    spread = "{ use: vllm/Qwen/Qwen3-4B, placement: { data_parallel: 8 } }"
    copies = speed(tmp_path, spread, "{ gpu: H100, count: 8 }")
    assert copies and copies.reply == pytest.approx(one.reply)


def test_a_folder_that_nobody_published_gets_a_roofline(tmp_path: Path) -> None:
    weights(tmp_path / "own", QWEN3_8B, 16_400_000_000)
    found = speed(tmp_path, "vllm/./own", H100)
    assert found is not None and found.basis == "a" and found.spread == 0.6
    assert found.origin == "roofline of 16.4 GB over 3,350 GB/s of H100"
    assert found.prompt and 3_000 < 1 / (1 / found.reply + 1 / found.prompt) < 12_000


def test_nothing_is_made_up(tmp_path: Path) -> None:
    assert speed(tmp_path, "vllm/org/unheard-of", H100) is None
    assert speed(tmp_path, "vllm/Qwen/Qwen3-4B") is None, "no GPU is known"
    assert speed(tmp_path, "vllm/Qwen/Qwen3-4B", "{ gpu: Abacus }") is None
    assert speed(tmp_path, "fake/x") is None
    hosted = '{ use: http/gpt-4o-mini, url: "${URL}" }'
    assert speed(tmp_path, hosted, H100) is None


def test_auto_asks_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = driver(tmp_path / "bin", "NVIDIA H200, 143771\nNVIDIA H200, 143771")
    monkeypatch.setenv("PATH", path)
    found = speed(tmp_path, "vllm/Qwen/Qwen3-4B", "{ gpu: auto }")
    assert found is not None and "scaled to H200" in found.origin
    assert found_gpus() == (Found("NVIDIA H200", 143771 * 2**20),) * 2
    plan = compiled(project(tmp_path, "vllm/Qwen/Qwen3-4B")).plan
    assert plan is not None
    hardware = hardware_of(plan)
    assert (hardware.name, hardware.memory) == ("H200", 143771 * 2**20)
    assert hardware.gpu is not None and hardware.gpu.memory == 143771 * 2**20


@pytest.mark.parametrize(
    ("says", "code"), [("", 0), ("No devices were found", 6), ("what, [N/A]", 0), ("x, 12", 9)]
)
def test_a_driver_that_fails_is_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, code: int
) -> None:
    monkeypatch.setenv("PATH", driver(tmp_path / "bin", says, code))
    assert found_gpus() == ()
    assert speed(tmp_path, "vllm/Qwen/Qwen3-4B") is None


def test_an_unknown_gpu_has_memory_and_no_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", driver(tmp_path / "bin", "NVIDIA Future X1, 65536"))
    plan = compiled(project(tmp_path, "vllm/Qwen/Qwen3-4B")).plan
    assert plan is not None
    hardware = hardware_of(plan)
    assert (hardware.name, hardware.memory, hardware.gpu) == ("NVIDIA Future X1", 2**36, None)
    assert speed(tmp_path, "vllm/Qwen/Qwen3-4B") is None


def test_a_local_model_runs_at_the_speed_of_the_processor(tmp_path: Path) -> None:
    try:
        find_model("smollm2-135m")
    except EngineError as missing:
        pytest.skip(f"the embedded model is not here: {missing}")
    found = speed(tmp_path, "local/smollm2-135m", H100)
    assert found is not None and found.basis == "a" and found.spread == 0.67
    assert "(assumed)" in found.origin and found.prompt
    # Two 3 GHz cores read and write about 100 tokens a second of it; a factor 3 each way.
    assert 15 < found.reply / usable_cores() < 400
    slow = speed(tmp_path, "{ use: local/smollm2-135m, placement: { threads: 1 } }")
    assert slow and slow.prompt == pytest.approx(found.prompt / usable_cores())


STATS = {"prompt_tokens": 50_000, "completion_tokens": 100_000, "seconds": 90.0, "at_work": 50.0}


def test_earlier_runs_count_before_tables(tmp_path: Path) -> None:
    recipe = project(tmp_path, "vllm/Qwen/Qwen3-4B", H100)
    past_run(recipe, "d1", STATS, hardware={"gpu": "H100", "count": 1})
    found = speed(tmp_path, "vllm/Qwen/Qwen3-4B", H100, "d1")
    assert found is not None and found.prompt
    assert (found.basis, found.origin, found.spread) == ("h", "measured in r-0001", 0.25)
    assert 100_000 / found.reply + 50_000 / found.prompt == pytest.approx(50.0), "its own time"
    assert found.prompt > 1.5 * found.reply


def test_several_runs_say_how_far_they_agree(tmp_path: Path) -> None:
    recipe = project(tmp_path, "vllm/Qwen/Qwen3-4B", H100)
    for seconds in (40.0, 50.0, 50.5, 49.5):
        stats = {**STATS, "at_work": seconds}
        past_run(recipe, "d1", stats, hardware={"gpu": "H100", "count": 1})
    found = speed(tmp_path, "vllm/Qwen/Qwen3-4B", H100, "d1")
    assert found is not None and found.prompt
    assert found.origin == "measured in r-0004, r-0003, r-0002", "the newest three"
    assert 100_000 / found.reply + 50_000 / found.prompt == pytest.approx(50.0)
    assert found.spread == pytest.approx(0.25 / math.sqrt(3), rel=0.01), "they agree"


def test_runs_that_disagree_widen_it(tmp_path: Path) -> None:
    recipe = project(tmp_path, "vllm/Qwen/Qwen3-4B", H100)
    for seconds in (20.0, 80.0):
        stats = {**STATS, "at_work": seconds}
        past_run(recipe, "d1", stats, hardware={"gpu": "H100", "count": 1})
    found = speed(tmp_path, "vllm/Qwen/Qwen3-4B", H100, "d1")
    assert found is not None and found.spread > 0.6


def test_other_texts_do_not_mislead(tmp_path: Path) -> None:
    """A judge that read long and wrote little: its replies a second say nothing of a writer."""
    recipe = project(tmp_path, "vllm/Qwen/Qwen3-4B", H100)
    read = {"prompt_tokens": 1_000_000, "completion_tokens": 5_000, "at_work": 40.0, "seconds": 1}
    past_run(recipe, "d1", read, hardware={"gpu": "H100", "count": 1})
    found = speed(tmp_path, "vllm/Qwen/Qwen3-4B", H100, "d1")
    assert found is not None and found.prompt == pytest.approx(25_000, rel=0.05)
    assert found.reply > 20 * 5_000 / 40, "not 125 a second"


def test_without_a_shape_a_reply_carries_its_prompt(tmp_path: Path) -> None:
    recipe = project(tmp_path, "vllm/org/unheard-of", H100)
    past_run(recipe, "d1", STATS, hardware={"gpu": "H100", "count": 1})
    found = speed(tmp_path, "vllm/org/unheard-of", H100, "d1")
    assert found == Speed(2000.0, None, 0.25, "h", "measured in r-0001")


@pytest.mark.parametrize(
    ("stats", "model"),
    [
        ({**STATS, "prompt_tokens": 300, "completion_tokens": 90}, {}),
        ({**STATS, "seconds": 0.1, "at_work": 0.1}, {}),
        ({}, {}),
        (STATS, {"digest": "d2"}),
        (STATS, {"engine": "http"}),
        (STATS, {"placement": {"tensor_parallel": 2}}),
        (STATS, {"hardware": {"gpu": "L4", "count": 1}}),
        (STATS, {"hardware": "torn"}),
    ],
)
def test_runs_that_say_nothing_of_it(
    tmp_path: Path, stats: dict[str, float], model: dict[str, object]
) -> None:
    recipe = project(tmp_path, "vllm/Qwen/Qwen3-4B", H100)
    said = {"hardware": {"gpu": "H100", "count": 1}, **model}
    past_run(recipe, str(said.pop("digest", "d1")), stats, **said)
    found = speed(tmp_path, "vllm/Qwen/Qwen3-4B", H100, "d1")
    assert found is not None and found.origin.startswith("published")


def test_hours_of_all_gpus_count(tmp_path: Path) -> None:
    eight = "{ gpu: H100, count: 8 }"
    recipe = project(tmp_path, "vllm/org/unheard-of", eight)
    past_run(recipe, "d1", STATS, hardware={"gpu": "H100", "count": 8})
    found = speed(tmp_path, "vllm/org/unheard-of", eight, "d1")
    assert found is not None and found.reply == 250.0


def test_a_record_of_an_older_version_has_seconds_alone(tmp_path: Path) -> None:
    recipe = project(tmp_path, "vllm/org/unheard-of", H100)
    old = {"prompt_tokens": 1, "completion_tokens": 100_000, "seconds": 100.0}
    past_run(recipe, "d1", old, hardware={"gpu": "H100", "count": 1})
    found = speed(tmp_path, "vllm/org/unheard-of", H100, "d1")
    assert found is not None and found.reply == 1000.0


def test_a_pilot_counts_before_all(tmp_path: Path) -> None:
    recipe = project(tmp_path, "vllm/Qwen/Qwen3-4B", H100)
    past_run(recipe, "d1", STATS, hardware={"gpu": "H100", "count": 1})
    plan = compiled(recipe, "d1").plan
    assert plan is not None
    seen = {"placed": placed(plan.models["writer"]), "reply_per_second": 777.0, "requests": 400}
    note_pilot(recipe.project.state, {"recipe": "edu", "documents": 64, "models": {"writer": seen}})
    found = speed(tmp_path, "vllm/Qwen/Qwen3-4B", H100, "d1")
    assert found is not None and (found.reply, found.basis) == (777.0, "p")


def test_a_model_that_rates_is_bound_by_what_it_reads(tmp_path: Path) -> None:
    recipe = project(tmp_path, "vllm/Qwen/Qwen3-8B", H100)
    plan = compiled(recipe).plan
    assert plan is not None
    rates = {"writer": {**plan.models["writer"], "options": {"task": "reward"}}}
    plan = replace(plan, models=rates)
    found = find_speeds(plan, recipe.project, room_of(plan, recipe.project))["writer"]
    assert found.origin.startswith("roofline"), "what was published is of replies"
    assert found.prompt and found.prompt > 10_000


def test_layouts_are_read_leniently(tmp_path: Path) -> None:
    text = (
        "{ use: vllm/Qwen/Qwen3-4B, quantization: fp8, placement: { tensor_parallel: 2, "
        "data_parallel: 2, gpu_memory_utilization: 0.8, max_model_len: 8192, max_num_seqs: 64, "
        "cpu_offload_gb: 4 } }"
    )
    recipe = project(tmp_path, text)
    plan = compiled(recipe).plan
    assert plan is not None
    found = layout_of(room_of(plan, recipe.project).spec("writer"))
    assert (found.parts, found.copies, found.gpus, found.context) == (2, 2, 2, 8192)
    assert (found.share, found.seqs, found.bits) == (0.8, 64, 8.0)
    assert found.room(80e9).usable == pytest.approx(2 * 80e9 * 0.8 + 2 * 4 * 2**30)


def test_the_machine_says_what_it_has() -> None:
    memory = main_memory()
    assert memory is not None and memory > 1e8 and usable_cores() >= 1
