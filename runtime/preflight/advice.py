"""What to type about a model that does not answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...compiler.suggest import nearest
from ..engine_room import VARIABLE
from ..requests import EngineError

EXPLAIN = "mashbill check --explain M251"
_AWAY = ("connect", "reset", "timeout", "half-reply", "slow")
_NO_MODEL = re.compile(
    r"model_not_found|(unknown|invalid|no such) model|model\W.{0,80}"
    r"(not found|does not exist|not available|is not valid)",
    re.IGNORECASE | re.DOTALL,
)
SHOWN = 5
"""Models of a server that are named."""


def advice(
    name: str, model: Mapping[str, Any], error: EngineError, served: Sequence[str] = ()
) -> str:
    """What to type about an error.

    Args:
        name: The recipe's name of the model.
        model: As the plan holds it: addresses and key as they are written, with `${NAME}`.
        error: What became of asking it.
        served: Models that its server has.
    """
    kind, words = error.kind, str(error)
    if kind in ("status-401", "status-403"):
        return _refused(name, model, words)
    if kind == "status-404" or names_model(words):
        return _unknown(name, model, served)
    if kind == "unset":
        return "; ".join(f"export {v}=…" for v in words.split() if v.isupper()) or EXPLAIN
    if kind in _AWAY:
        urls = model.get("urls") or ()
        where = f" at {urls[0]}" if urls else ""
        return f"start the server{where}, or mend `models.{name}.url`"
    if kind == "prefill":
        return f"write `placement: {{ prefill: … }}` in `models.{name}`, as its server wants it"
    if kind == "missing" and "hf download" in words:
        return "if the download is refused: ask for access on the model's page, then hf auth login"
    if kind == "status-402" or "insufficient_quota" in words:
        return "the account has no money left: fill it, or take another model"
    return EXPLAIN


def names_model(words: str) -> bool:
    """Whether a server says that it has no such model: some do so with another status than 404."""
    return _NO_MODEL.search(words) is not None


def _refused(name: str, model: Mapping[str, Any], words: str) -> str:
    if "gated" in words.lower() or "access to model" in words.lower():
        return "the model is gated: ask for access on its page, and use a key of that account"
    if variables := VARIABLE.findall(model.get("key") or ""):
        return f"{variables[0]} is set but rejected: export {variables[0]}=…"
    if model.get("key"):
        return f"mend `models.{name}.key`"
    return f"the server wants a key: write `key: ${{NAME}}` in `models.{name}`, and export NAME=…"


def _unknown(name: str, model: Mapping[str, Any], served: Sequence[str]) -> str:
    if not served:
        return f"mend `models.{name}`: the id behind `http/`, or its url"
    if model["model"] in served:
        return f"the server has this model, but not this call: mend `models.{name}.url`"
    best = nearest(model["model"], served) or served[0]
    more = f" and {len(served) - SHOWN} more" if len(served) > SHOWN else ""
    said = f"it has {', '.join(served[:SHOWN])}{more}"
    return f"{said}; --set models.{name}.use=http/{best}"
