"""Random budgets against a simulated engine: what is spent is counted a second time, exactly.

A trial draws prices, caps of the run and of steps, limits of replies, faults, cancellations and
what an earlier run has spent; up to 256 workers then send requests, in virtual time, until the rows
or the caps end. Its engine replies with log-normal lengths, and knows what it was paid.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from mashbill.runtime.budget.amounts import PICO, RESERVED, Price
from mashbill.runtime.budget.carried import Carry
from mashbill.runtime.budget.deadline import Deadline
from mashbill.runtime.budget.exhausted import Exhausted
from mashbill.runtime.budget.purse import Purse
from mashbill.runtime.requests import Completion

from .virtual import run_virtually

WORST_CASES = 10
"""A cap is to be reached by 90 % where it holds at least so many worst cases of a request: what
is refused at last did not fit, so less than one of them is left."""
ROWS = 6_000


@dataclass(frozen=True, slots=True)
class Step:
    """A step's requests: its model, limits of its replies, lengths of its prompts and replies."""

    name: str
    model: str
    limits: tuple[int, ...]
    prompt: float
    reply: float
    slack: float
    """How far above the real prompt its bound is."""

    def worst(self, price: Price) -> tuple[int, int, int, int]:
        """The most that any of its requests can need."""
        bound, limit = self.bound(self.longest), max(self.limits)
        return 1, bound, limit, price.worst(bound, limit)

    @property
    def longest(self) -> int:
        """The longest prompt that it may send."""
        return int(self.prompt * 6)

    def bound(self, prompt: int) -> int:
        """What is taken for a prompt before it is counted."""
        return int(prompt * self.slack) + 1


@dataclass(slots=True)
class Trial:
    """One random configuration, and what came of it."""

    dice: random.Random
    steps: list[Step]
    prices: dict[str, tuple[Decimal, Decimal, Decimal, int]]
    purse: Purse
    in_flight: int
    faults: float
    impatience: float
    stops: bool
    seconds: float
    paid: Counter[str] = field(default_factory=Counter)
    """What the engine was paid by path, money in fractions of 10⁻¹² dollars, at the real price."""
    dollars: dict[str, Fraction] = field(default_factory=dict)
    most: int = 0
    under_way: int = 0
    sent: int = 0
    late: list[float] = field(default_factory=list)
    reached: dict[str, Exhausted] = field(default_factory=dict)
    """Caps that refused a request."""

    def pay(self, step: Step, prompt: int, cached: int, reply: int) -> None:
        """Count what a request really cost."""
        paid, made, known, per = map(Fraction, self.prices[step.model])
        dollars = (paid * (prompt - cached) + known * cached + made * reply) / per
        for above in ("budget", f"budget.steps.{step.name}"):
            self.paid[f"{above}.requests"] += 1
            self.paid[f"{above}.input_tokens"] += prompt
            self.paid[f"{above}.tokens"] += reply
            self.dollars[f"{above}.usd"] = self.dollars.get(f"{above}.usd", Fraction()) + dollars

    def spent(self, path: str) -> Fraction:
        """What was really spent under a cap, with what an earlier run had spent."""
        kind = path.rpartition(".")[2]
        own = self.dollars.get(path, Fraction()) * PICO if kind == "usd" else self.paid[path]
        return Fraction(own) + self.purse.gauges[path].carried

    async def work(self, step: Step, rows: Iterator[int]) -> None:
        """Send requests of a step, one after another."""
        dice = self.dice
        for _ in rows:
            if self.reached and self.stops:
                return
            prompt = min(max(1, int(dice.lognormvariate(0, 0.7) * step.prompt)), step.longest)
            limit = dice.choice(step.limits)
            try:
                reservation = await self.purse.reserve(
                    step.name, step.model, step.bound(prompt), limit
                )
            except Exhausted as error:
                self.reached.setdefault(error.cap, error)
                if not error.step and error.gauge.kind in ("wall", "gpu_hours"):
                    return
                continue
            wall = self.purse.gauges["budget.wall"]
            if self.purse.clock.wall() + wall.carried > wall.limit:
                self.late.append(self.purse.clock.now())
            self.under_way += 1
            self.sent += 1
            self.most = max(self.most, self.under_way)
            reply = min(max(0, int(dice.lognormvariate(0, 1.0) * step.reply)), limit)
            luck = dice.random()
            try:
                await asyncio.sleep(0.02 + reply * 0.001 * dice.random())
                if luck < self.faults:
                    self.pay(step, 0, 0, 0)
                    self.purse.settle(reservation)
                elif luck < 2 * self.faults:
                    self.pay(step, prompt, 0, reply)  # the server wrote it, and nobody heard
                    self.purse.settle(reservation, lost=True)
                else:
                    cached = int(prompt * dice.random())
                    self.pay(step, prompt, cached, reply)
                    self.purse.settle(
                        reservation,
                        Completion("", "stop", prompt, reply, limit, cached_tokens=cached),
                    )
            except asyncio.CancelledError:
                self.pay(step, prompt, 0, reply)
                self.purse.settle(reservation, lost=True)
                raise
            finally:
                self.under_way -= 1

    async def nag(self, workers: list[asyncio.Task[None]]) -> None:
        """Cancel a worker now and then, sending or waiting."""
        while self.impatience:
            await asyncio.sleep(self.dice.expovariate(self.impatience))
            self.dice.choice(workers).cancel()

    async def run(self) -> None:
        """All workers, to their end."""
        loop = asyncio.get_running_loop()
        self.purse.clock = Deadline(2, loop.time)
        self.purse.clock.engine_up("vllm")
        workers = []
        for step in self.steps:
            rows = iter(range(ROWS // len(self.steps)))
            each = max(1, self.in_flight // len(self.steps))
            workers += [asyncio.create_task(self.work(step, rows)) for _ in range(each)]
        nag = asyncio.create_task(self.nag(workers))
        for worker in workers:
            with suppress(asyncio.CancelledError):
                await worker
        nag.cancel()
        with suppress(asyncio.CancelledError):
            await nag
        self.purse.close()
        self.seconds = loop.time()

    def problems(self) -> Iterator[str]:
        """What must never be."""
        for path, gauge in self.purse.gauges.items():
            if gauge.queue and any(not w.future.done() for _, w in gauge.queue):
                yield f"{path}: somebody waits still"
            if gauge.kind not in RESERVED:
                continue
            if gauge.taken != gauge.spent:
                yield f"{path}: {gauge.taken - gauge.spent} is set aside for nobody"
            if self.spent(path) > gauge.spent:
                yield f"{path}: more was paid than is known"
            if gauge.spent > gauge.limit:
                yield f"{path}: overshot by {gauge.spent - gauge.limit}"
        if self.late:
            yield f"sent {len(self.late)} after the deadline"
        for path, error in self.reached.items():
            gauge = error.gauge
            if gauge.kind in RESERVED:
                least = gauge.limit - self.worst(path)
                if gauge.spent < least:
                    yield f"{path}: refused with more than a worst case left"
                if gauge.limit >= WORST_CASES * self.worst(path) and self.share(path) < 0.9:
                    yield f"{path}: {self.share(path):.1%} spent where it was reached"

    def worst(self, path: str) -> int:
        """The largest worst case of a request under a cap."""
        parts = path.split(".")
        steps = [s for s in self.steps if len(parts) == 2 or s.name == parts[2]]
        at = RESERVED.index(parts[-1])
        return max(s.worst(self.purse.prices[s.model])[at] for s in steps)

    def share(self, path: str) -> float:
        """How much of a cap is spent."""
        gauge = self.purse.gauges[path]
        return gauge.spent / gauge.limit


def trial_of(seed: int) -> Trial:
    """A random configuration."""
    dice = random.Random(seed)
    prices = {}
    for model in ("small", "large"):
        digits = dice.choice((2, 4, 6))
        paid, made = (Decimal(str(round(dice.uniform(0.01, 20), digits))) for _ in range(2))
        per = dice.choice((1_000_000, 1_000_000, 1_000, 3_000))
        prices[model] = (paid, made, paid * dice.choice((1, Decimal("0.5"), 0)), per)
    steps = []
    for i in range(dice.choice((1, 2, 4))):
        limits = tuple(dice.choice((16, 64, 256, 1024, 4096)) for _ in range(dice.choice((1, 3))))
        steps.append(
            Step(
                f"step{i}",
                dice.choice(("small", "large")),
                limits,
                prompt=dice.choice((20, 200, 2000)),
                reply=sum(limits) / len(limits) * dice.choice((0.05, 0.3, 1.0)),
                slack=dice.choice((1.0, 2.5, 5.0)),
            )
        )
    known = {
        name: Price.of(
            {"input": float(p), "output": float(o), "cached_input": float(c), "per": per}
        )
        for name, (p, o, c, per) in prices.items()
    }
    caps: dict[str, int] = {}
    carried: dict[str, int] = {}
    above = ["budget", *(f"budget.steps.{s.name}" for s in steps)]
    for place in dice.sample(above, dice.randint(1, len(above))):
        bound = [s for s in steps if place in ("budget", f"budget.steps.{s.name}")]
        for kind in dice.sample(RESERVED, dice.choice((1, 1, 2, 4))):
            at = RESERVED.index(kind)
            worst = max(s.worst(known[s.model])[at] for s in bound)
            caps[f"{place}.{kind}"] = int(worst * 10 ** dice.uniform(0.5, 3.6)) + 1
            if dice.random() < 0.2:
                carried[f"{place}.{kind}"] = int(caps[f"{place}.{kind}"] * dice.uniform(0, 1.02))
    if dice.random() < 0.1:
        caps["budget.wall"] = int(10 ** dice.uniform(2, 4))
    carried = {path: min(spent, caps[path]) for path, spent in carried.items()}
    purse = Purse(caps, known, Carry(carried, ("r-0001",) if carried else ()))
    return Trial(
        dice,
        steps,
        prices,
        purse,
        in_flight=dice.choice((1, 64, *(256,) * 8)),
        faults=dice.choice((0, 0.01, 0.05, 0.2)),
        impatience=dice.choice((0, 0, 0, 0.5, 5)),
        stops=dice.random() < 0.5,
        seconds=0.0,
    )


def run_trial(seed: int) -> Trial:
    """Run one. Raises `StuckError` on a deadlock."""
    trial = trial_of(seed)
    run_virtually(trial.run())
    return trial
