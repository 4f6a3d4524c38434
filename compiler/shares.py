"""How many tokens each part of the mix gives, once it is known what each can supply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    while open_ and sum(open_.values()) > 0:
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


# -- caps on sources

Drawn = Mapping[str, Mapping[str, float]]
"""Tokens by part, then by source; `REST` stands for all sources without a cap."""
REST = ""
ROUNDS = 40
HALVINGS = 24
REFILLS = 8
SLACK = 1e-4
"""How far, relatively, a part may stay from its target before it counts as short."""


def settle_sources(
    mix: Mapping[str, Any], supply: Drawn, human: Mapping[str, bool]
) -> tuple[Shares, Drawn | None]:
    """Settle the mix under `max_source`: no source gives more than its share of the whole.

    Rows of a capped source make way for others of the same part. Where a part has too few others,
    its shortfall is treated as any other is.

    Args:
        mix: As for `settle_shares`, with `max_source`.
        supply: Tokens by part, then by source, each row once.
        human: Which parts are human text.

    Returns:
        The shares, and what each part takes of each source; None where there is no cap.
    """
    caps: Mapping[str, float] = mix.get("max_source") or {}
    shares = settle_shares(mix, _sums(supply), human)
    if not caps:
        return shares, None
    drawn = _draw(shares.targets, supply, mix, caps)
    if _whole(drawn, shares):
        return shares, drawn
    if mix["on_shortfall"] in ("error", "repeat") and mix["total"] is not None:
        got = {n: sum(d.values()) for n, d in drawn.items()}
        short = {n: (t, got[n]) for n, t in shares.targets.items() if got[n] < t * (1 - SLACK)}
        return replace(shares, short={**short, **shares.short}, failed=True), drawn
    low, high = 0.0, shares.total
    found = _capped(mix, 0.0, supply, human, caps)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        tried = _capped(mix, middle, supply, human, caps)
        if _whole(tried[1], tried[0]):
            low, found = middle, tried
        else:
            high = middle
    short = {n: (shares.targets[n], t) for n, t in found[0].targets.items()}
    short = {n: (w, t) for n, (w, t) in short.items() if t < w * (1 - SLACK)}
    return replace(found[0], short={**short, **shares.short}), found[1]


def _capped(
    mix: Mapping[str, Any],
    total: float,
    supply: Drawn,
    human: Mapping[str, bool],
    caps: Mapping[str, float],
) -> tuple[Shares, Drawn]:
    """The shares of a mix of this size, and what can be drawn for them."""
    smaller = {**mix, "total": total}
    reach = _sums(supply)
    shares = settle_shares(smaller, reach, human)
    drawn = _draw(shares.targets, supply, mix, caps)
    for _ in range(REFILLS):
        if _whole(drawn, shares) or mix["on_shortfall"] != "reweight":
            break
        got = {n: sum(d.values()) for n, d in drawn.items()}
        reach |= {n: t for n, t in got.items() if t < shares.targets[n] * (1 - SLACK)}
        shares = settle_shares(smaller, reach, human)
        drawn = _draw(shares.targets, supply, mix, caps)
    return shares, drawn


def _draw(
    targets: Mapping[str, float],
    supply: Drawn,
    mix: Mapping[str, Any],
    caps: Mapping[str, float],
) -> dict[str, dict[str, float]]:
    """What each part takes of each source, by iterative proportional fitting.

    As near to the parts' own proportions as the caps allow (Deming and Stephan 1940); where no
    choice satisfies the caps, the capped sources are cut down to them and parts stay short.
    """
    total = sum(targets.values())
    repeats = mix["on_shortfall"] == "repeat"
    most: dict[str, dict[str, float]] = {}
    for name in targets:
        epochs = float(mix["parts"][name]["max_epochs"] or (REPEAT_AT_MOST if repeats else 1.0))
        most[name] = {s: t * epochs for s, t in supply.get(name, {}).items() if t > 0}
    pull = {name: dict(by) for name, by in most.items()}
    drawn: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        drawn = {n: _fill(t, pull[n], most[n]) if pull[n] else {} for n, t in targets.items()}
        factors = _factors(drawn, caps, total)
        if not factors:
            return drawn
        for by in pull.values():
            for source, factor in factors.items():
                if source in by:
                    by[source] *= factor
    factors = _factors(drawn, caps, total)
    return {n: {s: t * factors.get(s, 1.0) for s, t in by.items()} for n, by in drawn.items()}


def _factors(drawn: Drawn, caps: Mapping[str, float], total: float) -> dict[str, float]:
    """By how much the sources above their caps must shrink."""
    used: dict[str, float] = {}
    for by in drawn.values():
        for source, tokens in by.items():
            used[source] = used.get(source, 0.0) + tokens
    return {
        s: caps[s] * total / tokens
        for s, tokens in used.items()
        if s in caps and tokens > caps[s] * total * (1 + SLACK / 10)
    }


def _whole(drawn: Drawn, shares: Shares) -> bool:
    return all(sum(drawn.get(n, {}).values()) >= t * (1 - SLACK) for n, t in shares.targets.items())


def _sums(supply: Drawn) -> dict[str, float]:
    return {name: sum(by.values()) for name, by in supply.items()}
