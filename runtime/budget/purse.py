"""The purse: what a request may cost at worst is set aside before it is sent, settled after.

A request is admitted if what is spent, what is set aside and its own worst case fit under every
cap that binds it. If they do not, but would once others settle for less, it waits: first come,
first served among those that want room under the same cap. If they would not even then, it is
refused. So caps are never overshot, and a cap is reached to within one request's worst case.

No request waits for ever: one waits under a cap only while something is reserved there, and every
reservation is settled; each settling looks at who waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from ..requests import Completion
from .amounts import FREE, NO_LIMIT, RESERVED, TIMED, Amount, Price
from .carried import Carry
from .deadline import Deadline
from .exhausted import Exhausted
from .gauge import Gauge, Waiter
from .reservation import Reservation

Save = Callable[[Mapping[str, int], bool], None]
"""Writes what may have been spent by path, so that it survives a kill, and whether it is exact."""

REFUSED: Amount = (1, 0, 0, 0)
"""What a request costs that a server turned away."""
NOTHING: Amount = (0, 0, 0, 0)


@dataclass(slots=True)
class Purse:
    """What a run may spend.

    Attributes:
        caps: Limit by path (`budget.usd`, `budget.steps.book.tokens`), in the units of `amounts`.
        prices: By model; one that is absent is free.
        carry: What earlier runs of the data set have spent.
        clock: The time of the run.
        rate: What a GPU-millisecond costs, in 10⁻¹² dollars.
        save: See `Save`; may raise `OSError`, which `reserve` passes on.
    """

    caps: Mapping[str, int]
    prices: Mapping[str, Price] = field(default_factory=dict)
    carry: Carry = field(default_factory=Carry)
    clock: Deadline = field(default_factory=Deadline)
    rate: int = 0
    save: Save | None = None
    gauges: dict[str, Gauge] = field(default_factory=dict)
    waiting: int = 0
    """Requests that wait for room."""
    _run: tuple[Gauge, ...] = ()
    _timed: tuple[Gauge, ...] = ()
    _steps: dict[str, tuple[Gauge, ...]] = field(default_factory=dict)
    _paid_time: int = 0
    _tickets: int = 0

    def __post_init__(self) -> None:
        self._run = self._open("budget", RESERVED)
        self._timed = self._open("budget", TIMED)
        for path in (*self.caps, *self.carry.spent):  # what earlier runs spent stays known
            if (parts := path.split("."))[1] == "steps":
                self._bound(parts[2])

    def _open(self, above: str, kinds: Iterable[str]) -> tuple[Gauge, ...]:
        made = []
        for kind in kinds:
            gauge = Gauge(f"{above}.{kind}", kind)
            gauge.limit = self.caps.get(gauge.path, gauge.limit)
            gauge.start(self.carry.spent.get(gauge.path, 0))
            self.gauges[gauge.path] = gauge
            made.append(gauge)
        return tuple(made)

    def _bound(self, step: str) -> tuple[Gauge, ...]:
        """The gauges that a request of a step moves: the run's four, and the step's."""
        found = self._steps.get(step)
        if found is None:
            own = self._open(f"budget.steps.{step}", RESERVED)
            found = self._steps[step] = (*self._run, *own)
        return found

    # -- before and after a request

    async def reserve(
        self, step: str, model: str, input_tokens: int, max_tokens: int
    ) -> Reservation:
        """Set a request's worst case aside; waits while only those of others are in its way.

        Args:
            step: Whose caps bind it, beside the run's.
            model: Whose price it has.
            input_tokens: Of the prompt: exact, or an upper bound (`input_bound`).
            max_tokens: The longest reply.

        Raises:
            Exhausted: It fits under no circumstances.
            OSError: The permission cannot be written.
        """
        price = self.prices.get(model, FREE)
        worst = (1, input_tokens, max_tokens, price.worst(input_tokens, max_tokens))
        gauges = self._steps.get(step) or self._bound(step)
        reservation = Reservation(gauges, worst + worst, price)
        if (late := self._pass_time()) is not None:
            raise Exhausted(late, self.carry.runs)
        for gauge, need in zip(gauges, reservation.needs, strict=True):
            if gauge.queue or gauge.taken + need > gauge.limit:
                await self._wait(reservation)
                return reservation
        self._take(reservation)
        return reservation

    def settle(
        self, reservation: Reservation, completion: Completion | None = None, *, lost: bool = False
    ) -> None:
        """Put what was used in the place of what was set aside. A second time does nothing.

        Args:
            reservation: What `reserve` gave.
            completion: The reply, if one came.
            lost: Whether none came and the server may have written it (a timeout, a reset, half a
                reply, a cancelled request): then it is taken to have cost its worst case. Else it
                was refused, and counts as one request.
        """
        if completion is not None:
            price, sent = reservation.price, completion.prompt_tokens
            made, known = completion.completion_tokens, min(completion.cached_tokens, sent)
            self._settle(reservation, (1, sent, made, price.used(sent, known, made)))
        elif lost:
            needs = reservation.needs
            self._settle(reservation, (needs[0], needs[1], needs[2], needs[3]))
        else:
            self._settle(reservation, REFUSED)

    def release(self, reservation: Reservation) -> None:
        """Give back what was set aside for a request that was never sent."""
        self._settle(reservation, NOTHING)

    def _settle(self, reservation: Reservation, used: Amount) -> None:
        if not reservation.open:
            return
        reservation.open = False
        crowded = False
        pairs = zip(reservation.gauges, reservation.needs, used + used, strict=True)
        for gauge, need, use in pairs:
            gauge.spent += use
            gauge.taken += use - need
            crowded = crowded or bool(gauge.queue)
        if crowded:
            self._admit(reservation.gauges)

    def _take(self, reservation: Reservation) -> None:
        past = False
        for gauge, need in zip(reservation.gauges, reservation.needs, strict=True):
            gauge.taken += need
            if gauge.taken > gauge.mark:
                gauge.outgrow(need)
                past = True
        for gauge in self._timed:
            if gauge.taken > gauge.mark:
                gauge.outgrow(1000)
                past = True
        if past:
            try:
                self._permit()
            except OSError:
                reservation.open = False
                for gauge, need in zip(reservation.gauges, reservation.needs, strict=True):
                    gauge.taken -= need
                raise

    # -- waiting

    async def _wait(self, reservation: Reservation) -> None:
        if (full := reservation.hopeless()) is not None:
            raise Exhausted(full, self.carry.runs)
        crowded = (g for g in reservation.gauges if g.queue)
        place = reservation.short() or next(crowded)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tickets += 1
        heappush(place.queue, (self._tickets, Waiter(reservation, future)))
        self.waiting += 1
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.release(reservation)  # admitted in the same moment
            self._admit(reservation.gauges)  # it may have stood before others
            raise
        finally:
            self.waiting -= 1

    def _admit(self, gauges: Iterable[Gauge]) -> None:
        """Admit or refuse who waits under some caps, until each first one has to wait on."""
        late = self._pass_time()
        for gauge in gauges:
            while gauge.queue:
                waiter = gauge.queue[0][1]
                full = late or waiter.reservation.hopeless()
                short = waiter.reservation.short()
                if waiter.future.done():  # cancelled
                    heappop(gauge.queue)
                elif full is not None:
                    heappop(gauge.queue)
                    waiter.future.set_exception(Exhausted(full, self.carry.runs))
                elif short is gauge:
                    break
                elif short is not None:  # here is room now, and there is none
                    heappush(short.queue, heappop(gauge.queue))
                else:
                    heappop(gauge.queue)
                    try:
                        self._take(waiter.reservation)
                    except OSError as error:
                        waiter.future.set_exception(error)
                    else:
                        waiter.future.set_result(None)

    # -- time, and what the disk knows

    def _pass_time(self) -> Gauge | None:
        """Count the time that has passed; the cap on time that is reached, if one is."""
        gpu, wall = self._timed
        passed = self.clock.gpu()
        gpu.spent = gpu.taken = gpu.carried + passed
        wall.spent = wall.taken = wall.carried + self.clock.wall()
        if self.rate:
            usd, paid = self._run[3], passed * self.rate
            usd.spent += paid - self._paid_time
            usd.taken += paid - self._paid_time
            self._paid_time = paid
        return next((g for g in self._timed if g.spent >= g.limit), None)

    def _permit(self) -> None:
        """Write permission for what comes next, before it is used. Raises `OSError`."""
        marks = {gauge: gauge.next_mark() for gauge in self.gauges.values()}
        if self.save is not None:
            self.save({g.path: mark - g.carried for g, mark in marks.items()}, False)
        for gauge, mark in marks.items():
            gauge.mark = mark

    def close(self) -> None:
        """Write what was spent, exactly; what is still out at its worst. Raises `OSError`."""
        self._pass_time()
        if self.save is not None:
            self.save({g.path: g.taken - g.carried for g in self.gauges.values()}, True)

    # -- for progress and records

    @property
    def overshoot(self) -> dict[str, int]:
        """By how much caps are exceeded: those on time, and where an engine broke its limits."""
        return {g.path: g.spent - g.limit for g in self.gauges.values() if g.spent > g.limit}

    def late(self) -> Exhausted | None:
        """The cap on time that is reached, if one is."""
        gauge = self._pass_time()
        return Exhausted(gauge, self.carry.runs) if gauge else None

    def seconds_left(self) -> float | None:
        """Seconds until a cap on time, or on money for time, is reached if all goes on as now."""
        self._pass_time()
        gpu, wall = self._timed
        gpus = self.clock.gpus if self.clock.up else 0
        speeds = [(wall, 1000), (gpu, 1000 * gpus), (self._run[3], 1000 * gpus * self.rate)]
        left = [(g.limit - g.spent) / speed for g, speed in speeds if speed and g.limit < NO_LIMIT]
        return max(0.0, min(left)) if left else None
