"""Disks that are full or read-only, and clocks that jump."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Spine, balance, documents, make_spine

ROWS = 120


def mount(folder: Path, options: str) -> bool:
    """Mount a file system in memory, or change one; False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return (
        shutil.which("mount") is not None
        and not subprocess.run(command, capture_output=True).returncode
    )


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB, for the project's state."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount(folder, "size=400k"):
        pytest.skip("needs leave to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def on_disk(disk: Path, folder: Path, rows: int) -> Spine:
    spine = make_spine(folder, documents(rows), latency="1ms")
    (folder / ".mashbill").rmdir()
    (disk / "state").mkdir()
    (folder / ".mashbill").symlink_to(disk / "state")
    return spine


def test_a_disk_that_fills_up_costs_what_was_in_flight(small: Path, tmp_path: Path) -> None:
    quiet = make_spine(tmp_path / "quiet", documents(ROWS))
    quiet.good_run()
    spine = on_disk(small, tmp_path / "full", ROWS)
    filler = small / "filler"
    filler.write_bytes(b"x" * 240_000)
    said = spine.run()
    assert said.code == 1
    assert said.err.startswith("error: the disk is full"), said.text
    assert "free space and run again" in said.err
    sent = len(spine.sent())
    assert 0 < sent < len(quiet.sent()), "it came as far as that"
    filler.unlink()
    assert mount(small, "remount,size=60m")
    spine.good_run()
    assert spine.shards() == quiet.shards()
    twice = Counter(spine.sent())
    assert twice.total() - len(twice) <= 32, "no more than the engine's slots"


def test_a_disk_that_becomes_read_only(small: Path, tmp_path: Path) -> None:
    spine = on_disk(small, tmp_path / "locked", 20)
    assert mount(small, "remount,ro")
    said = spine.run()
    assert said.code == 1
    assert "Read-only file system" in said.err
    assert spine.sent() == [], "nothing is paid for that could not be kept"
    assert mount(small, "remount,rw")
    spine.good_run()


def test_a_clock_that_jumps_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = make_spine(tmp_path / "quiet", documents(40))
    quiet.good_run()
    spine = make_spine(tmp_path / "jumping", documents(40))
    spine.edit("mix:", "budget: { wall: 10m, requests: 100000 }\nmix:")
    now, rng = time.time(), random.Random(5)
    monkeypatch.setattr(time, "time", lambda: now + rng.uniform(-1e8, 1e8))
    monkeypatch.setattr(time, "time_ns", lambda: int((now + rng.uniform(-1e8, 1e8)) * 1e9))
    spine.good_run()
    balance(spine.last())
    assert spine.shards() == quiet.shards()
    sent = len(spine.sent())
    spine.forget_output()
    spine.good_run()
    assert len(spine.sent()) == sent
    assert spine.shards() == quiet.shards()
