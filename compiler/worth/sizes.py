"""Parameters of a model, read from its name."""

from __future__ import annotations

import re

_SCALES = {"m": 1e6, "b": 1e9, "t": 1e12}
_ACTIVE = re.compile(r"(?<![a-z0-9.])a(\d+(?:\.\d+)?)([mb])(?![a-z0-9])")
_WHOLE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)([mbt])(?![a-z0-9])")
_SPARSE = {"gpt-oss-20b": 3.6e9, "gpt-oss-120b": 5.1e9}
"""Active parameters of mixtures of experts whose name gives all of them, by their model cards."""


def size_in(name: str) -> float | None:
    """Parameters that work on a token: 8e9 of `Qwen/Qwen3-8B`, 3e9 of `Qwen3-30B-A3B`.

    None where the name does not say, as of `gpt-4o` and `Mixtral-8x7B`.
    """
    last = name.rstrip("/").rpartition("/")[2].lower()
    for known, size in _SPARSE.items():
        if last.startswith(known):
            return size
    found = _ACTIVE.search(last) or _WHOLE.search(last)
    return float(found[1]) * _SCALES[found[2]] if found else None
