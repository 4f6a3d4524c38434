"""Caps hold to the token, under concurrency and faults, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import pytest

from mashbill.runtime.budget import Exhausted, NoPurse, Purse, is_lost
from mashbill.runtime.budget.amounts import PICO, Price
from mashbill.runtime.budget.carried import Carry
from mashbill.runtime.budget.deadline import Deadline
from mashbill.runtime.requests import Completion

from .simulation import run_trial
from .virtual import StuckError, run_virtually

PRICE = Price.of({"input": 0.40, "output": 1.60, "cached_input": 0.10, "per": 1_000_000})


def reply(tokens: int, prompt: int = 10, cached: int = 0) -> Completion:
    """A reply of so many tokens."""
    return Completion("", "stop", prompt, tokens, 1000, cached_tokens=cached)


def purse_of(caps: Mapping[str, int], **more: object) -> Purse:
    """A purse with caps, and a price for `writer`."""
    return Purse(caps, {"writer": PRICE}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("block", range(5))
def test_random_budgets_are_reached_and_never_overshot(block: int) -> None:
    told = {
        seed: problems
        for seed in range(10 * block, 10 * block + 10)
        if (problems := list(run_trial(seed).problems()))
    }
    assert told == {}


def test_the_virtual_loop_knows_a_deadlock() -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StuckError):
        run_virtually(wait())


def test_what_does_not_fit_is_refused_with_the_cap_that_is_in_the_way() -> None:
    async def work() -> None:
        purse = purse_of({"budget.tokens": 1000, "budget.steps.book.requests": 1})
        with pytest.raises(Exhausted) as found:
            await purse.reserve("book", "writer", 10, 1001)
        assert (found.value.cap, found.value.step) == ("budget.tokens", None)
        purse.settle(await purse.reserve("book", "writer", 10, 100), reply(100))
        with pytest.raises(Exhausted) as found:
            await purse.reserve("book", "writer", 10, 100)
        assert (found.value.cap, found.value.step) == ("budget.steps.book.requests", "book")
        await purse.reserve("other", "writer", 10, 900)  # the cap of one step binds no other

    run_virtually(work())


def test_who_waits_goes_on_when_others_settle_for_less() -> None:
    async def work() -> None:
        purse = purse_of({"budget.tokens": 1000})
        first = await purse.reserve("book", "writer", 10, 1000)
        second = asyncio.create_task(purse.reserve("book", "writer", 10, 600))
        await asyncio.sleep(1)
        assert not second.done() and purse.waiting == 1
        purse.settle(first, reply(400))
        assert (await second).open and purse.waiting == 0
        purse.settle(await second, reply(600))
        assert purse.gauges["budget.tokens"].spent == 1000

    run_virtually(work())


def test_first_come_first_served_and_a_small_one_does_not_slip_past() -> None:
    async def work() -> None:
        purse = purse_of({"budget.tokens": 1000})
        first = await purse.reserve("book", "writer", 10, 800)
        large = asyncio.create_task(purse.reserve("book", "writer", 10, 900))
        await asyncio.sleep(0)
        small = asyncio.create_task(purse.reserve("book", "writer", 10, 50))
        await asyncio.sleep(1)
        assert not small.done(), "there is room for it, but others came first"
        purse.settle(first, reply(60))
        await asyncio.gather(large)
        assert not small.done()  # 60 + 900 + 50 is too much
        purse.settle(large.result(), reply(900))
        with pytest.raises(Exhausted):
            await small

    run_virtually(work())


def test_a_small_one_passes_once_the_first_is_refused() -> None:
    async def work() -> None:
        purse = purse_of({"budget.tokens": 1000})
        first = await purse.reserve("book", "writer", 10, 800)
        large = asyncio.create_task(purse.reserve("book", "writer", 10, 900))
        await asyncio.sleep(0)
        small = asyncio.create_task(purse.reserve("book", "writer", 10, 50))
        await asyncio.sleep(0)
        purse.settle(first, reply(700))
        with pytest.raises(Exhausted):
            await large
        assert (await small).open

    run_virtually(work())


def test_a_step_at_its_cap_holds_no_other_step_up() -> None:
    async def work() -> None:
        purse = purse_of({"budget.tokens": 10_000, "budget.steps.book.tokens": 100})
        await purse.reserve("book", "writer", 10, 100)
        waits = asyncio.create_task(purse.reserve("book", "writer", 10, 100))
        await asyncio.sleep(0)
        assert (await purse.reserve("other", "writer", 10, 100)).open
        assert not waits.done()
        waits.cancel()

    run_virtually(work())


def test_one_that_gives_up_lets_those_behind_it_go() -> None:
    async def work() -> None:
        purse = purse_of({"budget.tokens": 1000})
        await purse.reserve("book", "writer", 10, 500)
        large = asyncio.create_task(purse.reserve("book", "writer", 10, 900))
        await asyncio.sleep(0)
        small = asyncio.create_task(purse.reserve("book", "writer", 10, 400))
        await asyncio.sleep(0)
        large.cancel()
        assert (await small).open
        assert purse.gauges["budget.tokens"].taken == 900
        assert purse.waiting == 0

    run_virtually(work())


def test_one_that_is_cancelled_as_it_is_let_in_leaves_nothing_behind() -> None:
    async def work() -> None:
        purse = purse_of({"budget.tokens": 1000})
        first = await purse.reserve("book", "writer", 10, 1000)
        second = asyncio.create_task(purse.reserve("book", "writer", 10, 600))
        third = asyncio.create_task(purse.reserve("book", "writer", 10, 900))
        await asyncio.sleep(0)
        purse.settle(first, reply(0))  # lets the second in …
        second.cancel()  # … which is gone before it hears of it
        with suppress(asyncio.CancelledError):
            await second
        assert (await third).open
        assert purse.gauges["budget.tokens"].taken == 900
        assert purse.gauges["budget.requests"].spent == 1

    run_virtually(work())


@pytest.mark.parametrize(
    ("completion", "lost", "used"),
    [
        (reply(50, 10), False, (1, 10, 50, 10 * 400_000 + 50 * 1_600_000)),
        (reply(50, 10, 4), False, (1, 10, 50, 6 * 400_000 + 4 * 100_000 + 50 * 1_600_000)),
        (None, True, (1, 30, 100, 30 * 400_000 + 100 * 1_600_000)),
        (None, False, (1, 0, 0, 0)),
    ],
)
def test_what_a_request_settles_at(
    completion: Completion | None, lost: bool, used: tuple[int, ...]
) -> None:
    async def work() -> None:
        purse = purse_of({"budget.usd": PICO})
        reservation = await purse.reserve("book", "writer", 30, 100)
        purse.settle(reservation, completion, lost=lost)
        purse.settle(reservation, reply(77))  # once is enough
        for kind, amount in zip(("requests", "input_tokens", "tokens", "usd"), used, strict=True):
            assert purse.gauges[f"budget.{kind}"].spent == amount
            assert purse.gauges[f"budget.steps.book.{kind}"].taken == amount

    run_virtually(work())


@pytest.mark.parametrize(
    "kind", ["timeout", "reset", "half-reply", "bad-reply", "crash", "filtered"]
)
def test_a_request_that_may_have_been_served_is_lost(kind: str) -> None:
    assert is_lost(kind)


@pytest.mark.parametrize("kind", ["status-429", "status-500", "status-503", "connect", "overlong"])
def test_a_request_that_was_turned_away_is_not(kind: str) -> None:
    assert not is_lost(kind)


def test_a_million_small_sums_of_money_add_up() -> None:
    price = Price.of({"input": 0.07, "output": 0.33, "cached_input": None, "per": 1_000_000})
    assert price == Price(70_000, 330_000, 70_000)
    assert price.used(10**6, 0, 0) * 10**6 == 70_000 * PICO
    thirds = Price.of({"input": 0.1, "output": 0.1, "cached_input": 0.1, "per": 3_000_000})
    assert thirds.input == 33_334, "what is no whole number is rounded up, never down"


def test_an_engine_that_breaks_its_limit_is_told_as_overshoot() -> None:
    async def work() -> None:
        purse = purse_of({"budget.tokens": 100})
        purse.settle(await purse.reserve("book", "writer", 10, 100), reply(130))
        assert purse.overshoot == {"budget.tokens": 30}

    run_virtually(work())


def test_what_earlier_runs_spent_counts() -> None:
    async def work() -> None:
        carry = Carry({"budget.tokens": 950, "budget.steps.book.tokens": 950}, ("r-0004",))
        purse = purse_of({"budget.tokens": 1000}, carry=carry)
        with pytest.raises(Exhausted, match=r"950 carried from r-0004"):
            await purse.reserve("book", "writer", 10, 60)
        assert (await purse.reserve("book", "writer", 10, 50)).open

    run_virtually(work())


def test_a_deadline_stops_admission_and_those_who_wait() -> None:
    async def work() -> None:
        clock = Deadline(1, asyncio.get_running_loop().time)
        purse = purse_of({"budget.wall": 5_000, "budget.tokens": 100}, clock=clock)
        assert purse.seconds_left() == pytest.approx(5.0)
        first = await purse.reserve("book", "writer", 10, 100)
        waits = asyncio.create_task(purse.reserve("book", "writer", 10, 100))
        await asyncio.sleep(6)
        purse.settle(first, reply(0))
        with pytest.raises(Exhausted) as found:
            await waits
        assert found.value.cap == "budget.wall"
        with pytest.raises(Exhausted):
            await purse.reserve("book", "writer", 10, 1)
        assert purse.overshoot == {"budget.wall": 1_000}
        assert purse.seconds_left() == 0.0

    run_virtually(work())


def test_gpu_hours_pass_while_an_engine_of_ours_is_up_and_cost_money() -> None:
    async def work() -> None:
        clock = Deadline(2, asyncio.get_running_loop().time)
        purse = purse_of(
            {"budget.gpu_hours": 3_600_000, "budget.usd": 2 * PICO}, clock=clock, rate=10**6
        )
        clock.engine_up("http")
        await asyncio.sleep(1000)
        assert clock.gpu() == 0 and purse.seconds_left() is None
        clock.engine_up("vllm")
        clock.engine_up("local")
        await asyncio.sleep(500)
        clock.engine_down("vllm")
        assert clock.gpu() == 1_000_000
        assert purse.seconds_left() == pytest.approx(500)  # $1 of $2 is gone, at $1 in 500 s
        await asyncio.sleep(500)
        clock.engine_down("local")
        await asyncio.sleep(1000)
        assert clock.gpu() == 2_000_000
        with pytest.raises(Exhausted) as found:
            await purse.reserve("book", "writer", 1, 1)
        assert found.value.cap == "budget.usd"

    run_virtually(work())


def test_a_run_without_caps_admits_all() -> None:
    async def work() -> None:
        purse = NoPurse()
        reservation = await purse.reserve("book", "writer", 10**9, 10**9)
        purse.settle(reservation, reply(10**9))
        purse.release(reservation)
        purse.close()
        assert purse.seconds_left() is None and not purse.overshoot

    run_virtually(work())
