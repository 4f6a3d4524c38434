"""SIGKILL at random moments: nothing lost, the same bytes, only what was under way paid twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from .conftest import Spine, documents, make_spine

SLOTS = 32


def kill_when(spine: Spine, sends: int) -> bool:
    """Kill a run once it has sent so many requests; False if it ended before."""
    process = spine.start()
    begun = len(spine.sent())
    while len(spine.sent()) - begun < sends:
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return True


def check_kills(tmp_path: Path, kills: int, rows: int) -> Counter[str]:
    quiet = make_spine(tmp_path / "quiet", documents(rows))
    quiet.good_run()
    wanted = quiet.shards()
    needed = len(quiet.sent())
    rng = random.Random(20261122)
    killed: Counter[str] = Counter()
    spine = make_spine(tmp_path / "killed", documents(rows), latency="50ms")
    share = needed // (kills + 1)
    for _ in range(kills):
        if not kill_when(spine, rng.randint(1, max(share, 1))):
            break
        killed["kills"] += 1
    spine.good_run()
    assert killed["kills"] == kills, "the run ended before all kills; raise `rows`"
    assert spine.shards() == wanted
    counts = Counter(spine.sent())
    assert set(counts) == set(Counter(quiet.sent())), "requests were lost or invented"
    killed["needed"] = needed
    killed["paid twice"] = counts.total() - len(counts)
    # A request is under way until its completion is durable: never more than the slots.
    assert killed["paid twice"] <= kills * SLOTS
    before = len(spine.sent())
    spine.good_run()
    for shard in spine.folder.glob("out/spine/train-*"):
        shard.unlink()
    spine.good_run()
    assert len(spine.sent()) == before, "an unchanged rerun sent requests"
    assert spine.shards() == wanted
    return killed


def test_three_kills(tmp_path: Path) -> None:
    check_kills(tmp_path, kills=3, rows=50)


@pytest.mark.slow
def test_twenty_kills(tmp_path: Path) -> None:
    print(dict(check_kills(tmp_path, kills=20, rows=1500)))
