"""Measure the ledger: commits, lookups, memory and the size of its index.

    python tests/benchmarks/ledger.py [--keys 1000000] [--folder DIR]

Each figure comes from a process of its own, so that memory is that part's alone. The folder should
lie on the disk to be measured; what is written there is removed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mashbill.runtime.ledger import Entry, Ledger
from mashbill.runtime.ledger.compaction import compact_folder
from mashbill.runtime.ledger.marks import Marks
from mashbill.runtime.ledger.portable import export, import_file
from mashbill.runtime.ledger.view import View, survey

PARTS = (
    "put",
    "put-eager",
    "fill",
    "look-up",
    "verify",
    "compact",
    "look-up",
    "verify",
    "travel",
    "gc",
)
PUTTERS = 64
WORDS = [f"word{i * i}" for i in range(400)]


def make(i: int, words: int = 150) -> Entry:
    """An entry with a reply of about 1,100 characters."""
    dice = random.Random(i)
    return Entry(
        key=hashlib.blake2b(b"%d" % i, digest_size=16).digest(),
        text=" ".join(dice.choices(WORDS, k=words)),
        finish="stop",
        prompt_tokens=500,
        completion_tokens=words,
        max_tokens=512,
        seed=i,
        engine="http",
        model="writer",
        time=1.7e9,
        seconds=2.5,
    )


async def put(folder: Path, count: int, window: float) -> None:
    """Commits at 64 putters, each of which waits for its own."""
    entries = [make(i) for i in range(count)]
    with Ledger.open(folder, window=window) as ledger:
        numbers = iter(entries)

        async def putter() -> None:
            for entry in numbers:
                await ledger.put(entry)

        start, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(putter() for _ in range(PUTTERS)))
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(
        f"put, {PUTTERS} putters, window {window * 1000:g} ms: {count / wall:,.0f} a second, "
        f"{cpu / count * 1e6:.0f} us of CPU each"
    )


def fill(folder: Path, count: int) -> None:
    """As many small records as asked, in groups of a thousand."""
    start = time.perf_counter()
    with Ledger.open(folder) as ledger:
        for low in range(0, count, 1000):
            ledger.put_sync(*(make(i, 5) for i in range(low, min(low + 1000, count))))
    wall = time.perf_counter() - start
    stats = Ledger.open(folder, write=False).stats()
    index = sum(p.stat().st_size for p in folder.glob("index/*.run"))
    print(
        f"fill, sealing and merging included: {count / wall:,.0f} a second; "
        f"{stats.segments} segments, {len(list(folder.glob('index/*.run')))} runs, "
        f"{index / count:.2f} index bytes a draw, {stats.bytes / count:.0f} bytes a draw in all; "
        f"{_peak()}"
    )


def look_up(folder: Path, count: int) -> None:
    """Hits and misses in random order, and the memory it takes."""
    indexes = len(list(folder.glob("index/*.run"))) + len(list(folder.glob("packs/*.pack")))
    before = _rss()
    start = time.perf_counter()
    ledger = Ledger.open(folder, write=False)
    opening = time.perf_counter() - start
    after = _rss()
    dice = random.Random(0)
    hits = [
        hashlib.blake2b(b"%d" % dice.randrange(count), digest_size=16).digest()
        for _ in range(100_000)
    ]
    misses = [dice.randbytes(16) for _ in range(100_000)]
    for name, keys in (("hits", hits), ("misses", misses)):
        start, cpu = time.perf_counter(), time.process_time()
        found = sum(ledger.get(key, 512) is not None for key in keys)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        assert found == (len(keys) if name == "hits" else 0)
        print(
            f"get, {name}, {indexes} runs and packs: {len(keys) / wall:,.0f} a second, "
            f"{cpu / len(keys) * 1e6:.1f} us of CPU each"
        )
    print(
        f"open for reading: {opening * 1000:.1f} ms, {after - before:.1f} MB more resident; "
        f"{_rss() - before:.1f} MB after all lookups, mapped index included; {_peak()}"
    )


def compact(folder: Path, count: int) -> None:
    """One pack out of many segments."""
    before = _size(folder)
    start = time.perf_counter()
    compact_folder(folder)
    wall = time.perf_counter() - start
    after = _size(folder)
    print(
        f"compact: {wall:.1f} s, {count / wall:,.0f} draws a second; {before / count:.0f} bytes a"
        f" draw become {after / count:.0f}; {_peak()}"
    )


def travel(folder: Path, count: int) -> None:
    """Export of everything, and import into an empty ledger."""
    file = folder.parent / "export"
    start = time.perf_counter()
    made = export(folder, file)
    out = time.perf_counter() - start
    start = time.perf_counter()
    assert import_file(folder.parent / "other", file).completions == made.completions == count
    back = time.perf_counter() - start
    print(
        f"export: {count / out:,.0f} draws a second, {made.bytes / count:.0f} bytes a draw;"
        f" import: {count / back:,.0f} a second; {_peak()}"
    )


def remove(folder: Path, count: int) -> None:
    """Every other draw, by keys that runs have noted."""
    view = survey(folder, View())
    marks = Marks(view)
    start = time.perf_counter()
    marks.add(make(i, 1).key for i in range(0, count, 2))
    marking = time.perf_counter() - start
    start = time.perf_counter()
    removed = compact_folder(folder, lambda head: head.key in marks)
    wall = time.perf_counter() - start
    assert removed.completions == count // 2
    print(
        f"gc: marking {count / 2 / marking:,.0f} keys a second, removing half in {wall:.1f} s,"
        f" {count / wall:,.0f} draws a second; {_peak()}"
    )


def verify(folder: Path, count: int) -> None:
    """Reading everything."""
    with Ledger.open(folder, write=False) as ledger:
        start = time.perf_counter()
        problems = ledger.verify()
        wall = time.perf_counter() - start
    print(f"verify: {count / wall:,.0f} draws a second, {len(problems)} problems; {_peak()}")


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def _peak() -> str:
    return f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB resident"


def _rss() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Run all parts, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    args = parser.parse_args()
    match args.part:
        case "put":
            asyncio.run(put(args.folder / "put", 10_000, 0.05))
        case "put-eager":
            asyncio.run(put(args.folder / "eager", 10_000, 0.0))
        case "fill":
            fill(args.folder / "fill", args.keys)
        case "look-up":
            look_up(args.folder / "fill", args.keys)
        case "compact":
            compact(args.folder / "fill", args.keys)
        case "verify":
            verify(args.folder / "fill", args.keys)
        case "travel":
            travel(args.folder / "fill", args.keys)
        case "gc":
            remove(args.folder / "fill", args.keys)
        case _:
            folder = Path(tempfile.mkdtemp(dir=args.folder))
            try:
                for part in PARTS:
                    command = [sys.executable, __file__, "--keys", str(args.keys)]
                    command += ["--folder", str(folder), "--part", part]
                    subprocess.run(command, check=True)
            finally:
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
