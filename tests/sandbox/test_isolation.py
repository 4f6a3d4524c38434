"""Which sandbox there is, and what is said where there is none that is good enough."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mashbill.runtime.doctor import machine
from mashbill.runtime.sandbox import bubblewrap, pool
from mashbill.runtime.sandbox.box import Box, BoxLostError
from mashbill.runtime.sandbox.isolation import isolation, require
from mashbill.runtime.sandbox.limits import Limits
from mashbill.runtime.sandbox.program import Program
from mashbill.runtime.sandbox.wanted import NoSandboxError
from tests.runtime.conftest import Spine, checks_in_this_process, make_spine

from .here import needs_bubblewrap

__all__ = ["checks_in_this_process"]

RECIPE = """\
mashbill: 1
name: spine
seed: 7
sources:
  docs: { path: docs.jsonl, columns: { code: code, tests: tests }, license: CC0-1.0, origin: human }
steps:
  ran: { op: execute, from: docs, timeout: 5s, memory: 256MB }
  passed:
    op: verify
    from: ran
    checks: { unit_tests: { timeout: 5s, must_bite: true }, compiles: {} }
output: { columns: [text, code, output, status], format: jsonl }
"""
ROWS = [
    {
        "text": "a",
        "code": "def f(n):\n    return n + 1\nprint(f(1))",
        "tests": ["assert f(2) == 3"],
    },
    {"text": "b", "code": "def f(n):\n    return n - 1", "tests": ["assert f(2) == 3"]},
    {"text": "c", "code": "print('x' * 9000)\n1 / 0", "tests": ["assert f(2) == 3"]},
]


@pytest.fixture
def without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which it is not installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    isolation.cache_clear()
    yield
    isolation.cache_clear()


@pytest.fixture
def project(tmp_path: Path) -> Spine:
    spine = make_spine(tmp_path / "p", [], recipe=RECIPE)
    spine.feed(ROWS)
    return spine


def test_without_bubblewrap_required_is_refused_and_says_what_to_type(
    without_bubblewrap: None,
) -> None:
    found = isolation()
    assert found.level in ("limits", None)
    with pytest.raises(NoSandboxError, match=r"V403\); apt install bubblewrap"):
        require(strict=True)
    line = machine._sandbox()
    assert (line.level, line.help) == ("warn", "apt install bubblewrap")
    assert "V403" in line.said


def test_a_run_is_refused_before_anything_is_paid(project: Spine, without_bubblewrap: None) -> None:
    said = project.run()
    assert said.code != 0
    assert "error[V403]" in said.err and "apt install bubblewrap" in said.err
    assert not (project.folder / "out").exists() or not list(project.folder.glob("out/*/train*"))
    doctor = {f["what"]: f for f in json.loads(project.do("doctor", "--format", "json").out)}
    assert doctor["step ran"]["level"] == doctor["step passed"]["level"] == "fail"


def test_bubblewrap_that_may_not_make_namespaces_is_no_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    broken.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "find", lambda: str(broken))
    isolation.cache_clear()
    try:
        found = isolation()
        assert found.level != "bubblewrap"
        assert "No permissions to create new namespace" in found.why
        assert found.fix == "sysctl user.max_user_namespaces=10000"
    finally:
        isolation.cache_clear()


@pytest.mark.skipif(isolation().level is None, reason=f"V403: {isolation().why}")
def test_process_limits_end_what_they_can() -> None:
    box = Box("limits")
    try:
        box.start()
        limits = Limits(seconds=1.0, memory=100_000_000)
        good = Program("tests", "def f(n): return n + 1", ("assert f(1) == 2",))
        assert box.run(good, limits).passed
        scratch = Path(box._scratch.name) / "programs"  # type: ignore[union-attr]
        daemon = (
            "import os, time\nopen('left', 'w').write('x')\n"
            "if os.fork() == 0:\n    os.setsid()\n    os.fork()\n    time.sleep(600)\n"
            "print(os.getcwd())"
        )
        done = box.run(Program("script", daemon), limits)
        assert done.passed and str(scratch) in done.stdout
        assert list(scratch.iterdir()) == [], "nothing is left for the next program"
        for code, reason in (
            ("while True: pass", "timeout"),
            ("x = bytearray(10**9)", "memory"),
            ("while True: print('x' * 1000)", "output"),
        ):
            assert box.run(Program("script", code), limits).reason == reason
        assert box._process is not None
        deadline = time.monotonic() + 2
        while len(_group(box._process.pid)) > 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(_group(box._process.pid)) <= 2, "daemons are gone"
    finally:
        box.close()


def _group(leader: int) -> list[int]:
    """Processes of the sandbox, whatever session they went to."""
    from mashbill.runtime.sandbox.inside.processes import family

    return list(family(leader))


@needs_bubblewrap
def test_a_recipe_runs_programs_and_keeps_those_that_pass(project: Spine) -> None:
    record = project.good_run()
    (shard,) = project.folder.glob("out/spine/train-*")
    rows = [json.loads(line) for line in shard.read_text().splitlines()]
    assert [(r["text"], r["output"], r["status"]) for r in rows] == [("a", "2", "ok")]
    assert record["steps"]["ran"]["out"] == 3, "execute rejects nothing"
    assert record["sandbox"] == "bubblewrap", "the level in force is reported"
    assert record["steps"]["passed"]["rejected"] == {"wrong": 1, "error": 1}


@needs_bubblewrap
def test_what_a_program_printed_is_cut_and_its_error_kept(project: Spine) -> None:
    project.edit("  passed:\n    op: verify\n    from: ran\n", "")
    project.edit("    checks: { unit_tests: { timeout: 5s, must_bite: true }, compiles: {} }\n", "")
    project.edit("memory: 256MB", "memory: 256MB, most: 20")
    project.good_run()
    (shard,) = project.folder.glob("out/spine/train-*")
    rows = {r["text"]: r for r in map(json.loads, shard.read_text().splitlines())}
    assert rows["a"]["status"] == rows["b"]["status"] == "ok"
    assert rows["c"]["output"] == "x" * 20 + "\n… (cut)"
    assert rows["c"]["status"] == "error"


@needs_bubblewrap
def test_quantities_are_checked(project: Spine) -> None:
    project.edit("timeout: 5s, memory: 256MB", "timeout: 5, memory: 256 bits")
    said = project.do("check")
    assert said.code != 0
    assert "expected a duration like 10s or 24h, got 5, which has no unit" in said.text
    assert "expected a size like 256MB" in said.text


@needs_bubblewrap
def test_a_sandbox_ends_with_whoever_started_it() -> None:
    box = Box("bubblewrap")
    box.start()
    assert box._process is not None
    assert box._process.stdin is not None
    inside = _group(box._process.pid)
    assert len(inside) >= 3
    box._process.stdin.close()
    assert box._process.wait(5) == 0
    box.close()
    deadline = time.monotonic() + 2
    while any(_alive(pid) for pid in inside) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(_alive(pid) for pid in inside)


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_box_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "find", lambda: "/bin/false")
    with pytest.raises(BoxLostError):
        Box("bubblewrap").start()


@needs_bubblewrap
def test_a_row_that_breaks_two_sandboxes_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a fault of the kernel's would: what breaks them is no part of this test."""
    tried: list[Box] = []

    def run(box: Box, program: Program, limits: Limits) -> None:
        tried.append(box)
        box.close()
        raise BoxLostError("it does not answer")

    made = pool.Sandboxes()
    monkeypatch.setattr(Box, "run", run)
    isolation()
    outcome = made.run(Program("script"), Limits(), strict=False)
    assert (outcome.passed, outcome.reason) == (False, "error")
    assert "twice" in outcome.evidence["error"]
    assert len(set(map(id, tried))) == 2
