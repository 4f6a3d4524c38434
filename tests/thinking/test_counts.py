"""What a server says of thoughts, through the engine: billed once, kept, known again later."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.engines.http import open_engine
from mashbill.runtime.hidden import hidden_tokens
from mashbill.runtime.ledger import Entry, Ledger, key_of
from mashbill.runtime.ledger.entries import usable
from mashbill.runtime.requests import Completion, Message, Request, Sampling
from mashbill.runtime.tab import Paid

from .server import Report, Thinker, thinking

LIMIT = 64
REQUEST = Request("m", (Message("user", "Say yes."),), Sampling(max_tokens=LIMIT))


def asked(server: Thinker) -> Completion:
    async def ask() -> Completion:
        engine = open_engine(ModelSpec("m", "http", "large", urls=(server.url,)))
        await engine.start()
        try:
            return await engine.complete(REQUEST)
        finally:
            await engine.close()

    with thinking(server):
        return asyncio.run(ask())


@pytest.mark.parametrize("report", ["details", "apart", "whole", "text", "none"])
def test_thoughts_are_billed_once_however_they_are_reported(report: Report) -> None:
    server = Thinker(report=report)
    made = asked(server)
    assert made.text == " ".join(["yes"] * server.visible)
    assert made.completion_tokens == server.visible + server.hidden
    assert hidden_tokens(made) == server.hidden, made.extra
    assert (server.hidden == 0) is (report == "none")


def test_more_thoughts_than_tokens_stand_apart_also_without_a_sum() -> None:
    server = Thinker(report="apart", sums=False)
    made = asked(server)
    assert made.completion_tokens == server.visible + server.hidden
    assert hidden_tokens(made) == server.hidden > 0


def test_without_counts_thoughts_are_counted_as_the_text_is() -> None:
    server = Thinker(report="text", counts=False)
    made = asked(server)
    assert made.completion_tokens == server.visible + server.hidden, "a word is a token here"
    assert hidden_tokens(made) == server.hidden


@pytest.mark.parametrize(
    ("extra", "hidden"),
    [
        ({}, 0),
        ({"logprobs": "[]"}, 0),
        ({"reasoning_tokens": "30"}, 30),
        ({"reasoning_tokens": "30", "reasoning": "a summary"}, 30),
        ({"reasoning_tokens": "400"}, 40),
        ({"reasoning_tokens": "-1"}, 0),
        ({"reasoning_tokens": "many", "reasoning": "x" * 12}, 30),
        ({"reasoning": "x" * 12}, 30),
    ],
)
def test_what_is_hidden_of_a_reply(extra: dict[str, str], hidden: int) -> None:
    assert hidden_tokens(Completion("four", "stop", 3, 40, LIMIT, extra)) == hidden


def test_a_reply_that_was_cut_off_while_thinking_is_all_hidden() -> None:
    assert hidden_tokens(Completion("", "length", 3, 40, 40, {"reasoning": "hm …"})) == 40


def test_the_ledger_knows_them_again(tmp_path: Path) -> None:
    made = Completion("four", "stop", 3, 90, LIMIT, {"reasoning_tokens": "86"})
    with Ledger.open(tmp_path / "ledger") as ledger:
        ledger.put_sync(Entry.of(REQUEST, made))
    with Ledger.open(tmp_path / "ledger") as ledger:
        found = ledger.get(key_of(REQUEST), LIMIT)
        assert found is not None, "thoughts did not count toward the limit: it is no other reply"
        assert hidden_tokens(found) == hidden_tokens(found.completion) == 86
        assert ledger.get(key_of(REQUEST), LIMIT - 1) is None
        assert ledger.get(key_of(REQUEST), 90) is not None


@pytest.mark.parametrize(
    ("finish", "tokens", "under", "limit", "answers"),
    [
        ("stop", 90, 64, 64, True),
        ("stop", 90, 64, 80, False),
        ("stop", 90, 64, 200, True),
        ("length", 64, 64, 64, True),
        ("length", 64, 64, 200, False),
    ],
)
def test_which_limits_a_record_answers(
    finish: str, tokens: int, under: int, limit: int, answers: bool
) -> None:
    assert usable(finish, tokens, under, limit) is answers  # type: ignore[arg-type]


def test_a_row_adds_up_what_was_hidden() -> None:
    paid, other = Paid(), Paid()
    paid.add(Completion("a", "stop", 3, 10, LIMIT, {"reasoning_tokens": "8"}), 0.5)
    other.add(Completion("a", "stop", 3, 10, LIMIT), 0.5)
    other.plus(paid)
    assert other.to_json()["hidden_tokens"] == 8
    assert other.to_json()["reply_tokens"] == 20
