"""One case measured: planned from a sample and with two pilots, then run, in a fresh project."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mashbill as mb
from mashbill.runtime.ledger import Ledger

sys.path.insert(0, str(Path(__file__).parent))

from cases import INPUT, OUTPUT, Case

PILOTS = (64, 256)
QUANTITIES = ("calls", "prompt_tokens", "reply_tokens", "usd")


@dataclass(frozen=True, slots=True)
class Spent:
    """What has been paid for, by the ledger."""

    calls: float = 0.0
    prompt_tokens: float = 0.0
    reply_tokens: float = 0.0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Guess:
    """What a plan said of one quantity, what had been spent by then, and what came of it.

    Attributes:
        tier: `sampled`, `pilot 64` or `pilot 256`.
        quantity: One of `QUANTITIES`.
        before: Spent before this plan, by pilots.
        expected: Still to be spent.
        low: Of the 90 % interval of `expected`.
        high: Likewise.
        worst: At most still to be spent.
        actual: Really spent after this plan.
    """

    case: str
    seed: int
    tier: str
    quantity: str
    before: float
    expected: float | None
    low: float
    high: float
    worst: float | None
    actual: float

    @property
    def ratio(self) -> float | None:
        """Actual by estimated, of the whole: what was spent before is known."""
        if self.expected is None or self.before + self.expected <= 0:
            return None
        return (self.before + self.actual) / (self.before + self.expected)

    @property
    def inside(self) -> bool:
        """Whether the actual lies inside the interval."""
        slack = 1e-9 * max(abs(self.actual), 1.0)
        return self.low - slack <= self.actual <= self.high + slack

    @property
    def exceeded(self) -> bool:
        """Whether the worst case was exceeded."""
        return self.worst is not None and self.actual > self.worst * (1 + 1e-9)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a case showed."""

    case: Case
    seed: int
    guesses: tuple[Guess, ...]
    pilot_share: float
    files: str
    seconds: dict[str, float]


def measure(case: Case, seed: int, folder: Path, say: Callable[[str], None]) -> Measured:
    """Measure one case in a fresh folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    case.write(folder, seed)
    recipe = mb.load(folder)
    plans: list[tuple[str, Any, Spent]] = []
    seconds: dict[str, float] = {}
    for rows in (0, *PILOTS):
        tier = f"pilot {rows}" if rows else "sampled"
        began = time.perf_counter()
        plan = recipe.plan(pilot=rows) if rows else recipe.plan()
        seconds[tier] = time.perf_counter() - began
        plans.append((tier, plan, spent(folder, not case.embedded)))
        say(f"{tier} {seconds[tier]:.1f} s")
    began = time.perf_counter()
    plans[-1][1].run()
    seconds["run"] = time.perf_counter() - began
    say(f"run {seconds['run']:.1f} s")
    whole = spent(folder, not case.embedded)
    guesses = [
        g for tier, plan, before in plans for g in _guesses(case, seed, tier, plan, before, whole)
    ]
    sources = plans[0][1].estimates.sources
    files = ", ".join(f"{s.files_read} of {s.files}" for s in sources.values())
    share = plans[-1][2].reply_tokens / max(whole.reply_tokens, 1.0)
    return Measured(case, seed, tuple(guesses), share, files, seconds)


def _guesses(
    case: Case, seed: int, tier: str, plan: Any, before: Spent, whole: Spent
) -> Iterator[Guess]:
    total = plan.estimates.total
    worst = {
        "calls": "worst_calls",
        "prompt_tokens": "worst_prompt",
        "reply_tokens": "worst_reply",
        "usd": "worst_usd",
    }
    for quantity in QUANTITIES:
        if quantity == "usd" and not whole.usd:
            continue
        number = getattr(total, quantity)
        most = getattr(total, worst[quantity]).value
        value = number.value
        ends = (value or 0.0, value or 0.0) if number.low is None else (number.low, number.high)
        spent_before = getattr(before, quantity)
        yield Guess(
            case.name,
            seed,
            tier,
            quantity,
            spent_before,
            value,
            *ends,
            most,
            getattr(whole, quantity) - spent_before,
        )


def spent(folder: Path, priced: bool) -> Spent:
    """What stands in the ledger of a project, at the one price of the scoreboard's models."""
    with Ledger.open(folder / ".mashbill" / "ledger", write=False) as ledger:
        held = ledger.stats()
    usd = held.prompt_tokens * INPUT + held.completion_tokens * OUTPUT
    return Spent(
        held.completions, held.prompt_tokens, held.completion_tokens, usd if priced else 0.0
    )
