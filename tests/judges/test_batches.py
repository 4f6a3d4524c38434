"""What waits together goes together, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mashbill.runtime.requests import EngineError
from mashbill.runtime.scoring.batches import Batches


def test_what_waits_is_the_next_batch() -> None:
    seen: list[list[int]] = []

    async def run(batch: Sequence[int]) -> list[int]:
        seen.append(list(batch))
        await asyncio.sleep(0.001)
        return [n * n for n in batch]

    async def main() -> list[int]:
        batches: Batches[int, int] = Batches(run, 4)
        return list(await asyncio.gather(*(batches.ask(n) for n in range(10))))

    assert asyncio.run(main()) == [n * n for n in range(10)]
    assert [len(batch) for batch in seen] == [4, 4, 2]


def test_a_batch_that_fails_fails_alone() -> None:
    async def run(batch: Sequence[int]) -> list[int]:
        if 0 in batch:
            raise EngineError("failed", "no", retryable=True)
        return list(batch)

    async def main() -> list[int | BaseException]:
        batches: Batches[int, int] = Batches(run, 2)
        asks = (batches.ask(n) for n in range(4))
        return list(await asyncio.gather(*asks, return_exceptions=True))

    first, second, *rest = asyncio.run(main())
    assert isinstance(first, EngineError)
    assert isinstance(second, EngineError)
    assert rest == [2, 3]


def test_who_is_gone_is_not_asked_about() -> None:
    seen: list[list[int]] = []
    gate = asyncio.Event()

    async def run(batch: Sequence[int]) -> list[int]:
        seen.append(list(batch))
        await gate.wait()
        return list(batch)

    async def main() -> int:
        batches: Batches[int, int] = Batches(run, 1)
        asks = [asyncio.ensure_future(batches.ask(n)) for n in range(3)]
        while not seen:
            await asyncio.sleep(0)
        asks[1].cancel()
        await asyncio.sleep(0)
        gate.set()
        return await asks[2]

    assert asyncio.run(main()) == 2
    assert seen == [[0], [2]]


def test_closing_cancels_what_waits() -> None:
    async def run(_: Sequence[int]) -> list[int]:
        await asyncio.Event().wait()
        raise AssertionError

    async def main() -> list[int | BaseException]:
        batches: Batches[int, int] = Batches(run, 1)
        asks = [asyncio.ensure_future(batches.ask(n)) for n in range(2)]
        await asyncio.sleep(0.001)
        await batches.close()
        return list(await asyncio.gather(*asks, return_exceptions=True))

    found = asyncio.run(main())
    assert all(isinstance(f, asyncio.CancelledError) for f in found)


def test_after_a_pause_it_starts_anew() -> None:
    async def run(batch: Sequence[int]) -> list[int]:
        return list(batch)

    async def main() -> int:
        batches: Batches[int, int] = Batches(run, 2)
        first = await batches.ask(1)
        return first + await batches.ask(2)

    assert asyncio.run(main()) == 3
