"""Shapes from what lies beside weights: Hugging Face's `config.json`, the header of a GGUF file.

None is given for what has another kind of cache (latent attention, state spaces) or none at all
(encoders): nothing is said of a model that is not understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .shapes import Shape

_ENCODERS = frozenset({"bert", "roberta", "xlm-roberta", "deberta-v2", "modernbert", "distilbert"})
_UNGATED = frozenset(
    {
        "bloom",
        "falcon",
        "gpt2",
        "gpt_bigcode",
        "gpt_neox",
        "gptj",
        "mpt",
        "opt",
        "phi",
        "starcoder2",
    }
)
"""Families whose feed-forward part has two matrices."""
_TIED = frozenset({"gemma", "gemma2", "gemma3", "gemma3_text", "gpt2"})
"""Families whose output layer is the embedding, unless the file says otherwise."""
_UNCACHED = ("linear", "mamba", "recurrent", "ssm", "conv")
"""What layers without keys and values are called."""
_PACKED_BITS = {"fp8": 8.0, "mxfp4": 4.25, "fbgemm_fp8": 8.0, "modelopt": 8.0}


def shape_of_config(
    config: Mapping[str, Any], name: str, weight_bytes: float | None = None
) -> Shape | None:
    """The shape that a `config.json` describes.

    Args:
        config: Its content.
        name: What to call the model.
        weight_bytes: Of the files of its weights together.
    """
    inner = config.get("text_config")
    text: Mapping[str, Any] = {**config, **inner} if isinstance(inner, Mapping) else config
    family = str(text.get("model_type", ""))
    if family in _ENCODERS or text.get("kv_lora_rank") or "ssm_cfg" in text:
        return None
    layers = _whole(text, "num_hidden_layers", "n_layer", "n_layers")
    hidden = _whole(text, "hidden_size", "n_embd", "d_model")
    heads = _whole(text, "num_attention_heads", "n_head", "n_heads")
    vocabulary = _whole(text, "vocab_size")
    if not (layers and hidden and heads and vocabulary):
        return None
    experts = _whole(text, "num_local_experts", "num_experts", "n_routed_experts") or 1
    wide = _whole(text, "intermediate_size", "n_inner", "ffn_dim") or 4 * hidden
    bits, stored = _bits(config), _stored(config)
    return Shape(
        name,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=_whole(text, "num_key_value_heads") or heads,
        head_dim=_whole(text, "head_dim") or hidden // heads,
        inner=(_whole(text, "moe_intermediate_size") or wide) if experts > 1 else wide,
        vocabulary=vocabulary,
        tied=bool(text.get("tie_word_embeddings", family in _TIED)),
        experts=experts,
        used_experts=_whole(text, "num_experts_per_tok", "experts_per_token") or 1,
        gated=family not in _UNGATED,
        cached_layers=_cached(text.get("layer_types")),
        context=_whole(text, "max_position_embeddings", "n_positions"),
        # Engines load what is stored in 32 bits in 16.
        weight_bytes=weight_bytes and weight_bytes * min(1.0, 16 / stored),
        bits=bits,
    )


def shape_of_gguf(meta: Mapping[str, Any], name: str, size: float) -> Shape | None:
    """The shape that the header of a GGUF file describes.

    Args:
        meta: Its key-values (the GGUF specification in the ggml project, `docs/gguf.md`).
        name: What to call the model.
        size: Bytes of the file.
    """
    family = str(meta.get("general.architecture", ""))
    own = {k.removeprefix(f"{family}."): v for k, v in meta.items() if k.startswith(f"{family}.")}
    if "attention.kv_lora_rank" in own or any(key.startswith("ssm.") for key in own):
        return None
    layers, hidden = _whole(own, "block_count"), _whole(own, "embedding_length")
    heads = _most(own.get("attention.head_count"))
    tokens = meta.get("tokenizer.ggml.tokens")
    vocabulary = _whole(own, "vocab_size") or (len(tokens) if isinstance(tokens, list) else 0)
    if not (layers and hidden and heads and vocabulary):
        return None
    keys = own.get("attention.head_count_kv")
    experts = _whole(own, "expert_count") or 1
    wide = _most(own.get("feed_forward_length")) or 4 * hidden
    shape = Shape(
        name,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=_most(keys) or heads,
        head_dim=_whole(own, "attention.key_length") or hidden // heads,
        inner=(_whole(own, "expert_feed_forward_length") or wide) if experts > 1 else wide,
        vocabulary=vocabulary,
        tied=True,  # tensors are not read; it moves `parameters` by the embedding alone
        experts=experts,
        used_experts=_whole(own, "expert_used_count") or 1,
        cached_layers=sum(1 for k in keys if k) if isinstance(keys, list) else None,
        context=_whole(own, "context_length"),
        weight_bytes=size,
    )
    return replace(shape, bits=8 * size / shape.parameters)


def _whole(values: Mapping[str, Any], *keys: str) -> int:
    """The first of several keys that holds a whole number above zero; 0 where none does."""
    found = (values.get(key) for key in keys)
    return next((v for v in found if type(v) is int and v > 0), 0)


def _most(value: object) -> int:
    """A number, or the largest of a list with one a layer."""
    if isinstance(value, list):
        return max((v for v in value if type(v) is int), default=0)
    return value if type(value) is int else 0


def _cached(kinds: object) -> int | None:
    if not isinstance(kinds, list):
        return None
    return sum(1 for kind in kinds if not any(word in str(kind) for word in _UNCACHED))


def _stored(config: Mapping[str, Any]) -> int:
    kind = config.get("torch_dtype") or config.get("dtype")
    return 32 if kind == "float32" and not config.get("quantization_config") else 16


def _bits(config: Mapping[str, Any]) -> float:
    """Bits of a weight as stored and loaded, by `quantization_config`."""
    packing = config.get("quantization_config")
    if not isinstance(packing, Mapping):
        return 16
    if packing.get("load_in_4bit"):
        return 4.5
    bits = packing.get("bits") or packing.get("w_bit")
    groups = packing.get("config_groups")
    if bits is None and isinstance(groups, Mapping):
        weights = [g.get("weights") for g in groups.values() if isinstance(g, Mapping)]
        bits = next((w.get("num_bits") for w in weights if isinstance(w, Mapping)), None)
    if isinstance(bits, int):
        return bits + 0.5 if bits < 8 else float(bits)  # scales of groups of 32 to 128
    return _PACKED_BITS.get(str(packing.get("quant_method")), 16)
