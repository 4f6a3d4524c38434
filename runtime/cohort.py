"""Rows of a step in the order in which they were let in, with what they cost.

Of many rows that are under way at once, those with short replies are done first, so what is done at
a moment says too little of what is to come. Here rows count in the order in which they came, and
those that are not done count as what `censored` expects of them.

They are added up in batches of consecutive rows: how much batches differ says how far the mean of
all of them may be off, also where neighbours are alike (batch means; Schmeiser, "Batch size effects
in the analysis of simulation output", Operations Research 30, 1982).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from .censored import Durations
from .outcome import Outcome
from .tab import Paid, Tab

MOST_BATCHES = 64
"""Once there are as many, neighbours are joined."""
UNFINISHED = 0.2
"""Share of the rows that may not be done yet where they are to say anything."""
FRESH_SECONDS = 0.9
"""How long what was seen is good for: several may look at a run, each many times a second."""
MOST_EARLY = 2048
"""Rows that one which does not come to an end may hold up; then it is passed over."""

Sums = list[float]
"""Of a batch, by `ROWS` and so on."""
ROWS, HELD, CALLS, PROMPT, REPLY, OUT = range(6)
"""Rows that came in; of these, those whose every reply was held already; new calls, their prompt
and reply tokens; rows that went on."""


@dataclass(slots=True)
class Settled:
    """Rows that new replies alone settled, and those that asked nobody.

    Attributes:
        rows: Rows whose every reply is new.
        units: What a model was asked about once, of these rows.
        calls: New replies of the step's own model, to these rows.
        prompt: Their prompt tokens.
        reply: Their reply tokens.
        out: Rows that these became.
        asked: Rows that asked for replies, new or held.
        free: Rows that asked for none.
        free_out: Rows that those became.
    """

    rows: int = 0
    units: int = 0
    calls: int = 0
    prompt: int = 0
    reply: int = 0
    out: int = 0
    asked: int = 0
    free: int = 0
    free_out: int = 0

    def add(self, other: Settled) -> None:
        """Count what another counted."""
        for each in fields(Settled):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True, slots=True)
class Sight:
    """Rows up to one of those that were let in.

    Attributes:
        batches: Sums of consecutive rows.
        unfinished: Share of the rows that are not done, and stand there as they are expected.
    """

    batches: tuple[Sums, ...] = ()
    unfinished: float = 0.0


@dataclass(slots=True)
class Cohort:
    """See the module.

    Attributes:
        model: The step's own model; None where only its checks ask.
        batches: Sums of consecutive rows, up to the oldest that is not done.
        settled: What later plans may learn of the same rows.
        all_rows: Rows that are done, those behind the oldest unfinished one too.
        all_held: Of these, those whose every reply was held.
    """

    model: str | None = None
    batches: list[Sums] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)
    all_rows: float = 0.0
    all_held: float = 0.0
    _per: int = 1
    """Tasks that a batch holds."""
    _last: int = 0
    """Tasks that the last batch holds."""
    _next: int = 0
    """The oldest row that is not done, but for those that were passed over."""
    _open: dict[int, tuple[float, Tab]] = field(default_factory=dict)
    """Rows under way: how many each stands for, and what it asked for."""
    _early: dict[int, tuple[Sums, Settled]] = field(default_factory=dict)
    """Rows that are done before an older one: numbers alone, none of their text."""
    _durations: Durations = field(default_factory=Durations)
    """How long rows took that asked for anything, and what they cost."""
    _looked: float = -math.inf
    _sight: Sight = field(default_factory=Sight)

    def let_in(self, number: int, weight: float, tab: Tab) -> None:
        """Note a row that is worked on from now on.

        Args:
            number: Its place among the rows that were let in: 0, 1, 2 …
            weight: Rows that it stands for: itself, and its share of those that came with it and
                passed as they were.
            tab: What it will ask for.
        """
        self._open[number] = weight, tab

    def done(self, number: int, outcomes: Sequence[Outcome]) -> None:
        """Note what became of a row."""
        weight, tab = self._open.pop(number)
        sums = _sums(weight, tab, outcomes)
        self.all_rows += weight
        self.all_held += sums[HELD]
        if tab.calls:
            self._durations.add(tab.seconds(0.0), _alone(sums))
        settled = _settled(self.model, tab, outcomes)
        if number < self._next:  # it was passed over
            self._add(sums)
            self.settled.add(settled)
            return
        self._early[number] = sums, settled
        if len(self._early) > MOST_EARLY:
            self._next = min(self._early)
        while (found := self._early.pop(self._next, None)) is not None:
            self._next += 1
            self._add(found[0])
            self.settled.add(found[1])

    def sight(self, now: float) -> Sight:
        """Rows up to the last before which few are not done; as they were less than a second ago.

        Args:
            now: The time, as `time.monotonic` gives it.
        """
        if not 0 <= now - self._looked < FRESH_SECONDS:
            self._looked, self._sight = now, self._look(now)
        return self._sight

    def _look(self, now: float) -> Sight:
        last = self._reach()
        early = {n: sums for n, (sums, _) in self._early.items() if n <= last}
        under_way = {n: found for n, found in self._open.items() if n <= last}
        ages = {n: tab.seconds(now) for n, (_, tab) in self._open.items()}
        outlook = self._durations.outlook(ages.values())
        if not early or outlook is None:
            return Sight(tuple(self.batches))
        rows = dict(early)
        for number, (weight, tab) in under_way.items():
            rows[number] = _expected(weight, tab, outlook.after(ages[number]))
        made = list(self.batches)
        order = sorted(rows)
        for at in range(0, len(order), self._per):
            chunk = [rows[n] for n in order[at : at + self._per]]
            made.append([sum(column) for column in zip(*chunk, strict=True)])
        whole = sum(b[ROWS] for b in made)
        waiting = sum(weight for weight, _ in under_way.values())
        return Sight(tuple(made), waiting / whole)

    def _reach(self) -> int:
        """The last row before which no more than `UNFINISHED` of the rows are not done."""
        waiting = sorted(self._open)
        reach = max(self._early, default=-1)
        for place in range(len(waiting), 0, -1):
            if place <= UNFINISHED * (reach + 1):
                break
            reach = min(reach, waiting[place - 1] - 1)
        return reach

    def passed(self, rows: int) -> None:
        """Note rows that came and passed as they were, with none beside them that did not."""
        self.all_rows += rows
        if rows:
            self._add([float(rows), 0.0, 0.0, 0.0, 0.0, float(rows)])

    def _add(self, sums: Sums) -> None:
        if self.batches and self._last < self._per:
            self.batches[-1] = _joined(self.batches[-1], sums)
            self._last += 1
            return
        if len(self.batches) == MOST_BATCHES:
            pairs = zip(self.batches[::2], self.batches[1::2], strict=True)
            self.batches = [_joined(a, b) for a, b in pairs]
            self._per *= 2
        self.batches.append(sums)
        self._last = 1


def _sums(weight: float, tab: Tab, outcomes: Sequence[Outcome]) -> Sums:
    """Of one row that is done."""
    paid = tab.paid.values()
    return [
        weight,
        weight if tab.held and not tab.calls else 0.0,
        float(tab.calls),
        float(sum(p.prompt_tokens for p in paid)),
        float(sum(p.reply_tokens for p in paid)),
        sum(len(o.rows) for o in outcomes if o.end == "out") + weight - 1.0,
    ]


def _alone(sums: Sums) -> Sums:
    """Of a row without those that passed beside it."""
    return [*sums[CALLS:OUT], sums[OUT] - sums[ROWS] + 1.0]


def _expected(weight: float, tab: Tab, costs: Sequence[float]) -> Sums:
    """Of a row that is not done: no less than it has been paid for."""
    so_far = _sums(weight, tab, ())
    most = [max(a, b) for a, b in zip(costs, so_far[CALLS:OUT], strict=False)]
    return [weight, 0.0, *most, costs[-1] + weight - 1.0]


def _settled(model: str | None, tab: Tab, outcomes: Sequence[Outcome]) -> Settled:
    """What later plans may learn of one row; of one that ended in an error, nothing."""
    if any(o.end == "error" for o in outcomes):
        return Settled()
    out = sum(len(o.rows) for o in outcomes if o.end == "out")
    if tab.held:
        return Settled(asked=1)
    if not tab.calls:
        return Settled(free=1, free_out=out)
    units = sum(1 for o in outcomes for u in o.units if u.end != "kept")
    own = tab.paid.get(model, Paid()) if model is not None else Paid()
    tokens = own.prompt_tokens, own.reply_tokens
    return Settled(1, units, own.calls, *tokens, out=out, asked=1)


def _joined(one: Sums, other: Sums) -> Sums:
    return [a + b for a, b in zip(one, other, strict=True)]
