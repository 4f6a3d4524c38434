"""How many tokens each part of the mix gives, once it is known what each can supply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REPEAT_AT_MOST = 4.0
"""Epochs of a part under `on_shortfall: repeat` that names no `max_epochs`: up to four, repeated
text is worth nearly as much as new (Muennighoff et al. 2023, arXiv 2305.16264)."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What the mix takes.

    Attributes:
        targets: Tokens by part.
        epochs: How often each part is gone through; at most 1 unless repeated.
        short: Parts that could not give their share of the wanted total: (wanted, supply).
        failed: Whether the shortfall policy forbids going on.
    """

    targets: Mapping[str, float]
    epochs: Mapping[str, float]
    short: Mapping[str, tuple[float, float]]
    failed: bool = False

    @property
    def total(self) -> float:
        """Tokens of the whole mix."""
        return sum(self.targets.values())


def settle_shares(
    mix: Mapping[str, Any], supply: Mapping[str, float], human: Mapping[str, bool]
) -> Shares:
    """Settle the mix.

    Args:
        mix: `total` (None: as much as the shares allow), `parts` with `weight` and `max_epochs`,
            `min_human`, `on_shortfall`.
        supply: Tokens that each part has, each row once.
        human: Which parts are human text.

    Returns:
        Targets that keep the human share at `min_human` or above under every policy.
    """
    parts: Mapping[str, Mapping[str, Any]] = mix["parts"]
    weights = {name: float(p["weight"]) for name, p in parts.items() if float(p["weight"]) > 0}
    policy = mix["on_shortfall"] if mix["total"] is not None else "shrink"
    repeats = policy == "repeat"
    most = {
        name: supply.get(name, 0.0)
        * float(parts[name]["max_epochs"] or (REPEAT_AT_MOST if repeats else 1.0))
        for name in weights
    }
    reachable = min((most[n] / w for n, w in weights.items()), default=0.0)
    total = float(mix["total"]) if mix["total"] is not None else reachable
    wanted = {n: total * w for n, w in weights.items()}
    short = {n: (wanted[n], most[n]) for n in weights if most[n] < wanted[n] * (1 - 1e-9)}
    if not short:
        targets = wanted
    elif policy == "shrink":
        targets = {n: reachable * w for n, w in weights.items()}
    elif policy == "reweight":
        targets = _fill(total, weights, most)
    else:
        targets = {n: min(wanted[n], most[n]) for n in weights}
    targets = _keep_human(targets, human, float(mix["min_human"]))
    epochs = {n: targets[n] / supply[n] if supply.get(n) else 0.0 for n in weights}
    return Shares(targets, epochs, short, failed=bool(short) and policy in ("error", "repeat"))


def _fill(
    total: float, weights: Mapping[str, float], most: Mapping[str, float]
) -> dict[str, float]:
    """Give short parts all they have, and the rest to the others by weight, as far as it goes."""
    targets: dict[str, float] = {}
    open_ = dict(weights)
    left = total
    while open_:
        scale = left / sum(open_.values())
        full = [n for n, w in open_.items() if most[n] <= scale * w]
        if not full:
            targets |= {n: scale * w for n, w in open_.items()}
            break
        for name in full:
            targets[name] = most[name]
            left -= most[name]
            del open_[name]
    return targets


def _keep_human(
    targets: Mapping[str, float], human: Mapping[str, bool], least: float
) -> dict[str, float]:
    """Scale down what is not human until the human share holds."""
    of_people = sum(t for n, t in targets.items() if human.get(n))
    others = sum(targets.values()) - of_people
    if of_people >= least * (of_people + others):
        return dict(targets)
    allowed = of_people * (1 - least) / least
    return {n: t if human.get(n) else t * allowed / others for n, t in targets.items()}
