"""Runs that stop before their end: at caps, at breakers, when an engine is gone."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.runtime.engines import fake
from mashbill.runtime.requests import Completion, EngineError, Request
from mashbill.runtime.window import health

from .conftest import RECIPE, Spine, balance, documents, make_spine

BUDGET = RECIPE + "budget: BUDGET\n"


def spine_with(folder: Path, budget: str, rows: int = 60, **more: Any) -> Spine:
    return make_spine(folder, documents(rows), recipe=BUDGET.replace("BUDGET", budget), **more)


def partial(spine: Spine) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The data set so far, and its record."""
    folder = spine.folder / "out/spine.partial"
    record = json.loads((folder / "run.json").read_text())
    files = [folder / s["file"] for s in record["output"]["shards"]]
    return pl.concat([pl.read_parquet(f) for f in files]), record


def needed(tmp_path: Path, rows: int = 60) -> Spine:
    quiet = make_spine(tmp_path / "quiet", documents(rows))
    quiet.good_run()
    return quiet


def test_a_run_pauses_at_its_cap_and_goes_on_when_it_is_raised(tmp_path: Path) -> None:
    quiet = needed(tmp_path)
    all_of_it = len(quiet.sent())
    assert all_of_it > 250
    spine = spine_with(tmp_path / "capped", "{ requests: 100 }", latency="1ms")
    said = spine.run()
    assert said.code == 5, said.text
    assert "budget.requests: 100 of 100 requests spent" in said.err
    assert "Traceback" not in said.text
    assert len(spine.sent()) == 100, "a cap is reached, and never exceeded"
    balance(spine.last())
    assert spine.last()["status"] == "paused"
    assert spine.last()["steps"]["book"]["pending"] > 0
    assert not spine.shards()

    rows, record = partial(spine)
    assert record["status"] == "paused"
    assert rows.height == record["output"]["rows"] > 0
    shares = {name: part["share"] for name, part in record["mix"]["parts"].items()}
    assert shares["book"] == pytest.approx(0.5, abs=0.05), "in the mix's own shares"
    assert record["mix"]["human_share"] >= 0.5

    assert spine.run().code == 3, "now it is known to be too little"
    again = spine.run("--over-budget")
    assert again.code == 5
    assert len(spine.sent()) == 100, "what was spent counts for the data set, not for the run"
    assert "carried from r-0001" in again.err

    command = re.search(r"go on:  (mashbill run .*)", again.err)
    assert command is not None
    typed = shlex.split(command[1])
    assert typed[3:] == ["--over-budget", "--set", "budget.requests=200"]
    done = spine.run("--set", "budget.requests=10000")
    assert done.code == 0, done.text
    assert Counter(spine.sent()) == Counter(quiet.sent())
    assert spine.shards() == quiet.shards(), "pauses change no byte"
    assert not (spine.folder / "out/spine.partial").exists()
    assert spine.leftovers() == []


def test_a_cap_that_is_just_enough_stops_nothing(tmp_path: Path) -> None:
    quiet = needed(tmp_path)
    spine = spine_with(tmp_path / "capped", f"{{ requests: {len(quiet.sent())} }}")
    assert spine.run().code == 0
    assert spine.shards() == quiet.shards()


@pytest.mark.parametrize(
    ("budget", "spent"),
    [
        ("{ tokens: 1500 }", "completion_tokens"),
        ("{ steps: { book: { tokens: 1500 } } }", "completion_tokens"),
        ("{ input_tokens: 9000 }", "prompt_tokens"),
    ],
)
def test_caps_on_tokens(tmp_path: Path, budget: str, spent: str) -> None:
    spine = spine_with(tmp_path, budget, latency="1ms")
    spine.edit("chunk:", "sampling: { max_tokens: 60 }\n    chunk:")
    cap = int(re.findall(r"\d+", budget)[-1])
    said = spine.run()
    assert said.code == 5, said.text
    used = spine.last()["models"]["writer"][spent]
    assert 0.9 * cap <= used <= cap


def test_a_cap_on_money_needs_a_price_and_holds(tmp_path: Path) -> None:
    spine = spine_with(tmp_path, "{ usd: 0.02 }", latency="1ms")
    spine.edit("chunk:", "sampling: { max_tokens: 60 }\n    chunk:")
    price = "{ input: 1, output: 20, per: 1M tokens, as_of: 2026-11-01 }"
    spine.edit("use: fake/rewrite,", f"use: fake/rewrite, price: {price},")
    said = spine.run()
    assert said.code == 5, said.text
    used = spine.last()["models"]["writer"]
    paid = used["prompt_tokens"] * 1e-6 + used["completion_tokens"] * 20e-6
    assert 0.018 <= paid <= 0.02
    assert "budget.usd: $0.0" in said.err


def test_time_stops_admission(tmp_path: Path) -> None:
    spine = spine_with(tmp_path, "{ wall: 3s }", rows=400, latency="50ms", slots=4)
    said = spine.run()
    assert said.code == 5, said.text
    assert "budget.wall: all of 3s spent" in said.err
    balance(spine.last())
    assert partial(spine)[0].height > 0


def test_a_breaker_stops_at_the_same_row_every_time(tmp_path: Path) -> None:
    steps = (
        RECIPE[: RECIPE.index("mix:")]
        .replace("Maren", "Station")
        .replace("[{ retry: 2 }, { fallback: input }]", "[reject]")
    )
    found = []
    for latency, slots in (("0ms", 4), ("3ms", 32)):
        recipe = steps + "output: { columns: [text, _id] }\n"
        recipe += "budget: { breakers: [{ after: 40, when: rejected > 0.5 }] }\n"
        folder = tmp_path / latency
        spine = make_spine(folder, documents(200), recipe=recipe, latency=latency, slots=slots)
        said = spine.run()
        assert said.code == 5, said.text
        found.append(said.err.replace(str(folder), ""))
        assert "of the first 40 rows of `book` rejected 100%" in said.err
        assert "--set budget.breakers=[]" in said.err.replace("'", "")
        balance(spine.last())
        assert len(spine.sent()) < 600
    assert found[0].splitlines()[0] == found[1].splitlines()[0]
    assert spine.run("--set", "budget.breakers=[]").code == 0


def test_an_engine_that_goes_away_leaves_rows_for_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = needed(tmp_path)
    spine = make_spine(tmp_path / "down", documents(60), latency="1ms")
    complete = fake.FakeEngine.complete
    left = [100]

    async def gone(self: fake.FakeEngine, request: Request) -> Completion:
        left[0] -= 1
        if left[0] < 0:
            raise EngineError("connect", "no connection", retryable=True)
        return await complete(self, request)

    with monkeypatch.context() as patch:
        patch.setattr(health, "FIRST_WAIT", 0.001)
        patch.setattr(health, "DOWN_SECONDS", 0.05)
        patch.setattr(fake.FakeEngine, "complete", gone)
        said = spine.run()
    assert said.code == 1
    assert "writer is down: no connection" in said.err
    assert "run again to go on" in said.err
    last = spine.last()
    balance(last)
    assert last["status"] == "failed"
    assert last["steps"]["book"]["errors"] == {}, "no row is blamed for it"
    assert last["steps"]["book"]["pending"] > 0
    assert len(spine.sent()) == 100
    spine.good_run()
    assert Counter(spine.sent()) == Counter(quiet.sent())
    assert spine.shards() == quiet.shards()


def test_a_defect_that_one_row_brings_to_light_is_that_row_s_error(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mashbill.runtime.ops.rewrite import Rewrite

    run = Rewrite.run

    async def broken(self: Rewrite, row: Any) -> Any:
        if "Station 7 " in row["text"]:
            raise KeyError("a defect")
        return await run(self, row)

    monkeypatch.setattr(Rewrite, "run", broken)
    said = spine.run()
    assert said.code == 1, "an error is never silent"
    assert spine.record()["steps"]["book"]["errors"] == {"fault": 1}
    assert spine.errors()[0]["message"] == "KeyError: 'a defect'"
    balance(spine.record())
