"""The rules by which servers get requests, on a clock that the test turns."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from mashbill.runtime.http.balancer import Balancer
from mashbill.runtime.http.bucket import Bucket
from mashbill.runtime.http.endpoint import LONGEST_PAUSE, Endpoint, Permit
from mashbill.runtime.http.health import FAILURES, FIRST_BACKOFF, LONGEST_BACKOFF, Health
from mashbill.runtime.http.limit import Limit
from mashbill.runtime.requests import Completion, EngineError


def error(kind: str, retry_after: float | None = None) -> EngineError:
    return EngineError(kind, kind, retryable=True, retry_after=retry_after)


def done(tokens: int = 10) -> Completion:
    return Completion("x", "stop", 10, tokens, 99)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def rounds(limit: Limit, count: int, seconds: float, tokens: int = 100) -> None:
    """Full rounds of equal replies."""
    for _ in range(count):
        for _ in range(limit.now):
            limit.sent(limit.now)
        for _ in range(limit.now):
            limit.replied(seconds, tokens)


def refuse(limit: Limit, share: float, count: int = 1) -> None:
    """Full rounds of which a share is refused."""
    for _ in range(count):
        size = limit.now
        numbers = [limit.sent(size) for _ in range(size)]
        for at, number in enumerate(numbers):
            if at < share * size:
                limit.refused(number)
            else:
                limit.replied(0.05, 100)


def test_a_healthy_server_is_never_throttled() -> None:
    limit = Limit(64)
    rounds(limit, 50, 0.05)
    assert limit.now == 64


def test_latency_that_varies_by_chance_or_by_length_is_no_congestion() -> None:
    draw = random.Random(1)
    limit = Limit(64)
    for number in range(20_000):
        limit.sent(64)
        # Fixed latency and any length for a while, then time that goes with length.
        tokens = draw.choice((1, 5, 400))
        seconds = 0.05 if number < 10_000 else 0.02 * (tokens + 3)
        limit.replied(seconds * draw.lognormvariate(0, 0.8), tokens)
        assert limit.now > 48 or 10_000 < number < 12_000
    assert limit.now == 64


def test_a_step_with_other_lengths_is_no_congestion() -> None:
    for before, after in (((0.05, 400), (0.05, 2)), ((8.0, 400), (0.1, 2)), ((0.1, 2), (8.0, 400))):
        limit = Limit(64)
        rounds(limit, 20, *before)
        rounds(limit, 3, *after)
        assert limit.now == 64, (before, after)


def test_a_server_that_turns_slow_gets_less_and_more_again_when_that_is_usual() -> None:
    limit = Limit(64)
    rounds(limit, 20, 1.0)
    rounds(limit, 2, 5.0)
    assert limit.now <= 32
    rounds(limit, 80, 1.0)
    assert limit.now == 64


def test_a_client_that_is_busy_is_no_slow_server() -> None:
    limit = Limit(64)
    rounds(limit, 20, 0.02)
    rounds(limit, 5, 0.2)
    assert limit.now == 64


def test_refusals_shrink_the_limit_by_half_their_share_and_it_grows_back() -> None:
    limit = Limit(64)
    refuse(limit, 1.0)
    assert limit.now == 32
    refuse(limit, 0.5)
    assert limit.now == 24
    rounds(limit, 5, 0.05)
    near = limit.now
    assert 28 <= near <= 32, "slower near the value that was refused"
    rounds(limit, 12, 0.05)
    assert 32 < limit.now < 64
    rounds(limit, 20, 0.05)
    assert limit.now == 64


def test_a_rare_refusal_hardly_counts() -> None:
    limit = Limit(64)
    draw = random.Random(2)
    least = 64
    for _ in range(20_000):
        number = limit.sent(limit.now)
        if draw.random() < 0.02:
            limit.refused(number)
        else:
            limit.replied(0.05, 100)
        least = min(least, limit.now)
    assert least >= 48


def test_refusals_of_one_round_count_once() -> None:
    limit = Limit(64)
    numbers = [limit.sent(64) for _ in range(64)]
    for number in numbers:
        limit.refused(number)
    assert limit.now == 32
    # Late news of requests that were sent before it shrank.
    for number in numbers:
        limit.refused(number)
    assert limit.now == 32


def test_it_never_falls_below_one_or_grows_while_nobody_needs_it() -> None:
    limit = Limit(8)
    refuse(limit, 1.0, 20)
    assert limit.now == 1
    for _ in range(100):
        limit.sent(0)
        limit.replied(0.05, 10)
    assert limit.now == 1


def test_it_finds_what_a_server_bears() -> None:
    limit = Limit(64)
    for _ in range(40):
        refuse(limit, max(0.0, (limit.now - 16) / limit.now))
    assert 12 <= limit.now <= 22


def test_a_bucket_is_even_and_never_over_its_rate() -> None:
    now, taken = 0.0, []
    bucket = Bucket(600, now)  # ten a second
    while now < 60:
        if bucket.wait(1, now):
            now += 0.01
        else:
            bucket.take(1)
            taken.append(now)
    assert len(taken) == pytest.approx(600 + 10, abs=2)
    for second in range(59):
        inside = sum(second <= t < second + 1 for t in taken)
        assert inside <= (21 if second == 0 else 11)


def test_a_bucket_pays_off_what_it_cannot_hold_and_takes_back() -> None:
    bucket = Bucket(600, 0.0)
    assert bucket.wait(50, 0.0) == 0.0
    bucket.take(50)
    assert bucket.wait(1, 0.0) == pytest.approx(4.1)
    bucket.give(40)
    assert bucket.wait(1, 0.0) == pytest.approx(0.1)
    bucket.give(1000)
    bucket.take(10)
    assert bucket.wait(1, 0.0) == pytest.approx(0.1), "no more than it holds is kept"


def test_health_goes_down_probes_and_comes_back() -> None:
    health = Health()
    for _ in range(FAILURES - 1):
        health.failed(0.0, probe=False)
    health.answered()
    for _ in range(FAILURES):
        assert not health.down
        health.failed(0.0, probe=False)
    assert health.down
    assert not health.admits(FIRST_BACKOFF * 0.9)
    assert health.admits(FIRST_BACKOFF)
    assert health.sent()
    assert not health.admits(FIRST_BACKOFF), "one probe at a time"
    health.failed(1.0, probe=False)
    assert health.probing, "older requests say nothing about the probe"
    health.failed(1.0, probe=True)
    assert not health.admits(1.0 + FIRST_BACKOFF)
    assert health.admits(1.0 + 2 * FIRST_BACKOFF)
    for _ in range(20):
        health.sent()
        health.failed(1.0, probe=True)
    assert health.probe_at == 1.0 + LONGEST_BACKOFF
    health.sent()
    health.dropped(probe=True)
    assert health.admits(99.0), "a probe that nobody waits for does not block the next"
    health.sent()
    health.answered()
    assert health.admits(99.0)
    assert not health.sent()


def two(clock: Clock, most: int = 10) -> tuple[Balancer, Endpoint, Endpoint]:
    a, b = Endpoint("http://a", Limit(most)), Endpoint("http://b", Limit(most))
    return Balancer([a, b], clock), a, b


def run_down(endpoint: Endpoint, clock: Clock) -> None:
    for _ in range(FAILURES):
        endpoint.send().failed(error("reset"), clock.now)


def test_equal_beginnings_share_a_server_while_load_allows() -> None:
    async def main() -> None:
        clock = Clock()
        balancer, a, b = two(clock, 100)
        homes = {}
        for at in range(40):
            key = str(at % 4).encode()
            permit = await balancer.enter(key)
            homes.setdefault(key, permit.endpoint)
            assert permit.endpoint is homes[key]
            permit.replied(done(), 0.1)
        assert {id(e) for e in homes.values()} == {id(a), id(b)}, "different ones are spread"
        held = [await balancer.enter(b"same") for _ in range(100)]
        counts = Counter(p.endpoint.address for p in held)
        assert max(counts.values()) <= 63, "a quarter above the average at most"
        assert min(counts.values()) >= 37

    asyncio.run(main())


def test_load_is_relative_to_what_each_server_bears() -> None:
    async def main() -> None:
        clock = Clock()
        balancer, a, _ = two(clock, 40)
        refuse(a.limit, 1.0, 2)
        assert a.limit.now == 10
        held = [await balancer.enter(str(i).encode()) for i in range(50)]
        assert sum(p.endpoint is a for p in held) == 10

    asyncio.run(main())


def test_who_waits_goes_in_order_and_says_how_long() -> None:
    async def main() -> None:
        clock = Clock()
        endpoint = Endpoint("http://a", Limit(1))
        balancer = Balancer([endpoint], clock)
        first = await balancer.enter()
        assert first.waited == 0.0
        order: list[int] = []

        async def later(number: int) -> Permit:
            permit = await balancer.enter()
            order.append(number)
            return permit

        tasks = [asyncio.create_task(later(n)) for n in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        clock.now += 2.5
        first.replied(done(), 0.1)
        balancer.pump()
        second = await tasks[0]
        assert second.waited == 2.5
        second.replied(done(), 0.1)
        balancer.pump()
        await tasks[2]
        assert order == [0, 2]

    asyncio.run(main())


def test_a_permit_for_one_who_left_goes_to_the_next() -> None:
    async def main() -> None:
        clock = Clock()
        endpoint = Endpoint("http://a", Limit(1))
        balancer = Balancer([endpoint], clock)
        first = await balancer.enter()
        tasks = [asyncio.create_task(balancer.enter()) for _ in range(2)]
        await asyncio.sleep(0)
        first.replied(done(), 0.1)
        balancer.pump()  # the first task has its permit now, and has not run yet
        tasks[0].cancel()
        permit = await asyncio.wait_for(tasks[1], 5)
        assert endpoint.in_flight == 1
        permit.replied(done(), 0.1)
        assert endpoint.in_flight == 0

    asyncio.run(main())


def test_a_server_that_is_down_is_left_out_and_probed() -> None:
    async def main() -> None:
        clock = Clock()
        balancer, a, b = two(clock, 100)
        run_down(a, clock)
        for at in range(20):
            permit = await balancer.enter(str(at).encode())
            assert permit.endpoint is b
        clock.now += FIRST_BACKOFF
        probe = await balancer.enter(b"x")
        assert probe.endpoint is a
        assert (await balancer.enter(b"x")).endpoint is b, "one probe at a time"
        probe.replied(done(), 0.1)
        assert {(await balancer.enter(str(at).encode())).endpoint.address for at in range(40)} == {
            "http://a",
            "http://b",
        }
        assert balancer.note() == ""

    asyncio.run(main())


def test_with_all_down_nobody_waits_but_for_a_probe() -> None:
    async def main() -> None:
        clock = Clock()
        balancer, a, b = two(clock)
        run_down(a, clock)
        run_down(b, clock)
        assert balancer.note() == "2 of 2 servers down"
        with pytest.raises(EngineError) as caught:
            await balancer.enter()
        assert (caught.value.kind, caught.value.retryable) == ("connect", True)
        assert caught.value.retry_after == pytest.approx(FIRST_BACKOFF)
        clock.now += FIRST_BACKOFF
        probes = [await balancer.enter(), await balancer.enter()]
        waiting = asyncio.create_task(balancer.enter())
        await asyncio.sleep(0)
        probes[0].failed(error("connect"), clock.now)
        balancer.pump()
        await asyncio.sleep(0)
        assert not waiting.done(), "the other probe may still come back"
        probes[1].failed(error("connect"), clock.now)
        balancer.pump()
        with pytest.raises(EngineError, match="none of 2 servers answers"):
            await waiting
        clock.now += 2 * FIRST_BACKOFF
        probe = await balancer.enter()
        tasks = [asyncio.create_task(balancer.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        probe.replied(done(), 0.1)
        balancer.pump()
        permits = await asyncio.gather(*tasks)
        assert any(p.endpoint is probe.endpoint for p in permits)

    asyncio.run(main())


def test_a_server_that_only_refuses_is_left_alone_as_long_as_it_asks() -> None:
    clock = Clock()
    endpoint = Endpoint("http://a", Limit(4))
    endpoint.send().failed(error("status-429", retry_after=7.0), clock.now)
    assert not endpoint.admits(clock.now + 6.9)
    assert endpoint.admits(clock.now + 7.0)
    endpoint.send().failed(error("status-503", retry_after=1e6), clock.now)
    assert endpoint.admits(clock.now + LONGEST_PAUSE), "and never for long"


def test_a_full_server_is_not_taken_for_a_dead_one() -> None:
    clock = Clock()
    endpoint = Endpoint("http://a", Limit(64))
    for _ in range(2):
        for permit in [endpoint.send() for _ in range(endpoint.limit.now)]:
            permit.failed(error("status-503"), clock.now)
    assert not endpoint.health.down
    for _ in range(40):
        endpoint.send().failed(error("status-503"), clock.now)
    assert endpoint.health.down, "it refuses even one at a time"


def test_one_refusal_among_replies_pauses_only_its_own_request() -> None:
    clock = Clock()
    endpoint = Endpoint("http://a", Limit(4))
    for _ in range(20):
        endpoint.send().replied(done(), 0.1)
    endpoint.send().failed(error("status-429", retry_after=7.0), clock.now)
    assert endpoint.admits(clock.now)
    for _ in range(10):
        endpoint.send().failed(error("status-429", retry_after=7.0), clock.now)
    assert not endpoint.admits(clock.now)


def test_reserved_tokens_are_corrected_by_the_reply() -> None:
    async def main() -> None:
        clock = Clock()
        bucket = Bucket(6000, clock.now)
        balancer = Balancer([Endpoint("http://a", Limit(9))], clock, tokens=bucket)
        permit = await balancer.enter(cost=500.0)
        assert bucket.wait(100, clock.now) == pytest.approx(5.0)
        permit.replied(done(tokens=10), 0.1)
        assert bucket.wait(100, clock.now) == pytest.approx(0.2)
        permit = await balancer.enter(cost=0.0)
        permit.cost = 50.0
        bucket.take(50.0)
        permit.failed(error("connect"), clock.now)
        assert bucket.wait(100, clock.now) == pytest.approx(0.2), "nothing was read or written"

    asyncio.run(main())
