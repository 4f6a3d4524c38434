"""Models behind a server that score or embed: what is sent, what is read, what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from mashbill.runtime.engines import http
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import Completion, EngineError, Message, Request, Sampling
from mashbill.runtime.scoring.wire import pair, read_score, read_vector

KEY = "sk-very-secret"
CHAT = pair("What is 2 + 2?", "4")
USAGE = {"usage": {"prompt_tokens": 9, "total_tokens": 9}}
SCORE = {"data": [{"index": 0, "object": "score", "score": 0.75}], **USAGE}
VECTOR = {"data": [{"index": 0, "embedding": [0.6, -0.8]}], "usage": {"total_tokens": 3}}
REWARD = {"data": [{"index": 0, "label": "x", "probs": [-3.5], "num_classes": 1}], **USAGE}
POOLED = {"data": [{"index": 0, "data": [[0.1], [2.25]]}], **USAGE}


@dataclass(frozen=True)
class Said:
    """What a server says to one request."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


NOWHERE = Said({"detail": "Not Found"}, 404)


@dataclass
class Peer:
    """A server on loopback: path to what it says, whatever else is asked, it does not know."""

    says: dict[str, Said]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, await request.json()))
        said = self.says.get(request.path, NOWHERE)
        return web.json_response(said.body, status=said.status, headers=said.headers)


def talk(
    task: str,
    says: dict[str, Said],
    messages: Sequence[Message] = CHAT,
    times: int = 1,
    path: str = "",
) -> tuple[list[Completion | EngineError], Peer]:
    async def main() -> tuple[list[Completion | EngineError], Peer]:
        peer = Peer(says)
        app = web.Application()
        app.router.add_post("/{tail:.*}", peer.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
        spec = ModelSpec("rm", "http", "some-model", (url,), KEY, options={"task": task})
        engine = http.open_engine(spec)
        await engine.start()
        found: list[Completion | EngineError] = []
        try:
            for draw in range(times):
                request = Request("m", tuple(messages), Sampling(max_tokens=1), draw)
                try:
                    found.append(await engine.complete(request))
                except EngineError as error:
                    found.append(error)
        finally:
            await engine.close()
            await runner.cleanup()
        return found, peer

    return asyncio.run(main())


def reply(task: str, says: dict[str, Said], messages: Sequence[Message] = CHAT) -> Completion:
    (found,), _ = talk(task, says, messages)
    assert isinstance(found, Completion), found
    return found


def failure(task: str, says: dict[str, Said], messages: Sequence[Message] = CHAT) -> EngineError:
    (found,), _ = talk(task, says, messages)
    assert isinstance(found, EngineError)
    return found


def test_a_score_of_a_pair() -> None:
    (found,), peer = talk("score", {"/v1/score": Said(SCORE)})
    assert isinstance(found, Completion)
    assert read_score(found.text) == 0.75
    assert (found.prompt_tokens, found.completion_tokens, found.finish) == (9, 0, "stop")
    body = {"model": "some-model", "text_1": "What is 2 + 2?", "text_2": "4"}
    assert peer.asked == [("/v1/score", body)]


def test_an_embedding_of_a_text() -> None:
    (found,), peer = talk("embed", {"/v1/embeddings": Said(VECTOR)}, [Message("user", "hello")])
    assert isinstance(found, Completion)
    assert read_vector(found.text) == (0.6, -0.8)
    assert found.prompt_tokens == 3
    body = {"model": "some-model", "input": ["hello"], "encoding_format": "float"}
    assert peer.asked == [("/v1/embeddings", body)]


def test_a_reward_of_a_conversation_has_no_bounds() -> None:
    (found,), peer = talk("reward", {"/classify": Said(REWARD)})
    assert isinstance(found, Completion)
    assert read_score(found.text) == -3.5
    turns = [{"role": m.role, "content": m.content} for m in CHAT]
    assert peer.asked == [
        ("/classify", {"model": "some-model", "messages": turns, "use_activation": False})
    ]


def test_a_server_that_does_not_classify_pools_and_is_asked_so_from_then_on() -> None:
    found, peer = talk("reward", {"/pooling": Said(POOLED)}, times=3)
    assert [read_score(f.text) for f in found if isinstance(f, Completion)] == [2.25] * 3
    assert [path for path, _ in peer.asked] == ["/classify", *["/pooling"] * 3]


def test_a_server_that_knows_neither_says_so() -> None:
    error = failure("reward", {})
    assert (error.kind, error.retryable) == ("status-404", False)


@pytest.mark.parametrize("path", ["/v1", "/v1/score", "/v1/chat/completions", "/v1/"])
def test_an_address_leads_to_the_call_of_the_task(path: str) -> None:
    _, peer = talk("score", {"/v1/score": Said(SCORE)}, path=path)
    assert [p for p, _ in peer.asked] == ["/v1/score"]
    _, peer = talk("reward", {"/classify": Said(REWARD)}, path=path)
    assert [p for p, _ in peer.asked] == ["/classify"]


def test_tokens_that_the_server_does_not_count_are_estimated() -> None:
    silent = {"data": SCORE["data"]}
    assert reply("score", {"/v1/score": Said(silent)}).prompt_tokens > 4


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_asked_again_later(status: int) -> None:
    error = failure("score", {"/v1/score": Said({"error": "busy"}, status, {"Retry-After": "7"})})
    assert (error.kind, error.retryable, error.retry_after) == (f"status-{status}", True, 7.0)


def test_a_text_that_is_too_long_is_never_cut() -> None:
    said = {"error": {"message": "This model's maximum context length is 512 tokens."}}
    error = failure("embed", {"/v1/embeddings": Said(said, 400)}, [Message("user", "x" * 9000)])
    assert (error.kind, error.retryable) == ("overlong", False)


def test_the_key_is_in_no_error() -> None:
    error = failure("score", {"/v1/score": Said({"error": f"bad key {KEY}"}, 401)})
    assert KEY not in str(error)
    assert "***" in str(error)


@pytest.mark.parametrize(
    ("task", "body"),
    [
        ("score", {"data": []}),
        ("score", {"data": [{"score": None}]}),
        ("score", {"data": [{"score": True}]}),
        ("reward", {"data": [{"probs": []}]}),
        ("reward", {"data": [{"index": 0}, {"index": 1}]}),
    ],
)
def test_a_reply_without_its_numbers_is_bad(task: str, body: dict[str, Any]) -> None:
    path = "/v1/score" if task == "score" else "/classify"
    error = failure(task, {path: Said(body)})
    assert (error.kind, error.retryable) == ("bad-reply", True)


def test_a_classifier_of_several_classes_is_no_reward_model() -> None:
    error = failure("reward", {"/classify": Said({"data": [{"probs": [0.1, 0.9]}]})})
    assert (error.kind, error.retryable) == ("bad-reply", False)
    assert "2 outputs" in str(error)


def test_messages_of_another_shape_are_not_sent() -> None:
    (found,), peer = talk("score", {"/v1/score": Said(SCORE)}, [Message("user", "alone")])
    assert isinstance(found, EngineError)
    assert (found.kind, found.retryable, peer.asked) == ("request", False, [])


def test_the_task_is_part_of_identity_and_the_usual_one_is_not() -> None:
    def digest(**options: Any) -> str:
        return http.describe(
            ModelSpec("m", "http", "x", ("http://localhost:1",), options=options)
        ).digest

    tasks = ["reward", "score", "embed"]
    assert len({digest(), *(digest(task=t) for t in tasks)}) == 4
    assert digest(task="generate") == digest()


def test_what_no_server_does_is_told() -> None:
    spec = ModelSpec("m", "http", "x", ("http://localhost:1",), options={"task": "nli"})
    with pytest.raises(EngineError, match="the http engine does generate, reward, score, embed"):
        http.describe(spec)
