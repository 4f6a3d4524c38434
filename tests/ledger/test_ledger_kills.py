"""SIGKILL at random moments of put, seal, merge, compact, removal and import, in child processes.

After each kill: everything that was reported as committed is found, once; nothing is damaged; and
what the child was at can be done again to its end.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ledger_cases import entry, key

from mashbill.runtime.ledger import Ledger
from mashbill.runtime.ledger.compaction import compact_folder
from mashbill.runtime.ledger.layout import alone
from mashbill.runtime.ledger.portable import export, import_file

CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from ledger_cases import entry, key
from mashbill.runtime.ledger import Ledger, runs
from mashbill.runtime.ledger.compaction import compact_folder
from mashbill.runtime.ledger.layout import alone
from mashbill.runtime.ledger.portable import import_file

def say(word):
    sys.stdout.write(f"{word}\\n")
    sys.stdout.flush()

def put(folder, start):
    with Ledger.open(folder, window=0, seal_bytes=100_000) as ledger:
        for i in range(start, start + 100_000):
            ledger.put_sync(entry(i))
            say(i)

def seal(folder, start):
    for low in range(start, start + 100_000, 3):
        with Ledger.open(folder, window=0, seal_bytes=1) as ledger:
            for i in range(low, low + 3):
                ledger.put_sync(entry(i))
                say(i)

def merge(folder, start):
    runs.FAN_IN, runs._CHUNK = 2, 16
    for low in range(start, start + 100_000, 40):
        with Ledger.open(folder, window=0, seal_bytes=1000) as ledger:
            for i in range(low, low + 40):
                ledger.put_sync(entry(i))
                say(i)

def compact(folder, start):
    for i in range(start, start + 100_000):
        with Ledger.open(folder, window=0) as ledger:
            ledger.put_sync(entry(i))
        say(i)
        compact_folder(folder)

def gc(folder, start):
    odd = {key(i) for i in range(1, 4000, 2)}
    while True:
        with alone(folder):
            compact_folder(folder, lambda head: head.key not in odd)
        with Ledger.open(folder, window=0) as ledger:
            ledger.put_sync(*(entry(i) for i in range(1, 400, 2)))

def bring(folder, start):
    while True:
        import_file(folder, folder.parent / "export")
        with alone(folder):
            compact_folder(folder, lambda head: head.key == key(5_000_000))

say("ready")
globals()[sys.argv[3]](Path(sys.argv[2]), int(sys.argv[4]))
"""
LONGEST = 0.15
"""Seconds until the kill at most: many times what one act of the child takes."""


def kill(kind: str, folder: Path, start: int, dice: random.Random) -> list[int]:
    """Start a child, kill it after a while; the numbers that it reported."""
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", CHILD, here, str(folder), kind, str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(dice.uniform(0, LONGEST))
        child.send_signal(signal.SIGKILL)
        said = child.stdout.read().split("\n")[:-1]
        assert child.wait() == -signal.SIGKILL
    return [int(word) for word in said]


def sound(folder: Path) -> int:
    """How many completions there are, none of them damaged and none twice."""
    with Ledger.open(folder, write=False) as ledger:
        assert ledger.verify() == []
        places = [key for key, *_ in ledger._view.walk()]
        assert len(places) == ledger.stats().completions
        return len(places)


def growing(kind: str, folder: Path, rounds: int, seed: int) -> None:
    """Of what is put, everything reported is there, and at most one more a kill."""
    dice, reported = random.Random(seed), []
    for round_ in range(rounds):
        reported += kill(kind, folder, round_ * 100_000, dice)
        if round_ % 2:
            compact_folder(folder)
        assert len(reported) <= sound(folder) <= len(reported) + round_ + 1
        with Ledger.open(folder, write=bool(round_ % 3)) as ledger:
            assert all(ledger.get(key(i), 64) == entry(i) for i in reported)
    assert reported or rounds < 5


def removing(folder: Path, rounds: int, seed: int) -> None:
    """What is kept is always there; what is removed comes and goes."""
    dice = random.Random(seed)
    for low in range(0, 400, 100):
        with Ledger.open(folder) as ledger:
            ledger.put_sync(*(entry(i) for i in range(low, low + 100)))
    odd = {key(i) for i in range(1, 4000, 2)}
    for _ in range(rounds):
        kill("gc", folder, 0, dice)
        with Ledger.open(folder, write=bool(dice.randrange(2))) as ledger:
            assert ledger.verify() == []
            assert all(ledger.get(key(i), 64) == entry(i) for i in range(0, 400, 2))
        with alone(folder):
            compact_folder(folder, lambda head: head.key not in odd)
        assert sound(folder) == 200


def importing(folder: Path, rounds: int, seed: int) -> None:
    """An import is there as a whole or not at all, and what was there before stays."""
    dice, source = random.Random(seed), folder.parent / "source"
    with Ledger.open(source) as ledger:
        ledger.put_sync(*(entry(i) for i in range(500)))
    export(source, folder.parent / "export")
    with Ledger.open(folder) as ledger:
        ledger.put_sync(entry(5_000_000))
    for _ in range(rounds):
        kill("bring", folder, 0, dice)
        assert sound(folder) in (1, 501)
        import_file(folder, folder.parent / "export")
        assert sound(folder) == 501
        with Ledger.open(folder) as ledger:
            assert ledger.get(key(5_000_000), 64) == entry(5_000_000)
            assert all(ledger.get(key(i), 64) == entry(i) for i in range(500))


def suffer(kind: str, folder: Path, rounds: int, seed: int) -> None:
    match kind:
        case "gc":
            removing(folder, rounds, seed)
        case "bring":
            importing(folder, rounds, seed)
        case _:
            growing(kind, folder, rounds, seed)


KINDS = ("put", "seal", "merge", "compact", "gc", "bring")


@pytest.mark.parametrize("kind", KINDS)
def test_kills(tmp_path: Path, kind: str) -> None:
    suffer(kind, tmp_path / "ledger", 5, 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_kills(tmp_path: Path, kind: str) -> None:
    suffer(kind, tmp_path / "ledger", 60, 2)
