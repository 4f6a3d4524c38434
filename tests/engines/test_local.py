"""The `local` engine end to end, with the real model."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.engines import _restarts, local
from mashbill.runtime.engines.base import EngineModule, ModelSpec
from mashbill.runtime.requests import Completion, EngineError, Message, Request, Sampling

from .gguf_files import gguf
from .local_server import Served
from .tiny_gguf import write_tiny


def request(text: str, *, seed: int = 1, max_tokens: int = 12, **sampling: Any) -> Request:
    return Request(
        "m", (Message("user", text),), Sampling(max_tokens=max_tokens, **sampling), seed=seed
    )


LONG = request("Write a very long story about a mill.", max_tokens=1500)


@pytest.fixture(scope="module")
def served(local_spec: ModelSpec) -> Iterator[Served]:
    # Small slots, so that what does not fit into one is soon computed.
    with Served(replace(local_spec, placement={"context": 512})) as served:
        yield served


def running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Whether a process ends, given time."""
    for _ in range(200):
        if not running(pid):
            return True
        time.sleep(0.05)
    return False


def test_module_meets_the_protocol(local_spec: ModelSpec) -> None:
    module: EngineModule = local
    assert set(module.PLACEMENT) == {"slots", "context", "threads", "timeout", "logprobs"}
    info = module.describe(local_spec)
    assert (info.exact_tokens, info.context) == (True, 2048)
    wide = replace(local_spec, placement={"context": 99999, "slots": 2})
    assert module.describe(wide).context == 8192, "the model's own bound"
    assert module.describe(wide).digest == info.digest
    assert "<|im_end|>" in module.tokens(local_spec).special


def test_eight_at_once(served: Served) -> None:
    asked = [request(f"Write a sentence about the number {n}.") for n in range(8)]
    done = served.complete_all(asked)
    assert served.engine.slots == 8
    assert all(d.text.strip() and d.completion_tokens <= 12 for d in done)
    assert len({d.text for d in done}) == 8
    assert [d.prompt_tokens for d in done] == local.tokens(served.spec).count_chat(
        [r.messages for r in asked]
    )


def test_the_seed_decides(served: Served) -> None:
    same = [served.complete(request("Name a colour.", seed=5, temperature=1.0)) for _ in range(2)]
    assert same[0].text == same[1].text
    others = [served.complete(request("Name a city.", seed=s, temperature=1.5)) for s in range(4)]
    assert len({d.text for d in others}) > 1


def test_a_limit_that_is_reached_says_so(served: Served) -> None:
    done = served.complete(request("Count from one to a hundred in words.", max_tokens=5))
    assert (done.finish, done.completion_tokens, done.max_tokens) == ("length", 5, 5)


def test_a_reply_that_ends_by_itself(served: Served) -> None:
    done = served.complete(request("Reply with one word: yes.", max_tokens=100, temperature=0.0))
    assert done.finish == "stop"
    assert done.completion_tokens < 100


def test_sampling_reaches_llama_cpp(served: Served) -> None:
    """Each setting, pushed far enough, shows in the reply."""
    plain = served.complete(request("Count from one to twenty.", temperature=0.0)).text
    assert plain == served.complete(request("Count from one to twenty.", temperature=0.0)).text
    word = plain.split()[1]
    stopped = served.complete(request("Count from one to twenty.", temperature=0.0, stop=(word,)))
    assert (word not in stopped.text, stopped.finish) == (True, "stop")
    greedy = request("Count from one to twenty.", temperature=5.0)
    for narrow in ({"top_k": 1}, {"min_p": 1.0}, {"top_p": 1e-6}):
        sampling = replace(greedy.sampling, **narrow)
        assert served.complete(replace(greedy, sampling=sampling)).text == plain, narrow
    assert served.complete(greedy).text != plain
    punished = request("Say ha ha ha ha ha ha.", temperature=0.0, repetition_penalty=3.0)
    assert (
        served.complete(punished).text
        != served.complete(
            replace(punished, sampling=replace(punished.sampling, repetition_penalty=1.0))
        ).text
    )


def test_a_shared_prefix_is_computed_once(served: Served) -> None:
    def ask(text: str) -> int:
        turns = [{"role": "system", "content": shots}, {"role": "user", "content": text}]
        body = {"messages": turns, "max_tokens": 1, "cache_prompt": True}
        usage = served.post("/v1/chat/completions", body)["usage"]
        return int(usage["prompt_tokens_details"]["cached_tokens"])

    shots = "You rewrite sentences. " + " ".join(f"Example {n} of many." for n in range(40))
    ask("first")
    assert ask("second") > 150


def test_an_overlong_prompt(served: Served) -> None:
    with pytest.raises(EngineError) as caught:
        served.complete(request("word " * 1000))
    assert (caught.value.kind, caught.value.retryable) == ("overlong", False)


def test_a_reply_cut_by_the_slot_is_no_reply(served: Served) -> None:
    with pytest.raises(EngineError, match=r"placement\.context") as caught:
        served.complete(
            request("Mill. " * 220 + "Write a very long story.", max_tokens=400, temperature=0.0)
        )
    assert caught.value.kind == "overlong"


def test_only_we_are_served(served: Served) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        served.post("/tokenize", {"content": "x"}, key="guess")
    assert caught.value.code == 401


def test_a_crash_is_an_error_and_a_new_process(local_spec: ModelSpec) -> None:
    with Served(local_spec) as served:
        first = served.child.process.pid

        async def killed() -> list[Completion | BaseException]:
            work = [asyncio.ensure_future(served.engine.complete(LONG)) for _ in range(3)]
            await asyncio.sleep(0.3)
            os.kill(first, signal.SIGSEGV)
            return await asyncio.gather(*work, return_exceptions=True)

        for outcome in served.run(killed()):
            assert isinstance(outcome, EngineError)
            assert (outcome.kind, outcome.retryable) == ("crash", True)
            assert "signal 11" in str(outcome)
        assert served.complete(request("Hello")).text
        assert served.child.process.pid != first
        assert not running(first)


def test_restarts_have_an_end(local_spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_restarts, "BACKOFF", 0.0)
    monkeypatch.setattr(_restarts, "RESTARTS", 3)
    pids = []
    with Served(local_spec) as served:

        async def crash_at_once() -> EngineError:
            work = asyncio.ensure_future(served.engine.complete(LONG))
            while served.engine.child is None or not served.engine.child.alive:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)
            pids.append(served.child.process.pid)
            served.child.process.kill()
            with pytest.raises(EngineError) as caught:
                await work
            return caught.value

        for _ in range(_restarts.RESTARTS + 1):
            assert served.run(crash_at_once()).retryable
        with pytest.raises(EngineError, match="4 times in a row") as caught:
            served.complete(request("Hello"))
        assert (caught.value.kind, caught.value.retryable) == ("crash", False)
    assert len(set(pids)) == 4
    assert all(gone(pid) for pid in pids)


def test_a_child_that_hangs_is_ended_and_started_again(
    local_spec: ModelSpec, tmp_path: Path
) -> None:
    # Random weights answer at once, so that a second is long.
    tiny = ModelSpec("w", "local", str(write_tiny(tmp_path / "tiny.gguf")))
    with Served(replace(tiny, placement={"timeout": "1s"})) as served:
        first = served.child.process.pid

        async def frozen() -> list[Completion | BaseException]:
            # Two at once: the second is told of the end of a process, not of its own silence.
            os.kill(first, signal.SIGSTOP)
            work = [asyncio.ensure_future(served.engine.complete(LONG)) for _ in range(2)]
            return await asyncio.gather(*work, return_exceptions=True)

        outcomes = served.run(frozen())
        assert all(isinstance(o, EngineError) and o.retryable for o in outcomes), outcomes
        assert "timeout" in {o.kind for o in outcomes}
        assert served.complete(request("Hello", max_tokens=2)).text
        assert served.child.process.pid != first
        assert served.engine.note() == "restarted 1×"
        assert gone(first)


def test_closing_leaves_no_process(local_spec: ModelSpec) -> None:
    with Served(local_spec) as served:
        pid = served.child.process.pid
        assert running(pid)
    assert not running(pid)
    with pytest.raises(EngineError, match="not started"):
        asyncio.run(served.engine.complete(request("Hello")))


PARENT = """
import asyncio, sys
from mashbill.runtime.engines import _restarts, local
from mashbill.runtime.engines.base import ModelSpec

async def main():
    engine = local.LocalEngine(ModelSpec("w", "local", "smollm2-135m"))
    await engine.start()
    print(engine.child.process.pid, flush=True)
    await asyncio.sleep(60)

try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
"""


def test_a_killed_parent_leaves_no_process(local_spec: ModelSpec) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert running(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(pid)


def test_ctrl_c_does_not_reach_the_child(local_spec: ModelSpec) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            PARENT.replace("except KeyboardInterrupt:", "except OSError:")
            .replace("await asyncio.sleep(60)", "await linger()")
            .replace("async def main", LINGER + "\nasync def main"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.stdout.readline() == "told\n"
    assert running(pid), "the parent decides"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(pid)


LINGER = """
async def linger():
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print("told", flush=True)
        await asyncio.sleep(60)
"""


def test_a_file_that_llama_cpp_refuses(tmp_path: Path, local_spec: ModelSpec) -> None:
    (tmp_path / "odd.gguf").write_bytes(gguf({"general.architecture": "no-such"}))
    engine = local.LocalEngine(ModelSpec("w", "local", "odd.gguf", base=str(tmp_path)))
    with pytest.raises(EngineError, match=r"could not load .*odd\.gguf") as caught:
        asyncio.run(engine.start())
    assert (caught.value.kind, caught.value.retryable) == ("load", False)
    assert engine.child is None


def test_no_gguf_at_all(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(EngineError, match="not a GGUF file"):
        local.describe(ModelSpec("w", "local", "text.gguf", base=str(tmp_path)))


def test_without_llama_cpp_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.gguf").write_bytes(gguf({"general.architecture": "llama"}))
    engine = local.open_engine(ModelSpec("w", "local", "m.gguf", base=str(tmp_path)))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EngineError, match=r'pip install "mashbill\[local\]"'):
        asyncio.run(engine.start())
