"""A run against a server that fails in every way: nothing is lost, nothing ends in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from mashbill.runtime.ledger import Ledger
from mashbill.runtime.window import health
from tests.faults.process import FaultServer

from .conftest import RECIPE, Spine, balance, documents, make_spine

USE = "use: fake/rewrite, placement: { latency: LATENCY, slots: SLOTS, journal: JOURNAL }"


def against(folder: Path, server: FaultServer, rows: int) -> Spine:
    placement = "{ concurrency: 32, timeout: 300ms }"
    recipe = RECIPE.replace(USE, f'use: http/some, url: "{server.url}", placement: {placement}')
    return make_spine(folder, documents(rows), recipe=recipe)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(health, "LONGEST_WAIT", 0.1)


def test_every_fault_at_once(tmp_path: Path) -> None:
    with FaultServer(rate=0.3, latency=0.002, retry_after=0.05, silence=2, drip=0.02) as server:
        spine = against(tmp_path, server, 60)
        said = spine.run()
        record = spine.record()
        balance(record)
        account = record["steps"]["book"]
        stats = server.stats()
        assert len(stats["faults"]) >= 12, "the server has failed in most of its ways"
        assert account["pending"] == 0
        assert set(account["errors"]) <= {"filtered", "overlong"}, "all else comes right"
        assert said.code == (1 if record["errors"] else 0)
        assert len(spine.errors()) == record["errors"] == sum(account["errors"].values())
        assert all(e["message"] for e in spine.errors())
        model = record["models"]["writer"]
        with Ledger.open(spine.folder / ".mashbill/ledger", write=False) as ledger:
            paid = ledger.stats().completions
        assert model["sent"] == paid + model["retried"] + model["failed"]
        before = stats["requests"]
        server.set(rate=0.0)
        assert spine.run("--retry", "errors").code == 0
        asked = server.stats()["requests"] - before
        assert record["errors"] <= asked, "they are asked again …"
        assert asked < stats["requests"] / 4, "… and little else"
        assert spine.record()["steps"]["book"]["errors"] == {}


def test_a_server_that_dies_and_comes_back_costs_no_row(tmp_path: Path) -> None:
    with FaultServer(latency=0.005, die_every=120, die_for=0.4) as server:
        spine = against(tmp_path, server, 80)
        record = spine.good_run()
        assert server.stats()["deaths"] >= 2
        assert record["steps"]["book"]["errors"] == {}
        assert record["models"]["writer"]["retried"] > 0


def test_a_server_that_hangs_for_a_while_costs_no_row(tmp_path: Path) -> None:
    with FaultServer(latency=0.005, hang_every=300, hang_for=0.5) as server:
        spine = against(tmp_path, server, 80)
        record = spine.good_run()
        assert server.stats()["hangs"] >= 1
        assert record["steps"]["book"]["errors"] == {}
