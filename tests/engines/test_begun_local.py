"""A reply that the prompt begins, on the real model: it goes on, and every token is counted."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mashbill.runtime.engines import http, local
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.llama.template import render_chat
from mashbill.runtime.models import find_model
from mashbill.runtime.requests import Completion, EngineError, Message, Request, Sampling

from .local_server import Served

COUNT = (Message("user", "Count to ten in words."), Message("assistant", "one, two, three,"))
CODE = (
    Message("system", "You write Python."),
    Message("user", "Write a function that adds."),
    Message("assistant", "```python\ndef add(a, b):"),
)
SHOTS = (
    Message("user", "Name a river."),
    Message("assistant", "<answer>Rhine</answer>"),
    Message("user", "Name a city."),
    Message("assistant", "  <answer>\t ü "),
)
CHATS = {"count": COUNT, "code": CODE, "shots": SHOTS}


@pytest.fixture(scope="module")
def served(local_spec: ModelSpec) -> Iterator[Served]:
    with Served(replace(local_spec, placement={"context": 512, "logprobs": 1})) as served:
        yield served


def ask(messages: tuple[Message, ...], **sampling: object) -> Request:
    given = {"max_tokens": 12, "temperature": 0.0, **sampling}
    return Request("m", messages, Sampling(**given))  # type: ignore[arg-type]


def test_the_reply_goes_on_from_what_the_prompt_begins(served: Served) -> None:
    done = served.complete(ask(COUNT))
    assert done.text.startswith(" four, five, six"), "neither anew, nor with the beginning again"
    code = served.complete(ask(CODE, max_tokens=3))
    assert code.text.startswith("\n    "), "the line's end and the indent are the model's"


@pytest.mark.parametrize("name", CHATS)
def test_its_prompt_tokens_are_those_that_the_server_reads(served: Served, name: str) -> None:
    chat = CHATS[name]
    done = served.complete(ask(chat, max_tokens=1))
    assert [done.prompt_tokens] == local.tokens(served.spec).count_chat([chat])
    tokens, before = served.tokens, chat[:-1]
    opened = served.post(
        "/apply-template", {"messages": [{"role": m.role, "content": m.content} for m in before]}
    )["prompt"]
    rendered = render_chat(tokens.template, chat, bos=tokens.bos, eos=tokens.eos)
    assert rendered == opened + chat[-1].content
    assert rendered.endswith("<|im_start|>assistant\n" + chat[-1].content)


def test_all_that_a_request_says_holds_for_the_rest_too(served: Served) -> None:
    done = served.complete(ask(COUNT, stop=("five",)))
    assert (done.text, done.finish) == (" four, ", "stop")
    assert [t["token"] for t in json.loads(done.extra["logprobs"])][:2] == [" four", ","]
    short = served.complete(ask(COUNT, max_tokens=3))
    assert (short.finish, short.completion_tokens) == ("length", 3)
    drawn = ask(COUNT, temperature=5.0)
    hot = served.complete_all([replace(drawn, seed=s) for s in range(4)])
    assert len({done.text for done in hot}) > 1


def test_one_that_does_not_fit_says_so(served: Served) -> None:
    with pytest.raises(EngineError) as caught:
        served.complete(ask((Message("user", "Go on."), Message("assistant", "word " * 1000))))
    assert (caught.value.kind, caught.value.retryable) == ("overlong", False)


def test_old_completions_of_begun_replies_are_not_taken_for_new_ones(local_spec: ModelSpec) -> None:
    info = local.describe(local_spec)
    assert info.digest_for(COUNT[:1]) == info.digest, "the others are found again"
    assert info.digest_for(COUNT) != info.digest
    assert info.digest_for(COUNT) == info.digest_for(CODE) == info.digest_for(SHOTS)


# -- llama.cpp's own server, as anybody may start it


def over_http(url: str, key: str | None = None) -> Completion:
    async def main() -> Completion:
        spec = ModelSpec("w", "http", "smollm2", (url,), key)
        engine = http.open_engine(spec)
        await engine.start()
        try:
            return await engine.complete(ask(COUNT, max_tokens=4))
        finally:
            await engine.close()

    return asyncio.run(main())


SERVER = """
import sys, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.hostnames, p.port = sys.argv[1], ["127.0.0.1"], 0
p.n_ctx, p.n_parallel, p.verbosity, p.ui, p.fit_params = 512, 1, 1, False, False
server = xllamacpp.Server(p)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def url(local_spec: ModelSpec) -> Iterator[str]:
    path = str(find_model(local_spec.model, base=local_spec.base).resolve())
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "GOMP_SPINCOUNT": "2000"},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stdin.close()


def test_over_http_it_goes_on_and_nothing_is_said_twice(url: str, served: Served) -> None:
    done, own = over_http(url), served.complete(ask(COUNT, max_tokens=4))
    assert done.text == own.text == " four, five,"
    assert done.prompt_tokens == own.prompt_tokens


def test_a_server_that_drops_the_beginning_is_found_out(served: Served) -> None:
    # The engine's own, whose chat call does so.
    with pytest.raises(EngineError, match="nothing shows that the server went on"):
        over_http(f"http://127.0.0.1:{served.child.port}", served.child.key)
