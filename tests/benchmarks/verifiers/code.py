"""Bench of `unit_tests`: MBPP, mutants, hostile programs, and programs a second.

`make bench NAME=verifiers ARGS="code"`; `ARGS="code 300"` takes so many tasks for the mutants,
`ARGS="code all"` all of them. Peers of the speed table run in the same run, turn by turn: a fresh
bubblewrap and interpreter for each program, and a warm interpreter that forks without isolation.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from mashbill.runtime.sandbox import bubblewrap
from mashbill.runtime.sandbox.bite import toothless
from mashbill.runtime.sandbox.isolation import isolation
from mashbill.runtime.sandbox.limits import Limits
from mashbill.runtime.sandbox.mutants import mutants_of, stub_of
from mashbill.runtime.sandbox.pool import Sandboxes
from mashbill.runtime.sandbox.program import Outcome, Program

DATA = Path("/work/shared/data/mbpp.jsonl.gz")
ROOT = Path(__file__).resolve().parents[3]
LONG = 123
"""A task whose reference takes more than 20 s."""
LIMITS = Limits(seconds=10.0)
CORES = 2

T = TypeVar("T")


def run(arguments: list[str]) -> None:
    """Print the tables."""
    if not DATA.exists():
        print(f"no MBPP at {DATA}: nothing to measure")
        return
    if isolation().level != "bubblewrap":
        print(f"no bubblewrap here (V403): {isolation().why}; {isolation().fix}")
        return
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    count = (
        len(rows) if "all" in arguments else next((int(a) for a in arguments if a.isdigit()), 300)
    )
    pool = Sandboxes()
    try:
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
        _references(pool, rows)
        _speed(pool, [r for r in rows if r["task_id"] != LONG])
        _bites(pool, rows[:: max(1, len(rows) // count)][:count])
    finally:
        pool.close()
    _hostile()


def program(row: dict[str, Any], code: str | None = None) -> Program:
    """A task as a program with its tests."""
    setup = row["test_setup_code"] or ""
    return Program("tests", row["code"] if code is None else code, tuple(row["test_list"]), setup)


def both(work: Callable[[Any], T], items: Sequence[Any]) -> list[T]:
    """Results in order, from as many threads as there are cores."""
    made: list[Any] = [None] * len(items)
    left = iter(enumerate(items))
    lock = threading.Lock()

    def serve() -> None:
        while True:
            with lock:
                place, item = next(left, (-1, None))
            if place < 0:
                return
            made[place] = work(item)

    threads = [threading.Thread(target=serve) for _ in range(CORES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made


def _references(pool: Sandboxes, rows: list[dict[str, Any]]) -> None:
    def judged(row: dict[str, Any]) -> Outcome:
        limits = replace(LIMITS, seconds=120.0) if row["task_id"] == LONG else LIMITS
        return pool.run(program(row), limits)

    outcomes = both(judged, rows)
    bad = [(r["task_id"], o.reason) for r, o in zip(rows, outcomes, strict=True) if not o.passed]
    longest = max(zip(outcomes, rows, strict=True), key=lambda pair: pair[0].seconds)
    print(f"MBPP references: {len(rows) - len(bad)} of {len(rows)} pass; not: {bad or 'none'}")
    print(f"  the longest is task {longest[1]['task_id']}: {longest[0].seconds:.1f} s")
    over = sum(o.seconds > 1 for o in outcomes)
    print(f"  timeout 120 s for task {LONG}, {LIMITS.seconds:g} s for others; over 1 s: {over}\n")


def _speed(pool: Sandboxes, rows: list[dict[str, Any]], turns: int = 3, each: int = 100) -> None:
    """Programs a second on two cores, turn by turn."""
    spent: Counter[str] = Counter()
    done: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        peers = {
            "mashbill: warm, in bubblewrap": lambda r: pool.run(program(r), LIMITS).passed,
            "fresh bubblewrap and interpreter": lambda r: _fresh(r, Path(folder)),
        }
        forks = [_Fork() for _ in range(CORES)]
        for turn in range(turns):
            some = rows[turn * each : (turn + 1) * each]
            for name, work in peers.items():
                both(work, some[:CORES])
                began = time.perf_counter()
                good = both(work, some)
                spent[name] += time.perf_counter() - began  # type: ignore[assignment]
                done[name] += sum(good)
            name = "warm fork without isolation"
            began = time.perf_counter()
            done[name] += sum(both(partial(_forked, list(forks)), some))
            spent[name] += time.perf_counter() - began  # type: ignore[assignment]
        for fork in forks:
            fork.close()
    ours = turns * each / spent["mashbill: warm, in bubblewrap"]
    print(f"{'programs a second, two cores':<36}{'per s':>8}{'ours is':>10}{'passed':>10}")
    for name, seconds in spent.items():
        rate = turns * each / seconds
        print(f"{name:<36}{rate:>8.1f}{ours / rate:>9.2f}x{done[name]:>6} of {turns * each}")
    print(f"load: {os.getloadavg()[0]:.1f}\n")


def _fresh(row: dict[str, Any], folder: Path) -> bool:
    """The peer of `existing-tools.md`: all namespaces, limits, `-I -S`, for each program anew."""
    home = Path(tempfile.mkdtemp(dir=folder))
    (home / "main.py").write_text(_source(row), "utf-8")
    python = bubblewrap.interpreter()
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--ro-bind", "/usr"]
    command += ["/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
    for place in bubblewrap.folders():
        command += ["--ro-bind", str(place), str(place)]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", str(home), "/w"]
    limited = 'ulimit -t 10 -v 1000000 -f 100000; exec "$0" "$@"'
    command += ["sh", "-c", limited, str(python), "-I", "-S", "/w/main.py"]
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


def _source(row: dict[str, Any]) -> str:
    return "\n".join([row["code"], row["test_setup_code"] or "", *row["test_list"], ""])


_SERVER = """
import os, resource, struct, sys
import re, math, collections, itertools, functools, heapq, bisect, string, typing, datetime, random
import decimal, fractions, statistics, operator, copy, json, dataclasses, enum, contextlib, io
read, write = os.dup(0), os.dup(1)
while True:
    head = os.read(read, 4)
    if len(head) < 4:
        break
    size, code = struct.unpack("<I", head)[0], b""
    while len(code) < size:
        code += os.read(read, size - len(code))
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
            resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))
            nothing = os.open("/dev/null", os.O_RDWR)
            for fd in range(3):
                os.dup2(nothing, fd)
            exec(compile(code, "main", "exec"), {"__name__": "__main__"})
            status = 0
        finally:
            os._exit(status)
    os.write(write, b"1" if os.waitpid(pid, 0)[1] == 0 else b"0")
"""


class _Fork:
    """A warm interpreter that forks, with limits and no isolation."""

    def __init__(self) -> None:
        python = str(bubblewrap.interpreter())
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [python, "-I", "-S", "-c", _SERVER], stdin=pipe, stdout=pipe
        )

    def run(self, source: str) -> bool:
        """Whether a program ends well."""
        assert self._process.stdin and self._process.stdout
        data = source.encode()
        self._process.stdin.write(len(data).to_bytes(4, "little") + data)
        self._process.stdin.flush()
        return os.read(self._process.stdout.fileno(), 1) == b"1"

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def _forked(free: list[_Fork], row: dict[str, Any]) -> bool:
    fork = free.pop()
    try:
        return fork.run(_source(row))
    finally:
        free.append(fork)


def _bites(pool: Sandboxes, rows: Iterable[dict[str, Any]]) -> None:
    """Mutants by kind, and how many suites bite."""
    tasks = [r for r in rows if r["task_id"] != LONG]
    killed: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()

    def judged(row: dict[str, Any]) -> tuple[str, list[tuple[str, bool]]]:
        outcome = pool.run(program(row), LIMITS)
        known: dict[str, Outcome] = {}

        def tried_(code: str, limits: Limits) -> Outcome:
            if code not in known:
                known[code] = pool.run(program(row, code), limits)
            return known[code]

        verdict = toothless(row["code"], outcome, tried_, LIMITS, 6, 0.5)
        short = replace(LIMITS, seconds=1.0 + 5 * outcome.seconds)
        kinds = [(m.kind, not tried_(m.code, short).passed) for m in mutants_of(row["code"], 6)]
        kinds.append(("stub", not tried_(stub_of(row["code"]), short).passed))
        return verdict.reason if verdict else "bites", kinds

    for verdict, kinds in both(judged, tasks):
        verdicts[verdict] += 1
        for kind, dead in kinds:
            tried[kind] += 1
            killed[kind] += dead
    print(f"suites of {len(tasks)} tasks: " + ", ".join(f"{n} {w}" for w, n in verdicts.items()))
    print(f"{'fault':<14}{'tried':>8}{'fail':>8}{'share':>8}")
    for kind in sorted(tried):
        print(f"{kind:<14}{tried[kind]:>8}{killed[kind]:>8}{killed[kind] / tried[kind]:>8.1%}")
    every = sum(tried.values()) - tried["stub"]
    dead = sum(killed.values()) - killed["stub"]
    print(f"{'all mutants':<14}{every:>8}{dead:>8}{dead / every:>8.1%}\n")


def _hostile() -> None:
    """The hostile suite as the tests run it."""
    tests = ["tests/sandbox/test_hostile.py", "tests/sandbox/test_forgery.py"]
    for test in tests:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", test],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"{test}: {done.stdout.strip().splitlines()[-1]}")
