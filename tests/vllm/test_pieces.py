"""The pieces of the `vllm` engine that need no vLLM."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.engines import vllm
from mashbill.runtime.engines._restarts import Restarts
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import EngineError, Message, Request, Sampling
from mashbill.runtime.vllm_ import launch
from mashbill.runtime.vllm_.log import Log
from mashbill.runtime.vllm_.prompts import Prompts
from mashbill.runtime.vllm_.replies import completion, split_thought
from mashbill.runtime.vllm_.siblings import Answer, Siblings

from .tiny_model import write_model


def request(text: str = "hi", draw: int = 0, seed: int = 5, **sampling: Any) -> Request:
    return Request("m", (Message("user", text),), Sampling(**sampling), draw, seed)


@dataclass
class Output:
    """vLLM's `CompletionOutput`, as far as it is read."""

    index: int = 0
    text: str = ""
    finish_reason: str | None = "stop"
    token_ids: list[int] = field(default_factory=list)
    logprobs: Any = None


@dataclass
class Outputs:
    outputs: list[Output]
    num_cached_tokens: int | None = 3


@dataclass
class Sender:
    """Stands where vLLM is: notes what is sent, and answers sibling by sibling, the last first."""

    sent: list[tuple[Request, int]] = field(default_factory=list)
    hold: asyncio.Event | None = None
    failure: Exception | None = None
    ended: int = 0

    async def __call__(self, request: Request, n: int, name: str) -> AsyncIterator[Any]:
        self.sent.append((request, n))
        try:
            if self.failure is not None:
                raise self.failure
            for index in reversed(range(n)):
                yield Outputs([Output(index, "half", None)])
                if self.hold is not None and index == 0:
                    await self.hold.wait()
                yield Outputs([Output(index, f"{name}.{index}")])
        finally:
            self.ended += 1


def test_siblings_of_one_tick_are_one_request() -> None:
    sender = Sender()

    async def go() -> list[Answer]:
        siblings = Siblings(sender)
        # They arrive in any order, and get their seeds by their draws.
        draws = [2, 0, 1, 3]
        return await asyncio.gather(*(siblings.ask(request(draw=d, seed=100 + d)) for d in draws))

    answers = asyncio.run(go())
    ((first, n),) = sender.sent
    assert (first.draw, n) == (0, 4)
    assert [a.seed for a in answers] == [102, 100, 101, 103]
    assert [a.output.text for a in answers] == ["0.2", "0.0", "0.1", "0.3"]
    assert {a.cached for a in answers} == {3}


def test_what_differs_is_no_sibling() -> None:
    sender = Sender()

    async def go() -> None:
        siblings = Siblings(sender)
        await asyncio.gather(
            siblings.ask(request()),
            siblings.ask(request("other")),
            siblings.ask(request(max_tokens=7)),
            # Greedy replies are all the same, and vLLM draws one only.
            siblings.ask(request(temperature=0.0)),
            siblings.ask(request(temperature=0.0, draw=1)),
        )
        await siblings.ask(request(draw=1))

    asyncio.run(go())
    assert [n for _, n in sender.sent] == [1] * 6


def test_a_sibling_that_is_done_does_not_wait_for_the_others() -> None:
    async def go() -> None:
        sender = Sender(hold=asyncio.Event())
        siblings = Siblings(sender)
        slow, quick = (asyncio.ensure_future(siblings.ask(request(draw=d))) for d in (0, 1))
        assert (await quick).output.text == "0.1"
        assert not slow.done()
        assert sender.hold is not None
        sender.hold.set()
        assert (await slow).output.text == "0.0"

    asyncio.run(go())


def test_a_request_ends_once_nobody_waits_for_any_sibling() -> None:
    async def go() -> None:
        sender = Sender(hold=asyncio.Event())
        siblings = Siblings(sender)
        asks = [asyncio.ensure_future(siblings.ask(request(draw=d))) for d in (0, 1, 2)]
        await asyncio.wait(asks[1:])
        assert sender.ended == 0
        asks[0].cancel()
        await asyncio.sleep(0.01)
        assert sender.ended == 1

    asyncio.run(go())


def test_all_siblings_hear_of_a_failure() -> None:
    async def go() -> list[Any]:
        siblings = Siblings(Sender(failure=ValueError("poison")))
        asks = (siblings.ask(request(draw=d)) for d in range(3))
        return await asyncio.gather(*asks, return_exceptions=True)

    assert [str(e) for e in asyncio.run(go())] == ["poison"] * 3


def test_closing_tells_those_who_wait_and_cancels_nobody() -> None:
    async def go() -> Any:
        siblings = Siblings(Sender(hold=asyncio.Event()))
        asked = asyncio.ensure_future(siblings.ask(request()))
        await asyncio.sleep(0.01)
        await siblings.close()
        with pytest.raises(EngineError) as caught:
            await asked
        return caught.value

    error = asyncio.run(go())
    assert (error.kind, error.retryable) == ("crash", True)


@pytest.mark.parametrize(
    ("text", "opened", "thought", "reply"),
    [
        ("plain", False, None, "plain"),
        ("<think>a\nb</think>\n\nYes.", False, "a\nb", "Yes."),
        ("\n<think></think>Yes.", False, "", "Yes."),
        ("a</think>\nYes.", True, "a", "Yes."),
        ("<think>cut while", False, "cut while", ""),
        ("cut while", True, "cut while", ""),
        ("Say </think> twice", False, None, "Say </think> twice"),
    ],
)
def test_thoughts_are_kept_apart(text: str, opened: bool, thought: str | None, reply: str) -> None:
    assert split_thought(text, opened=opened) == (thought, reply)


@dataclass
class Logprob:
    logprob: float
    rank: int | None
    decoded_token: str | None


def test_a_reply_with_logprobs() -> None:
    found = {7: Logprob(float("-inf"), 9, "b"), 8: Logprob(-0.25, 1, "a"), 9: Logprob(-3, 2, None)}
    output = Output(0, "b", "length", [7], [found])
    made = completion(
        output, prompt=[1, 2], cached=1, sampling=Sampling(max_tokens=1), seed=None, logprobs=2
    )
    assert (made.finish, made.prompt_tokens, made.completion_tokens) == ("length", 2, 1)
    assert made.cached_tokens == 1
    assert json.loads(made.extra["logprobs"]) == [
        {"token": "b", "logprob": None, "top": [["a", -0.25], ["", -3]]}
    ]


@pytest.mark.parametrize("reason", ["abort", "error", None])
def test_a_reply_that_was_broken_off_is_none(reason: str | None) -> None:
    with pytest.raises(EngineError) as caught:
        completion(
            Output(0, "half", reason), prompt=[], cached=0, sampling=Sampling(), seed=None,
            logprobs=0,
        )  # fmt: skip
    assert caught.value.retryable


class Tokenizer:
    """Counts how often it is asked."""

    calls = 0

    def apply_chat_template(self, turns: list[dict[str, str]], **options: Any) -> list[int]:
        self.calls += 1
        if turns[0]["role"] == "system":
            raise ValueError("no system, please")
        return [len(turns), options.get("enable_thinking", 2), options["add_generation_prompt"]]

    def encode(self, text: str) -> list[int]:
        return list(text.encode())


def test_a_prompt_is_tokenised_once_for_its_siblings() -> None:
    tokenizer = Tokenizer()
    prompts = Prompts(tokenizer)
    for n in range(600):
        for _ in range(3):
            assert prompts.tokens((Message("user", str(n)),)) == [1, 2, 1]
    assert tokenizer.calls == 600
    prompts.tokens((Message("user", "599"),))
    assert tokenizer.calls == 600
    prompts.tokens((Message("user", "0"),))
    assert tokenizer.calls == 601, "what is long past is forgotten"


def test_what_a_prompt_may_be() -> None:
    user, system = Message("user", "hé"), Message("system", "s")
    assert Prompts(Tokenizer(), thinking=False).tokens((user,)) == [1, False, 1]
    assert Prompts(Tokenizer(), plain=True).tokens((user,)) == list("hé".encode())
    with pytest.raises(EngineError, match="refuses the messages: no system, please"):
        Prompts(Tokenizer()).tokens((system, user))
    with pytest.raises(EngineError, match="goes on with one text"):
        Prompts(Tokenizer(), plain=True).tokens((system, user))


class TextTokenizer:
    """Renders turns as text, as those of Hugging Face do; `end` comes behind the opening."""

    def __init__(self, end: str = "") -> None:
        self.end = end

    def apply_chat_template(
        self, turns: list[dict[str, str]], *, tokenize: bool, add_generation_prompt: bool, **_: Any
    ) -> Any:
        text = "".join(f"<{t['role']}>{t['content'].strip()}</s>" for t in turns)
        text += f"<assistant>{self.end}" if add_generation_prompt else ""
        return list(text.encode()) if tokenize else text

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        assert not add_special_tokens, "the template has written them"
        return list(text.encode())

    def decode(self, tokens: list[int]) -> str:
        return bytes(tokens).decode()


def test_what_a_prompt_begins_is_gone_on_from_to_the_letter() -> None:
    begun = Message("assistant", "```python\ndef f():  ")
    tokenizer = TextTokenizer()
    found = tokenizer.decode(Prompts(tokenizer).tokens((Message("user", "hé"), begun)))
    assert found == "<user>hé</s><assistant>```python\ndef f():  "
    shots = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"), begun)
    found = tokenizer.decode(Prompts(tokenizer).tokens(shots))
    assert found == "<user>a</s><assistant>b</s><user>c</s><assistant>```python\ndef f():  "
    rated = tokenizer.decode(Prompts(tokenizer).conversation(shots[:2]))
    assert rated == "<user>a</s><assistant>b</s>", "what is rated has ended"


def test_a_begun_reply_that_cannot_be_gone_on_from_says_so() -> None:
    asked = (Message("user", "a"), Message("assistant", "So:"))
    with pytest.raises(EngineError, match="leave the assistant block out") as caught:
        Prompts(Tokenizer()).tokens(asked)
    assert not caught.value.retryable
    thinks = Prompts(TextTokenizer("<think>\n"))
    with pytest.raises(EngineError, match="opens a thought") as caught:
        thinks.tokens(asked)
    assert (caught.value.kind, caught.value.retryable) == ("template", False)
    ended = Message("assistant", "</think>\n\nSo:")
    assert thinks.tokens((asked[0], ended)) == list(
        b"<user>a</s><assistant><think>\n</think>\n\nSo:"
    )


@pytest.mark.parametrize(
    ("said", "kind", "hint"),
    [
        (
            "ValueError: Free memory on device (9.6/11 GiB) on startup is less than desired",
            "memory",
            "lower placement.gpu_memory_utilization, or free the GPU",
        ),
        (
            "ValueError: No available memory for the cache blocks.",
            "memory",
            "lower placement.max_model_len, or raise",
        ),
        ("torch.OutOfMemoryError: CUDA out of memory.", "memory", "lower placement.max_num_seqs"),
        ("ValueError: Unknown quantization method: q9", "load", "could not load m"),
    ],
)
def test_why_a_model_cannot_be_loaded(said: str, kind: str, hint: str) -> None:
    error = launch.load_error("m", [said, "Engine core initialization failed."], said)
    assert (error.kind, error.retryable) == (kind, False)
    assert hint in str(error) and said in str(error)


def test_a_log_tells_the_last_errors_of_this_engine(tmp_path: Path) -> None:
    log = Log(tmp_path / "vllm.log")
    assert log.last_words() == ""
    log.file.write_text("ValueError: of another engine\n")
    log.skip()
    assert log.last_words() == ""
    with log.file.open("a") as file:
        file.write("INFO fine\nERROR it failed.\nTraceback (most recent call last):\n")
        file.write('  File "x.py", line 1\ntorch.OutOfMemoryError: CUDA out of memory.\n')
        file.write("AssertionError\n")
        file.write("vllm.v1.engine.exceptions.EngineDeadError: see above.\n")
    assert log.errors() == ["torch.OutOfMemoryError: CUDA out of memory.", "AssertionError"]
    assert log.last_words().endswith(f"its log is {log.file}")


def test_without_vllm_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path / "tiny")
    engine = vllm.open_engine(ModelSpec("w", "vllm", "./tiny", base=str(tmp_path)))
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EngineError, match=r'type: pip install "mashbill\[vllm\]"') as caught:
        asyncio.run(engine.start())
    assert not caught.value.retryable


@dataclass
class Process:
    number: int
    alive: bool = True


@dataclass
class Factory:
    """Makes processes, and can fail to."""

    made: list[Process] = field(default_factory=list)
    failures: int = 0

    async def launch(self) -> Process:
        if self.failures:
            self.failures -= 1
            raise EngineError("load", "no luck", retryable=False)
        self.made.append(Process(len(self.made)))
        return self.made[-1]

    async def drop(self, process: Process) -> None:
        process.alive = False

    def restarts(self) -> Restarts[Process]:
        return Restarts("it", "m", self.launch, self.drop, lambda p: p.alive)


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mashbill.runtime.engines._restarts.BACKOFF", 0.0)


@pytest.mark.usefixtures("_at_once")
def test_one_restart_serves_all_who_wait() -> None:
    async def go() -> None:
        factory = Factory()
        held = factory.restarts()
        with pytest.raises(EngineError, match="not started"):
            await held.get()
        await held.start()
        factory.made[0].alive = False
        got = await asyncio.gather(*(held.get() for _ in range(5)))
        assert {p.number for p in got} == {1}
        assert (held.count, held.crashes) == (1, 1)
        held.answered()
        assert held.crashes == 0
        await held.close()
        assert not factory.made[1].alive
        with pytest.raises(EngineError, match="not started"):
            await held.get()

    asyncio.run(go())


@pytest.mark.usefixtures("_at_once")
def test_restarts_have_an_end_and_a_reply_begins_anew() -> None:
    async def crash(held: Restarts[Process]) -> None:
        process = await held.get()
        process.alive = False
        assert held.crash("signal 9").retryable

    async def go() -> None:
        held = Factory().restarts()
        await held.start()
        for _ in range(3):
            await crash(held)
        await held.get()
        held.answered()
        for _ in range(7):
            await crash(held)
        with pytest.raises(EngineError, match="it crashed 7 times in a row with m: signal 9") as e:
            await held.get()
        assert not e.value.retryable

    asyncio.run(go())


@pytest.mark.usefixtures("_at_once")
def test_a_load_that_fails_is_final_at_first_and_not_later() -> None:
    async def go() -> None:
        factory = Factory(failures=1)
        held = factory.restarts()
        with pytest.raises(EngineError, match="no luck") as first:
            await held.start()
        assert (first.value.kind, first.value.retryable) == ("load", False)
        await held.start()
        factory.made[0].alive, factory.failures = False, 1
        with pytest.raises(EngineError, match="no luck") as later:
            await held.get()
        assert (later.value.kind, later.value.retryable) == ("crash", True)
        assert (await held.get()).number == 1

    asyncio.run(go())


def test_a_log_of_ours_leaves_the_terminal_alone() -> None:
    """What vLLM logs goes to a file, in children too, and the file goes when all went well."""
    code = (
        "import os, json\n"
        "from mashbill.runtime.vllm_.log import open_log\n"
        "log = open_log()\n"
        "import logging.config\n"
        "logging.config.dictConfig(json.load(open(os.environ['VLLM_LOGGING_CONFIG_PATH'])))\n"
        "logging.getLogger('vllm.x').error('hello')\n"
        "assert 'hello' in log.file.read_text()\n"
        "print(log.file)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert not Path(done.stdout.strip()).exists()


def test_slots_leave_a_few_requests_to_wait(tmp_path: Path) -> None:
    write_model(tmp_path / "tiny")
    spec = ModelSpec("w", "vllm", "./tiny", base=str(tmp_path))
    slots = [
        vllm.open_engine(replace(spec, placement=p)).slots
        for p in ({}, {"max_num_seqs": 8}, {"max_num_seqs": 8, "data_parallel": 2})
    ]
    assert slots == [320, 10, 20]


PARENT = """
import subprocess, sys, time
from mashbill.runtime.vllm_.guard import start_guard
start_guard()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
print(child.pid, flush=True)
{}
"""


def running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("end", ["time.sleep(100)", "", "raise SystemExit(3)"])
def test_no_child_outlives_its_parent(end: str) -> None:
    """Killed or at its end: vLLM's scheduler would hold the GPU for ever."""
    code = [sys.executable, "-c", PARENT.format(end)]
    with subprocess.Popen(code, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if end.startswith("time"):
            time.sleep(0.5)  # As long as a guard that has misread its pipe would need.
            assert running(child)
            parent.kill()
        parent.wait(timeout=20)
    for _ in range(400):
        if not running(child):
            return
        time.sleep(0.05)
    raise AssertionError("the child is still there")
