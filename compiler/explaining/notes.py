"""What stands below the table: what letters mean, caches, rates, cut replies, what to narrow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..budgets import OWN_HARDWARE
from ..estimating.facts import Price, Speed
from ..estimating.numbers import BASES, Number
from ..quantities import show_count, show_money, show_share
from ..thinking import by_default
from .numerals import UNKNOWN, Cell, in_words
from .subject import PilotSpent, Subject

LETTERS = "spha"


def legend(subject: Subject, cells: Iterable[Cell], pilot: PilotSpent | None = None) -> list[str]:
    """What the letters that were used mean, and what was read for them."""
    shown = list(cells)
    used = {c.letter for c in shown} | {UNKNOWN for c in shown if c.value == UNKNOWN}
    words = {"s": _read(subject), "p": _piloted(subject, pilot)}
    found = [f"{b} {BASES[b]}{words.get(b, '')}" for b in LETTERS if b in used]
    if UNKNOWN in used:
        found.append(f"{UNKNOWN} {BASES['?']}")
    return ["no letter: exact", *found] if shown else []


def hurried(subject: Subject) -> str:
    """That the numbers rest on fewer rows than they would elsewhere."""
    names = sorted(subject.estimates.hurried) if subject.estimates else []
    if not names:
        return ""
    return (
        f"{', '.join(names)}: rows were left out, since looking at them took too long; on another "
        "machine, or a quieter one, these numbers may differ."
    )


def worst_case(subject: Subject) -> str:
    """What the worst case is the worst case of."""
    return "worst case: every rung of every ladder, every reply at max_tokens" * bool(subject.total)


def prefixes(subject: Subject) -> str:
    """What a prefix cache spares, and of what."""
    spent = [(s.spending, s.estimate) for s in subject.steps if s.spending and s.estimate]
    known = [(s.prompt_tokens.value or 0.0, e.prefix_share) for s, e in spent]
    tokens = sum(t for t, _ in known)
    share = sum(t * s for t, s in known) / tokens if tokens else 0.0
    models = _models(subject)
    prices = subject.estimates.prices if subject.estimates else {}
    own = any(subject.plan.models[m]["engine"] in OWN_HARDWARE for m in models)
    cached = any(p.cached_input is not None for m, p in prices.items() if m in models)
    lowers = " and ".join([*["time"] * own, *["USD"] * cached])
    if share < 0.005 or not lowers:
        return ""
    return (
        f"Prefix cache: {show_share(round(share, 2))} of input tokens share a prefix; "
        f"lowers {lowers}, not tokens."
    )


def rates(subject: Subject) -> Iterator[str]:
    """How fast and how dear each model is, and who says so."""
    if subject.estimates is None:
        return
    models = _models(subject)
    for name, speed in subject.estimates.speeds.items():
        if name in models:
            yield f"Speed of {name}: {_speed(speed)}."
    for name, price in subject.estimates.prices.items():
        if name in models:
            yield f"Price of {name}: {_price(price)}."
    rate = (subject.plan.hardware or {}).get("usd_per_gpu_hour")
    if rate is not None and any(subject.plan.models[m]["engine"] in OWN_HARDWARE for m in models):
        yield f"Price of hardware: {show_money(rate)} a GPU-hour (recipe)."
    for name in sorted(subject.estimates.unpriced & models):
        yield (
            f"Price of {name}: unknown, so USD cannot be told; "
            "give `price:` to the model or an entry in prices.yaml."
        )


def cut_off(subject: Subject) -> Iterator[str]:
    """Replies that hit max_tokens, and prompts that do not fit a model."""
    for step in subject.shown:
        estimate = step.estimate
        if estimate and estimate.truncated:
            yield (
                f"{step.name}: {_some(estimate.truncated)} of its replies so far were cut off at "
                "max_tokens; what lies beyond is not estimated."
            )
        if estimate and estimate.overlong:
            yield f"{step.name}: {_some(estimate.overlong)} of its prompts do not fit the model."


def thoughts(subject: Subject) -> Iterator[str]:
    """Models that are known to think, of which no reply says yet how much."""
    guessed = {
        model
        for step in subject.shown
        if step.node and step.spending and step.spending.reply_tokens.basis == "a"
        for model in step.node.asked
    }
    for name in sorted(guessed):
        if by_default(subject.plan.models[name]):
            yield (
                f"{name} thinks by default, to go by its name: hidden tokens are billed, and "
                "estimated after a pilot. `thinking: false` switches it off."
            )


@dataclass(frozen=True, slots=True)
class Advice:
    """The largest uncertainty, what to type to narrow it most, and to what; each may be empty."""

    why: str = ""
    action: str = ""
    gain: str = ""


def largest(subject: Subject) -> Advice:
    """Where most of what is not sure comes from, and the one action that narrows it most."""
    leverage = subject.estimates.leverage if subject.estimates else None
    if leverage is None or subject.selected:  # it is the whole plan's
        return Advice()
    measure = next((m for m in subject.measures if m.field == leverage.quantity), None)
    told = (measure.topic or measure.long) if measure else leverage.quantity.replace("_", " ")
    basis = next((word for b, word in BASES.items() if b == leverage.basis), leverage.basis)
    why = (
        f"Largest uncertainty: {leverage.what} of {leverage.step} ({basis}); "
        f"{show_share(round(leverage.share, 2))} of the variance of {told}."
    )
    gain = ""
    if leverage.action and leverage.narrowed and measure:
        now = measure.of(subject.total) if subject.total else None
        before = f" (now {measure.interval(now)})" if now and now.interval else ""
        after = measure.interval(measure.scaled(leverage.narrowed))
        unit = f" {measure.unit}" if measure.topic else ""
        gain = f"narrows {told} to about {after}{unit}{before}." if after else ""
    return Advice(why, leverage.action, gain)


def selection(subject: Subject) -> str:
    """That the sums are not the plan's."""
    if not subject.selected:
        return ""
    every = len(subject.plan.nodes)
    return (
        f"ONLY {len(subject.steps)} OF {every} STEPS are shown and summed: "
        "these totals are not the plan's."
    )


def _read(subject: Subject) -> str:
    """How much of the sources was looked at: files only where not all of them were."""
    sources = list((subject.estimates.sources if subject.estimates else {}).values())
    rows = sum(s.sampled for s in sources)
    files, read = sum(s.files for s in sources), sum(s.files_read for s in sources)
    parts = [*[f"{read:,} of {files:,} files"] * (read < files), f"{show_count(rows)} rows"]
    return f" ({', '.join(parts)})" if rows else ""


def _piloted(subject: Subject, pilot: PilotSpent | None) -> str:
    if pilot is not None:
        spent = [f"{pilot.calls:,} calls"] if pilot.calls else []
        spent += [f"{show_money(pilot.usd)}"] if pilot.usd else []
        told = f", sent {' for '.join(spent)}" if spent else ""
        return f" ({pilot.rows:,} rows a step, kept for the run{told})"
    seen = [s.estimate.piloted for s in subject.steps if s.estimate and s.estimate.piloted]
    if not seen:
        return ""
    least, most = min(seen), max(seen)
    return f" ({most:,} rows)" if least == most else f" ({least:,} to {most:,} rows a step)"


def _models(subject: Subject) -> set[str]:
    return {name for step in subject.steps if step.node for name in step.node.asked}


def _speed(speed: Speed) -> str:
    around = math.exp(1.645 * speed.spread)
    number = Number(speed.reply, "a", speed.reply / around, speed.reply * around)
    return f"{in_words(number)} tokens out/s ({speed.origin})"


def _price(price: Price) -> str:
    parts = [f"{_per_million(price.input)} in", f"{_per_million(price.output)} out"]
    if price.cached_input is not None:
        parts.append(f"{_per_million(price.cached_input)} cached in")
    batch = f", ×{price.batch:g} as a batch job" if price.batch is not None else ""
    day = f", {price.as_of}" if price.as_of else ""
    return f"{', '.join(parts)} per 1M tokens{batch} ({price.origin}{day})"


def _per_million(usd: float) -> str:
    price = round(usd * 1e6, 9)
    return show_money(price) if price == round(price, 2) else f"${price:.3g}"


def _some(share: float) -> str:
    return show_share(share) if share >= 0.001 else "under 0.1%"
