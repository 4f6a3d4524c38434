"""A language model with random weights as Hugging Face lays it out, written without its packages.

vLLM's attention on a CPU wants heads of at least 32 dimensions, so these have 64.
"""

from __future__ import annotations

import json
import random
import struct
from array import array
from dataclasses import dataclass
from pathlib import Path

HIDDEN, INNER, LAYERS, HEADS, CONTEXT = 128, 128, 2, 2, 512


@dataclass(frozen=True)
class Shape:
    """How large a model is; `groups` are the heads of keys and values."""

    hidden: int = HIDDEN
    inner: int = INNER
    layers: int = LAYERS
    heads: int = HEADS
    groups: int = HEADS
    words: int | None = None
    context: int = CONTEXT


TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking %}<think>\n{% endif %}{% endif %}"
)
CORPUS = ["The mill stood by the river, and the miller ground the corn. " * 4, '{"name": "x"}']

Shapes = dict[str, tuple[int, ...]]


def write_model(folder: Path, *, seed: int = 0, rates: bool = False) -> Path:
    """Write a llama of two layers; with `rates`, one that ends in a single number."""
    words = write_config(folder, Shape(), rates=rates)
    head = {"score.weight": (1, HIDDEN)} if rates else {"lm_head.weight": (words, HIDDEN)}
    shapes: Shapes = {"model.embed_tokens.weight": (words, HIDDEN), "model.norm.weight": (HIDDEN,)}
    for n in range(LAYERS):
        shapes |= {f"model.layers.{n}.{k}": v for k, v in _layer().items()}
    write_safetensors(folder / "model.safetensors", {**shapes, **head}, random.Random(seed))
    return folder


def write_config(folder: Path, shape: Shape, *, rates: bool = False) -> int:
    """Write all but the weights; returns how many words the model has."""
    folder.mkdir(parents=True, exist_ok=True)
    words = max(_write_tokenizer(folder), shape.words or 0)
    kind = "LlamaForSequenceClassification" if rates else "LlamaForCausalLM"
    config = {
        "architectures": [kind],
        "model_type": "llama",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.groups,
        "head_dim": shape.hidden // shape.heads,
        "vocab_size": words,
        "max_position_embeddings": shape.context,
        "rms_norm_eps": 1e-5,
        "torch_dtype": "float32",
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": 2,
        "pad_token_id": 0,
        **({"num_labels": 1, "id2label": {"0": "reward"}} if rates else {}),
    }
    (folder / "config.json").write_text(json.dumps(config))
    return words


def write_lora(folder: Path, *, seed: int = 1) -> Path:
    """Write an adapter for `write_model`, strong enough to show."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(
        json.dumps(
            {
                "peft_type": "LORA",
                "task_type": "CAUSAL_LM",
                "r": 8,
                "lora_alpha": 64,
                "target_modules": ["q_proj", "v_proj"],
                "bias": "none",
                "base_model_name_or_path": "tiny",
            }
        )
    )
    shapes: Shapes = {}
    for n in range(LAYERS):
        for name in ("q_proj", "v_proj"):
            place = f"base_model.model.model.layers.{n}.self_attn.{name}"
            shapes[f"{place}.lora_A.weight"] = (8, HIDDEN)
            shapes[f"{place}.lora_B.weight"] = (HIDDEN, 8)
    write_safetensors(folder / "adapter_model.safetensors", shapes, random.Random(seed), 0.5)
    return folder


def write_safetensors(
    file: Path, shapes: Shapes, random_: random.Random, spread: float = 0.05
) -> None:
    """Random numbers of 32 bits; vectors, which scale norms, are ones."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    data = bytearray()
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = (random_.gauss(0, spread) if len(shape) > 1 else 1.0 for _ in range(count))
        start = len(data)
        data += array("f", values).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)


def _layer() -> Shapes:
    square = (HIDDEN, HIDDEN)
    return {
        **{f"self_attn.{name}_proj.weight": square for name in "qkvo"},
        "mlp.gate_proj.weight": (INNER, HIDDEN),
        "mlp.up_proj.weight": (INNER, HIDDEN),
        "mlp.down_proj.weight": (HIDDEN, INNER),
        "input_layernorm.weight": (HIDDEN,),
        "post_attention_layernorm.weight": (HIDDEN,),
    }


def _write_tokenizer(folder: Path) -> int:
    """A byte-level BPE tokenizer; returns how many words the model has, a multiple of 64."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=["<|end|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "eos_token": "<|im_end|>",
                "pad_token": "<|end|>",
                "chat_template": TEMPLATE,
            }
        )
    )
    return -(-tokenizer.get_vocab_size() // 64) * 64
