"""A whole language model with random weights, small enough to be written in a moment."""

from __future__ import annotations

import random
import struct
from array import array
from pathlib import Path
from typing import Any

from .gguf_files import gguf

_HIDDEN, _INNER, _HEADS, _CONTEXT = 64, 128, 2, 2048
_CONTROL = 3
_ALIGN = 32


def spelt(text: str) -> str:
    """A text as the vocabulary of GPT-2 spells its bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {b: chr(b) for b in plain}
    letters |= {b: chr(256 + n) for n, b in enumerate(b for b in range(256) if b not in letters)}
    return "".join(letters[b] for b in text.encode())


def write_tiny(path: Path, *, seed: int = 0) -> Path:
    """Write a llama of one layer, with a vocabulary of single characters, at `path`."""
    # Whole characters only, so that what is drawn at random is text.
    known = [*map(chr, range(128)), *"üíλ—", "ab"]
    words = [*map(spelt, known), "<|im_start|>", "<|im_end|>"]
    meta: dict[str, Any] = {
        "general.architecture": "llama",
        "llama.context_length": _CONTEXT,
        "llama.embedding_length": _HIDDEN,
        "llama.block_count": 1,
        "llama.feed_forward_length": _INNER,
        "llama.attention.head_count": _HEADS,
        "llama.attention.head_count_kv": _HEADS,
        "llama.rope.dimension_count": _HIDDEN // _HEADS,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": words,
        "tokenizer.ggml.token_type": [1] * len(known) + [_CONTROL] * 2,
        "tokenizer.ggml.merges": ["a b"],
        "tokenizer.ggml.bos_token_id": len(known),
        "tokenizer.ggml.eos_token_id": len(known) + 1,
    }
    shapes = {
        "token_embd.weight": (_HIDDEN, len(words)),
        "output_norm.weight": (_HIDDEN,),
        "output.weight": (_HIDDEN, len(words)),
        "blk.0.attn_norm.weight": (_HIDDEN,),
        "blk.0.ffn_norm.weight": (_HIDDEN,),
        **{f"blk.0.attn_{n}.weight": (_HIDDEN, _HIDDEN) for n in ("q", "k", "v", "output")},
        "blk.0.ffn_gate.weight": (_HIDDEN, _INNER),
        "blk.0.ffn_up.weight": (_HIDDEN, _INNER),
        "blk.0.ffn_down.weight": (_INNER, _HIDDEN),
    }
    path.write_bytes(_with_tensors(gguf(meta), shapes, random.Random(seed)))
    return path


def _with_tensors(
    header: bytes, shapes: dict[str, tuple[int, ...]], random_: random.Random
) -> bytes:
    kinds = _text("tokenizer.ggml.token_type")
    # llama.cpp insists on signed numbers here, and `gguf` writes others.
    header = header.replace(kinds + struct.pack("<II", 9, 4), kinds + struct.pack("<II", 9, 5))
    pairs = struct.unpack("<Q", header[16:24])[0] + 1
    # The specification wants this one as a float of 32 bits, for which `gguf` has no word.
    epsilon = _text("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, 1e-5)
    infos, data = b"", b""
    for name, shape in shapes.items():
        infos += _text(name) + struct.pack("<I", len(shape))
        infos += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", 0, len(data))
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        norm = len(shape) == 1
        values = array("f", (1.0 if norm else random_.gauss(0, 0.1) for _ in range(count)))
        data += values.tobytes()
        data += b"\0" * (-len(data) % _ALIGN)
    start = header[:8] + struct.pack("<QQ", len(shapes), pairs) + header[24:] + epsilon + infos
    return start + b"\0" * (-len(start) % _ALIGN) + data


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()
