"""Estimates written and read again."""

from __future__ import annotations

import json
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.estimating.estimates import Estimates, Leverage, Spending, StepEstimate
from mashbill.compiler.estimating.facts import Price, SourceFacts, Speed
from mashbill.compiler.estimating.numbers import UNKNOWN, Number
from mashbill.compiler.estimating.reading import read_estimates

amounts = st.floats(0, 1e12)
numbers = st.just(UNKNOWN) | st.builds(
    Number, amounts, st.sampled_from("epsha"), st.none() | amounts, st.none() | amounts
)
names = st.text(min_size=1, max_size=8)
spendings = st.builds(Spending, **{f.name: numbers for f in fields(Spending)})
steps = st.builds(
    StepEstimate,
    rows_in=numbers,
    rows_out=numbers,
    spending=st.none() | spendings,
    by_model=st.dictionaries(names, spendings, max_size=2),
    reused=st.floats(0, 1),
    sampled=st.integers(0, 99),
    truncated=st.none() | st.floats(0, 1),
)
estimates = st.builds(
    Estimates,
    steps=st.dictionaries(names, steps, max_size=3),
    total=st.none() | spendings,
    supply=st.dictionaries(names, numbers, max_size=2),
    taken=st.dictionaries(names, amounts, max_size=2),
    human_share=st.none() | numbers,
    epochs=st.dictionaries(names, numbers, max_size=2),
    sources=st.dictionaries(names, st.builds(SourceFacts, amounts, amounts), max_size=2),
    speeds=st.just({"m": Speed(700.0, None, 0.5, "a", "published")}),
    prices=st.just({"m": Price(1e-6, 2e-6, 1e-7, 0.5, True, "2026-11-01", "price map")}),
    unpriced=st.frozensets(names, max_size=2),
    leverage=st.none()
    | st.builds(
        Leverage, names, names, st.sampled_from("epsha"), names, st.floats(0, 1), names,
        st.none() | numbers,
    ),
)  # fmt: skip


@given(estimates)
def test_what_is_written_is_read(given_: Estimates) -> None:
    assert read_estimates(json.loads(json.dumps(given_.to_json()))) == given_


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["steps", "total", "book", "rows_in", "value", "basis", "supply"]),
            inner, max_size=4,
        ),
    )
)  # fmt: skip
def test_anything_else_is_none(value: object) -> None:
    found = read_estimates(value)
    assert found is None or isinstance(found, Estimates)


def test_older_records_are_none() -> None:
    number = {"value": 3.0, "basis": "s"}
    old = {"steps": {"book": {"rows_in": number, "rows_out": number, "calls": number}},
           "supply": {}, "taken": {}, "human_share": 0.5}  # fmt: skip
    assert read_estimates(old) is None
    assert read_estimates({"steps": {"book": {"rows_in": number, "rows_out": number}}})


def test_what_a_later_version_adds_is_passed_over() -> None:
    number = {"value": 3.0, "basis": "s", "median": 2.9}
    found = read_estimates(
        {"steps": {"book": {"rows_in": number, "rows_out": number, "new": 1}}, "newer": {}}
    )
    assert found is not None and found.steps["book"].rows_in == Number(3.0, "s")
