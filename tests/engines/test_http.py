from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from json import dumps
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mashbill.runtime.engines import http
from mashbill.runtime.engines.base import EngineModule, ModelSpec
from mashbill.runtime.requests import Completion, EngineError, Message, Request, Sampling

KEY = "sk-very-secret"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(text: str = "hello", finish: str | None = "stop", **other: Any) -> dict[str, Any]:
    return {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
        **other,
    }


def json(body: Any, status: int = 200, **headers: str) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.json_response(
            body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return handle


@dataclass
class Peer:
    """A chat server that does as it is told: handler after handler, the last one for ever."""

    handlers: list[Handler]
    bodies: list[dict[str, Any]] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.json())
        handler = self.handlers.pop(0) if len(self.handlers) > 1 else self.handlers[0]
        return await handler(request)


def request(text: str = "hi", **sampling: Any) -> Request:
    return Request("m", (Message("user", text),), Sampling(**sampling), seed=2**40 + 5)


def talk(
    *handlers: Handler,
    requests: int = 1,
    asked: Request | None = None,
    key: str | None = KEY,
    path: str = "",
    options: dict[str, Any] | None = None,
    **placement: Any,
) -> tuple[list[Completion | EngineError], Peer]:
    """Send requests one after another to a server on loopback; what came of each."""

    async def main() -> tuple[list[Completion | EngineError], Peer]:
        peer = Peer(list(handlers))
        app = web.Application()
        app.router.add_post("/{tail:.*}", peer.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
        spec = ModelSpec(
            *("judge", "http", "some-model", (url,), key),
            placement=placement,
            options=options or {},
        )
        engine = http.open_engine(spec)
        await engine.start()
        outcomes: list[Completion | EngineError] = []
        try:
            for _ in range(requests):
                try:
                    outcomes.append(await engine.complete(asked or request()))
                except EngineError as error:
                    outcomes.append(error)
        finally:
            await engine.close()
            await runner.cleanup()
        return outcomes, peer

    return asyncio.run(main())


def failure(*handlers: Handler, **more: Any) -> EngineError:
    (outcome,), _ = talk(*handlers, **more)
    assert isinstance(outcome, EngineError)
    return outcome


def success(*handlers: Handler, **more: Any) -> Completion:
    (outcome,), _ = talk(*handlers, **more)
    assert isinstance(outcome, Completion), outcome
    return outcome


def test_module_meets_the_protocol() -> None:
    module: EngineModule = http
    assert "concurrency" in module.PLACEMENT


def test_a_reply_and_what_was_sent_for_it() -> None:
    asked = request(
        "hi ü", temperature=0.5, top_k=20, repetition_penalty=1.1, stop=("\n",), max_tokens=9
    )
    outcomes, peer = talk(json(answer(" hello ")), asked=asked)
    assert outcomes == [Completion(" hello ", "stop", 7, 3, 9)]
    assert peer.bodies == [
        {
            "model": "some-model",
            "messages": [{"role": "user", "content": "hi ü"}],
            "temperature": 0.5,
            "top_p": 1.0,
            "top_k": 20,
            "repetition_penalty": 1.1,
            "stop": ["\n"],
            "max_tokens": 9,
            "seed": 5,
        }
    ]
    assert peer.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_no_key_no_header() -> None:
    _, peer = talk(json(answer()), key=None)
    assert "Authorization" not in peer.requests[0].headers


@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/api", "/api/v1/chat/completions"),
        ("/v1beta/openai", "/v1beta/openai/chat/completions"),
        ("/odd/chat/completions", "/odd/chat/completions"),
        ("/odd/completions", "/odd/chat/completions"),
    ],
)
def test_the_address_with_and_without_v1(path: str, reached: str) -> None:
    _, peer = talk(json(answer()), path=path)
    assert peer.requests[0].path == reached


@pytest.mark.parametrize("url", [None, "", "localhost:8000", "ftp://x/v1", "http://", "http://x:y"])
def test_what_is_no_address_is_refused(url: str | None) -> None:
    with pytest.raises(EngineError, match=r"models\.judge\.url"):
        http.open_engine(ModelSpec("judge", "http", "m", urls=(url,) if url else ()))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("stop", "stop"), ("eos_token", "stop"), ("length", "length"), ("max_tokens", "length")],
)
def test_finish_reasons(theirs: str, ours: str) -> None:
    assert success(json(answer(finish=theirs))).finish == ours


def test_counts_are_made_where_none_are_sent() -> None:
    done = success(json(answer("one two", usage=None)), asked=request("a word"))
    assert (done.completion_tokens, done.prompt_tokens) == (2, 2 + 8)


def test_thoughts_are_kept_apart() -> None:
    body = answer("4")
    body["choices"][0]["message"]["reasoning_content"] = "2+2"
    assert success(json(body)).extra == {"reasoning": "2+2"}


def test_what_the_usage_says_beside_the_sums() -> None:
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    done = success(json(answer(usage=usage)))
    assert (done.cached_tokens, done.extra) == (5, {"reasoning_tokens": "2"})
    for odd in (None, [], {"cached_tokens": "5"}, {"cached_tokens": -1}, {"cached_tokens": None}):
        assert (
            success(json(answer(usage={**usage, "prompt_tokens_details": odd}))).cached_tokens == 0
        )


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", str(2**80)])
def test_numbers_that_are_no_json_do_not_spoil_a_reply(number: str) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        text = dumps(answer("ü \ud83d\ude00")).replace("{", f'{{"logprob": {number}, ', 1)
        return web.Response(text=text, content_type="application/json")

    assert success(handle).text == "ü 😀"


def test_half_a_character_is_none() -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(text=dumps(answer("a \ud83d b")), content_type="application/json")

    done = success(handle)
    assert done.text == "a ? b"
    assert done.text.encode()


def test_a_body_that_is_nothing_but_depth_is_a_bad_reply() -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(text="[" * 100_000, content_type="application/json")

    assert failure(handle).kind == "bad-reply"


def test_thinking_is_told_to_the_template() -> None:
    for thinking in (True, False):
        _, peer = talk(json(answer()), options={"thinking": thinking})
        assert peer.bodies[0]["chat_template_kwargs"] == {"enable_thinking": thinking}


def test_plain_completions_and_what_was_sent_for_one() -> None:
    body = {"choices": [{"text": " on", "finish_reason": "length"}], "usage": {"prompt_tokens": 7}}
    (done,), peer = talk(
        json(body), asked=request("go", max_tokens=1), options={"api": "completion"}
    )
    assert isinstance(done, Completion)
    assert (done.text, done.finish, done.prompt_tokens) == (" on", "length", 7)
    assert peer.requests[0].path == "/v1/completions"
    assert peer.bodies[0]["prompt"] == "go"
    assert "messages" not in peer.bodies[0]


@pytest.mark.parametrize(
    ("dialect", "sent"),
    [
        (
            "openai",
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "reply", "schema": {"type": "object"}},
                }
            },
        ),
        ("vllm", {"structured_outputs": {"json": {"type": "object"}}}),
        ("guided_json", {"guided_json": {"type": "object"}}),
        ("llama", {"json_schema": {"type": "object"}}),
        ("none", {}),
    ],
)
def test_a_schema_in_the_words_of_the_server(dialect: str, sent: dict[str, Any]) -> None:
    asked = request(schema='{"type":"object"}')
    _, peer = talk(json(answer()), asked=asked, structured_output=dialect)
    _, plain = talk(json(answer()))
    (body,), (without,) = peer.bodies, plain.bodies
    assert {k: v for k, v in body.items() if k not in without} == sent


def test_only_a_refused_schema_is_left_out() -> None:
    refusal = json({"error": {"message": "response_format: json_schema is not supported"}}, 400)
    asked = request(schema='{"type":"object"}')
    (done,), peer = talk(refusal, json(answer()), asked=asked)
    assert isinstance(done, Completion)
    assert ["response_format" in b for b in peer.bodies] == [True, False]
    for other in (json({"error": "temperature is out of range"}, 400), json({}, 500)):
        (error,), peer = talk(other, json(answer()), asked=asked)
        assert isinstance(error, EngineError)
        assert len(peer.bodies) == 1
    (error,), peer = talk(refusal, asked=request())
    assert isinstance(error, EngineError)
    assert len(peer.bodies) == 1, "without a schema, there is nothing to leave out"
    (error,), peer = talk(refusal, asked=asked)
    assert isinstance(error, EngineError)
    assert len(peer.bodies) == 2, "once"


def test_a_limit_reached_while_thinking_is_an_empty_reply_not_an_error() -> None:
    body = answer(finish="length")
    body["choices"][0]["message"]["content"] = None
    assert (success(json(body)).text, success(json(body)).finish) == ("", "length")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_statuses_that_pass(status: int) -> None:
    error = failure(json({"error": {"message": "later"}}, status))
    assert (error.kind, error.retryable) == (f"status-{status}", True)
    assert "later" in str(error)


@pytest.mark.parametrize("status", [307, 400, 401, 403, 404, 422, 501])
def test_statuses_that_stay(status: int) -> None:
    error = failure(json({"error": {"message": "never"}}, status))
    assert (error.kind, error.retryable) == (f"status-{status}", False)


def test_an_empty_account_is_not_asked_again() -> None:
    body = {"error": {"message": "you exceeded your quota", "code": "insufficient_quota"}}
    assert not failure(json(body, 429)).retryable


def test_retry_after_in_seconds_and_as_a_date() -> None:
    assert failure(json({}, 429, Retry_After="7")).retry_after == 7.0
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True)
    wait = failure(json({}, 503, Retry_After=later)).retry_after
    assert wait is not None and 3000 < wait <= 3600
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert failure(json({}, 503, Retry_After=past)).retry_after == 0.0
    assert failure(json({}, 503, Retry_After="soon")).retry_after is None
    assert failure(json({}, 503)).retry_after is None


@pytest.mark.parametrize(
    "error",
    [
        {"code": "context_length_exceeded", "message": "This model's maximum context is 4096"},
        {"message": "The decoder prompt (length 9) is longer than the maximum model length of 8"},
        {"type": "exceed_context_size_error", "message": "request (9 tokens) exceeds"},
    ],
)
def test_an_overlong_prompt_has_a_kind_of_its_own(error: dict[str, str]) -> None:
    caught = failure(json({"error": error}, 400))
    assert (caught.kind, caught.retryable) == ("overlong", False)


async def not_json(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>busy</html>", content_type="text/html")


async def truncated_json(_: web.Request) -> web.StreamResponse:
    return web.Response(text='{"choices": [{"message": {"content": "hel', status=200)


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise AssertionError


async def abort(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def half_a_body(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"choices": [{"message": {"content": "hel')
    assert request.transport is not None
    request.transport.close()
    return response


async def stalls_midway(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"choices"')
    await asyncio.sleep(60)
    return response


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (not_json, "bad-reply"),
        (truncated_json, "bad-reply"),
        (json([1]), "bad-reply"),
        (json({}), "bad-reply"),
        (json({"choices": []}), "bad-reply"),
        (json({"choices": [{"finish_reason": "stop"}]}), "bad-reply"),
        (json(answer(finish=None)), "bad-reply"),
        (json(answer(finish="tool_calls")), "bad-reply"),
        (json({"error": {"message": "upstream", "code": 502}}), "status-502"),
        (hang, "timeout"),
        (stalls_midway, "timeout"),
        (abort, "reset"),
        (half_a_body, "half-reply"),
    ],
)
def test_faults_of_the_line_and_the_server_can_be_tried_again(handler: Handler, kind: str) -> None:
    (outcome, after), peer = talk(handler, json(answer()), requests=2, timeout="200ms")
    assert isinstance(outcome, EngineError)
    assert (outcome.kind, outcome.retryable) == (kind, True)
    assert isinstance(after, Completion), "the engine goes on after a fault"
    assert len(peer.bodies) == 2, "a first try is the only one"


def test_a_withheld_reply_is_not_asked_for_again() -> None:
    error = failure(json(answer(finish="content_filter")))
    assert (error.kind, error.retryable) == ("filtered", False)


def test_a_kept_connection_that_was_closed_is_no_failure() -> None:
    seen: set[int] = set()

    async def once_a_connection(request: web.Request) -> web.StreamResponse:
        if id(request.transport) in seen:
            return await abort(request)
        seen.add(id(request.transport))
        return web.json_response(answer())

    outcomes, peer = talk(once_a_connection, requests=2)
    assert [isinstance(o, Completion) for o in outcomes] == [True, True]
    assert len(peer.bodies) == 3


def test_the_silent_second_try_is_the_only_one() -> None:
    (first, second), peer = talk(json(answer()), abort, requests=2)
    assert isinstance(first, Completion)
    assert isinstance(second, EngineError)
    assert second.kind == "reset"
    assert len(peer.bodies) == 3


def test_a_server_that_wants_the_newer_name_of_the_limit() -> None:
    words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    outcomes, peer = talk(
        json({"error": {"message": words}}, 400),
        json(answer()),
        requests=2,
        asked=request(max_tokens=9),
    )
    assert all(isinstance(o, Completion) for o in outcomes)
    assert [("max_tokens" in b, b.get("max_completion_tokens")) for b in peer.bodies] == [
        (True, None),
        (False, 9),
        (False, 9),
    ]


def test_nobody_at_the_address() -> None:
    async def main() -> None:
        # A port that was free a moment ago, and that nobody listens to now.
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        engine = http.open_engine(ModelSpec("j", "http", "m", urls=(f"http://127.0.0.1:{port}",)))
        await engine.start()
        try:
            with pytest.raises(EngineError) as caught:
                await engine.complete(request())
        finally:
            await engine.close()
        assert (caught.value.kind, caught.value.retryable) == ("connect", True)

    asyncio.run(main())


def test_the_key_is_never_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    for handler in (json(said, 401), json(said, 500), json(said), abort, half_a_body, not_json):
        error = failure(handler)
        seen: BaseException | None = error
        while seen is not None:
            assert KEY not in str(seen) + repr(seen)
            seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    assert KEY not in caplog.text


def test_before_start_and_after_close() -> None:
    async def main() -> None:
        engine = http.open_engine(ModelSpec("j", "http", "m", urls=("http://127.0.0.1:9",)))
        with pytest.raises(EngineError, match="not started"):
            await engine.complete(request())
        await engine.start()
        await engine.close()
        await engine.close()
        with pytest.raises(EngineError, match="not started"):
            await engine.complete(request())

    asyncio.run(main())


def test_identity_is_model_and_host_not_port_or_placement() -> None:
    def digest(model: str, url: str, **more: Any) -> str:
        return http.describe(ModelSpec("j", "http", model, urls=(url,), **more)).digest

    here = digest("m", "http://localhost:8000")
    assert here == digest("m", "http://127.0.0.1:8001/v1", key="x", placement={"concurrency": 3})
    assert here != digest("n", "http://localhost:8000")
    assert here != digest("m", "https://models.example")


def test_tokens_by_a_tokenizer_on_this_machine(tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    tokenizer = Tokenizer(WordLevel({"a": 0, "b": 1, "user": 2, "?": 3}, unk_token="?"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    spec = ModelSpec(
        *("j", "http", "m", ("http://localhost:1",)),
        placement={"tokenizer": "tokenizer.json"},
        base=str(tmp_path),
    )
    assert http.tokens(spec).count(["a b a", ""]) == [3, 0]
    assert not http.describe(spec).exact_tokens, "no template, so conversations are estimates"
    (tmp_path / "tokenizer_config.json").write_text(
        '{"chat_template": "{% for m in messages %}{{ m.role }} {{ m.content }}{% endfor %}"}'
    )
    from mashbill.runtime.engines._tokenizer_json import load_tokens

    load_tokens.cache_clear()
    assert http.describe(spec).exact_tokens
    assert http.tokens(spec).count_chat([[Message("user", "a b")]]) == [3]
    missing = ModelSpec("j", "http", "m", ("http://x",), placement={"tokenizer": "none.json"})
    with pytest.raises(EngineError, match=r"none\.json is not a tokenizer"):
        http.tokens(missing)
