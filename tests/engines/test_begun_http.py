"""A reply that the prompt begins, asked of servers that go on from it, and of those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from mashbill.runtime.engines import fake, http
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import Completion, EngineError, Message, Request, Sampling

from .test_http import answer, failure, json, success, talk

TURNS = (Message("user", "Count to ten in words."), Message("assistant", "one, two, three,"))
ASKED = Request("m", TURNS, Sampling(max_tokens=8, temperature=0.0))
FLAGS = {"add_generation_prompt", "continue_final_message", "echo", "prefix"}


def sent(reply: str, **placement: Any) -> tuple[Completion | EngineError, dict[str, Any]]:
    """What came of a begun reply, and what was sent for it."""
    (outcome,), peer = talk(json(answer(reply)), asked=ASKED, **placement)
    return outcome, peer.bodies[0]


def flags(body: dict[str, Any]) -> dict[str, Any]:
    found = {k: v for k, v in body.items() if k in FLAGS}
    return found | {k: v for k, v in body["messages"][-1].items() if k in FLAGS}


OPEN = {"add_generation_prompt": False, "continue_final_message": True}


@pytest.mark.parametrize(
    ("prefill", "told", "reply", "text"),
    [
        (None, {**OPEN, "echo": True}, "one, two, three, four", " four"),
        ("echo", {**OPEN, "echo": True}, "one, two, three,", ""),
        ("echo", {**OPEN, "echo": True}, "", ""),
        ("continue", OPEN, " four", " four"),
        ("continue", OPEN, "one, two, three, four", "one, two, three, four"),
        ("prefix", {"prefix": True}, "one, two, three, four", " four"),
        ("prefix", {"prefix": True}, " four", " four"),
        ("last", {}, " four", " four"),
    ],
)
def test_the_reply_is_what_follows(
    prefill: str | None, told: dict[str, Any], reply: str, text: str
) -> None:
    outcome, body = sent(reply, **({"prefill": prefill} if prefill else {}))
    assert isinstance(outcome, Completion)
    assert outcome.text == text
    assert flags(body) == told
    turns = [(t["role"], t["content"]) for t in body["messages"]]
    assert turns == [(m.role, m.content) for m in TURNS]


def test_a_server_that_answers_anew_is_an_error_that_says_what_to_write() -> None:
    outcome, _ = sent("Sure! One, two, three, four.")
    assert isinstance(outcome, EngineError)
    assert (outcome.kind, outcome.retryable) == ("prefill", False)
    assert "placement.prefill" in str(outcome)
    assert "continue, prefix, last" in str(outcome)


@pytest.mark.parametrize(
    "said",
    [
        "Unrecognized request argument supplied: continue_final_message",
        "Expected last role User or Tool (or Assistant with prefix True) but got assistant",
        "This model does not support assistant message prefill.",
        "Assistant response prefill is incompatible with enable_thinking.",
    ],
)
def test_a_refusal_says_what_to_write(said: str) -> None:
    error = failure(json({"error": {"message": said}}, 400), asked=ASKED)
    assert (error.kind, error.retryable) == ("prefill", False)
    assert said in str(error)
    assert "placement.prefill" in str(error)
    other = failure(json({"error": {"message": said}}, 400))
    assert "placement.prefill" not in str(other), "nothing was begun"


def test_other_refusals_stay_as_they_are() -> None:
    error = failure(json({"error": {"message": "temperature is out of range"}}, 400), asked=ASKED)
    assert "prefill" not in str(error)


def test_nothing_is_told_where_nothing_is_begun() -> None:
    _, peer = talk(json(answer()))
    assert not flags(peer.bodies[0])
    earlier = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    _, peer = talk(json(answer()), asked=Request("m", earlier, Sampling()))
    assert not flags(peer.bodies[0])
    assert success(json(answer("one, two, three, four"))).text == "one, two, three, four"


def test_a_way_that_is_none_is_refused() -> None:
    with pytest.raises(EngineError, match="give one of echo, continue, prefix, last"):
        talk(json(answer()), prefill="often")


def test_keys_of_begun_replies_alone_are_new() -> None:
    spec = ModelSpec("w", "http", "m", ("http://localhost:1",))
    info = http.describe(spec)
    assert info.digest_for(TURNS) != info.digest == info.digest_for(TURNS[:1])
    rates = http.describe(
        ModelSpec("w", "http", "m", ("http://localhost:1",), options={"task": "reward"})
    )
    assert rates.digest_for(TURNS) == rates.digest, "there the last turn is what is rated"
    made = fake.describe(ModelSpec("w", "fake", "words"))
    assert made.digest_for(TURNS) == made.digest
