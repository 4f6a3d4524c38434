"""Log-probabilities of a reply as they are kept: compact JSON in `Completion.extra`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Logprob = tuple[str, float | None]
"""A token and the natural logarithm of its probability."""

_DIGITS = 5


def pack_logprobs(tokens: Iterable[tuple[Logprob, Sequence[Logprob]]]) -> str:
    """JSON of one object a token: `token`, `logprob`, and `top`, pairs of token and logprob.

    What is not a finite number (engines send NaN and minus infinity) becomes null.

    >>> pack_logprobs([((" a", -0.5), [(" a", -0.5), (" the", float("-inf"))])])
    '[{"token":" a","logprob":-0.5,"top":[[" a",-0.5],[" the",null]]}]'
    """
    import orjson

    made = [
        {"token": token, "logprob": _finite(value), "top": [[t, _finite(v)] for t, v in top]}
        for (token, value), top in tokens
    ]
    return orjson.dumps(made).decode()


def kept_logprobs(choice: Mapping[str, Any]) -> dict[str, str]:
    """`logprobs` of a choice as OpenAI's chat calls send it, for `Completion.extra`; else empty."""
    found = choice.get("logprobs")
    tokens = found.get("content") if isinstance(found, dict) else None
    if not isinstance(tokens, list):
        return {}
    pairs = [
        (_pair(token), [_pair(top) for top in token.get("top_logprobs") or ()])
        for token in tokens
        if isinstance(token, dict)
    ]
    return {"logprobs": pack_logprobs(pairs)}


def _pair(token: Any) -> Logprob:
    value = token.get("logprob") if isinstance(token, dict) else None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(token.get("token", "")) if isinstance(token, dict) else "", value if number else None


def _finite(value: float | None) -> float | None:
    return round(value, _DIGITS) if value is not None and math.isfinite(value) else None
