"""`mashbill run`: what it says and asks before it spends, and that a probe is no data."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from mashbill.compiler.estimating.facts import Facts
from mashbill.compiler.estimating.propagate import estimate
from mashbill.runtime import api
from tests.runtime.conftest import Said, Spine, checks_in_this_process

from .facts import facts
from .folders import project
from .server import Server, serving

__all__ = ["checks_in_this_process"]

RECIPE = """\
mashbill: 1
name: costly
models:
  solver: { use: http/large, url: http://localhost:8000/v1, price: { input: 1, output: 10 } }
sources:
  web: { path: web.jsonl, license: CC0-1.0, origin: human }
steps:
  book: { op: rewrite, from: web, model: solver, prompt: prompts/book.md.j2 }
budget: { usd: BUDGET }
"""


@dataclass
class Case:
    """A folder, its server, and how many rows the survey pretends that there are."""

    spine: Spine
    server: Server
    rows: float = 20

    def run(self, *options: str) -> Said:
        return self.spine.do("run", "--format", "text", *options)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with serving(Server()) as server:
        where = project(tmp_path, RECIPE, solver=server.url)
        case = Case(Spine(where.folder), server)

        def measure(plan: api.Plan) -> None:
            seen: Facts = facts(case.rows)
            plan.facts = seen  # type: ignore[assignment]
            plan.estimates = estimate(plan.record, seen)  # type: ignore[assignment]

        monkeypatch.setattr(api.Plan, "measure", measure)
        monkeypatch.setattr(api.Plan, "text", lambda *_: "the table")
        yield case


def spent(case: Case) -> int:
    (file,) = case.spine.folder.glob(".mashbill/runs/*/spent.json")
    found: int = json.loads(file.read_text())["spent"]["budget.requests"]
    return found


def test_a_small_run_is_looked_at_and_not_asked_about(case: Case) -> None:
    said = case.run()
    assert said.code == 0, said.text
    (line,) = [s for s in said.err.splitlines() if s.startswith("Preflight")]
    assert line.endswith("1/1 model answered") and "disk" in line
    sent = [b["messages"][-1]["content"] for b in case.server.asked]
    assert sent[0] == "Say one word." and len(sent) == 21
    record = case.spine.last()
    assert record["models"]["solver"]["sent"] == 20, "the probe is no call of the run …"
    assert spent(case) == 21, "… and is charged to its budget"


def test_much_is_refused_where_nobody_can_say_yes(case: Case) -> None:
    case.rows = 2000
    said = case.run()
    assert said.code == 3 and "error[B560]: This will spend about $3." in said.err
    assert f"mashbill run {case.spine.folder} --yes" in said.err
    assert len(case.server.asked) == 1 and not list(case.spine.folder.glob(".mashbill/runs/*"))
    assert case.run("--no-input").code == 3
    assert case.run("--yes").code == 0
    assert len(case.server.asked) == 23


def test_more_than_the_budget_is_refused_unless_it_may_pause(case: Case) -> None:
    case.rows = 1e6
    said = case.run("--yes")
    assert said.code == 3 and "error[B554]" in said.err and case.server.asked == []
    assert case.run("--yes", "--over-budget").code == 0


def test_a_replay_needs_nobody(case: Case) -> None:
    assert case.run().code == 0
    case.rows = 1e6
    case.server.asked.clear()
    case.spine.edit("name: costly", "name: costly\nversion: 2.0.0")
    for shard in case.spine.folder.glob("out/costly/*.parquet"):
        shard.unlink()
    said = case.run("--replay")
    assert said.code == 0, said.text
    assert case.server.asked == []


def test_a_model_that_is_away_leaves_no_run_behind(case: Case) -> None:
    case.server.statuses = [401] * 9
    said = case.run()
    assert said.code == 1 and "error[M251]: solver: 127.0.0.1" in said.err
    assert "the server wants a key" in said.err
    assert not list(case.spine.folder.glob(".mashbill/runs/*"))


def test_warnings_are_events_where_stderr_is_no_terminal(case: Case) -> None:
    case.server.statuses = [429] * 3
    said = case.spine.do("run")
    assert said.code == 0, said.text
    events = [json.loads(line) for line in said.err.splitlines()]
    (busy,) = [e for e in events if e["event"] == "warning" and "busy" in e["message"]]
    assert busy["message"].startswith("solver: busy:")


def test_without_a_budget_the_default_cap_pauses_the_run(case: Case) -> None:
    case.spine.edit("budget: { usd: $150 }\n", "")
    case.spine.edit("input: 1, output: 10", "input: 1, output: 9000")
    case.server.tokens = 200  # each reply costs $1.90, and $4.70 at worst
    said = case.run("--yes", "--over-budget")
    assert said.code == 5, said.text
    assert "budget.usd" in said.err and "$10" in said.err
    record = case.spine.last()
    assert record["budget"]["caps"]["budget.usd"]["limit"] == 10
    assert 0 < record["models"]["solver"]["sent"] < 6


ASKED = """
import sys
from tests.guarding.test_run import patched
from mashbill.runtime.cli import command
patched(2000)
sys.exit(command(["run", *sys.argv[1:]]))
"""


def patched(rows: float) -> None:
    """Let every plan of this process be measured at so many rows."""

    def measure(plan: api.Plan) -> None:
        seen = facts(rows)
        plan.facts = seen  # type: ignore[assignment]
        plan.estimates = estimate(plan.record, seen)  # type: ignore[assignment]

    api.Plan.measure = measure  # type: ignore[method-assign]
    api.Plan.text = lambda *_: "the table"  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 3)])
def test_a_terminal_is_asked(case: Case, typed: str, code: int) -> None:
    """In a process of its own, whose input and errors are a terminal."""
    master, slave = pty.openpty()
    os.write(master, typed.encode())
    process = subprocess.Popen(
        [sys.executable, "-c", ASKED, str(case.spine.folder), "--color", "never"],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    )
    os.close(slave)
    shown = b""
    with suppress(OSError):  # how the end of a terminal reads
        while part := os.read(master, 65_536):
            shown += part
    out, _ = process.communicate(timeout=60)
    os.close(master)
    said = shown.decode("utf-8", "replace")
    assert process.returncode == code, said + out
    before, question, _ = said.partition("Continue? [y/N] ")
    assert question and "Preflight  disk" in before and "This will spend about $3." in before
    assert len(case.server.asked) == (21 if code == 0 else 1)


# -- a pilot


def test_a_pilot_that_costs_much_waits_for_a_yes(case: Case) -> None:
    case.rows = 2000
    said = case.spine.do("plan", "--pilot", "1500", "--no-input")
    assert said.code == 3 and not case.server.asked
    assert "The pilot will spend about $" in said.err
    assert f"type: mashbill plan {case.spine.folder} --pilot 1500 --yes" in said.err
    assert not list(case.spine.folder.glob(".mashbill/pilots/*"))
    said = case.spine.do("plan", "--pilot", "1500", "--yes")
    assert said.code == 0 and case.server.asked, said.text


def test_a_small_pilot_asks_for_nothing(case: Case) -> None:
    assert case.spine.do("plan", "--pilot", "2").code == 0
    assert case.server.asked
