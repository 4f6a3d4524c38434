"""A model that scores, as its folder describes it: how long texts may be, how they are pooled.

Files are read and nothing is loaded, so `check` and `plan` work where torch is not installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..requests import EngineError
from ..vllm_.files import ModelFiles

Pooling = Literal["mean", "cls", "last"]

_UNBOUNDED = 1_000_000
"""Tokenizers that know no limit say a number far above this one."""
_OFFSET = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet"})
"""Kinds of models whose first two positions are never used (transformers: `padding_idx + 1`)."""
_PARTS: Mapping[str, tuple[str, ...]] = {
    # part of NLI: what its label contains in the models that are published
    "contradiction": ("contradict", "refut", "inconsistent"),
    "neutral": ("neutral", "not_entail", "non_entail", "unsupport"),
    "entailment": ("entail", "support", "consistent"),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """See the module.

    Attributes:
        limit: Tokens of a question at most, special ones included; None where no file says.
        pooling: How the vectors of the tokens become one; for `embed`.
        digest: Of what of it is in no file at the top of the folder.
    """

    limit: int | None
    pooling: Pooling
    digest: str


def read_layout(files: ModelFiles) -> Layout:
    """Read a folder. Raises `EngineError` for layers that are not run here."""
    config = files.config()
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and config.get("model_type") in _OFFSET:
        positions -= 2
    limits = (
        positions,
        files.config("tokenizer_config.json").get("model_max_length"),
        files.config("sentence_bert_config.json").get("max_seq_length"),
    )
    known = [n for n in limits if isinstance(n, int) and 0 < n < _UNBOUNDED]
    pooling = _pooling(files)
    said = hashlib.blake2b(pooling.encode(), digest_size=8).hexdigest()
    return Layout(min(known, default=None), pooling, said)


def nli_labels(names: Mapping[int, str]) -> dict[str, int]:
    """Which output of a classifier says what.

    Args:
        names: Its `id2label`.

    Returns:
        `entailment`, and `neutral` and `contradiction` where it has them, to the output.

    Raises:
        EngineError: `load`, if the labels do not say.

    >>> nli_labels({0: "CONTRADICTION", 1: "neutral", 2: "Entailment"})
    {'contradiction': 0, 'neutral': 1, 'entailment': 2}
    """
    found: dict[str, int] = {}
    for at, name in sorted(names.items()):
        word = name.lower().replace(" ", "_").replace("-", "_")
        part = next((p for p, signs in _PARTS.items() if any(s in word for s in signs)), None)
        if part is not None:
            found.setdefault(part, at)
    if "entailment" not in found or len(found) != len(names):
        said = ", ".join(names[at] for at in sorted(names))
        raise EngineError(
            "load",
            f"its labels are {said}; a model for `task: nli` has entailment, neutral and "
            "contradiction",
            retryable=False,
        )
    return found


def _pooling(files: ModelFiles) -> Pooling:
    """As sentence-transformers wrote it down; the mean where nobody did."""
    modules = _list(files.folder / "modules.json")
    layers = [str(m.get("type", "")).rpartition(".")[2] for m in modules]
    strange = [name for name in layers if name not in ("Transformer", "Pooling", "Normalize")]
    if strange:
        raise EngineError(
            "load",
            f"{files.folder.name} has a layer of sentence-transformers that is not run here: "
            f"{strange[0]}",
            retryable=False,
        )
    pools = (m.get("path") for m, name in zip(modules, layers, strict=True) if name == "Pooling")
    place = next(pools, "")
    config = files.config(f"{place}/config.json") if place else {}
    # One flag for each way, or by name, as newer versions write it.
    on = [
        name for name, flag in config.items() if name.startswith("pooling_mode_") and flag is True
    ]
    if isinstance(named := config.get("pooling_mode"), str):
        on = [named]
    if not on:
        return "mean"
    if len(on) > 1 or (way := _WAYS.get(on[0])) is None:
        raise EngineError(
            "load",
            f"{files.folder.name} pools in a way that is not run here: {', '.join(on)}",
            retryable=False,
        )
    return way


_WAYS: Mapping[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
    "mean": "mean",
    "cls": "cls",
    "lasttoken": "last",
}


def _list(file: Path) -> list[dict[str, Any]]:
    import orjson

    try:
        found = orjson.loads(file.read_bytes())
    except (OSError, ValueError):
        return []
    return [m for m in found if isinstance(m, dict)] if isinstance(found, list) else []
