"""Two processes on one ledger: what one has under way or has answered, the other does not pay."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from ledger_cases import entry, key

from mashbill.runtime.ledger import Ledger
from mashbill.runtime.ledger import claims as claims_module
from mashbill.runtime.ledger.claims import SLOTS, Claims

CHILD = """
import asyncio, os, random, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from ledger_cases import entry, key
from mashbill.runtime.ledger import Ledger

folder, name, count = Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
journal = os.open(folder.parent / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
dice = random.Random(name)

async def one(ledger, slots, i):
    while True:
        async with slots:
            found = ledger.get(key(i), 64) or ledger.claim(key(i), 64)
            if found is True:
                try:
                    os.write(journal, f"{name} {i}\\n".encode())
                    await asyncio.sleep(dice.uniform(0.001, 0.02))
                    await ledger.put(entry(i))
                finally:
                    ledger.release(key(i))
                return
            if found:
                assert found == entry(i)
                return
        await asyncio.sleep(dice.uniform(0.02, 0.08))

async def main():
    with Ledger.open(folder, window=0.002) as ledger:
        print("ready", flush=True)
        sys.stdin.readline()
        slots = asyncio.Semaphore(8)
        await asyncio.gather(*(one(ledger, slots, i) for i in range(count)))
    print("done", flush=True)

asyncio.run(main())
"""


def start(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", CHILD, here, str(folder), name, str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()


def end(child: subprocess.Popen[str]) -> None:
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 0 and out.endswith("done\n"), out


def paid(folder: Path) -> Counter[str]:
    return Counter(line.split()[1] for line in (folder.parent / "journal").read_text().splitlines())


def test_two_runs_at_once_share_the_work(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    children = [start(folder, name, 400) for name in "ab"]
    for child in children:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
    for child in children:
        go(child)
    for child in children:
        end(child)
    found = paid(folder)
    assert set(found) == {str(i) for i in range(400)}
    assert found.total() == 400, "something was paid for twice"
    names = {line[0] for line in (tmp_path / "journal").read_text().splitlines()}
    assert names == {"a", "b"}, "both have worked"
    assert not list(folder.glob("claims/*"))


def test_what_a_killed_process_had_under_way_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    first, second = start(folder, "a", 300), start(folder, "b", 300)
    for child in (first, second):
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
    go(first)
    while not (tmp_path / "journal").exists() or paid(folder).total() < 60:
        time.sleep(0.002)
    go(second)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    end(second)
    found = paid(folder)
    assert set(found) == {str(i) for i in range(300)}
    assert found.total() - 300 <= 8, "no more than it had under way"
    with Ledger.open(folder) as ledger:
        assert all(ledger.get(key(i), 64) == entry(i) for i in range(300))
        assert ledger.claim(key(999), 64) is True
        assert len(list(folder.glob("claims/*"))) == 1, "the dead one's file is gone"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are looked for every time, and nothing lingers."""
    monkeypatch.setattr(claims_module, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(claims_module, "LINGER_SECONDS", 0.0)


@pytest.mark.usefixtures("at_once")
def test_at_most_one_has_a_key(tmp_path: Path) -> None:
    dice = random.Random(5)
    sides = [Claims(tmp_path) for _ in range(3)]
    owner: dict[int, int] = {}
    for side in sides:
        side.take(b"first-of-" + bytes(7))
    for _ in range(3000):
        who, what = dice.randrange(3), dice.randrange(6)
        if dice.random() < 0.6:
            assert sides[who].take(key(what)) == (owner.get(what, who) == who)
            owner.setdefault(what, who)
        elif owner.get(what) == who:
            sides[who].give_back(key(what))
            sides[who].give_back(key(what))  # twice does no harm
            sides[who].take(key(100 + who))  # frees what lingers
            sides[who].give_back(key(100 + who))
            del owner[what]
    for side in sides:
        side.close()
    assert not list((tmp_path / "claims").iterdir())


def test_a_key_lingers_until_others_have_seen_its_record(tmp_path: Path) -> None:
    one, two = Claims(tmp_path), Claims(tmp_path)
    assert one.take(key(1))
    one.give_back(key(1))
    assert not two.take(key(1))
    assert one.take(key(1)), "whoever had it may try again"
    one.close()
    two.close()


def test_what_another_answered_before_it_ended_is_found_for_every_key(tmp_path: Path) -> None:
    """Who asks for a second key after the other's end has looked at the folder for the first."""
    with Ledger.open(tmp_path / "ledger") as two:
        with Ledger.open(tmp_path / "ledger") as one:
            for i in range(3):
                assert one.claim(key(i), 64) is True
                assert two.claim(key(i), 64) is False
            one.put_sync(*map(entry, range(3)))
            for i in range(3):
                one.release(key(i))
        for i in range(3):
            assert two.claim(key(i), 64) == entry(i)


def test_more_than_there_are_slots_are_sent_unclaimed(tmp_path: Path) -> None:
    one = Claims(tmp_path)
    assert all(one.take(key(i)) for i in range(SLOTS + 10))
    one.give_back(key(0))
    assert one.take(key(SLOTS + 20)), "what lingers makes room"
    one.close()


def test_a_full_disk_stops_nobody(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger") as ledger:
        (tmp_path / "ledger/claims").write_text("in the way")
        assert ledger.claim(key(1), 64) is True
        ledger.release(key(1))
