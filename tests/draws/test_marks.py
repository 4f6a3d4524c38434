"""Marks say what is through: merged over writers, and never before the rows they speak of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import polars as pl

from mashbill.runtime.account import Account
from mashbill.runtime.channels import END, Inbox, Mark, Outlets
from mashbill.runtime.gather import Gathered, GatherStage
from mashbill.runtime.outcome import Outcome
from mashbill.runtime.refill import Refill
from mashbill.runtime.rows import ORDER
from mashbill.runtime.stages import RowStage, ScanStage


def frame(*orders: int) -> pl.DataFrame:
    return pl.DataFrame(
        {ORDER: list(orders), "_id": [str(o) for o in orders], "text": ["t"] * len(orders)},
        schema_overrides={ORDER: pl.Int64},
    )


async def read(inbox: Inbox, into: list[Any] | None = None) -> list[Any]:
    """All that comes: marks, and the orders of frames."""
    found = [] if into is None else into
    while (item := await inbox.next()) is not None:
        found.append(item if isinstance(item, Mark) else item[ORDER].to_list())
    return found


def test_a_mark_holds_once_all_writers_of_its_lane_have_sent_it() -> None:
    async def run() -> list[Any]:
        inbox, one, two, three = Inbox(), Outlets(), Outlets(), Outlets()
        one.join("", inbox, {0, 1})
        two.join("rejected", inbox, {0})
        three.join("", inbox)

        async def write() -> None:
            await one.put("", frame(1, 2))
            await one.mark(Mark(0, 2))
            await three.put("", frame(9))
            await two.put("rejected", frame(1))
            await two.mark(Mark(0, 1))
            await two.mark(Mark(1, 7))  # a lane that it has not said it would bring
            await one.mark(Mark(1, 5))
            await two.mark(Mark(0, 2))
            for outlets in (two, three, one):
                await outlets.end()

        _, found = await asyncio.gather(write(), read(inbox))
        return found

    assert asyncio.run(run()) == [
        [1, 2], [9], [1], Mark(0, 1), Mark(1, 5), Mark(0, 2), Mark(0, END), Mark(1, END),
    ]  # fmt: skip


def test_those_who_do_not_go_by_marks_see_none() -> None:
    async def run() -> list[int]:
        inbox, outlets = Inbox(), Outlets()
        outlets.join("", inbox, {0})
        for item in (Mark(0, 0), Mark(0, 1)):
            await outlets.mark(item)
        await outlets.put("", frame(5))
        found = await inbox.get()
        assert found is not None
        return list(found[ORDER])

    assert asyncio.run(run()) == [5]


class Slow:
    """Lets rows go as it is told."""

    def __init__(self) -> None:
        self.gates: dict[int, asyncio.Event] = {}

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        await self.gates.setdefault(row[ORDER], asyncio.Event()).wait()
        return (Outcome("out", (row,)),)


def test_a_mark_waits_for_the_rows_before_it_in_whatever_order_they_finish() -> None:
    async def run() -> list[Any]:
        slow, out = Slow(), Inbox()
        stage = RowStage("s", Account(), slow, {}, 10, lambda *_: None)
        stage.outlets.join("", out, {0})
        into = Outlets()
        into.join("", stage.inbox, {0})
        found: list[Any] = []

        async def writer() -> None:
            await into.put("", frame(0, 1))
            await into.mark(Mark(0, 1))
            await into.put("", frame(2))
            await into.mark(Mark(0, 2))
            while len(slow.gates) < 3:
                await asyncio.sleep(0.001)
            slow.gates[2].set()
            slow.gates[1].set()
            while not any(1 in f for f in found if isinstance(f, list)):
                await asyncio.sleep(0.001)
            assert not any(isinstance(f, Mark) for f in found)
            slow.gates[0].set()
            await into.end()

        await asyncio.gather(stage.run(), read(out, found), writer())
        return found

    found = asyncio.run(run())
    rows = [i for f in found if isinstance(f, list) for i in f]
    assert sorted(rows) == [0, 1, 2]
    marks = [f for f in found if isinstance(f, Mark)]
    assert marks == [Mark(0, 1), Mark(0, 2), Mark(0, END)]
    assert found.index(Mark(0, 1)) > max(i for i, f in enumerate(found) if f in ([0], [0, 1]))


def test_a_source_sends_marks_only_where_somebody_goes_by_them() -> None:
    async def run(lanes: set[int]) -> list[Any]:
        inbox = Inbox()
        stage = ScanStage(Account(), lambda: [frame(*range(2500)), frame(9000)], lane=3)
        stage.outlets.join("", inbox, lanes)
        _, found = await asyncio.gather(stage.run(), read(inbox))
        return [len(f) if isinstance(f, list) else f for f in found]

    assert asyncio.run(run(set())) == [2500, 1]
    assert asyncio.run(run({3})) == [
        1024, Mark(3, 1023), 1024, Mark(3, 2047), 452, Mark(3, 2499), 1, Mark(3, 9000),
        Mark(3, END),
    ]  # fmt: skip


def test_what_gathers_holds_no_more_than_is_under_way() -> None:
    settled: list[list[int]] = []

    def kernel(rows: pl.DataFrame, holes: Any) -> Gathered:
        settled.append(sorted(rows[ORDER].to_list()))
        none = rows.clear()
        return Gathered(rows, none.with_columns(_reason=pl.lit("")), none, none, frozenset())

    async def run() -> None:
        stage = GatherStage("g", Account(), kernel)
        into, one = Outlets(), 1 << 56
        into.join("", stage.inbox, {0, 1})

        async def write() -> None:
            await into.put("", frame(0, one, 1))
            await into.mark(Mark(0, 0))
            await into.put("", frame(1, 2, one + 1))
            await into.mark(Mark(1, one))
            await into.mark(Mark(0, 1))
            await into.end()

        await asyncio.gather(stage.run(), write())
        assert stage.account.out == 6 and stage.account.pending == 0

    asyncio.run(run())
    assert settled == [[0], [1 << 56], [1, 1], [2], [(1 << 56) + 1]]


def test_no_more_is_let_in_than_may_still_be_needed() -> None:
    async def run() -> list[int]:
        refill = Refill(-1, wanted=3, candidates=10)
        rooms = [await refill.room()]
        assert refill.let_in([5, 2, 9]) == Mark(-1, 3)
        assert refill.through(2) == {5, 2}
        refill.settle({5, 2}, {2}, ())
        rooms.append(await refill.room())
        refill.let_in([7])
        assert refill.through(4) == {9, 7}
        refill.settle({9, 7}, (), {9})  # one waits, and keeps its place
        rooms.append(await refill.room())
        refill.let_in([8])
        refill.settle(refill.through(END), {8}, ())
        rooms.append(await refill.room())
        return rooms

    assert asyncio.run(run()) == [3, 1, 1, 0]
