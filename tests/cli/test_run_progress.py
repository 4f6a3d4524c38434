"""What a run says while it goes, and `run --retry`."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from mashbill.runtime.cli import command
from mashbill.runtime.engines.fake import FakeEngine
from mashbill.runtime.progress import journal
from mashbill.runtime.progress.money import cost
from mashbill.runtime.progress.snapshot import Forecast, ModelView, Snapshot, StepView
from mashbill.runtime.progress.table import picture
from mashbill.runtime.progress.words import STOPPING
from mashbill.runtime.requests import Completion, EngineError, Request
from tests.runtime.conftest import (
    MODELS,
    Spine,
    balance,
    checks_in_this_process,
    documents,
    make_spine,
    spine,
)

__all__ = ["checks_in_this_process", "spine"]


def events(text: str) -> list[dict[str, Any]]:
    """Every line is an event."""
    return [json.loads(line) for line in text.splitlines()]


def written(spine: Spine, run: str = "r-0001") -> list[dict[str, Any]]:
    return events((spine.folder / f".mashbill/runs/{run}/events.ndjson").read_text())


# -- events


def test_stderr_that_is_no_terminal_gets_events(spine: Spine) -> None:
    said = spine.do("run")
    assert said.code == 0
    told = events(said.err)
    told = [e for e in told if e["event"] != "warning"]
    assert told == [e for e in written(spine) if e["event"] != "warning"]
    assert [told[0]["event"], told[-1]["event"]] == ["start", "end"]
    assert all(e["run"] == "r-0001" and isinstance(e["time"], float) for e in told)
    record = spine.record()
    assert told[0]["plan"] == record["plan"] and told[0]["estimates"]["steps"]["book"]
    end = told[-1]
    assert (end["status"], end["rows"]) == ("done", record["output"]["rows"])
    assert end["path"] == "out/spine" and end["go_on"] is None
    steps = {e["step"]["name"]: e["step"] for e in told if e["event"] == "step"}
    assert set(steps) == set(record["steps"])
    assert steps["book"] == {"name": "book", **record["steps"]["book"]}
    (last,) = [e for e in told if e["event"] == "progress"]
    assert last["models"][0]["sent"] == record["models"]["writer"]["sent"]
    assert "rows in out" in said.out or "rows in" in said.out  # the summary stays text


def test_the_last_look_stays_as_a_file(spine: Spine) -> None:
    spine.good_run()
    view = Snapshot.from_json(
        json.loads((spine.folder / ".mashbill/runs/r-0001/progress.json").read_text())
    )
    record = spine.record()
    assert {s.name: s.rows_out for s in view.steps} == {
        name: a["out"] for name, a in record["steps"].items()
    }
    assert view.total("completion_tokens") == record["models"]["writer"]["completion_tokens"]


def test_forms(spine: Spine) -> None:
    said = spine.do("run", "--format", "text")
    assert "rows in → out" in said.err and '"event"' not in said.err
    spine.forget_output()
    said = spine.do("run", "--format", "ndjson")
    assert events(said.err)[-1]["event"] == "end"
    assert json.loads(said.out)["status"] == "done" and said.out.count("\n") == 1
    spine.forget_output()
    said = spine.do("run", "--format", "json", "--quiet")
    assert json.loads(said.out)["status"] == "done" and said.err == ""


def test_a_run_that_fails_says_so_as_an_event(spine: Spine) -> None:
    spine.edit("on_shortfall: shrink", "on_shortfall: error")
    spine.edit("total: 4000 tokens", "total: 4M tokens")
    said = spine.do("run")
    assert said.code == 1
    end = events(said.err)[-1]
    assert end["event"] == "end" and end["status"] == "failed" and "can supply" in end["problem"]
    assert end["go_on"] == f"mashbill run {spine.folder}"
    spine.edit("total: 4M tokens", "total: 5M tokens")
    assert "can supply" in spine.do("run", "--format", "text").err
    spine.edit("fake/rewrite", "fake/none")
    assert spine.do("run").err.startswith("error[M251]"), "before there is a run to tell of"


def test_retrying_what_was_never_made_is_a_run_like_any_other(rejecting: Spine) -> None:
    assert rejecting.good_run("--retry", "rejected")["passes"] == 1


def test_a_disk_that_takes_no_events_ends_no_run(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("EVENTS", "PROGRESS", "BEGUN"):
        monkeypatch.setattr(journal, name, "no/such/folder/file")
    spine.good_run()


def test_each_kind_of_error_is_told_once(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    break_engine(monkeypatch, lambda text: "Station 3 " in text or "Station 4 " in text)
    said = spine.do("run")
    assert said.code == 1
    (error,) = [e for e in events(said.err) if e["event"] == "error"]
    assert (error["step"], error["reason"]) == ("book", "status-400")
    assert error["doc"] and error["message"]
    assert "status-400 2" in said.out and "mashbill run --retry errors" in said.out


# -- the table


def crowded(steps: int = 4) -> Snapshot:
    views = [
        StepView(
            name=f"a_step_with_quite_a_long_name_{i}",
            rows_in=123_456 * (i + 1),
            rows_out=1_234_567,
            total=2_000_000,
            rejected={"[bold]a_reason_of_many_letters": 5_000, "length": 20, "other": 3, "x": 1},
            errors={"status-503": 1_234_567},
            attempts=10_000,
            rate=1_234.5,
        )
        for i in range(steps)
    ]
    models = (
        ModelView("writer", 1_000_000, 2_000_000, 3, 4, 256, 512, 10, 10**9, 12.5, "n " * 60),
        ModelView("裁判", 1),
    )
    ahead = Forecast(1e7, 3e9, 2.5e9, 37.0, 17_000)
    return Snapshot("r-1", "x", 0.0, 9.0, 2, tuple(views), models, 11_900.0, 40.0, ahead)


def printed(view: Snapshot, width: int, **options: Any) -> list[str]:
    out = StringIO()
    console = Console(file=out, width=width, height=24, force_terminal=True, color_system=None)
    console.print(picture(view, width, **options))
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = printed(crowded(), width, stopping=STOPPING)
    assert max(map(cell_len, lines)) <= width
    assert len(lines) == 4 + 2 + 3, "one line each: steps, models, pass, spending, stopping"


def test_at_80_columns_all_that_matters_can_be_read() -> None:
    view = Snapshot(
        "r-1", "edu", 0.0, 9.0,
        steps=(
            StepView("web", 465_000, 401_000, 465_000, True, ended=True),
            StepView(
                "web_rewrite", 144_000, 138_400, 401_000, errors={"timeout": 12}, rate=31.0,
                rejected={"facts": 4_000, "length": 1_628}, attempts=150_000,
            ),
        ),
        models=(ModelView("writer", 150_000, 400, 0, 0, 96, 0, 9, 116_000_000),),
        tokens_per_second=11_900.0,
        forecast=Forecast(420_000, 322e6, 319e6, None, 16_980),
    )  # fmt: skip
    text = "\n".join(line.rstrip() for line in printed(view, 80, stopping=STOPPING))
    assert " web          465k → 401k  100%" in text
    assert " web_rewrite  144k → 138k   35%  31/s  errors 12  rejected 3.9%: facts 4,000" in text
    assert "116M tokens out   11.9k tok/s   forecast 322M (planned 319M)   eta 4h 43m" in text
    assert text.endswith("10 s …")


def test_many_steps_leave_room_for_what_stands_below() -> None:
    lines = printed(crowded(60), 80, height=24, stopping=STOPPING)
    assert len(lines) <= 24 and lines[-1].strip() == STOPPING
    assert any("more steps" in line for line in lines)


def test_money() -> None:
    price = {"input": 0.5, "output": 2.0, "cached_input": 0.1, "per": 1_000_000}
    assert cost(None, 1, 1) is None
    assert cost(price, 2_000_000, 1_000_000) == pytest.approx(3.0)
    assert cost(price, 2_000_000, 0, cached=1_000_000) == pytest.approx(0.6)


def test_on_a_terminal_it_is_a_table_and_the_first_interrupt_is_heard(tmp_path: Path) -> None:
    spine = make_spine(tmp_path / "spine", documents(30), latency="700ms", slots=4)
    leader, follower = pty.openpty()
    words = [sys.executable, "-m", "mashbill", "run", str(spine.folder)]
    seen = b""
    with subprocess.Popen(
        words, stdin=follower, stdout=subprocess.PIPE, stderr=follower, start_new_session=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"},
    ) as process:  # fmt: skip
        os.close(follower)
        give_up, sent = time.monotonic() + 60, False
        while process.poll() is None and time.monotonic() < give_up:
            if select.select([leader], [], [], 0.1)[0]:
                try:
                    seen += os.read(leader, 65_536)
                except OSError:
                    break
            if b" in flight" in seen and not sent:
                sent = True
                process.send_signal(signal.SIGINT)
        process.wait(20)
    os.close(leader)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert process.returncode == 130
    assert re.search(r"book\s+\d+ → \d+", text) and '"event"' not in text
    assert "Stopping" in text and f"go on:  mashbill run {spine.folder}" in text.replace("\r\n", "")


# -- run --retry


def break_engine(monkeypatch: pytest.MonkeyPatch, broken: Callable[[str], bool]) -> None:
    """Let the fake engine refuse some prompts for good."""
    complete = FakeEngine.complete

    async def refuse(self: FakeEngine, request: Request) -> Completion:
        if broken(request.messages[-1].content):
            raise EngineError("status-400", "refused for this test", retryable=False)
        return await complete(self, request)

    monkeypatch.setattr(FakeEngine, "complete", refuse)


def test_retry_errors_asks_for_the_failed_rows_alone(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        break_engine(patch, lambda text: "Station 3 " in text)
        assert spine.run().code == 1
    first = spine.record()
    assert first["steps"]["book"]["errors"] == {"status-400": 1}
    assert "Nothing to do" in spine.run().out
    spine.journal.unlink()
    record = spine.good_run("--retry", "errors")
    assert record["steps"]["book"]["errors"] == {}
    assert 0 < record["models"]["writer"]["sent"] == len(spine.sent()) <= 6 * 3
    assert record["passes"] == 1 and record["plan"] == first["plan"]
    assert "Nothing to retry" in spine.run("--retry", "errors").out


REJECTING = (
    MODELS.replace("fake/rewrite", "fake/words")  # another text with each draw
    + """\
steps:
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    chunk: { by: sentence, max: 80 tokens }
    checks: { even: { kind: expr, pass: "chars(text) % 3 == 0" } }
    on_fail: [{ retry: 1 }, { fallback: input }]
"""
)


@pytest.fixture
def rejecting(tmp_path: Path) -> Spine:
    return make_spine(tmp_path / "spine", documents(12), recipe=REJECTING)


def test_retry_rejected_goes_down_the_ladder_once_more(rejecting: Spine) -> None:
    first = rejecting.good_run()
    units = first["steps"]["book"]["units"]
    assert units["fallback"] > 5 and units["accepted"] > 5
    once = rejecting.sent()
    rejecting.journal.unlink()
    offered = rejecting.do("status").out
    assert f"no reply passed for {units['fallback']} of " in offered
    assert f"mashbill run {rejecting.folder} --retry rejected" in offered

    said = rejecting.run("--retry", "rejected")
    assert said.code == 0 and "2 passes (run --retry rejected)" in said.out
    second = rejecting.record()
    balance(second)
    assert second["passes"] == 2 and second["plan"] == first["plan"]
    again = rejecting.sent()
    assert not set(once) & set(again), "no draw that was paid for is asked for again"
    draws = [int(line.split()[1]) >> 20 for line in again]
    assert set(draws) == {2, 3} and draws.count(2) == units["fallback"]
    now = second["steps"]["book"]["units"]
    assert now["fallback"] < units["fallback"]
    assert now["accepted"] + now["fallback"] == units["accepted"] + units["fallback"]

    shards = rejecting.shards()
    assert "Nothing to do" in rejecting.run().out
    for how in ([], ["--replay"]):  # what was made with two passes is made so again
        rejecting.forget_output()
        record = rejecting.good_run(*how)
        assert (record["passes"], record["models"]["writer"]["sent"]) == (2, 0)
        assert rejecting.shards() == shards
    assert rejecting.good_run("--retry", "rejected")["passes"] == 3


def test_diff_says_how_often_ladders_were_gone_down(
    rejecting: Spine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rejecting.good_run()
    rejecting.good_run("--retry", "rejected")
    monkeypatch.chdir(rejecting.folder)
    assert command(["diff", "r-0001", "r-0002"]) == 0
    assert "passes 1 → 2" in capsys.readouterr().out


def test_a_row_of_a_later_pass_can_be_explained(rejecting: Spine) -> None:
    rejecting.good_run()
    rejecting.good_run("--retry", "rejected")
    rows = rejecting.rows()
    said = [rejecting.do("show", str(i)[:16]).out for i in rows["_id"]]
    assert any("accepted at draw 3" in text or "accepted at draw 4" in text for text in said)
    assert not any("no completions" in text for text in said)


def test_a_retry_that_was_stopped_goes_on_with_its_pass(
    rejecting: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejecting.good_run()
    with monkeypatch.context() as patch:

        async def stop(self: FakeEngine, request: Request) -> Completion:
            raise KeyboardInterrupt

        patch.setattr(FakeEngine, "complete", stop)
        assert rejecting.run("--retry", "rejected").code == 130
    assert rejecting.good_run()["passes"] == 2
    rejecting.forget_output()
    assert rejecting.good_run("--retry", "rejected")["passes"] == 3


def test_nothing_was_rejected(tmp_path: Path) -> None:
    spine = make_spine(
        tmp_path / "spine", documents(3), recipe=REJECTING.replace("% 3 == 0", "> 0")
    )
    spine.good_run()
    said = spine.run("--retry", "rejected")
    assert said.code == 0 and "Nothing to retry" in said.out
    assert len(list(spine.folder.glob(".mashbill/runs/r-*"))) == 1
