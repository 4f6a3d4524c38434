"""What models that score are asked and answer."""

from __future__ import annotations

import math

import pytest

from mashbill.runtime.requests import EngineError, Message
from mashbill.runtime.scoring.wire import (
    Entailment,
    cosine,
    entailment_reply,
    pair,
    read_entailment,
    read_score,
    read_vector,
    score_reply,
    text_of,
    texts_of,
    vector_reply,
)


def test_what_is_written_is_read() -> None:
    assert read_score(score_reply(-1.23456789)) == -1.234568
    assert read_score(score_reply(2)) == 2.0
    assert read_vector(vector_reply([0.5, -1.0, 1e-9])) == (0.5, -1.0, 0.0)
    found = Entailment(0.9, 0.08, 0.02)
    assert read_entailment(entailment_reply(found)) == found


def test_a_pair_is_two_turns() -> None:
    assert texts_of(pair("a", "b")) == ("a", "b")
    assert text_of((Message("user", "a"),)) == "a"
    for wrong in [
        (),
        (Message("user", "a"),),
        pair("a", "b")[::-1],
        (*pair("a", "b"), *pair("c", "d")),
    ]:
        with pytest.raises(EngineError, match="a pair"):
            texts_of(wrong)
    with pytest.raises(EngineError, match="one text"):
        text_of(pair("a", "b"))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_reply(value: float) -> None:
    for write in (score_reply, lambda v: vector_reply([1.0, v])):
        with pytest.raises(EngineError) as caught:
            write(value)
        assert (caught.value.kind, caught.value.retryable) == ("bad-reply", False)


@pytest.mark.parametrize("reply", ["", "4", "{}", '{"score": "high"}', '{"score": true}', "[1]"])
def test_a_stranger_to_scores_is_named(reply: str) -> None:
    with pytest.raises(EngineError, match="`task: reward` or `task: score`") as caught:
        read_score(reply)
    assert (caught.value.kind, caught.value.retryable) == ("task", False)


@pytest.mark.parametrize("reply", ["", "{}", "[]", '["a"]', "[true]", '{"score": 1}'])
def test_a_stranger_to_vectors_is_named(reply: str) -> None:
    with pytest.raises(EngineError, match="`task: embed`"):
        read_vector(reply)


def test_a_stranger_to_inference_is_named() -> None:
    with pytest.raises(EngineError, match="`task: nli`"):
        read_entailment('{"entailment": 1, "neutral": 0}')


def test_cosine() -> None:
    assert cosine((3.0, 4.0), (6.0, 8.0)) == pytest.approx(1.0)
    assert cosine((1.0, 0.0), (0.0, 2.0)) == 0.0
    assert cosine((0.0, 0.0), (1.0, 1.0)) == 0.0
    with pytest.raises(ValueError):
        cosine((1.0,), (1.0, 2.0))
