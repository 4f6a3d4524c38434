"""Every fault of a server becomes the right error, or no error at all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mashbill.runtime.requests import Completion, EngineError

from .asking import ask, model, run
from .plan import FAULTS, HARMLESS, Config, instance
from .process import ROOT, FaultServer

WHAT = {
    "timeout": ("timeout", True),
    "reset": ("reset", True),
    "half": ("half-reply", True),
    "429": ("status-429", True),
    "429-after": ("status-429", True),
    "500": ("status-500", True),
    "503": ("status-503", True),
    "not-json": ("bad-reply", True),
    "bad-shape": ("bad-reply", True),
    "filtered": ("filtered", False),
    "overlong": ("overlong", False),
}


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def only(server: FaultServer, kind: str, **more: object) -> None:
    server.set(**{"rate": 1.0, "kinds": kind, "retry_after": 1.0, **more})


def test_each_fault_is_known() -> None:
    assert set(WHAT) | HARMLESS == set(FAULTS)


@pytest.mark.parametrize("kind", WHAT)
def test_a_fault_is_an_error_that_says_whether_to_try_again(server: FaultServer, kind: str) -> None:
    only(server, kind)
    outcome = run(model(server.url, timeout="150ms" if kind == "timeout" else "5s"), [ask(1)])
    (error,) = outcome.lost
    assert (error.kind, error.retryable) == WHAT[kind]
    assert error.retry_after == (1.0 if kind == "429-after" else None)


@pytest.mark.parametrize("kind", sorted(HARMLESS))
def test_a_whole_reply_is_taken_however_it_comes(server: FaultServer, kind: str) -> None:
    only(server, kind, drip=0.1)
    before = server.stats()["requests"]
    outcome = run(model(server.url, concurrency=1, timeout="5s"), [ask(n) for n in range(4)])
    assert not outcome.lost
    for number, reply in enumerate(outcome.replies):
        assert isinstance(reply, Completion)
        assert reply.text == ("" if kind == "empty" else f"What is {number}?")
        assert reply.finish == ("length" if kind == "truncated" else "stop")
        assert reply.cached_tokens == reply.prompt_tokens // 2
    assert server.stats()["requests"] == before + 4, "nothing is paid twice"


def test_a_slow_drip_ends_at_the_total_timeout(server: FaultServer) -> None:
    only(server, "drip", drip=5.0)
    spec = model(server.url, timeout="2s", total_timeout="300ms")
    assert [e.kind for e in run(spec, [ask(1)]).lost] == ["timeout"]


def test_with_tries_nothing_is_lost_but_what_is_refused_for_good() -> None:
    kinds = ",".join(kind for kind in FAULTS if kind not in ("filtered", "overlong"))
    config = {"rate": 0.2, "kinds": kinds, "latency": 0.005, "retry_after": 0.05, "drip": 0.05}
    with FaultServer(**config) as server:
        spec = model(server.url, concurrency=32, timeout="300ms")
        outcome = run(spec, [ask(n) for n in range(600)], tries=20)
        stats = server.stats()
    assert not outcome.lost
    assert stats["distinct"] == 600
    assert stats["repaid"] == 0
    assert set(stats["faults"]) == set(kinds.split(","))
    assert {"timeout", "reset", "half-reply", "bad-reply", "status-500"} <= set(outcome.faults)


def test_a_server_that_hangs_and_one_that_dies_are_outlived() -> None:
    events = {"hang_every": 150, "hang_for": 0.4, "die_every": 220, "die_for": 0.4}
    with FaultServer(latency=0.005, **events) as server:
        spec = model(server.url, concurrency=16, timeout="200ms")
        outcome = run(spec, [ask(n) for n in range(400)], tries=30)
        stats = server.stats()
    assert not outcome.lost
    assert stats["deaths"]
    assert stats["hangs"]
    assert outcome.faults["timeout"]
    assert outcome.faults["reset"] or outcome.faults["connect"]


def test_who_fails_is_decided_by_body_and_attempt() -> None:
    config = Config(rate=0.3, seed=4)
    bodies = [str(n).encode() for n in range(2000)]
    first = [config.fault(b, 0) for b in bodies]
    assert first == [config.fault(b, 0) for b in bodies]
    failed = [b for b, kind in zip(bodies, first, strict=True) if kind]
    assert 500 < len(failed) < 700
    assert sum(config.fault(b, 1) is not None for b in failed) < len(failed) / 2
    assert {kind for kind in first if kind} == set(FAULTS)
    some = Config(rate=1.0, kinds="500=3,reset=1")
    assert 1400 < sum(some.fault(b, 0) == "500" for b in bodies) < 1600
    with pytest.raises(ValueError, match="nonsense is no fault"):
        Config(kinds="nonsense").weights()


def test_the_server_counts_what_it_sees() -> None:
    with FaultServer(latency=0.02) as server:
        spec = model(server.url, concurrency=5)
        run(spec, [ask(n % 30) for n in range(40)])
        stats = server.stats()
    assert (stats["requests"], stats["distinct"], stats["repeats"]) == (40, 30, 10)
    assert (stats["answered"], stats["repaid"], stats["peak"]) == (40, 10, 5)
    assert stats["in_flight"] == 0
    assert len(stats["arrivals"]) == 40


def test_the_server_fits_simple_schemas() -> None:
    schema = {
        "type": "object",
        "properties": {
            "score": {"type": "integer", "minimum": 2},
            "label": {"enum": ["good", "bad"]},
            "why": {"type": "array", "items": {"type": "string"}},
        },
    }
    assert instance(schema) == {"score": 2, "label": "good", "why": ["a few words"]}
    with FaultServer() as server:
        (reply,) = run(model(server.url), [ask(1, schema=json.dumps(schema))]).replies
    assert isinstance(reply, Completion)
    assert json.loads(reply.text) == instance(schema)


def test_it_starts_from_the_command_line() -> None:
    command = [sys.executable, "-m", "tests.faults.server", "--rate", "0.05", "--latency", "50ms"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert 0 < int(process.stdout.readline()) < 2**16
        process.kill()


def test_an_error_that_stays_is_an_engine_error() -> None:
    with FaultServer() as server:
        url = server.url
    (error,) = run(model(url), [ask(1)]).lost
    assert isinstance(error, EngineError)
    assert (error.kind, error.retryable) == ("connect", True)
