"""A step of many rows under way at once, whose replies take as long as they are long."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mashbill.compiler.estimating.numbers import Number
from mashbill.compiler.plan import PlanNode
from mashbill.runtime.cohort import Cohort
from mashbill.runtime.outcome import Outcome
from mashbill.runtime.planning.planned import Planned
from mashbill.runtime.progress.forecast import Seen
from mashbill.runtime.tab import Paid, Tab

MODEL = "writer"


@dataclass(frozen=True)
class Row:
    """What a row will cost."""

    calls: int
    prompt: int
    reply: int
    out: bool


def rows(count: int, seed: int, *, rewrite: bool, sigma: float = 0.8) -> list[Row]:
    """Rows with lognormal prompts, replies that follow them or do not, and retries."""
    draw, made = random.Random(seed), []
    for _ in range(count):
        calls = 1 + (draw.random() < 0.2) + (draw.random() < 0.05)
        prompt = 40 + round(math.exp(draw.gauss(5, sigma)))
        reply = 0
        for _ in range(calls):
            size = 0.8 * prompt * math.exp(draw.gauss(0, 0.25)) if rewrite else 0
            reply += max(1, round(size or math.exp(draw.gauss(5.5, sigma))))
        made.append(Row(calls, prompt * calls, reply, draw.random() < 0.9))
    return made


@dataclass
class Step:
    """The step under way: so many rows at once, each as long as its replies."""

    todo: Sequence[Row]
    slots: int = 256
    cohort: Cohort = field(default_factory=lambda: Cohort(MODEL))
    finished: list[Row] = field(default_factory=list)
    tabs: dict[int, tuple[Tab, float]] = field(default_factory=dict)
    now: float = 0.0

    def run(self) -> Iterator[int]:
        """Rows that are done, after each."""
        under_way: list[tuple[float, int]] = []
        taken = 0
        while taken < len(self.todo) or under_way:
            while taken < len(self.todo) and len(under_way) < self.slots:
                heapq.heappush(under_way, (self.now + self.todo[taken].reply, taken))
                self.begin(taken)
                taken += 1
            self.now, number = heapq.heappop(under_way)
            self.finish(number)
            yield len(self.finished)

    def begin(self, number: int) -> None:
        """A row is let in, and its request is sent."""
        tab = Tab()
        tab.sent(self.now)
        self.tabs[number] = tab, self.now
        self.cohort.let_in(number, 1.0, tab)

    def finish(self, number: int) -> None:
        """A row is done."""
        row = self.todo[number]
        self.finished.append(row)
        tab, started = self.tabs.pop(number)
        tab.back(started, self.now)
        tab.paid[MODEL] = Paid(row.calls, row.prompt, row.reply)
        end: Outcome = Outcome("out", ({},)) if row.out else Outcome("rejected", ({},), "check")
        self.cohort.done(number, (end,))

    def until(self, share: float) -> None:
        """Work on so many of the rows."""
        for done in self.run():
            if done >= share * len(self.todo):
                return

    def seen(self) -> Seen:
        """What a forecast sees of it."""
        spent = {
            "calls": float(sum(r.calls for r in self.finished)),
            "prompt_tokens": float(sum(r.prompt for r in self.finished)),
            "reply_tokens": float(sum(r.reply for r in self.finished)),
            "usd": 0.0,
            "gpu_hours": 0.0,
        }
        return Seen(self.cohort.sight(self.now), spent)  # type: ignore[arg-type]


def node(name: str = "book", inputs: tuple[tuple[str, str], ...] = ()) -> PlanNode:
    """A model step."""
    return PlanNode(
        name, "rewrite", 1, "generate", inputs, {"params": {}}, "", "", (), "synthetic", (), False,
        MODEL, None,
    )  # fmt: skip


def around(value: float, spread: float, draw: random.Random | None = None) -> Number:
    """A number whose 90 % interval is as wide as its error, which may be drawn."""
    guess = value * math.exp(draw.gauss(0, spread)) if draw else value
    wide = math.exp(1.6449 * spread)
    return Number(guess, "p", guess / wide, guess * wide)


def plan_of(
    todo: Sequence[Row], spread: float, draw: random.Random | None = None, *, off: float = 1.0
) -> Planned:
    """What a plan would say of rows, with errors of a size that it knows, and one that it not."""
    return Planned(
        Number(float(len(todo)), "e"),
        around(float(sum(r.out for r in todo)), spread, draw),
        {
            "calls": around(sum(r.calls for r in todo) * off, spread, draw),
            "prompt_tokens": around(sum(r.prompt for r in todo) * off, spread / 2, draw),
            "reply_tokens": around(sum(r.reply for r in todo) * off, spread * 1.5, draw),
        },
    )
