"""What is in a key and what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.runtime.ledger import key_of
from mashbill.runtime.requests import Message, Request, Sampling

BASE = Request(
    model="digest",
    messages=(Message("system", "Be short."), Message("user", "Why?")),
    sampling=Sampling(temperature=0.7, top_k=40, stop=("\n", "END")),
)


def with_sampling(**changes: Any) -> Request:
    return replace(BASE, sampling=replace(BASE.sampling, **changes))


def test_a_key_is_pinned() -> None:
    # If this fails, every completion that anybody has paid for becomes unfindable.
    assert key_of(BASE).hex() == "88c9b9bca7cd05d0f729cd83355e846d"


@pytest.mark.parametrize(
    "same",
    [
        with_sampling(max_tokens=9),
        replace(BASE, seed=7),
        with_sampling(top_p=1),
        with_sampling(top_k=40.0),
    ],
)
def test_what_is_not_identity(same: Request) -> None:
    assert key_of(same) == key_of(BASE)


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, model="other"),
        replace(BASE, draw=1),
        replace(BASE, messages=BASE.messages[1:]),
        replace(BASE, messages=BASE.messages[::-1]),
        replace(BASE, messages=(Message("user", "Be short."), Message("user", "Why?"))),
        replace(BASE, messages=(Message("system", "Be short.W"), Message("user", "hy?"))),
        with_sampling(temperature=0.71),
        with_sampling(temperature=0),
        with_sampling(top_p=0.7),
        with_sampling(top_k=None),
        with_sampling(top_k=41),
        with_sampling(min_p=40),
        with_sampling(min_p=0.0),
        with_sampling(repetition_penalty=1.0),
        with_sampling(stop=()),
        with_sampling(stop=("\nEND",)),
        with_sampling(stop=("\n", "EN", "D")),
    ],
)
def test_what_is_identity(other: Request) -> None:
    assert key_of(other) != key_of(BASE)


def test_lone_surrogates_have_keys() -> None:
    odd = replace(BASE, messages=(Message("user", "\ud800"),))
    other = replace(BASE, messages=(Message("user", "\ud801"),))
    assert len(key_of(odd)) == 16
    assert key_of(odd) != key_of(other)


short = st.text(alphabet='ab\0:"', max_size=3)
requests = st.builds(
    Request,
    model=short,
    messages=st.lists(
        st.builds(Message, role=st.sampled_from(["system", "user"]), content=short), max_size=3
    ).map(tuple),
    sampling=st.builds(
        Sampling,
        temperature=st.sampled_from([0.0, 0.5, 1.0]),
        top_k=st.none() | st.integers(1, 2),
        min_p=st.none() | st.sampled_from([0.0, 1.0]),
        stop=st.lists(short, max_size=2).map(tuple),
        max_tokens=st.just(512),
    ),
    draw=st.integers(0, 2),
)


@given(requests, requests)
def test_only_equal_requests_share_a_key(one: Request, two: Request) -> None:
    assert (key_of(one) == key_of(two)) == (one == two)
