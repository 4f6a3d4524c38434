"""What rewrite rules decide about a step is what the runtime does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.compiler.plan import Plan
from mashbill.compiler.rules import RULES
from mashbill.compiler.tuning import PLAIN
from mashbill.runtime.account import Account
from mashbill.runtime.channels import Inbox, Outlets
from mashbill.runtime.execute import Execution
from mashbill.runtime.fused import FusedStage
from mashbill.runtime.grouping import grouped
from mashbill.runtime.kernel import Mapped
from mashbill.runtime.requests import Message
from mashbill.runtime.sources.jsonl import SourceSpec, scan_partitions
from mashbill.runtime.stages import LimitStage, MapStage, RowStage, first_rows
from mashbill.runtime.tools import Tools

from ..compiler.both_ways import Rules, named, plans, project_of, run

STEPS = """\
  long: { op: filter, from: pages, keep: words(text) > 4, set: { size: = words(text) } }
  book:
    op: rewrite
    from: long
    model: writer
    prompt: prompts/book.md.j2
    set: { style: "= choose(['plain', 'fine', 'short'])" }
    on_fail: [{ fallback: input }]
  last: { op: filter, from: book, keep: words(text) > 5 }
output: { columns: [text, _id] }
"""


def planned(folder: Path, rules: Rules, steps: str = STEPS) -> tuple[Plan, Any]:
    project = project_of(folder, steps)
    return plans(project, rules)[0], project


def test_a_plan_keeps_what_rules_decided_and_reads_plans_without_it(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path / "with", RULES, STEPS.replace("keep: words(text) > 5", "limit: 6"))
    assert {name for name, _ in plan.applied} >= {"push_limit", "drop_columns", "fuse_maps"}
    stored = json.loads(plan.dump())
    loaded = Plan.load(json.dumps(stored))
    assert [n.tuning for n in loaded.nodes] == [n.tuning for n in plan.nodes]
    assert loaded.node("book").tuning.first == loaded.node("book").most_rows == 6
    for node in stored["nodes"]:
        del node["tuning"]
    older = Plan.load(json.dumps(stored))
    assert {n.tuning for n in older.nodes} == {PLAIN}
    assert older.digest == plan.digest


# -- columns


def seen_columns(folder: Path, rules: Rules, patch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Columns of the frames that reach each step while a plan runs."""
    plan, project = planned(folder, rules)
    seen: dict[str, set[str]] = {}
    apply, start = MapStage.apply, RowStage._start

    def applied(self: MapStage, frame: pl.DataFrame) -> Any:
        seen.setdefault(self.name, set()).update(frame.columns)
        return apply(self, frame)

    async def started(self: RowStage, frame: pl.DataFrame, group: asyncio.TaskGroup) -> None:
        seen.setdefault(self.name, set()).update(frame.columns)
        await start(self, frame, group)

    with patch.context() as patched:
        patched.setattr(MapStage, "apply", applied)
        patched.setattr(RowStage, "_start", started)
        run(plan, project, patch)
    return {name: {c for c in columns if not c.startswith("_")} for name, columns in seen.items()}


def test_rows_do_not_carry_what_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = seen_columns(tmp_path / "without", (), monkeypatch)
    assert without["book"] == {"text", "lang", "size"}
    assert without["last"] == {"text", "lang", "size", "style", "input.text"}
    found = seen_columns(tmp_path / "with", named("drop_columns"), monkeypatch)
    assert found == {"pages": {"text"}, "long": {"text"}, "book": {"text"}, "last": {"text"}}


def spec_of(folder: Path, carried: frozenset[str] | None) -> SourceSpec:
    path = folder / "docs.jsonl"
    rows: list[dict[str, Any]] = [{"text": f"T{i}", "n": i, "lang": "en"} for i in range(9)]
    rows[4]["n"] = {"not": "a number"}
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    columns = (("n", "n"), ("lang", "lang"))
    return SourceSpec("docs", (path,), ("docs.jsonl",), columns=columns, carried=carried)


@pytest.mark.parametrize("carried", [frozenset(), frozenset({"lang"}), frozenset({"n", "other"})])
def test_a_source_checks_the_columns_that_it_does_not_carry(
    tmp_path: Path, carried: frozenset[str]
) -> None:
    (whole,) = scan_partitions(spec_of(tmp_path, None))
    (narrow,) = scan_partitions(spec_of(tmp_path, carried))
    assert [u.reason[:12] for u in narrow.unreadable] == ["schema-drift"]
    assert narrow.unreadable == whole.unreadable
    assert {"n", "lang"} & set(narrow.frame.columns) == {"n", "lang"} & carried
    assert narrow.frame.equals(whole.frame.select(narrow.frame.columns))


def test_a_source_without_rows_has_the_columns_that_it_carries(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, frozenset({"lang"}))
    (tmp_path / "docs.jsonl").write_bytes(b"")
    (partition,) = scan_partitions(spec)
    assert "lang" in partition.frame.columns and "n" not in partition.frame.columns


def test_outlets_send_what_they_keep_and_what_is_mashbills_own() -> None:
    frame = pl.DataFrame({"text": ["a"], "lang": ["en"], "_id": ["1"], "_reason": ["keep"]})

    async def sent(keeps: frozenset[str] | None) -> list[str]:
        inbox, outlets = Inbox(), Outlets(keeps=keeps)
        outlets.join("rejected", inbox)
        await outlets.put("rejected", frame)
        await outlets.put("", frame)  # nobody reads it
        found = await inbox.get()
        assert found is not None
        return found.columns

    assert asyncio.run(sent(None)) == ["text", "lang", "_id", "_reason"]
    assert asyncio.run(sent(frozenset({"text", "other"}))) == ["text", "_id", "_reason"]


# -- stages


def test_steps_that_share_a_stage_run_in_one_hop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, project = planned(tmp_path / "with", named("fuse_maps"))
    alone: list[str] = []
    original = MapStage.run

    async def spied(self: MapStage) -> None:
        alone.append(self.name)
        await original(self)

    monkeypatch.setattr(MapStage, "run", spied)
    found = run(plan, project, monkeypatch)
    assert alone == ["last"]
    assert found.steps["pages"]["out"] == found.steps["long"]["in"] > 0


def test_a_shared_stage_holds_no_frame_that_nobody_reads() -> None:
    def step(name: str, keep: pl.Expr) -> MapStage:
        return MapStage(
            name,
            Account(),
            lambda f: Mapped(f.filter(keep), f.filter(~keep).with_columns(_reason=pl.lit("keep"))),
        )

    steps = [step(name, pl.col("n") > least) for least, name in enumerate("abc")]
    steps[1].outlets.join("rejected", Inbox())
    steps[2].outlets.join("", Inbox())
    found = FusedStage(steps).apply(pl.DataFrame({"n": [0, 1, 2, 3, 4]}))
    assert [(s.name, port, f["n"].to_list()) for s, port, f in found] == [
        ("b", "rejected", [1]),
        ("c", "", [3, 4]),
    ]
    assert [s.account.rejected["keep"] for s in steps] == [1, 1, 1]
    assert FusedStage(steps).apply(pl.DataFrame({"n": [0]})) == []
    assert [s.account.rows_in for s in steps] == [6, 4, 3]


def test_a_fault_in_a_shared_stage_names_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, project = planned(tmp_path / "with", named("fuse_maps"))
    original = MapStage.apply

    def failing(self: MapStage, frame: pl.DataFrame) -> Any:
        return original(self, frame.drop("text") if self.name == "long" else frame)

    monkeypatch.setattr(MapStage, "apply", failing)
    with pytest.raises(Exception, match="long"):
        run(plan, project, monkeypatch)


# -- limits


def test_the_first_rows_with_ties_are_those_of_the_first_documents() -> None:
    docs = ["b", "a", "c", "b", "b", "d"]
    ids = ["5", "9", "1", "2", "7", "0"]
    frame = pl.DataFrame({"_doc": docs, "_id": ids})
    assert first_rows([frame], 2)["_id"].to_list() == ["9", "2"]
    assert first_rows([frame], 2, ties=True)["_id"].to_list() == ["9", "2", "5", "7"]
    assert first_rows([frame], 1, ties=True)["_id"].to_list() == ["9"]
    assert first_rows([frame], 9, ties=True).height == 6
    assert first_rows([frame], 0, ties=True).height == 0


def test_a_felt_limit_lets_through_every_row_that_the_limit_may_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = STEPS.replace("keep: words(text) > 5", "limit: 6")
    plan, project = planned(tmp_path / "with", named("push_limit"), steps)
    ties: list[tuple[str, bool]] = []
    original = LimitStage.run

    async def spied(self: LimitStage) -> None:
        ties.append((self.name, self.ties))
        await original(self)

    monkeypatch.setattr(LimitStage, "run", spied)
    found = run(plan, project, monkeypatch)
    assert sorted(ties) == [("book", True), ("last", False)]
    assert found.rows == 6 and 6 <= found.steps["book"]["out"] < 12
    assert found.steps["book"]["rejected"].keys() == {"limit"}


# -- groups


def test_groups_are_whole_and_keep_their_order() -> None:
    frame = pl.DataFrame({"a": ["x", "y", None, "x", "y", "x"], "n": range(6)})
    found = grouped(frame, ["a"])
    assert found["n"].to_list() == [0, 3, 5, 1, 4, 2]
    two = pl.DataFrame({"a": list("xyxxyx"), "b": [2, 1, 2, 1, 1, 1], "n": range(6)})
    assert grouped(two, ["a", "b"])["n"].to_list() == [3, 5, 0, 2, 1, 4]


def test_rows_stay_as_they_are_where_groups_are_of_no_use() -> None:
    unlike = pl.DataFrame({"a": ["d", "c", "b", "a"], "n": range(4)})
    assert grouped(unlike, ["a"]) is unlike
    lists = pl.DataFrame({"a": [["y"], ["x"], ["y"], ["y"]]})
    assert grouped(lists, ["a"]) is lists
    for frame in (unlike.clear(), unlike.head(1)):
        assert grouped(frame, ["a"]) is frame
    alike = pl.DataFrame({"a": ["y", "x", "y", "x"]})
    assert grouped(alike, []) is alike


def asked_styles(folder: Path, rules: Rules, patch: pytest.MonkeyPatch) -> list[str]:
    """The system turns of all requests, in the order in which they were asked."""
    plan, project = planned(folder, rules)
    asked: list[str] = []
    original = Execution.tools

    def tools(self: Execution, node: Any) -> Tools:
        made = original(self, node)

        async def ask(messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int) -> Any:
            asked.append(messages[0].content)
            return await made.ask(messages, sampling, draw)

        return Tools(ask, made.judge, made.tokens, made.rule, made.context)

    with patch.context() as patched:
        patched.setattr(Execution, "tools", tools)
        run(plan, project, patch)
    return asked


def test_prompts_that_begin_alike_are_asked_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turns(asked: list[str]) -> int:
        return sum(a != b for a, b in pairwise(asked))

    without = asked_styles(tmp_path / "without", (), monkeypatch)
    found = asked_styles(tmp_path / "with", named("group_by_prefix"), monkeypatch)
    assert sorted(found) == sorted(without) and len(set(found)) == 3
    assert turns(without) > 10
    assert turns(found) == 2
