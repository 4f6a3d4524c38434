"""Caps count over the runs of a data set, killed ones too, until it is done."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from mashbill.runtime.budget import Purse, carried
from mashbill.runtime.budget.carried import SPENT, write_spent
from mashbill.runtime.requests import Completion
from mashbill.runtime.runs import new_run

from .killed import CAPS, LIMIT, PRICE, WORKERS
from .virtual import run_virtually

ROOT = Path(__file__).parents[2]


def past(state: Path, status: str | None, spent: Mapping[str, int], recipe: str = "edu") -> str:
    """A run that was; without a status it was killed. Its id."""
    run = new_run(state)
    write_spent(run, recipe, spent, status is not None)
    if status:
        run.write("record.json", {"status": status, "recipe": {"name": recipe}})
    return run.id


def test_runs_since_the_last_one_that_was_done_count(tmp_path: Path) -> None:
    past(tmp_path, "paused", {"budget.tokens": 1})
    past(tmp_path, "done", {"budget.tokens": 10})
    paused = past(tmp_path, "paused", {"budget.tokens": 100, "budget.usd": 5})
    past(tmp_path, "paused", {"budget.tokens": 1000}, recipe="another")
    killed = past(tmp_path, None, {"budget.tokens": 10_000, "budget.steps.book.tokens": 7})
    failed = past(tmp_path, "failed", {"budget.tokens": 100_000})
    past(tmp_path, "paused", {"budget.tokens": 0})
    own = past(tmp_path, None, {"budget.tokens": 10**9})
    carry = carried(tmp_path, "edu", own)
    assert carry.runs == (paused, killed, failed)
    assert carry.spent == {
        "budget.tokens": 110_100,
        "budget.usd": 5,
        "budget.steps.book.tokens": 7,
    }


NO_FILES = (
    "",
    "{",
    "[]",
    '{"mashbill_spent": 2, "recipe": "edu", "spent": {"budget.usd": 1}}',
    '{"mashbill_spent": 1, "recipe": "edu", "spent": {"budget.usd": "1"}}',
)


@pytest.mark.parametrize("text", NO_FILES)
def test_a_file_that_is_none_counts_nothing(tmp_path: Path, text: str) -> None:
    (new_run(tmp_path).path / SPENT).write_text(text)
    assert not carried(tmp_path, "edu", "r-0009").spent


def test_the_mark_is_ahead_of_use_and_the_end_is_exact(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    marks: list[dict[str, int]] = []

    def save(spent: Mapping[str, int], exact: bool) -> None:
        marks.append(dict(spent))
        write_spent(folder, "edu", spent, exact)

    async def work() -> None:
        purse = Purse(CAPS, {"writer": PRICE}, save=save)
        for _ in range(300):
            reservation = await purse.reserve("book", "writer", 200, LIMIT)
            for path, gauge in purse.gauges.items():
                assert gauge.taken <= marks[-1][path], "taken before it was permitted"
                assert marks[-1][path] <= gauge.limit
            purse.settle(reservation, Completion("", "stop", 150, 100, LIMIT))
        purse.close()

    run_virtually(work())
    assert len(marks) < 60, "permission is taken in strides"
    made = json.loads((folder.path / SPENT).read_text())
    assert made["exact"] and made["spent"]["budget.tokens"] == 30_000
    assert made["spent"]["budget.requests"] == 300
    assert made["spent"]["budget.steps.book.usd"] == 300 * PRICE.used(150, 0, 100)


def test_a_disk_that_refuses_leaves_the_purse_as_it_was(tmp_path: Path) -> None:
    async def work() -> None:
        def refuse(spent: Mapping[str, int], exact: bool) -> None:
            raise OSError(28, "No space left on device")

        purse = Purse(CAPS, {"writer": PRICE}, save=refuse)
        with pytest.raises(OSError, match="No space left"):
            await purse.reserve("book", "writer", 200, LIMIT)
        assert purse.gauges["budget.tokens"].taken == 0
        purse.save = partial(write_spent, new_run(tmp_path), "edu")
        assert (await purse.reserve("book", "writer", 200, LIMIT)).open

    run_virtually(work())


def go(state: Path, seed: int, kill: str, at: int) -> subprocess.CompletedProcess[str]:
    """A run in a process of its own."""
    command = [sys.executable, "-m", "tests.budget.killed", str(state), str(seed), kill, str(at)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_runs_that_are_killed_overshoot_nothing_together(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    kills = [("request", dice.randint(1, 250)), ("write", dice.randint(2, 25)), ("request", 3)]
    dice.shuffle(kills)
    for number, (kill, at) in enumerate(kills):
        killed = go(tmp_path, number, kill, at)
        assert killed.returncode == -9, killed.stderr
    ended = go(tmp_path, len(kills), "none", 0)
    assert ended.returncode == 0, ended.stderr
    assert "budget." in ended.stdout and "carried from r-0001 to r-0003" in ended.stdout
    bill = [tuple(map(int, line.split())) for line in (tmp_path / "bill").read_text().splitlines()]
    tokens = sum(made for _, made in bill)
    dollars = sum(PRICE.used(sent, 0, made) for sent, made in bill)
    assert tokens <= CAPS["budget.tokens"]
    assert dollars <= CAPS["budget.steps.book.usd"]
    # Each kill may forget what was in flight at its worst, and a stride of a 50th.
    lost = len(kills) * (WORKERS * LIMIT + CAPS["budget.tokens"] // 50 + LIMIT)
    worst = len(kills) * (WORKERS + 1) * PRICE.worst(200, LIMIT)
    stride = len(kills) * CAPS["budget.steps.book.usd"] // 50
    assert tokens >= CAPS["budget.tokens"] - lost - LIMIT or dollars >= CAPS[
        "budget.steps.book.usd"
    ] - worst - stride - PRICE.worst(200, LIMIT)
    last = carried(tmp_path, "edu", "r-0009")
    assert last.spent["budget.tokens"] >= tokens
