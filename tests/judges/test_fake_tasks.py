"""The `fake` engine where it scores: pure functions of the texts, a little like the truth."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence

import pytest

from mashbill.runtime.engines import fake
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import EngineError, Message, Request, Sampling
from mashbill.runtime.scoring.wire import cosine, pair, read_entailment, read_score, read_vector


def ask(
    messages: Sequence[Message], model: str = "words", schema: str | None = None, **options: str
) -> str:
    spec = ModelSpec("m", "fake", model, options=options)
    request = Request("m", tuple(messages), Sampling(max_tokens=400, schema=schema))
    return asyncio.run(fake.open_engine(spec).complete(request)).text


def user(text: str) -> list[Message]:
    return [Message("user", text)]


def test_the_same_question_has_the_same_answer() -> None:
    one = read_score(ask(pair("a", "b"), task="reward"))
    assert -3 <= one <= 3
    assert read_score(ask(pair("a", "b"), task="reward")) == one
    assert read_score(ask(pair("a", "c"), task="reward")) != one
    assert 0 <= read_score(ask(pair("a", "b"), task="score")) <= 1


def test_like_texts_lie_near_each_other() -> None:
    mill, copy, other = (
        read_vector(ask(user(text), task="embed"))
        for text in ("The mill stood by a river.", "the mill stood by a RIVER", "Wide is this sea")
    )
    assert cosine(mill, copy) == pytest.approx(1.0, abs=1e-4)
    assert cosine(mill, other) < 0.7


def test_words_that_are_there_entail_and_a_not_contradicts() -> None:
    said = "The mill stood by the river."
    same = read_entailment(ask(pair(said, "The mill stood."), task="nli"))
    denied = read_entailment(ask(pair(said, "The mill never stood."), task="nli"))
    strange = read_entailment(ask(pair(said, "Nobody sails today."), task="nli"))
    assert same.entailment == 1.0
    assert denied.contradiction > 0.5
    assert strange.neutral == 1.0


def test_a_judge_writes_what_the_prompt_shows() -> None:
    reply = ask(user("Write <score>1</score> and <why>…</why>."), model="judge")
    assert reply.startswith("<score>")
    assert reply.rstrip().endswith("</why>")
    assert int(reply.partition("<score>")[2][0]) in range(1, 6)
    assert ask(user("Write a list."), model="judge").count("\n- ") == 2


def test_a_judge_meets_a_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "score": {"type": "integer", "minimum": 1, "maximum": 3},
            "ok": {"type": "boolean"},
            "verdict": {"enum": ["A", "B"]},
            "points": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        },
    }
    found = json.loads(ask(user("Judge."), model="judge", schema=json.dumps(schema)))
    assert found["score"] in (1, 2, 3)
    assert isinstance(found["ok"], bool)
    assert found["verdict"] in ("A", "B")
    assert len(found["points"]) == 2


def test_identity_of_models_that_write_is_what_it_was() -> None:
    def digest(model: str, **options: str) -> str:
        return fake.describe(ModelSpec("m", "fake", model, options=options)).digest

    assert digest("echo") == hashlib.blake2b(b"fake/echo/1", digest_size=16).hexdigest()
    assert digest("echo", task="generate") == digest("echo")
    assert len({digest("echo", task=t) for t in ("generate", "reward", "nli", "embed")}) == 4


def test_messages_of_another_shape_are_refused() -> None:
    for task, messages in (("nli", user("alone")), ("embed", pair("a", "b"))):
        with pytest.raises(EngineError) as caught:
            ask(messages, task=task)
        assert caught.value.kind == "request"
