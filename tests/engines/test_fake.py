from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.runtime.engines import fake
from mashbill.runtime.engines._estimate import pieces
from mashbill.runtime.engines.base import EngineModule, ModelSpec
from mashbill.runtime.requests import Completion, EngineError, Message, Request, Sampling

TEXT = (
    "In 1903, Marie Curie shared the prize with two men. She also used 2.5 tonnes of ore, because "
    "it was big. When the war began, she drove a van.\n\nMany people often visit, but few stay."
)


def spec(model: str, **placement: Any) -> ModelSpec:
    return ModelSpec("writer", "fake", model, placement=placement)


def request(text: str = TEXT, *, draw: int = 0, max_tokens: int = 512, **sampling: Any) -> Request:
    return Request(
        model="m",
        messages=(Message("system", "Rewrite."), Message("user", text)),
        sampling=Sampling(max_tokens=max_tokens, **sampling),
        draw=draw,
        seed=draw,
    )


def with_engine(model: ModelSpec, body: Callable[[fake.FakeEngine], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        engine = fake.FakeEngine(model)
        await engine.start()
        try:
            return await body(engine)
        finally:
            await engine.close()

    return asyncio.run(main())


def reply(model: str, asked: Request, **placement: Any) -> Completion:
    done: Completion = with_engine(spec(model, **placement), lambda engine: engine.complete(asked))
    return done


def test_module_meets_the_protocol() -> None:
    module: EngineModule = fake
    assert set(module.PLACEMENT) == {"slots", "latency", "jitter", "fault_rate", "journal"}
    info = module.describe(spec("echo"))
    assert not info.exact_tokens
    assert info.digest != module.describe(spec("words")).digest
    assert info == module.describe(spec("echo", latency="5ms", slots=2))


def test_echo_copies_the_last_user_message() -> None:
    assert reply("echo", request("  two\n words ")).text == "  two\n words "


@pytest.mark.parametrize("model", ["echo", "words", "rewrite"])
def test_same_request_same_reply_in_another_engine(model: str) -> None:
    assert reply(model, request(draw=3)) == reply(model, request(draw=3), latency="1ms", jitter=2)


def test_words_vary_with_the_draw_and_some_are_cut() -> None:
    asked = [request(draw=d, max_tokens=128) for d in range(60)]

    async def all_(engine: fake.FakeEngine) -> list[Completion]:
        return [await engine.complete(r) for r in asked]

    replies = with_engine(spec("words"), all_)
    assert len({r.text for r in replies}) == 60
    cut = [r for r in replies if r.finish == "length"]
    assert 10 < len(cut) < 50
    assert all(r.completion_tokens == 128 for r in cut)
    assert all(0 < r.completion_tokens <= 128 for r in replies)


@pytest.mark.parametrize("draw", range(8))
def test_a_higher_limit_only_lengthens_the_reply(draw: int) -> None:
    short = reply("words", request(draw=draw, max_tokens=20))
    whole = reply("words", request(draw=draw, max_tokens=5000))
    assert whole.finish == "stop"
    assert whole.text.startswith(short.text)
    assert (short.finish == "stop") == (short.text == whole.text)


def test_rewrites_mostly_keep_numbers_and_names_and_some_do_not() -> None:
    numbers, names = re.findall(r"\d[\d.]*", TEXT), ["Marie", "Curie"]

    async def all_(engine: fake.FakeEngine) -> list[str]:
        return [(await engine.complete(request(draw=d))).text for d in range(200)]

    texts = with_engine(spec("rewrite"), all_)
    miscounted = [t for t in texts if sorted(_numbers(t)) != sorted(_numbers(TEXT))]
    invented = [t for t in texts if "said so" in t]
    assert numbers == ["1903", "2.5"]
    assert all(name in t for t in texts for name in names)
    assert 8 < len(miscounted) < 50
    assert 4 < len(invented) < 40
    assert len(set(texts)) > 50
    assert all(t != TEXT for t in texts)


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", text)


def test_stop_text_ends_the_reply() -> None:
    done = reply("echo", request("one two. three", stop=(". ",)))
    assert (done.text, done.finish) == ("one two", "stop")


def test_faults_come_at_the_rate_asked_for_and_give_way_to_retries() -> None:
    async def all_(engine: fake.FakeEngine) -> tuple[int, set[str]]:
        failed, kinds = 0, set()
        for draw in range(200):
            for _ in range(50):
                try:
                    await engine.complete(request(draw=draw))
                    break
                except EngineError as error:
                    assert error.retryable
                    failed += 1
                    kinds.add(error.kind)
            else:
                pytest.fail("fifty tries did not help")
        return failed, kinds

    failed, kinds = with_engine(spec("echo", fault_rate=0.5), all_)
    assert 120 < failed < 300  # 200 failures are expected at a rate of one half
    assert kinds == {"status-503", "timeout", "reset"}
    assert with_engine(spec("echo", fault_rate=0.5), all_) == (failed, kinds)
    assert with_engine(spec("echo"), all_) == (0, set())


def test_journal_holds_one_line_for_each_request_sent(tmp_path: Path) -> None:
    journal = tmp_path / "sent.txt"
    asked = [request(draw=d, max_tokens=limit) for d in range(20) for limit in (10, 99)]

    async def all_(engine: fake.FakeEngine) -> None:
        await asyncio.gather(*(engine.complete(r) for r in asked), return_exceptions=True)

    with_engine(spec("echo", journal=str(journal), fault_rate=0.3, latency="1ms"), all_)
    lines = [line.split() for line in journal.read_text().splitlines()]
    assert len(lines) == 40
    assert {line[0] for line in lines} == {fake.request_key(r).hex() for r in asked}
    assert len({line[0] for line in lines}) == 20, "max_tokens is no part of the key"
    assert {int(line[1]) for line in lines} == set(range(20))
    assert 0 < sum(line[2:] == ["fault"] for line in lines) < 40
    with_engine(spec("echo", journal=str(journal)), all_)
    assert len(journal.read_text().splitlines()) == 80, "a second engine appends"


def test_a_request_is_in_the_journal_before_it_is_answered(tmp_path: Path) -> None:
    journal = tmp_path / "sent.txt"

    async def cut_short(engine: fake.FakeEngine) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(engine.complete(request()), 0.05)

    with_engine(spec("echo", journal=str(journal), latency="1h"), cut_short)
    assert journal.read_text().endswith(" 0\n")


@pytest.mark.parametrize("latency", ["60ms", "0.06s", 60, "60"])
def test_latency_in_any_of_its_forms(latency: str | int) -> None:
    began = time.monotonic()
    reply("echo", request(), latency=latency)
    assert time.monotonic() - began >= 0.06  # a lower bound: sleeping longer is no fault


@pytest.mark.parametrize(
    ("placement", "word"),
    [
        ({"latency": "soon"}, "duration"),
        ({"latency": True}, "duration"),
        ({"fault_rate": 2}, "share"),
        ({"slots": 0}, "whole number"),
        ({"slots": "8"}, "whole number"),
        ({"journal": 3}, "text"),
    ],
)
def test_a_wrong_setting_is_named(placement: dict[str, Any], word: str) -> None:
    with pytest.raises(EngineError, match=word) as caught:
        fake.open_engine(spec("echo", **placement))
    assert f"models.writer.placement.{next(iter(placement))}" in str(caught.value)
    assert not caught.value.retryable


def test_an_unknown_behaviour_lists_the_known_ones() -> None:
    with pytest.raises(EngineError, match="fake/echo, fake/words, fake/rewrite"):
        fake.describe(spec("oracle"))


@given(st.text())
def test_pieces_lose_nothing_but_white_space_at_the_end(text: str) -> None:
    assert "".join(pieces(text)) == text.rstrip()
    assert all(len(p.strip()) in range(1, 5) for p in pieces(text))


@given(text=st.text(max_size=200), draw=st.integers(0, 50), limit=st.integers(1, 40))
def test_a_reply_never_passes_its_limit(text: str, draw: int, limit: int) -> None:
    done = reply("rewrite", request(text, draw=draw, max_tokens=limit))
    assert len(pieces(done.text)) == done.completion_tokens <= limit


# -- prose of known length and worth


def prose(**options: Any) -> ModelSpec:
    settings = ",".join(f"{key}={value}" for key, value in options.items())
    return ModelSpec("writer", "fake", f"prose:{settings}")


def told(spec: ModelSpec, text: str, count: int) -> list[str]:
    async def ask() -> list[str]:
        engine = fake.open_engine(spec)
        digest = fake.describe(spec).digest
        sampling = Sampling(max_tokens=10_000)
        chat = (Message("user", text),)
        return [
            (await engine.complete(Request(digest, chat, sampling, draw))).text
            for draw in range(count)
        ]

    return asyncio.run(ask())


def test_prose_has_the_length_that_was_asked_for() -> None:
    replies = told(prose(tokens=200, sigma=0.6), "Write.", 4000)
    sizes = [len(pieces(reply)) for reply in replies]
    assert sum(sizes) / len(sizes) == pytest.approx(200, rel=0.04)
    logs = [math.log(size) for size in sizes]
    mean = sum(logs) / len(logs)
    spread = (sum((v - mean) ** 2 for v in logs) / len(logs)) ** 0.5
    assert spread == pytest.approx(0.6, rel=0.06)


def test_prose_can_be_as_long_as_its_prompt() -> None:
    for size in (40, 400):
        replies = told(prose(ratio=0.5, sigma=0.2), "word " * size, 600)
        assert sum(len(pieces(r)) for r in replies) / 600 == pytest.approx(size / 2, rel=0.06)


@pytest.mark.parametrize("shape", ["plain", "boxed", "code"])
def test_prose_is_right_as_often_as_was_asked_for(shape: str) -> None:
    replies = told(prose(tokens=30, right=0.7, shape=shape), "What is it? The key: 41", 2000)
    good = {"plain": "Sure", "boxed": "\\boxed{41}", "code": "return 41\n"}[shape]
    share = sum((good in r) != (shape == "plain") for r in replies) / len(replies)
    assert share == pytest.approx(0.7, abs=0.03)


def test_prose_can_find_some_prompts_harder() -> None:
    spec = prose(tokens=5, right=0.5, uneven=2.0)
    shares = [
        sum(not r.startswith("Sure") for r in told(spec, f"Problem {k}", 60)) / 60
        for k in range(40)
    ]
    assert min(shares) < 0.15
    assert max(shares) > 0.85


@pytest.mark.parametrize(
    "options",
    [{"shape": "round"}, {"sigma": -1}, {"right": 1.5}, {"tokens": True}, {"length": 3}],
)
def test_prose_says_what_its_settings_are(options: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="is no setting; there are tokens, ratio"):
        fake.describe(prose(**options))


def test_prose_of_other_settings_is_another_model() -> None:
    assert fake.describe(prose(sigma=0.5)).digest == fake.describe(prose()).digest
    assert fake.describe(prose(sigma=0.6)).digest != fake.describe(prose()).digest
