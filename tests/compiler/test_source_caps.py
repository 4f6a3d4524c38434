"""`max_source`: no source gives more than its share, whatever the parts are made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.compiler.shares import settle_shares, settle_sources


def mix_of(
    weights: dict[str, float],
    caps: dict[str, float],
    total: float | None = 1000.0,
    policy: str = "shrink",
    min_human: float = 0.0,
) -> dict[str, Any]:
    return {
        "total": total,
        "parts": {n: {"weight": w, "max_epochs": None} for n, w in weights.items()},
        "min_human": min_human,
        "on_shortfall": policy,
        "max_source": caps,
    }


def of_source(drawn: Any, source: str) -> float:
    return sum(by.get(source, 0.0) for by in drawn.values())


def test_without_caps_nothing_changes() -> None:
    mix = mix_of({"a": 0.5, "b": 0.5}, {})
    supply = {"a": {"": 900.0}, "b": {"": 300.0}}
    shares, drawn = settle_sources(mix, supply, {})
    assert drawn is None
    assert shares == settle_shares(mix, {"a": 900.0, "b": 300.0}, {})


def test_a_capped_source_makes_way_for_others_of_its_part() -> None:
    mix = mix_of({"a": 1.0}, {"s": 0.2})
    shares, drawn = settle_sources(mix, {"a": {"s": 1000.0, "": 1000.0}}, {})
    assert drawn
    assert shares.total == pytest.approx(1000)
    assert drawn["a"]["s"] == pytest.approx(200, rel=1e-4)
    assert drawn["a"][""] == pytest.approx(800, rel=1e-4)


def test_where_there_are_too_few_others_the_mix_shrinks() -> None:
    mix = mix_of({"a": 1.0}, {"s": 0.5})
    shares, drawn = settle_sources(mix, {"a": {"s": 5000.0, "": 100.0}}, {})
    assert drawn
    assert shares.total == pytest.approx(200, rel=1e-3)
    assert of_source(drawn, "s") == pytest.approx(100, rel=1e-3)


def test_or_other_parts_fill_up() -> None:
    mix = mix_of({"a": 0.5, "b": 0.5}, {"s": 0.1}, policy="reweight")
    shares, drawn = settle_sources(mix, {"a": {"s": 5000.0}, "b": {"": 5000.0}}, {})
    assert drawn
    assert shares.total == pytest.approx(1000, rel=0.02)
    assert of_source(drawn, "s") <= 0.1 * shares.total * 1.001
    assert of_source(drawn, "s") >= 0.09 * shares.total


def test_or_the_run_ends() -> None:
    mix = mix_of({"a": 1.0}, {"s": 0.5}, policy="error")
    shares, _ = settle_sources(mix, {"a": {"s": 5000.0, "": 100.0}}, {})
    assert shares.failed
    assert shares.short["a"][0] == 1000


@settings(deadline=None)
@given(st.data())
def test_caps_hold_and_supplies_are_not_exceeded(data: st.DataObject) -> None:
    sources = ["", "s", "t"]
    parts = data.draw(st.sampled_from([["a"], ["a", "b"], ["a", "b", "c"]]))
    raw = [data.draw(st.integers(1, 9)) for _ in parts]
    weights = {p: r / sum(raw) for p, r in zip(parts, raw, strict=True)}
    amount = st.sampled_from([0.0, 1.0, 50.0, 400.0, 3000.0])
    supply = {p: {s: data.draw(amount) for s in sources} for p in parts}
    caps = {s: data.draw(st.sampled_from([0.05, 0.3, 0.8])) for s in ("s", "t")}
    policy = data.draw(st.sampled_from(["shrink", "reweight"]))
    human = {p: data.draw(st.booleans()) for p in parts}
    least = data.draw(st.sampled_from([0.0, 0.3]))
    mix = mix_of(weights, caps, data.draw(st.sampled_from([None, 1000.0])), policy, least)
    shares, drawn = settle_sources(mix, supply, human)
    assert drawn is not None
    for source, cap in caps.items():
        assert of_source(drawn, source) <= cap * shares.total * 1.001 + 1e-6
    for part in parts:
        got = drawn.get(part, {})
        assert all(got[s] <= supply[part][s] * (1 + 1e-6) for s in got)
        assert sum(got.values()) == pytest.approx(shares.targets.get(part, 0.0), rel=1e-3, abs=1e-3)
    if shares.total:
        people = sum(t for p, t in shares.targets.items() if human[p])
        assert people >= least * shares.total * 0.999
