"""Shapes against what is known of real models, and from the files that describe them."""

from __future__ import annotations

from typing import Any

import pytest

from mashbill.compiler.hardware.known_shapes import KNOWN_SHAPES
from mashbill.compiler.hardware.naming import find_named, packed
from mashbill.compiler.hardware.published import TABLE
from mashbill.compiler.hardware.reading import shape_of_config, shape_of_gguf
from mashbill.runtime.llama.gguf import read_metadata
from mashbill.runtime.models import find_model
from mashbill.runtime.requests import EngineError

QWEN3_8B: dict[str, Any] = {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 128,
    "hidden_size": 4096, "intermediate_size": 12288, "max_position_embeddings": 40960,
    "num_attention_heads": 32, "num_hidden_layers": 36, "num_key_value_heads": 8,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16", "vocab_size": 151936,
    "sliding_window": None, "use_sliding_window": False,
}  # fmt: skip
LLAMA3_8B: dict[str, Any] = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
    "max_position_embeddings": 8192, "num_attention_heads": 32, "num_hidden_layers": 32,
    "num_key_value_heads": 8, "tie_word_embeddings": False, "vocab_size": 128256,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "billions"),
    [  # as their model cards count, total
        ("SmolLM2-135M", 0.135), ("SmolLM2-360M", 0.362), ("SmolLM2-1.7B", 1.71),
        ("gemma-3-270m", 0.268), ("gemma-3-1b", 1.00), ("gemma-3-27b", 27.0),
        ("Qwen3-0.6B", 0.596), ("Qwen3-1.7B", 1.72), ("Qwen3-4B", 4.02), ("Qwen3-8B", 8.19),
        ("Qwen3-14B", 14.77), ("Qwen3-32B", 32.76), ("Qwen3-30B-A3B", 30.53),
        ("gpt-oss-20b", 20.91), ("gpt-oss-120b", 116.83), ("Llama-3-8B", 8.03),
        ("Llama-3.1-70B", 70.55),
    ],
)  # fmt: skip
def test_parameters(name: str, billions: float) -> None:
    assert KNOWN_SHAPES[name].parameters == pytest.approx(billions * 1e9, rel=0.01)


@pytest.mark.parametrize(
    ("name", "kib"),
    [("Llama-3-8B", 128), ("Llama-3.1-70B", 320), ("Qwen3-8B", 144), ("SmolLM2-1.7B", 192)],
)
def test_bytes_of_a_token_in_the_cache(name: str, kib: int) -> None:
    assert KNOWN_SHAPES[name].kv_bytes() == kib * 1024
    assert KNOWN_SHAPES[name].kv_bytes(1.0) == kib * 512, "an fp8 cache is half"


@pytest.mark.parametrize(
    ("name", "billions"), [("Qwen3-30B-A3B", 3.3), ("gpt-oss-20b", 3.6), ("gpt-oss-120b", 5.1)]
)
def test_a_token_passes_few_experts(name: str, billions: float) -> None:
    assert KNOWN_SHAPES[name].active == pytest.approx(billions * 1e9, rel=0.1)


def test_every_published_model_has_a_shape() -> None:
    assert KNOWN_SHAPES.keys() >= TABLE.keys()
    assert all(shape.name == name for name, shape in KNOWN_SHAPES.items())


@pytest.mark.parametrize(("config", "name"), [(QWEN3_8B, "Qwen3-8B"), (LLAMA3_8B, "Llama-3-8B")])
def test_a_config_says_what_the_table_says(config: dict[str, Any], name: str) -> None:
    assert shape_of_config(config, name) == KNOWN_SHAPES[name]


def test_weights_of_files_count_for_more_than_the_sum() -> None:
    shape = shape_of_config(QWEN3_8B, "m", weight_bytes=16.4e9)
    assert shape is not None and shape.weights() == 16.4e9
    assert shape.weights(8) == pytest.approx(8.19e9, rel=0.01), "quantised while loading"
    wide = shape_of_config({**QWEN3_8B, "torch_dtype": "float32"}, "m", weight_bytes=32.8e9)
    assert wide is not None and wide.weights() == 16.4e9, "stored in 32 bits, loaded in 16"


@pytest.mark.parametrize(
    ("packing", "bits"),
    [
        ({"quant_method": "fp8"}, 8),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, 4.5),
        ({"quant_method": "gptq", "bits": 8}, 8),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 4.5),
        ({"quant_method": "compressed-tensors",
          "config_groups": {"group_0": {"weights": {"num_bits": 4}}}}, 4.5),
        ({"quant_method": "mxfp4"}, 4.25),
        ("odd", 16),
        ({"quant_method": "something new"}, 16),
    ],
)  # fmt: skip
def test_quantised_weights(packing: Any, bits: float) -> None:
    shape = shape_of_config({**QWEN3_8B, "quantization_config": packing}, "m")
    assert shape is not None and shape.bits == bits
    assert shape.weights() == pytest.approx(shape.parameters * bits / 8)


def test_mixtral() -> None:
    config = {
        **LLAMA3_8B, "model_type": "mixtral", "vocab_size": 32000, "num_local_experts": 8,
        "num_experts_per_tok": 2,
    }  # fmt: skip
    shape = shape_of_config(config, "Mixtral-8x7B")
    assert shape is not None
    assert shape.parameters == pytest.approx(46.7e9, rel=0.01)
    assert shape.active == pytest.approx(12.9e9, rel=0.02)


def test_a_model_that_sees_pictures_too_keeps_its_text_part_inside() -> None:
    text = {
        "model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240,
        "num_attention_heads": 8, "num_hidden_layers": 34, "num_key_value_heads": 4,
        "head_dim": 256, "vocab_size": 262144, "max_position_embeddings": 131072,
    }  # fmt: skip
    found = shape_of_config({"model_type": "gemma3", "text_config": text}, "gemma-3-4b")
    assert found == KNOWN_SHAPES["gemma-3-4b"]


def test_gpt2_has_other_words_for_it() -> None:
    config = {
        "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257,
        "n_positions": 1024, "n_inner": None,
    }  # fmt: skip
    shape = shape_of_config(config, "gpt2")
    assert shape is not None
    assert shape.parameters == pytest.approx(124e6, rel=0.01)
    assert (shape.kv_bytes(), shape.context) == (36864, 1024)


def test_layers_without_a_cache_are_left_out() -> None:
    kinds = ["linear_attention", "linear_attention", "linear_attention", "full_attention"] * 9
    hybrid = shape_of_config({**QWEN3_8B, "layer_types": kinds}, "m")
    assert hybrid is not None and hybrid.kv_bytes() == 9 * 4096
    sliding = shape_of_config({**QWEN3_8B, "layer_types": ["sliding_attention"] * 36}, "m")
    assert sliding is not None and sliding.kv_bytes() == 144 * 1024, "windows are ignored"


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_type": "bert", **{k: v for k, v in LLAMA3_8B.items() if k != "model_type"}},
        {**QWEN3_8B, "model_type": "deepseek_v3", "kv_lora_rank": 512},
        {**QWEN3_8B, "num_hidden_layers": "many"},
        {**QWEN3_8B, "hidden_size": -1},
        {"text_config": None},
    ],
)
def test_nothing_is_said_of_what_is_not_understood(config: dict[str, Any]) -> None:
    assert shape_of_config(config, "m") is None


def test_the_embedded_model_by_its_real_header() -> None:
    try:
        path = find_model("smollm2-135m")
    except EngineError as missing:
        pytest.skip(f"the embedded model is not here: {missing}")
    shape = shape_of_gguf(read_metadata(path), "m", path.stat().st_size)
    known = KNOWN_SHAPES["SmolLM2-135M"]
    assert shape is not None
    assert shape.parameters == known.parameters and shape.kv_bytes() == known.kv_bytes() == 23040
    assert shape.weights() == path.stat().st_size
    assert 5 < shape.bits < 6, "Q4_1 with a wider embedding"
    assert shape.context == 8192


def test_headers_of_other_models() -> None:
    meta = {
        "general.architecture": "qwen3moe", "qwen3moe.block_count": 48,
        "qwen3moe.embedding_length": 2048, "qwen3moe.attention.head_count": 32,
        "qwen3moe.attention.head_count_kv": [4] * 48, "qwen3moe.attention.key_length": 128,
        "qwen3moe.feed_forward_length": 6144, "qwen3moe.expert_feed_forward_length": 768,
        "qwen3moe.expert_count": 128, "qwen3moe.expert_used_count": 8,
        "tokenizer.ggml.tokens": ["x"] * 151936,
    }  # fmt: skip
    shape = shape_of_gguf(meta, "m", 18e9)
    assert shape is not None and shape.kv_bytes() == 96 * 1024
    assert shape.parameters == pytest.approx(30.5e9, rel=0.02)
    assert shape_of_gguf({**meta, "qwen3moe.ssm.state_size": 16}, "m", 1) is None
    assert shape_of_gguf({"general.architecture": "odd"}, "m", 1) is None


@pytest.mark.parametrize(
    ("model", "name", "quantised"),
    [
        ("Qwen/Qwen3-8B", "Qwen3-8B", False),
        ("Qwen/Qwen3-4B-Instruct-2507", "Qwen3-4B", False),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "Qwen3-30B-A3B", False),
        ("/models/google/gemma-3-1b-it/", "gemma-3-1b", False),
        ("HuggingFaceTB/SmolLM2-1.7B-Instruct", "SmolLM2-1.7B", False),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "Llama-3-8B", False),
        ("Qwen/Qwen3-8B-FP8", "Qwen3-8B", True),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M", True),
        ("unsloth/gemma-3-27b-it-bnb-4bit", "gemma-3-27b", True),
        ("Skywork/Skywork-Reward-V2-Qwen3-1.7B", None, False),
        ("Qwen/Qwen3-80B", None, False),
        ("Qwen/Qwen3-4B-Thinking-Ultra", None, False),
        ("", None, False),
    ],
)
def test_names_of_models(model: str, name: str | None, quantised: bool) -> None:
    assert (find_named(model, KNOWN_SHAPES), packed(model)) == (name, quantised)
