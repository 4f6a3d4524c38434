"""The `vllm` engine with vLLM itself and a model of random weights (slow: `make vllm`)."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mashbill.runtime.engines import vllm
from mashbill.runtime.requests import Completion, EngineError
from mashbill.runtime.scoring.wire import pair, read_score

from .conftest import PLACEMENT, Served, request, tiny_spec
from .tiny_model import Shape, write_config

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(folder: Path, small: None) -> Iterator[Served]:
    spec = tiny_spec(folder, lora="./adapter")
    with Served(replace(spec, placement={**PLACEMENT, "logprobs": 2})) as served:
        yield served


def test_siblings_go_as_one_request_and_say_their_seeds(served: Served) -> None:
    before = served.engine.loaded.siblings.requests  # type: ignore[union-attr]
    done = served.ask(*(request(draw=d, seed=900 - d) for d in range(4)))
    assert served.engine.loaded.siblings.requests == before + 1  # type: ignore[union-attr]
    assert [d.seed for d in done] == [None, 901, 902, 903]
    assert len({d.text for d in done}) == 4
    (again,) = served.ask(request(seed=902))
    assert again.text == done[2].text, "the seed that it says is the one that made it"


def test_counts_are_exact_and_prefixes_are_cached(served: Served) -> None:
    long = "The miller ground the corn by the river. " * 16  # More than a block of the cache.
    first, second = (served.ask(request(long + tail))[0] for tail in ("One", "Two"))
    tokens = vllm.tokens(served.spec)
    assert first.prompt_tokens == tokens.count_chat([request(long + "One").messages])[0]
    assert (first.completion_tokens, first.max_tokens) == (16, 16)
    assert first.cached_tokens == 0 < second.cached_tokens < second.prompt_tokens


def test_more_at_once_than_a_step_computes(served: Served) -> None:
    """Prompts that do not fit into one step are not cut where that would end the engine."""
    asks = (request(f"{n} " + "mill and river " * 40, seed=n, max_tokens=4) for n in range(60))
    assert all(isinstance(d, Completion) for d in served.ask(*asks))
    assert not served.engine.note()


def test_sampling_reaches_vllm(served: Served) -> None:
    (plain,) = served.ask(request(temperature=0.0))
    assert served.ask(request(temperature=0.0, seed=77))[0].text == plain.text
    narrow: dict[str, Any]
    for narrow in ({"top_k": 1}, {"min_p": 1.0}):
        assert served.ask(request(temperature=2.0, **narrow))[0].text == plain.text, narrow
    assert served.ask(request(temperature=2.0))[0].text != plain.text
    assert served.ask(request(temperature=0.0, repetition_penalty=2.0))[0].text != plain.text, (
        "random weights repeat themselves"
    )
    letter = next(c for c in plain.text if c.isprintable() and c != "\ufffd")
    (stopped,) = served.ask(request(temperature=0.0, stop=(letter,)))
    assert (letter not in stopped.text, stopped.finish) == (True, "stop")


def test_logprobs_are_kept(served: Served) -> None:
    (done,) = served.ask(request())
    tokens = json.loads(done.extra["logprobs"])
    assert len(tokens) == done.completion_tokens
    assert all(len(t["top"]) == 2 and t["logprob"] <= 0 for t in tokens)


def test_a_reply_is_held_to_its_schema(served: Served) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 8},
            "age": {"type": "integer", "minimum": 1, "maximum": 20},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
        },
        "required": ["name", "age", "tags"],
        "additionalProperties": False,
    }
    asks = (request(schema=json.dumps(schema), max_tokens=150, seed=n) for n in range(8))
    for done in served.ask(*asks):
        assert done.finish == "stop"
        jsonschema.validate(json.loads(done.text), schema)
        assert "\n" not in done.text and "  " not in done.text
    (cut,) = served.ask(request(schema=json.dumps(schema), max_tokens=3))
    assert (cut.finish, cut.completion_tokens) == ("length", 3)


def test_what_does_not_fit_is_found_first(served: Served) -> None:
    (long,) = served.ask(request("mill " * 400))
    assert (long.kind, long.retryable) == ("overlong", False)
    (cut,) = served.ask(request("mill " * 30, max_tokens=400, top_k=1, temperature=1.0))
    if isinstance(cut, EngineError):
        assert cut.kind == "overlong" and "max_model_len" in str(cut)
    else:
        assert cut.finish == "stop"


def test_a_poisoned_prompt_is_its_own_fault(served: Served) -> None:
    bad, *good = served.ask(request(top_p=7.0), request("a"), request("b"))
    assert isinstance(bad, EngineError)
    assert (bad.kind, bad.retryable) == ("request", False)
    assert "top_p" in str(bad)
    assert all(isinstance(g, Completion) for g in good)


def test_a_request_that_nobody_waits_for_is_given_up(served: Served) -> None:
    async def go() -> int:
        loaded = served.engine.loaded
        assert loaded is not None
        work = asyncio.ensure_future(served.engine.complete(request(max_tokens=230, seed=8)))
        await asyncio.sleep(0.05)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await asyncio.sleep(0.2)
        return int(loaded.llm.output_processor.get_num_unfinished_requests())

    assert served.run(go()) == 0


def test_an_adapter_changes_the_replies(folder: Path, served: Served) -> None:
    """The engine of this file has one; its numbers are strong enough to show."""
    assert served.engine.loaded.load.lora == str(folder / "adapter")  # type: ignore[union-attr]

    async def without() -> str:
        loaded = served.engine.loaded
        assert loaded is not None
        adapter, loaded._lora = loaded._lora, None
        try:
            return (await served.engine.complete(request(temperature=0.0))).text
        finally:
            loaded._lora = adapter

    assert served.run(without()) != served.ask(request(temperature=0.0))[0].text


def test_a_model_that_writes_rates_nothing(served: Served) -> None:
    with pytest.raises(EngineError, match="task: reward"):
        served.run(served.engine.score([("a", "b")]))


def test_a_crash_is_an_error_and_a_new_process(served: Served) -> None:
    """Last in this file but one: what comes after it meets the second engine."""
    os.kill(served.pid, signal.SIGINT)  # As Ctrl-C does, which goes to all processes.
    (fine,) = served.ask(request())
    assert isinstance(fine, Completion)
    first = served.pid

    async def killed() -> list[Any]:
        asks = [
            asyncio.ensure_future(served.engine.complete(request(str(n), max_tokens=200)))
            for n in range(3)
        ]
        await asyncio.sleep(0.05)
        os.kill(first, signal.SIGKILL)
        return await asyncio.gather(*asks, return_exceptions=True)

    for error in served.run(killed()):
        assert isinstance(error, EngineError)
        assert (error.kind, error.retryable) == ("crash", True)
        assert "vLLM crashed with ./tiny" in str(error)
    assert isinstance(served.ask(request())[0], Completion)
    assert served.pid != first
    assert served.engine.note() == "restarted 1×"


def test_a_model_that_rates(folder: Path, small: None) -> None:
    chats = [request(text).messages for text in ("a", "The mill stood by the river", "a")]
    with Served(tiny_spec(folder, "./rater", task="reward")) as rater:
        rewards = rater.run(rater.engine.score(chats))
        assert rewards[0] == pytest.approx(rewards[2], abs=1e-4) != pytest.approx(rewards[1])
        pairs = rater.run(rater.engine.score([("what", "this"), ("what", "that mill")]))
        assert len(set(pairs)) == 2
        # As any other model: a request, and a reply that ledger and replay can keep.
        alone, both = rater.ask(request("a"), replace(request(), messages=pair("what", "this")))
        assert read_score(alone.text) == pytest.approx(rewards[0], abs=1e-4)
        assert (alone.finish, alone.completion_tokens) == ("stop", 0)
        assert math.isfinite(read_score(both.text))
        (long,) = rater.ask(request("corn " * 400))
        assert (long.kind, long.retryable) == ("overlong", False)


def test_what_cannot_be_loaded_is_told_kindly(folder: Path, small: None, tmp_path: Path) -> None:
    write_config(tmp_path / "long", Shape(context=2**21))
    dummy = {**PLACEMENT, "load_format": "dummy"}
    spec = tiny_spec(folder)
    for model, placement, kind, said in [
        (spec.model, {"max_model_len": 4096}, "load", "max_model_len"),
        (spec.model, {"swap_space": 4}, "placement", "has no setting swap_space"),
        # Found by a process of vLLM's, which only its log tells of.
        (str(tmp_path / "long"), {**dummy, "max_model_len": 2**21}, "memory", "lower placement."),
    ]:
        wrong = replace(spec, model=model, placement={**PLACEMENT, **placement})
        with pytest.raises(EngineError) as caught:
            asyncio.run(vllm.VllmEngine(wrong).start())
        assert (caught.value.kind, caught.value.retryable) == (kind, False), caught.value
        assert said in str(caught.value)
