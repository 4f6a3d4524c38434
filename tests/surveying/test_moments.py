"""Means, slopes and their covariance, held against what repeated sampling really scatters by."""

from __future__ import annotations

import numpy as np
import pytest

from mashbill.runtime.surveying.moments import moments


def covered(draws: int, seed: int, *, clustered: bool = False, lean: bool = False) -> float:
    """Share of samples whose interval for a total holds the population's true one."""
    rng = np.random.default_rng(seed)
    count = 6000
    size = rng.lognormal(6, 1, count)
    cluster = np.arange(count)
    if clustered:
        cluster = np.repeat(np.arange(count // 10), 10)
        size = size * np.exp(rng.normal(0, 0.8, count // 10))[cluster]
    tokens = size * rng.normal(0.25, 0.03, count) + 30
    if lean:  # nothing to do with size
        tokens = rng.lognormal(5, 0.5, count)
    hits = 0
    for _ in range(draws):
        if clustered:
            chosen = rng.choice(count // 10, 40, replace=False)
            place = np.flatnonzero(np.isin(cluster, chosen))
        else:
            place = rng.choice(count, 200, replace=False)
        found = moments({"t": tokens[place]}, size[place], np.ones(len(place)), cluster[place])
        total = count * found.mean[0] + found.slope[0] * (size.sum() - count * found.size)
        spread = count * found.cov[0][0] ** 0.5
        hits += abs(total - tokens.sum()) <= 1.645 * spread
    return hits / draws


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", [{}, {"clustered": True}, {"lean": True}])
def test_intervals_hold_the_truth_as_often_as_they_say(seed: int, kind: dict[str, bool]) -> None:
    low = 0.82 if "clustered" in kind else 0.86  # forty clusters of very unequal size
    assert low <= covered(400, seed, **kind) <= 0.95


def test_weights_undo_an_uneven_draw() -> None:
    """A tenth of the long rows and all of the short ones are drawn: weights make up for it."""
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(300):
        long = rng.random(2000) < 0.3
        value = np.where(long, rng.normal(100, 20, 2000), rng.normal(10, 2, 2000))
        drawn = np.where(long, rng.random(2000) < 0.1, rng.random(2000) < 0.5)
        weight = np.where(long, 10.0, 2.0)[drawn]
        found = moments({"v": value[drawn]}, np.ones(drawn.sum()), weight, np.flatnonzero(drawn))
        hits.append(abs(found.mean[0] - 37) <= 1.645 * found.cov[0][0] ** 0.5)
    assert np.mean(hits) >= 0.85


def test_size_explains_tokens_and_not_what_has_nothing_to_do_with_it() -> None:
    rng = np.random.default_rng(5)
    size = rng.lognormal(6, 1, 500)
    made = moments(
        {"tokens": size / 4, "coin": rng.integers(0, 2, 500)}, size, np.ones(500), np.arange(500)
    )
    assert made.slope[0] == pytest.approx(0.25)
    assert made.cov[0][0] == pytest.approx(0, abs=1e-9)
    assert made.of("coin") == pytest.approx(0.5, abs=0.1)
    assert made.degrees == pytest.approx(499)
    flat = sum(
        moments({"coin": rng.integers(0, 2, 100)}, rng.lognormal(6, 1, 100), np.ones(100),
                np.arange(100)).slope[0] == 0
        for _ in range(200)
    )  # fmt: skip
    assert flat >= 180


def test_outcomes_of_a_row_are_known_to_go_together() -> None:
    calls = np.array([1, 1, 2, 3, 1, 1, 2, 1, 1, 4])
    made = moments({"calls": calls, "reply": calls * 50}, np.ones(10), np.ones(10), np.arange(10))
    assert made.cov[0][1] == pytest.approx(50 * made.cov[0][0])
    assert made.cov[0][0] == pytest.approx(calls.var(ddof=1) / 10)


def test_a_cluster_counts_once() -> None:
    """Ten copies of each of five rows tell as much as the five rows."""
    values = np.array([1.0, 2, 3, 4, 10])
    single = moments({"v": values}, np.ones(5), np.ones(5), np.arange(5))
    copied = moments(
        {"v": np.repeat(values, 10)}, np.ones(50), np.ones(50), np.repeat(np.arange(5), 10)
    )
    assert copied.degrees == pytest.approx(single.degrees) == pytest.approx(4)
    assert copied.cov[0][0] == pytest.approx(single.cov[0][0])


def test_few_rows() -> None:
    none = moments({"v": []}, [], [], [])
    assert (none.rows, none.mean, none.cov) == (0, (0.0,), ((0.0,),))
    one = moments({"v": [3]}, [7], [2], [0])
    assert (one.mean, one.size, one.degrees, one.cov) == ((3.0,), 7.0, 0.0, ((0.0,),))
    seven = moments({"v": range(7)}, range(7), np.ones(7), range(7))
    assert seven.slope == (0.0,)
