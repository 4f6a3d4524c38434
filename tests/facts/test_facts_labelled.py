"""The gate on labelled rewrites keeps what was measured (`tests/benchmarks/fact_gate.py`)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARK = Path(__file__).resolve().parents[1] / "benchmarks" / "fact_gate.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fact_gate", BENCHMARK)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["fact_gate"] = module
    spec.loader.exec_module(module)
    if not module.LABELLED.exists():
        pytest.skip("needs ../shared/data/rewrite_faithfulness_labelled.jsonl.gz")
    return module


@pytest.fixture(scope="module")
def rows(bench: ModuleType) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bench.load()
    assert len(found) == 400
    return found


FLOORS = [
    (0, "sentences", 0.96, 0.75),
    (0, "passages", 0.76, 0.54),
    (1, "sentences", 0.87, 0.87),
    (1, "passages", 1.00, 0.44),
]


@pytest.mark.parametrize(("side", "part", "precision", "recall"), FLOORS)
def test_shipped_limits_on_each_half(
    bench: ModuleType,
    rows: list[dict[str, Any]],
    side: int,
    part: str,
    precision: float,
    recall: float,
) -> None:
    inside = [row for row in rows if bench.half(row) == side and bench.part(row) == part]
    score = bench.score(inside, bench.shipped)
    assert round(score.precision, 2) >= precision
    assert round(score.recall, 2) >= recall


def test_halves_share_no_source(bench: ModuleType, rows: list[dict[str, Any]]) -> None:
    sources = [{row["source_id"] for row in rows if bench.half(row) == side} for side in (0, 1)]
    assert not sources[0] & sources[1]


def test_limits_fitted_on_one_half_hold_on_the_other(
    bench: ModuleType, rows: list[dict[str, Any]]
) -> None:
    measured = [m for row in rows if (m := bench.measure(row))]
    limits = bench.fit([row for row in rows if bench.half(row) == 1], measured)
    passing = {id(m.row) for m in measured if m.passes(limits)}
    for part, (precision, recall) in bench.GOALS.items():
        other = [row for row in rows if bench.half(row) == 0 and bench.part(row) == part]
        score = bench.score(other, lambda row: id(row) in passing)
        assert score.precision >= precision
        assert score.recall >= recall


def test_beats_the_baselines(bench: ModuleType, rows: list[dict[str, Any]]) -> None:
    for part in bench.PARTS:
        inside = [row for row in rows if bench.part(row) == part]
        ours = bench.score(inside, bench.shipped)
        for baseline in (bench.numbers_and_names, bench.quick_lexical):
            assert ours.f_half > bench.score(inside, baseline).f_half + 0.1
