"""Models that do not fit are told of before anything is loaded, with what would fit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mashbill.compiler.diagnostics import Diagnostic
from mashbill.compiler.hardware.known_shapes import KNOWN_SHAPES
from mashbill.runtime.doctor.needs import examine_needs
from mashbill.runtime.engine_room import room_of
from mashbill.runtime.hardware.fitting import fit_problems
from mashbill.runtime.hardware.machine import found_gpus
from mashbill.runtime.hardware.shapes import find_shape

from .projects import QWEN3_8B, compiled, driver, project, weights


@pytest.fixture(autouse=True)
def no_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    found_gpus.cache_clear()
    yield
    found_gpus.cache_clear()


def problems(folder: Path, model: str, hardware: str = "") -> list[Diagnostic]:
    recipe = project(folder, model, hardware)
    found = compiled(recipe)
    assert found.plan is not None and found.recipe is not None
    room = room_of(found.plan, recipe.project)
    return list(fit_problems(found.plan, room, found.recipe))


def placed(use: str, **placement: object) -> str:
    return f"{{ use: {use}, placement: {json.dumps(placement)} }}"


def test_one_text_too_long(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "vllm/meta-llama/Llama-3.1-8B", "{ gpu: RTX 4090 }")
    assert found.code == "M252" and found.span is not None
    assert found.message == (
        "`writer` needs about 16.1 GB for weights and 17.2 GB for one text of 131,072 tokens; "
        "one RTX 4090 gives 23.2 GB"
    )
    assert found.notes == ("90% of its 25.8 GB (gpu_memory_utilization)",)
    length = int(re.findall(r"max_model_len: (\d+)", found.help or "")[0])
    model = "vllm/meta-llama/Llama-3.1-8B"
    shorter = placed(model, max_model_len=length, max_num_seqs=1)
    assert problems(tmp_path, shorter, "{ gpu: RTX 4090 }") == [], "what it names does fit"


def test_weights_too_heavy(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "vllm/meta-llama/Llama-3.1-70B", "{ gpu: H100, count: 8 }")
    assert found.code == "M252" and "141.1 GB for weights" in found.message
    assert "`tensor_parallel: 4`" in (found.help or "")
    four = placed("vllm/meta-llama/Llama-3.1-70B", tensor_parallel=4)
    assert "M252" not in {d.code for d in problems(tmp_path, four, "{ gpu: H100, count: 8 }")}


def test_no_number_of_gpus_helps(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "vllm/openai/gpt-oss-120b", "{ gpu: T4 }")
    assert "tensor_parallel: 8" in (found.help or "")
    (found,) = problems(tmp_path, "vllm/meta-llama/Llama-3.1-70B", "{ gpu: T4 }")
    assert found.help and found.help.startswith("take smaller weights")


def test_it_fits_and_nothing_is_said(tmp_path: Path) -> None:
    for model, gpu in (("Qwen/Qwen3-8B", "H100"), ("google/gemma-3-1b-it", "L4")):
        assert problems(tmp_path, f"vllm/{model}", f"{{ gpu: {gpu} }}") == []


def test_so_barely_that_it_will_be_slow(tmp_path: Path) -> None:
    model = placed("vllm/Qwen/Qwen3-8B", max_model_len=16_384)
    (found,) = problems(tmp_path, model, "{ gpu: RTX 4090 }")
    assert (found.code, found.severity) == ("M258", "warning")
    assert found.message == (
        "`writer` leaves room for 2 texts of 16,384 tokens at once on one RTX 4090"
    )
    short = placed("vllm/Qwen/Qwen3-8B", max_model_len=4096)
    assert problems(tmp_path, short, "{ gpu: RTX 4090 }") == []


def test_so_near_that_nobody_can_tell(tmp_path: Path) -> None:
    """Only what computing takes, an estimate, stands in its way: no reason to refuse."""
    (found,) = problems(tmp_path, "vllm/Qwen/Qwen3-8B", "{ gpu: RTX 4090 }")
    assert found.code == "M258" and "may not fit on one RTX 4090" in found.message
    assert "max_model_len: " in (found.help or "")


def test_files_count_for_more_than_names(tmp_path: Path) -> None:
    weights(tmp_path / "Qwen3-8B", QWEN3_8B, 60_000_000_000)
    (found,) = problems(tmp_path, "vllm/./Qwen3-8B", "{ gpu: RTX 4090 }")
    assert "60.0 GB for weights" in found.message


def test_a_snapshot_of_the_hub_is_read(tmp_path: Path) -> None:
    home = tmp_path / "hub" / "models--org--thing"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("c0ffee", "utf-8")
    (home / "snapshots").mkdir()
    weights(home / "snapshots" / "c0ffee", QWEN3_8B, 16_400_000_000)
    (found,) = problems(tmp_path, "vllm/org/thing", "{ gpu: T4 }")
    assert "16.4 GB for weights" in found.message


def test_quantising_and_sharing_make_room(tmp_path: Path) -> None:
    tight = placed("vllm/Qwen/Qwen3-14B", max_model_len=4096)
    assert [d.code for d in problems(tmp_path, tight, "{ gpu: RTX 4090 }")] == ["M252"]
    packed = tight.replace("use:", "quantization: fp8, use:")
    assert problems(tmp_path, packed, "{ gpu: RTX 4090 }") == []
    two = placed("vllm/Qwen/Qwen3-14B", max_model_len=4096, tensor_parallel=2)
    assert problems(tmp_path, two, "{ gpu: RTX 4090, count: 2 }") == []


@pytest.mark.parametrize(
    ("model", "hardware"),
    [
        ("vllm/org/unheard-of", "{ gpu: T4 }"),
        ("vllm/meta-llama/Llama-3.1-70B", ""),
        ("vllm/meta-llama/Llama-3.1-70B", "{ gpu: Abacus }"),
        ("vllm/Qwen/Qwen3-32B-AWQ", "{ gpu: T4 }"),
        ("fake/any", "{ gpu: T4 }"),
        ("local/missing.gguf", "{ gpu: T4 }"),
    ],
)
def test_nothing_is_said_of_what_is_not_known(tmp_path: Path, model: str, hardware: str) -> None:
    assert problems(tmp_path, model, hardware) == []


def test_the_driver_knows_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", driver(tmp_path / "bin", "NVIDIA Future X1, 16384"))
    (found,) = problems(tmp_path, "vllm/Qwen/Qwen3-14B")
    assert found.code == "M252" and "one NVIDIA Future X1 gives 15.5 GB" in found.message


def test_a_local_model_and_the_machines_memory(tmp_path: Path) -> None:
    """A header alone; its key-values say how large the cache of all slots is."""
    gguf(tmp_path / "m.gguf", 200_000)
    assert problems(tmp_path, placed("local/./m.gguf", slots=2)) == []
    (found,) = problems(tmp_path, placed("local/./m.gguf", slots=64, context=10_000_000))
    assert found.code == "M252" and "64 slots of 10,000,000 tokens" in found.message
    assert "slots" in (found.help or "") or "smaller" in (found.help or "")
    gguf(tmp_path / "m.gguf", 200_000, context=8192)
    assert problems(tmp_path, placed("local/./m.gguf", slots=2, context=10_000_000)) == []


def gguf(path: Path, size: int, context: int = 20_000_000) -> None:
    import struct

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    numbers = {
        "block_count": 32, "embedding_length": 4096, "attention.head_count": 32,
        "attention.head_count_kv": 8, "feed_forward_length": 14336, "vocab_size": 128256,
        "context_length": context,
    }  # fmt: skip
    pairs = [text("general.architecture") + struct.pack("<I", 8) + text("llama")]
    pairs += [text(f"llama.{k}") + struct.pack("<II", 4, v) for k, v in numbers.items()]
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs)
    path.write_bytes(head + b"\0" * size)


def test_a_shape_is_found_by_name_where_no_file_is(tmp_path: Path) -> None:
    recipe = project(tmp_path, "vllm/Qwen/Qwen3-8B")
    plan = compiled(recipe).plan
    assert plan is not None
    spec = room_of(plan, recipe.project).spec("writer")
    assert find_shape(spec) == KNOWN_SHAPES["Qwen3-8B"]


def test_the_doctor_says_so(tmp_path: Path) -> None:
    recipe = project(tmp_path, "vllm/meta-llama/Llama-3.1-70B", "{ gpu: H100 }")
    plan = compiled(recipe).plan
    assert plan is not None
    said = [f for f in examine_needs(plan, recipe.project) if f.what == "memory"]
    assert [(f.level, "M252" in f.said) for f in said] == [("fail", True)]
