"""Prices of a plan's models, and a user's own file of prices."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler.pricebook.settling import OWN

if TYPE_CHECKING:
    from ..compiler.estimating.facts import Price
    from ..compiler.plan import Plan


def user_prices() -> tuple[tuple[str, str], ...]:
    """Path and text of `~/.config/mashbill/prices.yaml` (`$XDG_CONFIG_HOME`), where there is one.

    What cannot be read as text is handed on as it is: the compiler says what is wrong with it.
    """
    base = os.environ.get("XDG_CONFIG_HOME")
    path = (Path(base) if base else Path.home() / ".config") / "mashbill" / OWN
    try:
        return ((str(path), path.read_text("utf-8", "replace")),)
    except OSError:
        return ()


def find_prices(plan: Plan) -> tuple[dict[str, Price], frozenset[str]]:
    """What tokens of a plan's models cost.

    The plan holds the price that was settled on when it was compiled: the recipe's, that of a
    `prices.yaml`, or the price map's. It is what the purse charges too.

    Returns:
        Prices by model, and the hosted models whose price nobody knows. Models of neither kind
        (`fake`; `local` and `vllm` without a price a token) cost nothing a token.
    """
    found: dict[str, Price] = {}
    unpriced = set()
    for name, model in plan.models.items():
        if said := model.get("price"):
            found[name] = _price(said)
        elif model["engine"] == "http":
            unpriced.add(name)
    return found, frozenset(unpriced)


def _price(said: Mapping[str, Any]) -> Price:
    from ..compiler.estimating.facts import Price

    per = float(said["per"])
    cached, batch = said.get("cached_input"), said.get("batch")
    return Price(
        input=said["input"] / per,
        output=said["output"] / per,
        cached_input=None if cached is None else cached / per,
        batch=batch,
        stacks=bool(said.get("stacks")),
        as_of=said.get("as_of") or "",
        origin=said.get("origin") or "recipe",
    )
