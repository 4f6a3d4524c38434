"""Kills, full disks, flipped bits, and several writers at once."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ledger_cases import entry, key

from mashbill.runtime.ledger import Ledger

WRITER = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from ledger_cases import entry
from mashbill.runtime.ledger import Ledger

async def main(folder, start, count):
    ledger = Ledger.open(Path(folder), window=0.001, seal_bytes=6000)
    print("open", flush=True)
    async def put(i):
        await ledger.put(entry(i))
        sys.stdout.write(f"{i}\\n")
        sys.stdout.flush()
    numbers = iter(range(start, start + count))
    async def worker():
        for i in numbers:
            await put(i)
    await asyncio.gather(*(worker() for _ in range(16)))
    ledger.close()

asyncio.run(main(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


def start_writer(folder: Path, start: int, count: int) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, here, str(folder), str(start), str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def segments_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("segments/*/*.seg"))


def abandon(ledger: Ledger) -> None:
    """What a kill leaves: the segment unsealed, its lock gone."""
    assert ledger._own is not None
    ledger._own.close()


def test_kills_lose_nothing_that_was_committed(tmp_path: Path) -> None:
    dice = random.Random(7)
    reported: set[int] = set()
    for round_ in range(15):
        start = round_ * 100_000
        child = start_writer(tmp_path, start, 100_000)
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        for _ in range(dice.randrange(0, 250)):
            reported.add(int(child.stdout.readline()))
        child.send_signal(signal.SIGKILL)
        # The pipe holds what was reported before the kill; a last line may be cut short.
        rest = child.stdout.read().split("\n")[:-1]
        reported |= {int(line) for line in rest}
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
        with Ledger.open(tmp_path, write=round_ % 2 == 0) as ledger:
            assert ledger.verify() == []
            for i in reported:
                assert ledger.get(key(i), 64) == entry(i)
    assert len(reported) > 500
    with Ledger.open(tmp_path) as ledger:
        # What was in flight may be there too, 16 a kill at most; nothing else is.
        assert len(reported) <= ledger.stats().completions <= len(reported) + 15 * 16
        assert not ledger._view.tables


def test_every_cut_of_a_segment_is_a_torn_tail(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "whole")
    ends = []
    for i in range(3):
        ledger.put_sync(entry(i))
        ends.append(segments_of(tmp_path / "whole")[0].stat().st_size)
    abandon(ledger)
    for cut in [*range(0, ends[0] + 40, 3), *range(ends[1] - 5, ends[2] + 1)]:
        folder = tmp_path / str(cut)
        shutil.copytree(tmp_path / "whole", folder)
        (segment,) = segments_of(folder)
        os.truncate(segment, cut)
        whole = sum(end <= cut for end in ends)
        for write in (False, True, False):
            with Ledger.open(folder, write=write) as opened:
                found = [opened.get(key(i), 64) for i in range(3)]
                assert found == [entry(i) if i < whole else None for i in range(3)]
                assert opened.stats().completions == whole
                header_cut = cut < 16
                assert len(opened.verify()) == header_cut
        assert segment.stat().st_size == cut


def test_zeros_after_a_power_cut_are_a_torn_tail(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    ledger.put_sync(entry(1))
    abandon(ledger)
    (segment,) = segments_of(tmp_path)
    os.truncate(segment, segment.stat().st_size + 5000)
    with Ledger.open(tmp_path) as opened:
        assert opened.get(key(1), 64) == entry(1)
        assert opened.verify() == []


@pytest.mark.parametrize("sealed", [True, False])
def test_flipped_bits_are_found_and_never_returned(tmp_path: Path, sealed: bool) -> None:
    dice = random.Random(3)
    ledger = Ledger.open(tmp_path)
    ledger.put_sync(*(entry(i) for i in range(20)))
    if sealed:
        ledger.close()
    else:
        abandon(ledger)
    (segment,) = segments_of(tmp_path)
    good = segment.read_bytes()
    for _ in range(150):
        bad = bytearray(good)
        at = dice.randrange(len(good))
        bad[at] ^= 1 << dice.randrange(8)
        segment.write_bytes(bad)
        with Ledger.open(tmp_path, write=False) as opened:
            found = [opened.get(key(i), 64) for i in range(20)]
            lost = [i for i, e in enumerate(found) if e is None]
            assert [e for e in found if e] == [entry(i) for i in range(20) if i not in lost]
            assert len(lost) == (0 if at < 16 else 1)
            problems = opened.verify()
            assert len(problems) == 1
            assert problems[0].file == segment
            assert problems[0].offset <= at


def test_damage_does_not_hide_what_follows(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    ledger.put_sync(*(entry(i) for i in range(20)))
    abandon(ledger)
    (segment,) = segments_of(tmp_path)
    data = bytearray(segment.read_bytes())
    data[200:400] = random.Random(1).randbytes(200)
    segment.write_bytes(data)
    with Ledger.open(tmp_path) as opened:  # seals it, damage and all
        found = [opened.get(key(i), 64) for i in range(20)]
        assert found[0] == entry(0)
        assert found[10:] == [entry(i) for i in range(10, 20)]
        assert opened.stats().completions == sum(e is not None for e in found)
        assert any("damaged" in str(p) for p in opened.verify())


def test_a_flipped_bit_in_an_index_is_found(tmp_path: Path) -> None:
    dice = random.Random(5)
    with Ledger.open(tmp_path) as ledger:
        ledger.put_sync(*(entry(i) for i in range(20)))
    (run,) = tmp_path.glob("index/*.run")
    good = run.read_bytes()
    for _ in range(100):
        bad = bytearray(good)
        bad[dice.randrange(len(good))] ^= 1 << dice.randrange(8)
        run.write_bytes(bad)
        with Ledger.open(tmp_path, write=False) as opened:
            assert all(opened.get(key(i), 64) in (entry(i), None) for i in range(20))
            assert run in [p.file for p in opened.verify()]


def test_missing_and_shortened_segments_are_found(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.put_sync(entry(1), entry(2))
    (segment,) = segments_of(tmp_path)
    os.truncate(segment, segment.stat().st_size - 3)
    with Ledger.open(tmp_path, write=False) as opened:
        assert opened.get(key(1), 64) == entry(1)
        assert opened.get(key(2), 64) is None
        assert any("missing at the end" in str(p) for p in opened.verify())
    segment.unlink()
    with Ledger.open(tmp_path) as opened:
        assert opened.get(key(1), 64) is None
        (problem,) = opened.verify()
        assert "missing, with 2 completions" in str(problem)


def test_a_living_writer_is_read_and_not_sealed(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as writer:
        writer.put_sync(entry(1))
        with Ledger.open(tmp_path) as other:
            assert other.get(key(1), 64) == entry(1)
            assert not list(tmp_path.glob("index/*.run"))
            writer.put_sync(entry(2))
            assert other.get(key(2), 64) is None
            other.refresh()
            assert other.get(key(2), 64) == entry(2)
            assert other.stats().completions == 2
            writer.close()
            other.refresh()
            assert other.stats().completions == 2
            assert other.get(key(2), 64) == entry(2)
    assert len(list(tmp_path.glob("index/*.run"))) == 1


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    children = [start_writer(tmp_path, start, 400) for start in (0, 300)]
    reported = [[int(line) for line in (c.stdout or []) if line != "open\n"] for c in children]
    assert [c.wait() for c in children] == [0, 0]
    for child in children:
        assert child.stdout is not None
        child.stdout.close()
    assert [sorted(r) for r in reported] == [list(range(400)), list(range(300, 700))]
    with Ledger.open(tmp_path) as ledger:
        assert ledger.stats().completions == 800
        assert all(ledger.get(key(i), 64) == entry(i) for i in range(700))
        assert ledger.verify() == []


def test_many_open_a_killed_ledger_at_once(tmp_path: Path) -> None:
    for i in range(6):
        ledger = Ledger.open(tmp_path)
        ledger.put_sync(entry(i))
        abandon(ledger)
        for run in tmp_path.glob("index/*.run"):
            run.unlink()
    children = [start_writer(tmp_path, 100 * n, 10) for n in range(1, 5)]
    assert [c.communicate() and c.returncode for c in children] == [0] * 4
    with Ledger.open(tmp_path) as ledger:
        assert ledger.stats().completions == 6 + 40
        assert all(ledger.get(key(i), 64) == entry(i) for i in range(6))
        assert ledger.verify() == []


def test_a_write_that_fails_half_way_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def full(fd: int, data: Any, offset: int) -> int:
        if len(data) > 100:
            return real(fd, data[:100], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    async def put_three(ledger: Ledger) -> list[BaseException | None]:
        return await asyncio.gather(
            *(ledger.put(entry(i)) for i in (1, 2, 3)), return_exceptions=True
        )

    with Ledger.open(tmp_path) as ledger:
        ledger.put_sync(entry(0))
        (segment,) = segments_of(tmp_path)
        before = segment.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            failed = asyncio.run(put_three(ledger))
        assert [type(f) for f in failed] == [OSError] * 3
        assert segment.read_bytes() == before
        assert ledger.get(key(0), 64) == entry(0)
        assert ledger.get(key(1), 64) is None
        assert asyncio.run(put_three(ledger)) == [None] * 3
        assert all(ledger.get(key(i), 64) == entry(i) for i in range(4))
    with Ledger.open(tmp_path) as ledger:
        assert ledger.stats().completions == 4
        assert ledger.verify() == []


def test_an_index_that_cannot_be_written_is_left_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    from mashbill.runtime.ledger import ledger as ledger_module
    from mashbill.runtime.ledger import view as view_module

    with monkeypatch.context() as patch:
        patch.setattr(ledger_module, "seal", full)
        patch.setattr(view_module, "seal", full)
        with Ledger.open(tmp_path, seal_bytes=500, window=0) as ledger:
            for i in range(30):
                ledger.put_sync(entry(i))
            assert all(ledger.get(key(i), 64) == entry(i) for i in range(30))
            assert ledger.stats().completions == 30
        with Ledger.open(tmp_path) as ledger:
            assert all(ledger.get(key(i), 64) == entry(i) for i in range(30))
    with Ledger.open(tmp_path) as ledger:
        assert not ledger._view.tables
        assert all(ledger.get(key(i), 64) == entry(i) for i in range(30))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_loses_nothing_and_passes(small_disk: Path) -> None:
    folder = small_disk / "ledger"
    noise = random.Random(2)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(700_000))
    kept = []
    with Ledger.open(folder) as ledger:
        for i in range(1000):
            one = entry(i, text=noise.randbytes(4000).hex())
            try:
                ledger.put_sync(one)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                break
            kept.append(one)
        assert 10 < len(kept) < 200
        assert [ledger.get(e.key, 64) for e in kept] == kept
        assert ledger.verify() == []
        with Ledger.open(folder) as other:
            assert other.get(kept[0].key, 64) == kept[0]
        ballast.unlink()
        kept.append(entry(2000))
        ledger.put_sync(kept[-1])
        assert [ledger.get(e.key, 64) for e in kept] == kept
    with Ledger.open(folder) as ledger:
        assert ledger.stats().completions == len(kept)
        assert [ledger.get(e.key, 64) for e in kept] == kept
        assert ledger.verify() == []
