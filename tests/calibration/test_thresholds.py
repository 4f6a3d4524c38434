"""Thresholds: chosen for precision, and judged on rows that they were not chosen on."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.runtime.calibration.by import parse_by
from mashbill.runtime.calibration.figures import Judged
from mashbill.runtime.calibration.labelled import CalibrationError, Example
from mashbill.runtime.calibration.rates import Rate
from mashbill.runtime.calibration.thresholds import choose, folds_of, keeps_by_evidence


def scored(*pairs: tuple[float | None, bool], groups: Sequence[str] = ()) -> list[Judged]:
    return [
        Judged(
            Example(i + 1, {}, good, (), groups[i] if groups else str(i)),
            True,
            "",
            {} if score is None else {"score": score},
        )
        for i, (score, good) in enumerate(pairs)
    ]


def noise(count: int, shift: float, seed: int = 1) -> list[Judged]:
    """Good rows score higher by `shift` standard deviations."""
    rng = random.Random(seed)
    return scored(*((rng.gauss(shift * (i % 2), 1), bool(i % 2)) for i in range(count)))


def test_it_keeps_most_good_rows_at_the_wanted_precision() -> None:
    rows = scored((0.1, False), (0.3, True), (0.4, False), (0.5, True), (0.7, True), (0.9, True))
    sign, keeps = keeps_by_evidence(rows, "score")
    assert sign == ">="
    choice = choose("score >=", rows, keeps, wanted=1.0)
    assert (choice.best.at, choice.met) == (0.5, True)
    assert (choice.best.phi, choice.best.psi) == (Rate(3, 4), Rate(0, 2))
    assert choose("score >=", rows, keeps, wanted=0.8).best.at == 0.3


def test_the_share_of_wrong_rows_moves_it() -> None:
    rows = scored((0.2, False), (0.3, True), (0.4, False), (0.5, True))
    _, keeps = keeps_by_evidence(rows, "score", ">=")
    assert choose("s", rows, keeps, wanted=0.7, wrong=0.1).best.at == 0.3
    assert choose("s", rows, keeps, wanted=0.7, wrong=0.8).best.at == 0.5


def test_the_direction_is_found_or_said() -> None:
    rows = scored((3.0, False), (2.0, True), (1.0, True))
    assert keeps_by_evidence(rows, "score")[0] == "<="
    sign, keeps = keeps_by_evidence(rows, "score", ">=")
    assert (sign, keeps[2.0]) == (">=", [True, True, False])


def test_a_row_without_the_number_keeps_its_verdict() -> None:
    rows = scored((0.2, False), (None, True), (0.8, True))
    _, keeps = keeps_by_evidence(rows, "score", ">=")
    assert keeps[0.8] == [False, True, True]


def test_where_none_is_precise_enough_the_most_precise_is_told() -> None:
    rows = scored((0.5, True), (0.5, False), (0.1, False), (0.9, False), (0.9, True), (0.9, True))
    _, keeps = keeps_by_evidence(rows, "score", ">=")
    choice = choose("score", rows, keeps, wanted=0.99)
    assert not choice.met and choice.best.at == 0.9


def test_noise_is_not_taken_for_a_threshold() -> None:
    """With 200 values to choose from some look good; rows held out tell what they are worth."""
    rows = noise(400, 0.0)
    _, keeps = keeps_by_evidence(rows, "score", ">=")
    choice = choose("score", rows, keeps, wanted=0.6)
    held = choice.held_out.precision(choice.wrong)
    assert choice.met
    assert held is not None and held < 0.6


def test_what_is_held_out_is_near_what_is_true() -> None:
    rows, fresh = noise(1000, 2.0), noise(4000, 2.0, seed=2)
    _, keeps = keeps_by_evidence(rows, "score", ">=")
    choice = choose("score", rows, keeps, wanted=0.9)
    kept = [one for one in fresh if one.evidence["score"] >= choice.best.at]
    truly = sum(one.example.good for one in kept) / len(kept)
    held = choice.held_out.precision(choice.wrong)
    assert held == pytest.approx(truly, abs=0.03)
    assert choice.held_out.phi.of + choice.held_out.psi.of == len(rows)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.booleans()), min_size=8, max_size=40))
def test_rows_of_a_group_share_a_fold(rows: list[tuple[str, bool]]) -> None:
    judged = scored(*((0.5, good) for _, good in rows), groups=[group for group, _ in rows])
    folds = folds_of(judged)
    assert len({(g, f) for (g, _), f in zip(rows, folds, strict=True)}) == len({g for g, _ in rows})
    assert set(folds) <= set(range(5))


def test_copies_in_one_group_cannot_vouch_for_each_other() -> None:
    """Ten copies of each row: apart they would be found again in the folds that choose."""
    rng = random.Random(3)
    base = [(rng.gauss(0, 1), bool(i % 2)) for i in range(40)]
    pairs = [pair for pair in base for _ in range(10)]
    groups = [str(i // 10) for i in range(400)]

    def held(groups: Sequence[str]) -> float:
        rows = scored(*pairs, groups=groups)
        _, keeps = keeps_by_evidence(rows, "score", ">=")
        return choose("s", rows, keeps, wanted=0.65).held_out.precision(0.5) or 0.0

    assert held(groups) < held(())


@pytest.mark.parametrize(
    ("text", "name", "sign", "values"),
    [
        ("numbers", "numbers", None, ()),
        ("score>=", "score", ">=", ()),
        ("ratio <=", "ratio", "<=", ()),
        ("numbers=0.5,60%", "numbers", None, (0.5, 0.6)),
        ("min=0:1:0.25", "min", None, (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("min=0.3:0.6:0.1", "min", None, (0.3, 0.4, 0.5, 0.6)),
    ],
)
def test_what_it_is_of(text: str, name: str, sign: str | None, values: tuple[float, ...]) -> None:
    by = parse_by(text)
    assert (by.name, by.sign, by.values) == (name, sign, values)


@pytest.mark.parametrize("text", ["n=", "n=a", "n=1:2", "n=1:2:0", "n=2:1:1", "n=0:1:1e-9"])
def test_what_is_no_grid(text: str) -> None:
    with pytest.raises(CalibrationError, match=r"write n, n=0\.5"):
        parse_by(text)
