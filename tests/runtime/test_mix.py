"""The mix: shares, the human share, order and repetition, whatever the rows are."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mashbill.runtime.mixing import EPOCH, PART, TURN, Selection, rows_in_order, select, turned
from mashbill.runtime.rows import ORDER
from mashbill.runtime.spool import HASH, PLACE, SPREAD, TOKENS, Spool, in_order, place_of

COLUMNS = ("text", "_id", "_doc", "_source", "_origin")
Row = tuple[str, str, str, str]
"""Id, document, text, origin."""


class Words:
    """One token a word."""

    special = ()

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(t.split()) for t in texts]

    def count_chat(self, chats: Sequence[Any]) -> list[int]:
        raise AssertionError


def spool(folder: Path, rows: Sequence[Row], frames: int = 1, flush: bool = False) -> Spool:
    made = Spool(folder, COLUMNS, 7, Words())
    for k in range(frames):
        part = rows[k * len(rows) // frames : (k + 1) * len(rows) // frames]
        ids, docs, texts, origins = zip(*part, strict=True) if part else ((), (), (), ())
        kinds = {"_id": ids, "_doc": docs, "text": texts, "_origin": origins}
        frame = pl.DataFrame({n: pl.Series(n, v, pl.String) for n, v in kinds.items()})
        frame = frame.with_columns(pl.lit("s").alias("_source"), pl.lit(0, pl.Int64).alias(ORDER))
        made.take(frame)
        if flush:
            made.flush()
    return made


def mix_of(
    total: int,
    weights: Mapping[str, float],
    policy: str = "shrink",
    min_human: float = 0.0,
    max_epochs: float | None = None,
) -> dict[str, Any]:
    parts = {n: {"weight": w, "max_epochs": max_epochs} for n, w in weights.items()}
    return {"total": total, "min_human": min_human, "on_shortfall": policy, "parts": parts}


def taken(selection: Selection, spools: Mapping[str, Spool]) -> pl.DataFrame:
    frames = list(rows_in_order(selection, spools))
    return pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()


def plain_rows(count: int, name: str, origin: str = "human", size: int = 9) -> list[Row]:
    rng = random.Random(name)
    return [
        (f"{name}{i}", f"d{i}", " ".join([f"{name}{i}"] + ["w"] * rng.randint(0, size)), origin)
        for i in range(count)
    ]


texts = st.lists(st.integers(1, 30), min_size=1, max_size=12)


@st.composite
def a_mix(draw: st.DrawFn) -> tuple[dict[str, list[Row]], dict[str, bool], dict[str, Any]]:
    """A human part, a part of rewrites of which some fell back, and maybe another human part."""
    sizes = draw(texts)
    human = [(f"h{i}", f"d{i}", f"h{i} " + "w " * n, "human") for i, n in enumerate(sizes)]
    mixed: list[Row] = []
    for i, n in enumerate(draw(texts)):
        if i < len(human) and draw(st.booleans()):
            mixed.append((f"m{i}", f"d{i}", human[i][2], "human"))  # fell back to its input
        else:
            mixed.append((f"m{i}", f"d{i}", f"m{i} " + "x " * n, "synthetic"))
    copies = draw(st.lists(st.sampled_from(mixed), max_size=4))
    parts = {"human": human, "mixed": mixed + copies}
    share = draw(st.sampled_from([0.2, 0.5, 0.75]))
    weights = {"human": share, "mixed": 1 - share}
    if draw(st.booleans()):
        parts["other"] = [
            (f"o{i}", f"e{i}", f"o{i} y", "human") for i in range(draw(st.integers(1, 9)))
        ]
        weights = {"human": share / 2, "other": share / 2, "mixed": 1 - share}
    policy = draw(st.sampled_from(["shrink", "reweight", "repeat"]))
    total = draw(st.integers(1, 1500))
    return (
        parts,
        {"human": True, "other": True, "mixed": False},
        mix_of(total, weights, policy, draw(st.floats(0, share))),
    )


quick = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@quick
@given(a_mix())
def test_whatever_the_rows(
    tmp_path: Path, given_: tuple[dict[str, list[Row]], dict[str, bool], dict[str, Any]]
) -> None:
    parts, human, mix = given_
    spools = {n: spool(tmp_path / n, rows) for n, rows in parts.items()}
    selection = select(mix, spools, human)
    rows = taken(selection, spools)
    tokens = selection.tokens
    # What is written is what was counted.
    assert rows.height == sum(p.taken_rows for p in selection.parts.values())
    assert (rows[TOKENS].sum() if rows.height else 0) == tokens
    if tokens:
        of_people = rows.filter(rows["_origin"] == "human")[TOKENS].sum()
        assert of_people / tokens == pytest.approx(selection.human_share)
        assert selection.human_share >= mix["min_human"] - 1e-9
    if rows.height:
        # A text of a document enters once, before epochs.
        keys = ["_doc", "text", *([EPOCH] if EPOCH in rows.columns else [])]
        assert not rows.select(keys).is_duplicated().any()
        assert rows["_id"].n_unique() == rows.select("_doc", "text").n_unique()
    for name, report in selection.parts.items():
        target = selection.shares.targets.get(name, 0.0)
        longest = max((len(r[2].split()) for r in parts[name]), default=0)
        if human[name]:
            assert target - 1e-6 <= report.taken < target + longest + 1e-6
        else:
            assert target - longest - 1 < report.taken <= target + 1e-6
        assert report.rows == len(parts[name])


@quick
@given(a_mix(), st.integers(0, 1000), st.randoms())
def test_a_larger_total_only_adds_rows(
    tmp_path: Path,
    given_: tuple[dict[str, list[Row]], dict[str, bool], dict[str, Any]],
    more: int,
    rng: random.Random,
) -> None:
    parts, human, mix = given_
    spools = {n: spool(tmp_path / n, rows) for n, rows in parts.items()}
    small = taken(select(mix, spools, human), spools)
    large = taken(select({**mix, "total": mix["total"] + more}, spools, human), spools)

    def entries(rows: pl.DataFrame) -> set[tuple[Any, ...]]:
        epochs = rows[EPOCH].to_list() if EPOCH in rows.columns else [0] * rows.height
        return set(zip(rows["_id"].to_list(), epochs, strict=True)) if rows.height else set()

    assert entries(small) <= entries(large)


@quick
@given(a_mix(), st.integers(1, 5), st.randoms())
def test_order_of_arrival_is_nothing(
    tmp_path: Path,
    given_: tuple[dict[str, list[Row]], dict[str, bool], dict[str, Any]],
    frames: int,
    rng: random.Random,
) -> None:
    parts, human, mix = given_
    spools = {n: spool(tmp_path / n, rows) for n, rows in parts.items()}
    first = taken(select(mix, spools, human), spools)
    shuffled = {n: rng.sample(rows, len(rows)) for n, rows in parts.items()}
    spools = {n: spool(tmp_path / n, r, frames, flush=True) for n, r in shuffled.items()}
    second = taken(select(mix, spools, human), spools)
    assert first.equals(second) or (first.height == second.height == 0)


def test_shares_of_a_large_mix(tmp_path: Path) -> None:
    spools = {
        "a": spool(tmp_path / "a", plain_rows(3000, "a")),
        "b": spool(tmp_path / "b", plain_rows(3000, "b", "synthetic")),
    }
    selection = select(mix_of(8000, {"a": 0.7, "b": 0.3}), spools, {"a": True})
    assert selection.parts["a"].taken == pytest.approx(5600, abs=10)
    assert selection.parts["b"].taken == pytest.approx(2400, abs=10)
    rows = taken(selection, spools)
    # Every stretch of the data set has the shares of the whole.
    for tenth in range(10):
        piece = rows[tenth * rows.height // 10 : (tenth + 1) * rows.height // 10]
        assert (piece[PART] == "a").mean() == pytest.approx(0.7, abs=0.12)


def test_copies_of_a_row_on_two_ways_enter_once(tmp_path: Path) -> None:
    """`from: [docs, long]` brings the same row twice, with one `_id`."""
    rows = plain_rows(50, "a")
    spools = {"pool": spool(tmp_path, rows + rows[:20])}
    selection = select(mix_of(10_000, {"pool": 1.0}), spools, {"pool": True})
    assert selection.parts["pool"].merged == 20
    assert sorted(taken(selection, spools)["_id"]) == sorted(r[0] for r in rows)


def test_rows_of_one_id_and_two_texts_are_two_rows(tmp_path: Path) -> None:
    """A step that cleans keeps the `_id`; both forms may be in one part, in a fixed order."""
    rows = plain_rows(30, "a")
    cleaned = [(i, d, f"clean {t}", o) for i, d, t, o in rows]
    both = [*rows, *cleaned]
    made = []
    for order in (both, both[::-1]):
        spools = {"pool": spool(tmp_path, order)}
        selection = select(mix_of(200, {"pool": 1.0}), spools, {"pool": False})
        found = taken(selection, spools)
        assert found[TOKENS].sum() == selection.tokens <= 200
        made.append(found)
    assert made[0].equals(made[1])


def test_repeats_go_through_the_rows_in_another_order(tmp_path: Path) -> None:
    spools = {"a": spool(tmp_path, plain_rows(400, "a"))}
    supply = select(mix_of(1, {"a": 1.0}), spools, {"a": True}).parts["a"].supply
    mix = mix_of(int(supply * 2.5), {"a": 1.0}, "repeat", max_epochs=3)
    selection = select(mix, spools, {"a": True})
    rows = taken(selection, spools)
    assert not selection.shares.failed
    assert selection.parts["a"].epochs == pytest.approx(2.5, abs=0.02)
    counts = rows.group_by("_id").len()["len"]
    assert set(counts) == {2, 3}
    orders = [rows.filter(pl.col(EPOCH) == k)["_id"].to_list() for k in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


@pytest.mark.parametrize("policy", ["error", "repeat"])
def test_a_shortfall_that_the_recipe_forbids(tmp_path: Path, policy: str) -> None:
    spools = {"a": spool(tmp_path, plain_rows(10, "a"))}
    selection = select(mix_of(10**6, {"a": 1.0}, policy), spools, {"a": True})
    assert selection.shares.failed
    assert selection.shares.short["a"][0] == 10**6


def test_places_wrap() -> None:
    hashes = pl.Series(HASH, [0, 1, 2**63 + 5, 2**64 - 1], dtype=pl.UInt64)
    wanted = [h * SPREAD % 2**64 for h in hashes]
    places = place_of(hashes)
    assert places.to_list() == wanted
    found = turned(pl.DataFrame({PLACE: places}), 3)[PLACE].to_list()
    assert found == [(p + 3 * TURN) % 2**64 for p in wanted]


def test_ties_are_decided_by_all_columns() -> None:
    frame = pl.DataFrame({"k": [2, 1, 1, 1], "x": ["d", "c", None, "a"], "y": [[1], [2], [3], [4]]})
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        assert in_order(frame[order], "k")["x"].to_list() == ["a", "c", None, "d"]
