"""Putting and getting, sealing and merging."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_cases import entry, key

from mashbill.runtime.ledger import Entry, Ledger, LedgerError, key_of
from mashbill.runtime.ledger import runs as runs_module
from mashbill.runtime.ledger.commit import GROUP_BYTES
from mashbill.runtime.ledger.segments import SEAL_RECORDS
from mashbill.runtime.ledger.view import tidy
from mashbill.runtime.requests import Completion, Message, Request, Sampling


def runs_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("index/*.run"))


def test_an_entry_comes_back_as_it_was(tmp_path: Path) -> None:
    whole = Entry(
        key=key(1),
        text="  Ünï \ud800 \0 🥃\n" * 3000,
        finish="length",
        prompt_tokens=10,
        completion_tokens=2**32 - 1,
        max_tokens=64,
        seed=-(2**70),
        engine="http",
        model="hf://a/b",
        time=1.7e9 + 0.125,
        seconds=0.1,
        extra={"thinking": "höm \udfff", "": ""},
    )
    with Ledger.open(tmp_path) as ledger:
        ledger.put_sync(whole)
        assert ledger.get(whole.key, 64) == whole
    with Ledger.open(tmp_path, write=False) as ledger:
        assert ledger.get(whole.key, 64) == whole
        assert ledger.get(key(2), 64) is None


def test_an_entry_is_made_of_request_and_completion() -> None:
    request = Request("m", (Message("user", "hi"),), Sampling(), seed=5)
    completion = Completion("yo", "stop", 3, 2, 512, {"thinking": "hm"})
    made = Entry.of(request, completion, engine="fake", model="x", seconds=0.5)
    assert made.key == key_of(request)
    assert (made.seed, made.engine, made.model, made.seconds) == (5, "fake", "x", 0.5)
    assert made.time > 1.7e9
    assert made.completion == completion


def test_a_finished_reply_serves_any_limit_that_it_fits(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.put_sync(entry(1, completion_tokens=10, max_tokens=64))
        assert ledger.get(key(1), 10) and ledger.get(key(1), 64) and ledger.get(key(1), 10**6)
        assert ledger.get(key(1), 9) is None


def test_a_truncated_reply_serves_its_own_limit(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        cut = entry(1, text="cut", finish="length", completion_tokens=16, max_tokens=16)
        ledger.put_sync(cut)
        assert ledger.get(key(1), 16) == cut
        assert ledger.get(key(1), 15) is None
        assert ledger.get(key(1), 17) is None
        whole = entry(1, text="whole", completion_tokens=40, max_tokens=64)
        ledger.put_sync(whole)
        assert ledger.get(key(1), 16) == cut
        assert ledger.get(key(1), 64) == whole
        assert ledger.get(key(1), 20) is None


def test_the_first_committed_wins_across_segments(tmp_path: Path) -> None:
    # The segment that began first commits its reply last.
    with Ledger.open(tmp_path) as early, Ledger.open(tmp_path) as late:
        early.put_sync(entry(0))
        late.put_sync(entry(1, text="first"))
        early.put_sync(entry(1, text="second"))
        late.refresh()
        early.refresh()
        for ledger in (early, late):
            found = ledger.get(key(1), 64)
            assert found is not None and found.text == "first"
    with Ledger.open(tmp_path) as ledger:
        ledger.put_sync(entry(1, text="third"))
        ledger.compact()
        found = ledger.get(key(1), 64)
        assert found is not None and found.text == "first"
        assert ledger.stats().completions == 4


def test_put_returns_once_the_record_is_found(tmp_path: Path) -> None:
    async def run() -> None:
        with Ledger.open(tmp_path, window=0.005) as ledger:

            async def put(i: int) -> None:
                await ledger.put(entry(i))
                assert ledger.get(key(i), 64) == entry(i)

            await asyncio.gather(*map(put, range(200)))

    asyncio.run(run())


def test_a_group_is_one_write_and_one_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger.open(tmp_path, window=0.2) as ledger:
        ledger.put_sync(entry(0))
        order: list[str] = []
        write, sync = os.pwrite, os.fsync

        def pwrite(*args: Any) -> int:
            order.append("write")
            return int(write(*args))

        def fsync(fd: int) -> None:
            order.append("fsync")
            sync(fd)

        async def run() -> None:
            await asyncio.gather(*(ledger.put(entry(i)) for i in range(1, 65)))

        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", pwrite)
            patch.setattr(os, "fsync", fsync)
            asyncio.run(run())
        assert order == ["write", "fsync"]


def test_a_full_group_does_not_wait(tmp_path: Path) -> None:
    # Random digits compress to half, so these make two groups; an hour's window sends none off.
    noise = random.Random(1)
    big = [entry(i, text=noise.randbytes(GROUP_BYTES // 16).hex()) for i in range(33)]

    async def run() -> None:
        ledger = Ledger.open(tmp_path, window=3600)
        tasks = [asyncio.create_task(ledger.put(one)) for one in big]
        async with asyncio.timeout(60):
            done = asyncio.as_completed(tasks)
            for _ in range(16):
                await next(done)
        ledger.close()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_giving_up_on_a_put_does_not_undo_it(tmp_path: Path) -> None:
    async def run() -> None:
        with Ledger.open(tmp_path) as ledger:
            task = asyncio.create_task(ledger.put(entry(1)))
            await asyncio.sleep(0)
            task.cancel()
            await ledger.put(entry(2))
            assert ledger.get(key(1), 64) == entry(1)
            assert ledger.get(key(2), 64) == entry(2)

    asyncio.run(run())


def test_close_commits_what_waits(tmp_path: Path) -> None:
    async def run() -> None:
        ledger = Ledger.open(tmp_path, window=3600)
        task = asyncio.create_task(ledger.put(entry(1)))
        await asyncio.sleep(0)
        ledger.close()
        await task

    asyncio.run(run())
    with Ledger.open(tmp_path, write=False) as ledger:
        assert ledger.get(key(1), 64) == entry(1)


def test_segments_are_sealed_and_runs_merged_as_it_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_module, "_CHUNK", 64)  # several key ranges a merge
    with Ledger.open(tmp_path, seal_bytes=2000, window=0) as ledger:
        for i in range(600):
            ledger.put_sync(entry(i))
        stats = ledger.stats()
        assert stats.segments > 25
        assert len(runs_of(tmp_path)) < 20
        assert [ledger.get(key(i), 64) for i in range(600)] == [entry(i) for i in range(600)]
    for write in (True, False):
        with Ledger.open(tmp_path, write=write) as ledger:
            asks = [(key(i), 64) for i in reversed(range(-5, 600))]
            found = [entry(i) if i >= 0 else None for i in reversed(range(-5, 600))]
            assert ledger.get_many(asks) == found
            assert (ledger.stats().completions, ledger.stats().prompt_tokens) == (600, 1800)
            assert ledger.stats().completion_tokens == 3000
            assert ledger.verify() == []
    tidy(tmp_path, compact=True)
    with Ledger.open(tmp_path) as ledger:
        (run,) = runs_of(tmp_path)
        table = 100 * ledger.stats().segments
        assert 24 * 600 <= run.stat().st_size <= 24 * 600 + table + 100
        assert ledger.get_many([(key(i), 64) for i in range(600)]) == [entry(i) for i in range(600)]


class OfSize(runs_module.Run):
    """A run that only knows how many entries it has."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count


@pytest.mark.parametrize("size", [1, 1000, SEAL_RECORDS - 1, SEAL_RECORDS + 900, 4 * SEAL_RECORDS])
def test_runs_of_any_size_are_merged_before_they_are_many(size: int) -> None:
    limit = 1 << 22
    runs: list[int] = []
    merged = 0
    for _ in range(400):
        runs.append(size)
        if chosen := runs_module.crowded(map(OfSize, runs), limit=limit):
            taken = [len(run) for run in chosen]
            assert len(taken) >= runs_module.FAN_IN
            for count in taken:
                runs.remove(count)
            runs.append(sum(taken))
            merged += sum(taken)
    assert sum(runs) == 400 * size
    assert len(runs) <= runs_module.MANY + 1
    assert merged <= 40 * 400 * size, "each entry is written anew a few times"


def test_a_ledger_of_many_runs_merges_them_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fan_in = runs_module.FAN_IN
    monkeypatch.setattr(runs_module, "FAN_IN", 100)  # as one that died before it merged
    for i in range(10):
        with Ledger.open(tmp_path, window=0) as ledger:
            ledger.put_sync(*(entry(n) for n in range(10 * i, 10 * i + 10)))
    assert len(runs_of(tmp_path)) == 10
    monkeypatch.setattr(runs_module, "FAN_IN", fan_in)
    reader = Ledger.open(tmp_path, write=False)  # it goes on with the runs that it has mapped
    with Ledger.open(tmp_path) as ledger:
        assert len(runs_of(tmp_path)) == 1
        assert [ledger.get(key(i), 64) for i in range(100)] == [entry(i) for i in range(100)]
        assert ledger.verify() == []
    assert [reader.get(key(i), 64) for i in range(100)] == [entry(i) for i in range(100)]
    reader.close()


def test_an_index_that_is_lost_or_damaged_is_made_again(tmp_path: Path) -> None:
    for start in (0, 10, 20):
        with Ledger.open(tmp_path) as ledger:
            ledger.put_sync(*(entry(i) for i in range(start, start + 10)))
    tidy(tmp_path, compact=True)
    (run,) = runs_of(tmp_path)
    good = run.read_bytes()
    for bad in (None, b"", good[:30], good[:-5], b"x" + good[1:], good + b"x"):
        if bad is None:
            run.unlink(missing_ok=True)
        else:
            for path in runs_of(tmp_path):
                path.unlink()
            run.write_bytes(bad)
            with Ledger.open(tmp_path, write=False) as ledger:
                assert ledger.get(key(3), 64) == entry(3)
                assert [p.file for p in ledger.verify()] == [run]
        with Ledger.open(tmp_path) as ledger:
            assert ledger.stats().completions == 30
            assert all(ledger.get(key(i), 64) == entry(i) for i in range(30))
            assert ledger.verify() == []


def test_a_merge_that_was_killed_leaves_nothing_twice(tmp_path: Path) -> None:
    for i in range(3):
        with Ledger.open(tmp_path) as ledger:
            ledger.put_sync(entry(i))
    kept = {path: path.read_bytes() for path in runs_of(tmp_path)}
    tidy(tmp_path, compact=True)
    for path, data in kept.items():
        path.write_bytes(data)  # as if it had died before removing them
    with Ledger.open(tmp_path, write=False) as ledger:
        assert ledger.stats().completions == 3
        assert ledger.verify() == []
    with Ledger.open(tmp_path) as ledger:
        assert len(runs_of(tmp_path)) == 1
        assert all(ledger.get(key(i), 64) == entry(i) for i in range(3))


def test_reading_changes_nothing(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "none", write=False) as ledger:
        assert ledger.get(key(1), 64) is None
        assert ledger.stats().completions == 0
        with pytest.raises(ValueError, match="for reading"):
            ledger.put_sync(entry(1))
    assert not (tmp_path / "none").exists()


def test_what_no_record_can_hold_is_refused_alone(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        for bad in (
            entry(1, key=b"short"),
            entry(1, prompt_tokens=-1),
            entry(1, completion_tokens=2**32),
            entry(1, finish="error"),
        ):
            with pytest.raises(ValueError, match=r"16 bytes|between 0|finishes by"):
                ledger.put_sync(bad)
        ledger.put_sync(entry(2))
        assert ledger.stats().completions == 1
    with pytest.raises(ValueError, match="closed"):
        ledger.put_sync(entry(3))
    ledger.close()
    with pytest.raises(ValueError, match="closed"):
        ledger.get(key(2), 64)


def test_another_format_says_so(tmp_path: Path) -> None:
    from mashbill.runtime.ledger.segments import header_of

    with Ledger.open(tmp_path) as ledger:
        ledger.put_sync(entry(1))
    (segment,) = tmp_path.glob("segments/*/*.seg")
    segment.write_bytes(header_of(2) + segment.read_bytes()[16:])
    for run in runs_of(tmp_path):
        run.unlink()
    with pytest.raises(LedgerError, match="pip install -U mashbill"):
        Ledger.open(tmp_path)


replies = st.builds(
    entry,
    st.integers(0, 5),
    text=st.text(max_size=20),
    finish=st.sampled_from(["stop", "length"]),
    completion_tokens=st.integers(0, 4),
    max_tokens=st.integers(1, 4),
)
steps = st.lists(
    st.lists(replies, max_size=4) | st.sampled_from(["reopen", "refresh", "compact"]), max_size=12
)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_it_agrees_with_a_list(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("model")
    model: list[Entry] = []
    ledger = Ledger.open(folder, window=0, seal_bytes=300)
    reader = Ledger.open(folder, write=False)
    for step in steps:
        if step == "reopen":
            ledger.close()
            ledger = Ledger.open(folder, window=0, seal_bytes=300)
        elif step == "refresh":
            reader.refresh()
        elif step == "compact":
            ledger.compact()
        else:
            ledger.put_sync(*step)
            model += step
        for i in range(6):
            for asked in range(6):
                usable = [
                    e
                    for e in model
                    if e.key == key(i)
                    and (
                        e.max_tokens == asked
                        or (e.finish == "stop" and e.completion_tokens <= asked)
                    )
                ]
                assert ledger.get(key(i), asked) == (usable[0] if usable else None)
    reader.refresh()
    for one in (ledger, reader):
        assert one.stats().completions == len(model)
        assert one.stats().completion_tokens == sum(e.completion_tokens for e in model)
    ledger.close()
    assert Ledger.open(folder, write=False).verify() == []
