"""`mashbill status`: running, killed, paused, failed, done."""

from __future__ import annotations

import fcntl
import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.engines.fake import FakeEngine
from mashbill.runtime.progress import is_alive
from mashbill.runtime.requests import Completion, EngineError, Request
from mashbill.runtime.standing import ago, find_runs, standing_of
from tests.runtime.conftest import (
    Spine,
    checks_in_this_process,
    documents,
    make_spine,
    spine,
)

__all__ = ["checks_in_this_process", "spine"]


def status(spine: Spine) -> dict[str, Any]:
    said = spine.do("status", "--format", "json")
    assert said.code == 0, said.text
    value: dict[str, Any] = json.loads(said.out)
    return value


def run_folder(spine: Spine, run: str = "r-0001") -> Path:
    return spine.folder / ".mashbill/runs" / run


def test_before_any_run(spine: Spine) -> None:
    said = spine.do("status")
    assert said.code == 1 and "no run of spine yet; type: mashbill run" in said.err


def test_a_run_from_begin_to_end(tmp_path: Path) -> None:
    spine = make_spine(tmp_path / "spine", documents(40), latency="200ms", slots=8)
    with spine.start() as process:
        found = wait_for(spine, lambda s: bool((s["progress"] or {}).get("models")), process)
        assert found["state"] == "running"
        text = spine.do("status").out
        assert text.startswith("r-0001  spine  running for ") and "writer: " in text
        process.kill()
    found = status(spine)
    assert found["state"] == "killed" and found["go_on"] == f"mashbill run {spine.folder}"
    text = spine.do("status").out
    assert "killed (its process is gone)" in text and f"mashbill run {spine.folder}" in text
    assert not re.search(r"\beta \d|\d/s(?!p)", text), "nobody works on it"

    with spine.start() as process:
        wait_for(spine, lambda s: bool(spine.sent()) and s["run"] == "r-0002", process)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert status(spine)["state"] == "paused"
    assert "paused just now" in spine.do("status").out

    spine.write(
        (spine.folder / "recipe.yaml").read_text().replace("latency: 200ms", "latency: 0ms")
    )
    record = spine.good_run()
    found = status(spine)
    assert (found["state"], found["run"], found["go_on"]) == ("done", "r-0003", None)
    steps = {s["name"]: s["rows_out"] for s in found["progress"]["steps"]}
    assert steps == {name: a["out"] for name, a in record["steps"].items()}
    text = spine.do("status", "--watch").out  # nothing to wait for
    assert f"{record['output']['rows']:,} rows in out/spine" in text
    assert text.index(" docs ") < text.index(" long ") < text.index(" book ")


def wait_for(spine: Spine, seen: Any, process: subprocess.Popen[str]) -> dict[str, Any]:
    """Look until something is seen of a run."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and process.poll() is None:
        if list(spine.folder.glob(".mashbill/runs/r-*")) and seen(found := status(spine)):
            return found
        time.sleep(0.1)
    raise AssertionError("never seen")


def test_what_was_left_aside_and_what_to_type(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = FakeEngine.complete

    async def refuse(self: FakeEngine, request: Request) -> Completion:
        if "Station 3 " in request.messages[-1].content:
            raise EngineError("status-400", "refused", retryable=False)
        return await complete(self, request)

    monkeypatch.setattr(FakeEngine, "complete", refuse)
    spine.feed([{"text": t} for t in (*documents(8), "short", "too short")])
    assert spine.run().code == 1
    text = spine.do("status").out
    assert "rejected by long: keep 2" in text and f"mashbill show {spine.folder} long" in text
    assert "errors: status-400 1" in text and f"mashbill run {spine.folder} --retry errors" in text
    assert status(spine)["errors"] == {"status-400": 1}


def test_a_failed_run_says_why(spine: Spine) -> None:
    spine.edit("on_shortfall: shrink", "on_shortfall: error")
    spine.edit("total: 4000 tokens", "total: 4M tokens")
    assert spine.run().code == 1
    found = status(spine)
    assert found["state"] == "failed" and "can supply" in found["problem"]
    assert "can supply" in spine.do("status").out


def test_a_run_by_its_name(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    from mashbill.runtime.cli import command

    spine.good_run()
    monkeypatch.chdir(spine.folder)
    assert command(["status", "r-0001"]) == 0
    assert command(["status", "r-0099"]) == 1


def test_a_lock_and_nothing_else_means_life(spine: Spine) -> None:
    spine.good_run()
    folder = run_folder(spine)
    (folder / "record.json").unlink()
    events = folder / "events.ndjson"
    assert not is_alive(folder) and standing_of(folder).state == "done", "its end was told"
    events.write_bytes(b"".join(events.read_bytes().splitlines(keepends=True)[:-1]))
    assert standing_of(folder).state == "killed"
    with events.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_alive(folder) and standing_of(folder).state == "running"
    assert not is_alive(folder)


@pytest.mark.parametrize("name", ["begun.json", "progress.json", "events.ndjson", "record.json"])
@pytest.mark.parametrize("content", ["", "[1]", "{", '{"run": 1}', "\x00" * 9])
def test_torn_files_are_no_fault(spine: Spine, name: str, content: str) -> None:
    folder = run_folder(spine)
    folder.mkdir(parents=True)
    (folder / "begun.json").write_text('{"recipe": "spine", "passes": 1}')
    (folder / name).write_text(content)
    found = find_runs(spine.folder / ".mashbill", "spine")
    if name != "begun.json":
        assert found == [folder]
    assert standing_of(folder).state in ("killed", "failed")
    assert "Traceback" not in spine.do("status").text


def test_runs_of_other_recipes_are_others(spine: Spine) -> None:
    spine.good_run()
    assert len(find_runs(spine.folder / ".mashbill")) == 1
    assert find_runs(spine.folder / ".mashbill", "other") == []


def test_how_long_ago() -> None:
    now = time.time()
    assert [ago(now - s) for s in (1, 190, 7_300, 200_000)] == [
        "just now", "3 min ago", "2 h ago", "2 d ago",
    ]  # fmt: skip
    assert ago(None) == "" and ago(now + 99) == "just now"
