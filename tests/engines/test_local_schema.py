"""Replies of the `local` engine that are held to a JSON Schema, and their log-probabilities."""

from __future__ import annotations

import importlib.util
import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from mashbill.runtime.engines import local
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import EngineError, Message, Request, Sampling

from .local_server import Served
from .tiny_gguf import write_tiny

DOG = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 12},
        "age": {"type": ["integer", "null"], "minimum": 1, "exclusiveMaximum": 20},
        "colours": {"type": "array", "items": {"enum": ["red", "brown"]}, "maxItems": 2},
        "good": {"type": "boolean"},
    },
    "required": ["name", "good"],
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Random weights: whatever the grammar allows is drawn sooner or later."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip('llama.cpp is not installed: pip install "mashbill[local]"')
    path = write_tiny(tmp_path_factory.mktemp("tiny") / "tiny.gguf")
    with Served(ModelSpec("w", "local", str(path), placement={"slots": 8, "logprobs": 2})) as it:
        yield it


@pytest.fixture(scope="module")
def real(local_spec: ModelSpec) -> Iterator[Served]:
    with Served(replace(local_spec, placement={"context": 512, "slots": 4})) as served:
        yield served


def ask(schema: Any, seed: int = 1, **sampling: Any) -> Request:
    given: dict[str, Any] = {"temperature": 1.0, "max_tokens": 1500, **sampling}
    text = schema if isinstance(schema, str) else json.dumps(schema)
    turn = Message("user", "Describe a dog in JSON with name, age, colours, good.")
    return Request("m", (turn,), Sampling(schema=text, **given), seed=seed)


def some_schema(random_: random.Random, depth: int = 2) -> dict[str, Any]:
    """A schema of the kinds that a prompt file may hold, every length bounded."""
    kinds = ["string", "integer", "number", "boolean", "enum", "const"]
    kind = random_.choice(kinds + ["object", "array", "anyOf"] * bool(depth))
    low = random_.randint(-150, 150)
    match kind:
        case "object":
            names = random_.sample(["a", "b", 'q"uote', "über", "e f", "back\\slash"], 3)
            made = {n: some_schema(random_, depth - 1) for n in names}
            return {
                "type": kind,
                "properties": made,
                "required": [n for n in names if random_.random() < 0.5],
                "additionalProperties": False,
            }
        case "array":
            least = random_.randint(0, 2)
            most = least + random_.randint(0, 2)
            items = some_schema(random_, depth - 1)
            return {"type": kind, "items": items, "minItems": least, "maxItems": most}
        case "anyOf":
            return {"anyOf": [some_schema(random_, depth - 1), {"type": "null"}]}
        case "string":
            least = random_.randint(0, 3)
            return {"type": kind, "minLength": least, "maxLength": least + random_.randint(0, 9)}
        case "integer":
            bounds = {"minimum": low, "maximum": low + random_.choice([0, 3, 170, 10**6])}
            return {"type": [kind, "null"], **(bounds if random_.random() < 0.7 else {})}
        case "number":
            bounds = {"exclusiveMinimum": low / 8, "maximum": low / 8 + random_.choice([0.25, 30])}
            return {"type": kind, **(bounds if random_.random() < 0.7 else {})}
        case "enum":
            return {"enum": random_.sample(["x", "líne\n", 'say "hi"', 3, 2.5, True, None], 3)}
        case "const":
            return {"const": random_.choice(["only", 7, [1, {"a": "b"}]])}
    return {"type": "boolean"}


def test_random_weights_meet_random_schemas(tiny: Served) -> None:
    random_ = random.Random(7)
    schemas = [
        {"type": "object", "properties": {"v": some_schema(random_, 3)}, "required": ["v"]}
        for _ in range(60)
    ]
    replies = tiny.complete_all([ask(schema, seed=n) for n, schema in enumerate(schemas)])
    for schema, reply in zip(schemas, replies, strict=True):
        assert reply.finish == "stop", (schema, reply.text)
        jsonschema.validate(json.loads(reply.text), schema)
        assert list(json.loads(reply.text)) == ["v"]


def test_what_may_be_left_out_is_left_out_now_and_then(tiny: Served) -> None:
    replies = [json.loads(r.text) for r in tiny.complete_all([ask(DOG, n) for n in range(40)])]
    shapes = {tuple(reply) for reply in replies}
    assert shapes >= {("name", "good"), ("name", "age", "good")}
    assert all(shape == tuple(n for n in DOG["properties"] if n in shape) for shape in shapes)
    assert {type(reply.get("age")) for reply in replies} >= {int, type(None)}
    assert all(2 <= len(reply["name"]) <= 12 for reply in replies)


def test_no_free_white_space(tiny: Served) -> None:
    for reply in tiny.complete_all([ask(DOG, n) for n in range(20)]):
        outside = re.sub(r'"(?:\\.|[^"\\])*"', '""', reply.text)
        assert re.fullmatch(r"(?:[^\s]|[:,] )*", outside), outside


def test_logprobs_are_kept_as_json(tiny: Served) -> None:
    done = tiny.complete(ask(DOG, 3))
    tokens = json.loads(done.extra["logprobs"])
    assert len(tokens) in (done.completion_tokens, done.completion_tokens - 1)
    assert all(set(t) == {"token", "logprob", "top"} and len(t["top"]) == 2 for t in tokens)
    assert all(value is None or value <= 0 for t in tokens for _, value in t["top"])
    assert done.text.startswith(tokens[0]["token"])


def test_the_real_model_meets_a_schema(real: Served) -> None:
    replies = real.complete_all([ask(DOG, n, max_tokens=120) for n in range(4)])
    for reply in replies:
        assert reply.finish == "stop"
        jsonschema.validate(json.loads(reply.text), DOG)


def test_a_held_reply_that_is_cut_comes_back_cut(real: Served) -> None:
    done = real.complete(ask(DOG, max_tokens=4))
    assert (done.finish, done.completion_tokens) == ("length", 4)
    assert done.text.startswith("{")


def test_a_schema_that_no_grammar_says_is_that_requests_own_fault(real: Served) -> None:
    with pytest.raises(EngineError, match="`a`: `pattern` cannot be held to") as caught:
        real.complete(ask({"type": "object", "properties": {"a": {"pattern": "x"}}}))
    assert (caught.value.kind, caught.value.retryable) == ("schema", False)
    assert real.complete(ask(DOG, max_tokens=2)).text


def test_logprobs_change_nothing_of_the_text(local_spec: ModelSpec, real: Served) -> None:
    """And none are kept unless they are asked for."""
    plain = real.complete(ask(DOG, 5, max_tokens=20))
    assert "logprobs" not in plain.extra
    with Served(replace(real.spec, placement={**real.spec.placement, "logprobs": 3})) as served:
        told = served.complete(ask(DOG, 5, max_tokens=20))
    assert told.text == plain.text
    assert local.describe(local_spec).digest == local.describe(served.spec).digest


@pytest.mark.parametrize("count", [21, -1, True, "many"])
def test_a_count_of_logprobs_that_is_none(local_spec: ModelSpec, count: object) -> None:
    with pytest.raises(EngineError, match=r"models\.writer\.placement\.logprobs"):
        local.open_engine(replace(local_spec, placement={"logprobs": count}))
