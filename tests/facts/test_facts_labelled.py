"""The gate keeps what was measured (`make bench NAME=verifiers ARGS=facts`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import mean

import pytest

from mashbill.runtime.facts.gate import STYLES, judge
from tests.benchmarks.verifiers import claims, labelled, planted
from tests.benchmarks.verifiers.labelled import Rewrite


@pytest.fixture(scope="module")
def rows() -> list[Rewrite]:
    if not labelled.LABELLED.exists():
        pytest.skip("needs ../shared/data/rewrite_faithfulness_labelled.jsonl.gz")
    found = labelled.load()
    assert len(found) == 400
    return found


FLOORS = [
    (0, "sentences", 0.97, 0.8),
    (0, "passages", 0.8, 0.55),
    (1, "sentences", 0.86, 0.8),
    (1, "passages", 0.95, 0.44),
]


@pytest.mark.parametrize(("side", "part", "precision", "recall"), FLOORS)
def test_shipped_limits_on_each_half(
    rows: list[Rewrite], side: int, part: str, precision: float, recall: float
) -> None:
    inside = [row for row in rows if labelled.fold(row, 2) == side and labelled.part(row) == part]
    score = labelled.score(inside, labelled.shipped)
    assert round(score.precision, 2) >= precision
    assert round(score.recall, 2) >= recall


@pytest.mark.parametrize("part", labelled.PARTS)
def test_goals_are_met(rows: list[Rewrite], part: str) -> None:
    score = labelled.score([r for r in rows if labelled.part(r) == part], labelled.shipped)
    precision, recall = labelled.GOALS[part]
    assert score.precision >= precision
    assert score.recall >= recall


def test_rewrites_worth_keeping_pass(rows: list[Rewrite]) -> None:
    keep = [row for row in rows if row["keep"]]
    assert labelled.score(keep, labelled.shipped).passed >= 18


def test_folds_share_no_source(rows: list[Rewrite]) -> None:
    sides = [{r["source_id"] for r in rows if labelled.fold(r, 5) == k} for k in range(5)]
    assert sum(map(len, sides)) == len({r["source_id"] for r in rows})


def test_limits_fitted_on_some_folds_hold_on_the_others(rows: list[Rewrite]) -> None:
    found, _ = labelled.cross_validated(rows, labelled.passing(rows), 5, 0)
    assert found["sentences"].precision >= 0.88
    assert found["sentences"].recall >= 0.6
    assert found["passages"].precision >= 0.9
    assert found["passages"].recall >= 0.45


def test_beats_the_baselines(rows: list[Rewrite]) -> None:
    for part in labelled.PARTS:
        inside = [row for row in rows if labelled.part(row) == part]
        ours = labelled.score(inside, labelled.shipped)
        for baseline in (labelled.numbers_and_names, labelled.quick_lexical):
            assert ours.f_third > labelled.score(inside, baseline).f_third + 0.1


@pytest.fixture(scope="module")
def kept() -> Mapping[tuple[str, str], list[bool]]:
    if not (planted.PAGES.exists() and planted.BOOKS.exists()):
        pytest.skip("needs ../shared/data/web_text.jsonl.gz and books_public_domain.jsonl.gz")
    found: dict[tuple[str, str], list[bool]] = defaultdict(list)
    sources = planted.passages()[::5]
    for row in planted.planted("rewrite", sources):
        verdict = judge(row.rewrite, row.source, STYLES[row.style])
        found[row.style, row.error].append(verdict.passed)
    return found


def test_true_rewrites_pass(kept: Mapping[tuple[str, str], list[bool]]) -> None:
    good = kept["rewrite", ""]
    assert len(good) > 80
    assert mean(good) >= 0.9


@pytest.mark.parametrize(
    ("error", "most"),
    [
        ("number swap", 0.1),
        ("name swap", 0.1),
        ("unit change", 0.1),
        ("negation", 0.1),
        ("direction swap", 0.1),
        ("added claim", 0.1),
        ("role swap", 0.45),
    ],
)
def test_planted_errors_fail(
    kept: Mapping[tuple[str, str], list[bool]], error: str, most: float
) -> None:
    assert mean(kept["rewrite", error]) <= most


def test_edited_claims_are_told_better_than_by_recall() -> None:
    if not claims.CLAIMS.exists():
        pytest.skip("needs ../shared/data/factual_consistency_labelled.jsonl.gz")
    found = claims.load()[::3]
    good = [bool(row["consistent"]) for row in found]
    verdicts = [judge(row["claim"], row["document"], STYLES["claim"]).passed for row in found]
    ours = claims.balanced(verdicts, good)[2]
    theirs = claims.balanced(claims.folded(found, [claims.recall(r) for r in found]), good)[2]
    assert ours >= 0.68
    assert ours > theirs + 0.05
