"""The `http` engine against real servers: as much as they bear, and fail-over when one dies."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mashbill.runtime.engines import http
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import Completion, EngineError, Message, Request, Sampling
from tests.faults import FaultServer
from tests.faults.asking import ask, model, run

MINUTE = 60


@pytest.fixture
def pair() -> Iterator[tuple[FaultServer, FaultServer]]:
    with FaultServer(latency=0.01) as one, FaultServer(latency=0.01) as other:
        yield one, other


def test_a_healthy_server_gets_all_that_is_asked() -> None:
    with FaultServer(latency=0.02, spread=0.5) as server:
        outcome = run(model(server.url, concurrency=32), [ask(n) for n in range(800)])
        assert server.stats()["peak"] == 32
    assert not outcome.lost
    assert (outcome.note, outcome.notes) == ("", set()), "the limit is at the top"


@pytest.mark.parametrize("full", ["429", "503"])
def test_the_limit_falls_to_what_a_server_bears_and_recovers(full: str) -> None:
    with FaultServer(latency=0.01, capacity=8, full=full) as server:
        spec = model(server.url, concurrency=32)
        refused: list[int] = []
        outcome = run(
            spec,
            [ask(n) for n in range(1900)],
            tries=60,
            at={
                300: lambda: refused.append(server.stats()["full"]),
                600: lambda: (refused.append(server.stats()["full"]), server.set(capacity=0)),
            },
        )
    assert not outcome.lost
    assert set(outcome.faults) == {f"status-{full}"}
    assert any(note.endswith("at once") for note in outcome.notes)
    assert (refused[1] - refused[0]) / 300 < 0.25, "32 at once would be refused three times in four"
    assert outcome.note == "", "at the top again"


def test_a_server_that_asks_for_time_gets_it() -> None:
    with FaultServer(latency=0.001, capacity=1, full="429-after", retry_after=0.8) as server:

        async def main() -> Completion:
            engine = http.open_engine(model(server.url, concurrency=8))
            await engine.start()
            first = await asyncio.gather(
                *(engine.complete(ask(n)) for n in range(8)), return_exceptions=True
            )
            refused = [e for e in first if isinstance(e, EngineError)]
            assert {e.retry_after for e in refused} == {0.8}
            assert engine.note().startswith("asked to wait")
            completion = await engine.complete(ask(9))
            await engine.close()
            return completion

        assert asyncio.run(main()).waited > 0.3
        arrivals = server.stats()["arrivals"]
    assert arrivals[-1] - arrivals[-2] > 0.3, "nothing was sent meanwhile"


def test_requests_per_minute_are_even() -> None:
    with FaultServer(latency=0.001) as server:
        spec = model(server.url, concurrency=16, requests_per_minute=40 * MINUTE)
        outcome = run(spec, [ask(n) for n in range(80)])
        arrivals = server.stats()["arrivals"]
    assert not outcome.lost
    assert arrivals[-1] - arrivals[0] >= 0.95, "one second's worth at once, then 40 a second"
    for start in arrivals:
        # 50, and some more where the server itself came late to read them.
        assert sum(start <= t < start + 0.25 for t in arrivals) <= 65


def test_tokens_per_minute_are_reserved_and_corrected() -> None:
    asked = [ask(n, max_tokens=100) for n in range(30)]
    with FaultServer(latency=0.001) as server:
        # Each reserves about 120 and uses about 20; a second holds 200.
        spec = model(server.url, concurrency=16, tokens_per_minute=200 * MINUTE)
        outcome = run(spec, asked)
        arrivals = server.stats()["arrivals"]
    used = sum(
        r.prompt_tokens + r.completion_tokens for r in outcome.replies if isinstance(r, Completion)
    )
    assert not outcome.lost
    spent = arrivals[-1] - arrivals[0]
    assert spent >= (used - 200 - 200) / 200, "no faster than the rate"
    assert spent <= used / 200 + 2.0, "what was reserved in vain is given back"


def test_waiting_for_a_turn_is_no_timeout_and_no_part_of_the_time() -> None:
    with FaultServer(latency=0.2) as server:
        spec = model(server.url, concurrency=1, timeout="800ms")

        async def main() -> list[Completion]:
            engine = http.open_engine(spec)
            await engine.start()
            done = await asyncio.gather(*(engine.complete(ask(n)) for n in range(6)))
            await engine.close()
            return done

        waits = sorted(c.waited for c in asyncio.run(main()))
    assert waits[0] == 0.0
    assert waits[-1] > 0.8, "longer than the timeout"


def test_a_dying_server_loses_nothing_and_is_used_again(
    pair: tuple[FaultServer, FaultServer],
) -> None:
    one, other = pair
    spec = model(one.url, other.url, concurrency=8)
    outcome = run(
        spec,
        [ask(n) for n in range(2000)],
        tries=12,
        at={200: one.kill, 600: one.start},
    )
    assert not outcome.lost
    assert {"1 of 2 servers down"} & outcome.notes
    again = one.stats()
    assert again["answered"] > 200, "the revived server is used again"
    assert again["repaid"] + other.stats()["repaid"] == 0
    assert sum(outcome.faults.values()) < 60, "few are sent to a server that is not there"


def test_all_servers_down_and_back(pair: tuple[FaultServer, FaultServer]) -> None:
    one, other = pair
    outcome = run(
        model(one.url, other.url, concurrency=4),
        [ask(n) for n in range(200)],
        tries=2000,  # a server takes seconds to start on a busy machine, a refusal none
        at={50: lambda: (one.kill(), other.kill()), 51: one.start},
    )
    assert not outcome.lost
    assert "2 of 2 servers down" in outcome.notes
    assert set(outcome.faults) <= {"connect", "reset", "half-reply"}


def test_an_error_says_which_of_the_servers(pair: tuple[FaultServer, FaultServer]) -> None:
    one, other = pair
    one.set(rate=1.0, kinds="500")
    other.set(rate=1.0, kinds="500")
    words = {str(e) for e in run(model(one.url, other.url), [ask(n) for n in range(8)]).lost}
    for server in pair:
        assert any(f"(127.0.0.1:{server.port})" in said for said in words)
    assert not any("(" in str(e) for e in run(model(one.url), [ask(1)]).lost)


def test_who_waits_when_the_engine_closes_is_told() -> None:
    async def main(url: str) -> list[Completion | BaseException]:
        engine = http.open_engine(model(url, concurrency=1))
        await engine.start()
        tasks = [asyncio.create_task(engine.complete(ask(n))) for n in range(3)]
        await asyncio.sleep(0.05)
        await engine.close()
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)

    with FaultServer(latency=5.0) as server:
        ends = asyncio.run(main(server.url))
    assert all(isinstance(e, EngineError) for e in ends)
    assert [e.kind for e in ends[1:] if isinstance(e, EngineError)] == ["closed", "closed"]


def test_rows_of_one_document_meet_the_same_cache(pair: tuple[FaultServer, FaultServer]) -> None:
    requests = [
        replace(ask(0), messages=(Message("user", f"document {n % 40}"),), seed=n)
        for n in range(640)
    ]
    run(model(*(s.url for s in pair), concurrency=32), requests)
    one, other = (Counter(s.stats()["prompts"]) for s in pair)
    at_home = sum(max(one[name], other[name]) for name in one | other)
    assert at_home / 640 > 0.75, "by chance it would be six of ten"
    assert min(one.total(), other.total()) > 200, "and both had work"


def test_more_servers_change_slots_but_not_identity() -> None:
    one = model("http://localhost:1", concurrency=8)
    two = model("http://localhost:1", "http://other:2", "http://localhost:1/v1", concurrency=8)
    assert http.open_engine(one).slots == 8
    assert http.open_engine(two).slots == 16, "a server named twice is one"
    assert http.describe(one) == http.describe(two)


def test_options_are_identity_and_their_defaults_are_not() -> None:
    def digest(**options: object) -> str:
        return http.describe(
            ModelSpec("w", "http", "m", urls=("http://localhost:1",), options=options)
        ).digest

    assert digest() == digest(api="chat")
    assert (
        len({digest(), digest(api="completion"), digest(thinking=True), digest(thinking=False)})
        == 4
    )


def completion_model(url: str) -> ModelSpec:
    return replace(model(url), options={"api": "completion"})


def test_plain_completions() -> None:
    with FaultServer() as server:
        (reply,) = run(completion_model(server.url), [ask(3)]).replies
    assert isinstance(reply, Completion)
    assert reply.text == "What is 3?"


def test_plain_completions_take_one_text() -> None:
    turns = (Message("system", "Be brief."), Message("user", "Why?"))
    asked = Request("m", turns, Sampling())
    with FaultServer() as server:
        (error,) = run(completion_model(server.url), [asked]).lost
        assert server.stats()["requests"] == 0
    assert (error.kind, error.retryable) == ("request", False)
    assert "api: chat" in str(error)


def test_a_server_without_schemas_is_asked_without_one_from_then_on() -> None:
    schema = json.dumps({"type": "object", "properties": {"score": {"type": "integer"}}})
    with FaultServer(schema=False) as server:
        outcome = run(model(server.url, concurrency=1), [ask(n, schema=schema) for n in range(3)])
        assert server.stats()["requests"] == 4, "one request finds out"
    assert not outcome.lost


@pytest.mark.parametrize("dialect", ["openai", "vllm", "llama"])
def test_dialects_of_structured_output(dialect: str) -> None:
    schema = json.dumps({"type": "object", "properties": {"score": {"type": "integer"}}})
    with FaultServer() as server:
        spec = model(server.url, structured_output=dialect)
        (reply,) = run(spec, [ask(1, schema=schema)]).replies
    assert isinstance(reply, Completion)
    assert json.loads(reply.text) == {"score": 1}


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(EngineError, match=r"placement\.structured_output is 'xml'; give one of"):
        http.open_engine(model("http://localhost:1", structured_output="xml"))
