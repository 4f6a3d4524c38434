"""What a model on a hub is called without its maker, its tuning and its packing."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TUNED = r"base|pt|it|instruct|chat|thinking|sft|dpo|hf|unsloth|bnb|\d{4}"
_PACKED = r"fp8|fp16|bf16|int4|int8|w4a16|w8a8|awq|gptq|gguf|4bit|8bit|mxfp4|nvfp4|dynamic"
_ENDING = re.compile(rf"(?:[-_.](?:{_TUNED}|{_PACKED}|q\d\w*))+$")
_PACKING = re.compile(rf"[-_.](?:{_PACKED}|q\d\w*)(?![a-z])")


def find_named(model: str, names: Iterable[str]) -> str | None:
    """Of several names, the one that a model goes by: `Qwen/Qwen3-4B-Instruct-2507` is `Qwen3-4B`.

    Only endings that leave the size of a model as it is are taken off.
    """
    plain = model.rstrip("/").rpartition("/")[2].lower().removesuffix(".gguf").removeprefix("meta-")
    by_name = {name.lower(): name for name in names}
    return by_name.get(plain) or by_name.get(_ENDING.sub("", plain))


def packed(model: str) -> bool:
    """Whether a name says that the weights are quantised."""
    return _PACKING.search(model.lower()) is not None
