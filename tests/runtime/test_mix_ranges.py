"""The mix takes the same rows whether they are merged and sorted at once or a range at a time."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest

from mashbill.runtime import mixing
from mashbill.runtime.engines._estimate import EstimatedTokens
from mashbill.runtime.mixing import Selection, rows_in_order, select
from mashbill.runtime.spool import HASH, MERGE, TOKENS, Spool

MIX = {
    "total": 9_000.0,
    "parts": {
        "a": {"weight": 0.4, "max_epochs": 4},
        "b": {"weight": 0.4, "max_epochs": None},
        "c": {"weight": 0.2, "max_epochs": None},
    },
    "on_shortfall": "repeat",
    "min_human": 0.0,
    "max_source": {},
}


def spools(folder: Path) -> dict[str, Spool]:
    """Rows of three parts; a third of them stand in several."""
    dice = random.Random(11)
    made = {}
    for part, count in (("a", 40), ("b", 700), ("c", 900)):
        made[part] = Spool(folder / part, ("text", "_id"), 3, EstimatedTokens())
        docs = [dice.randrange(count * 3) for _ in range(count)]
        texts = [f"Text {d} " + "word " * (d % 7) for d in docs]
        made[part].take(
            pl.DataFrame(
                {
                    "text": texts,
                    "_doc": [f"d{d}" for d in docs],
                    "_id": [f"{part}{i}" for i in range(count)],
                    "_source": ["s"] * count,
                    "_origin": ["human" if part == "a" else "synthetic"] * count,
                    "_order": list(range(count)),
                }
            )
        )
    return made


def selected(folder: Path) -> tuple[Selection, pl.DataFrame]:
    made = spools(folder)
    selection = select(MIX, made, {"a": True})
    return selection, pl.concat(rows_in_order(selection, made), how="diagonal_relaxed")


@pytest.mark.parametrize("rows", [1, 7, 100, 1000])
def test_ranges_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    whole, wanted = selected(tmp_path / "whole")
    monkeypatch.setattr(mixing, "RANGE_ROWS", rows)
    parts, got = selected(tmp_path / "parts")
    assert parts.parts == whole.parts and parts.shares == whole.shares
    assert got.equals(wanted) and got.height > 500
    assert whole.parts["a"].epochs > 1 and whole.parts["c"].merged > 50


@pytest.mark.parametrize("round_up", [False, True])
@pytest.mark.parametrize("target", [1e-9, 0.5, 1, 9.5, 10, 10.5, 29, 30, 59.999999, 60, 61, 150.5])
def test_the_cut_off_is_where_the_running_total_reaches_the_target(
    round_up: bool, target: float
) -> None:
    sizes = [10, 0, 20, 0, 0, 30]
    rows = pl.DataFrame({HASH: range(6), MERGE: range(6), TOKENS: sizes})
    taken = [size for e in mixing._epochs(rows, target, round_up=round_up) for size in e[TOKENS]]
    if round_up:
        assert sum(taken) >= target - 1e-6
        assert not taken or sum(taken[:-1]) < target
    else:
        assert sum(taken) <= target + 1e-6
        rest = [s for s in (sizes * 9)[len(taken) :] if s]
        assert sum(taken) + rest[0] > target
