"""Expected draws and rows, against drawing them at random; and what a plan shows of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mashbill.compiler.draw_costs import ASSUMED_AGREE, drawn_share, let_in, made_share
from mashbill.runtime.voting.tally import Vote

from ..runtime.conftest import Spine
from .conftest import COT, RIGHT, problems, run


def simulated(samples: int, wanted: int, pilot: int, p: float) -> tuple[float, float]:
    """Mean draws and accepted rows of many rows."""
    rng = random.Random(7)
    drawn = kept = 0
    for _ in range(8000):
        ends: list[bool] = []
        goal = wanted
        while len(ends) < samples and (len(ends) < pilot or sum(ends) < goal):
            ends.append(rng.random() < p)
            if len(ends) == pilot:
                goal = max(1, -(-wanted * (pilot - sum(ends)) // pilot))
        drawn += len(ends)
        kept += min(goal, sum(ends))
    return drawn / 8000, kept / 8000


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize(("samples", "wanted", "pilot"), [(8, 1, 0), (16, 4, 0), (16, 4, 4)])
def test_draws_until_enough_are_accepted(samples: int, wanted: int, pilot: int, p: float) -> None:
    until = {"accepted": wanted, "pilot": pilot}
    drawn, kept = simulated(samples, wanted, pilot, p)
    assert drawn_share(until, samples, p) * samples == pytest.approx(drawn, rel=0.03)
    assert made_share(until, samples, p) * samples == pytest.approx(kept, rel=0.03)


@pytest.mark.parametrize("agree", [0.0, 0.5, 0.75])
def test_draws_until_a_vote_is_decided(agree: float) -> None:
    rng, vote, drawn = random.Random(3), Vote(8, agree), 0
    for row in range(4000):
        answers = ["a" if rng.random() < ASSUMED_AGREE else f"{row}.{i}" for i in range(8)]
        ruling = vote.rule(answers)
        assert ruling is not None
        drawn += ruling.draws
    until = {"vote": "answer", "agree": agree, "take": 1, "drop": []}
    assert drawn_share(until, 8, 1.0) * 8 == pytest.approx(drawn / 4000, rel=0.1)


def test_no_stop_draws_all() -> None:
    assert drawn_share(None, 8, 0.5) == 1.0
    assert made_share(None, 8, 0.5) == 0.5


def test_rows_let_in_until_enough_are_accepted() -> None:
    assert let_in(20, 90, 100.0, 0.5) == 0.4
    assert let_in(80, 90, 100.0, 0.5) == 0.9
    assert let_in(5, 9, 0.0, 0.5) == 1.0


def test_a_plan_prices_what_is_likely_and_what_is_the_worst(tmp_path: Path) -> None:
    cot = f"{COT}, checks: {{ right: {RIGHT} }}, until: {{ accepted: 1 }}"
    steps = (
        f"  solved: {{ {cot}, from: docs, samples: 8 }}\n  best: {{ op: select, from: solved }}\n"
    )
    ran = run(tmp_path, steps, problems(50))
    estimates = ran.last()["estimates"]["steps"]
    spending = estimates["solved"]["spending"]
    # One accepted draw takes 1 / p of them: 2.1 on average over the shares that are assumed.
    assert spending["calls"]["value"] == pytest.approx(50 * 2.1, rel=0.1)
    assert spending["calls"]["basis"] == "a"
    assert spending["calls"]["high"] > 2 * spending["calls"]["low"]
    assert spending["worst_calls"]["value"] == 400
    assert estimates["best"]["rows_out"]["value"] == pytest.approx(48, rel=0.05)
    # What the ledger holds is not asked again, and tells how many draws a row took.
    held = Spine(tmp_path).do("plan").out
    assert "The ledger holds about 100% of the calls" in held
