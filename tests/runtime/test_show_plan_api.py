"""Looking at what will happen and at what has: `plan`, `show`, and the same from Python."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import polars as pl
import pytest

import mashbill as mb
from mashbill.runtime.lineage import find_written

from .conftest import MODELS, Spine, documents, make_spine


def planned(spine: Spine) -> dict[str, dict[str, object]]:
    said = spine.do("plan", "--format", "json")
    assert said.code == 0, said.text
    return {step["name"]: step["estimate"] for step in json.loads(said.out)["steps"]}


def value(step: dict[str, object], name: str) -> tuple[float, str]:
    spending = step["spending"]
    assert isinstance(spending, dict)
    number = {**step, **spending}[name]
    assert isinstance(number, dict)
    return number["value"], number["basis"]


def test_an_unchanged_rerun_costs_nothing(spine: Spine) -> None:
    record = spine.good_run()
    step = planned(spine)["book"]
    assert value(step, "calls")[0] == 0
    assert value(step, "prompt_tokens")[0] == 0
    assert value(step, "worst_calls")[0] == 0
    assert step["reused"] == 1.0
    assert value(step, "rows_out")[0] == record["steps"]["book"]["out"]
    said = spine.do("plan")
    assert "unchanged" in said.out
    assert spine.sent() == spine.sent()


@pytest.mark.parametrize("rows", [30, 150])
def test_input_tokens_are_exact_where_the_sample_is_the_whole(tmp_path: Path, rows: int) -> None:
    recipe = MODELS + (
        "steps:\n  long: { op: filter, from: docs, keep: words(text) > 8 }\n"
        "  made: { op: generate, from: long, model: writer, prompt: prompts/book.md.j2 }\n"
    )
    texts = [" ".join(t.split()[: 6 + i % 40]) for i, t in enumerate(documents(rows))]
    spine = make_spine(tmp_path, texts, recipe=recipe)
    step = planned(spine)["made"]
    record = spine.good_run()
    spent = record["models"]["writer"]
    calls, basis = value(step, "calls")
    assert (calls, basis) == (spent["sent"], "e")
    assert value(step, "rows_in") == (record["steps"]["made"]["in"], "e")
    assert value(step, "prompt_tokens")[0] == pytest.approx(spent["prompt_tokens"])


def test_the_plan_says_what_changed(spine: Spine) -> None:
    spine.good_run()
    spine.edit("words(text) > 8", "words(text) > 9")
    said = spine.do("plan")
    assert "keep: words(text) > 8" in " ".join(said.out.split()) or "~" in said.out
    assert "1 changed" in said.out
    assert spine.sent()


def test_history_of_a_changed_prompt_counts_for_less(spine: Spine) -> None:
    """The last run says something of a step that was given another prompt, but not much."""
    spine.good_run()
    prompt = spine.folder / "prompts/book.md.j2"
    prompt.write_text(prompt.read_text().replace("Keep all", "Do keep all"))
    step = planned(spine)["book"]
    assert value(step, "calls")[1] == "h"
    spending = step["spending"]
    assert isinstance(spending, dict)
    replies = spending["reply_tokens"]
    assert replies["high"] > 1.5 * replies["low"]


def test_plan_of_a_step_fed_by_an_aside(tmp_path: Path) -> None:
    recipe = MODELS + (
        "steps:\n  long: { op: filter, from: docs, keep: words(text) > 70 }\n"
        "  made: { op: generate, from: long.rejected, limit: 3, model: writer, "
        "prompt: prompts/book.md.j2 }\n"
    )
    spine = make_spine(tmp_path, documents(9), recipe=recipe)
    said = spine.do("plan")
    assert said.code == 0
    assert "?" in said.out
    assert spine.good_run()["steps"]["made"]["out"] == 3


def test_show(spine: Spine) -> None:
    assert "no run of spine yet" in spine.do("show").err
    spine.good_run()
    step = spine.do("show", "book")
    assert step.code == 0
    assert "accepted" in step.out
    some = spine.do("show")
    assert some.code == 0
    assert "chunks accepted" in some.out
    rows = spine.rows()
    row = rows.filter(pl.col("_origin") == "synthetic").row(0, named=True)
    shown = spine.do("show", row["_id"][:12])
    assert shown.code == 0
    assert row["_id"] in shown.out
    assert f"document {row['_doc']}" in shown.out or "docs" in shown.out
    assert "accepted" in shown.out
    lineage = json.loads(spine.do("show", row["_id"], "--format", "json").out)
    assert lineage["doc"] == row["_doc"]
    assert row["text"] in [
        made["text"] for s in lineage["steps"] for o in s["outcomes"] for made in o["rows"]
    ]
    assert "no row and no step" in spine.do("show", "feedbeef").err


def test_show_a_rejected_document(spine: Spine) -> None:
    spine.feed([*({"text": t} for t in documents(9)), {"text": "too short"}])
    spine.good_run()
    doc = mb.load(spine.folder).run().scan()  # nothing to do twice: the same plan again
    assert doc.collect().height > 0
    from mashbill.runtime.sources.jsonl import SourceSpec, scan_partitions

    file = spine.folder / "docs.jsonl"
    frame = next(scan_partitions(SourceSpec("docs", (file,), ("docs.jsonl",)))).frame
    short = frame.filter(pl.col("text") == "too short")["_doc"][0]
    shown = spine.do("show", short)
    assert shown.code == 0
    assert "not in the data set" in shown.out
    assert "rejected: keep" in shown.out


def test_find_written_stops_where_it_is_told(spine: Spine) -> None:
    record = spine.good_run()
    folder = spine.folder / "out/spine"
    assert len(find_written(folder, record, "")) == spine.rows().height
    assert len(find_written(folder, record, "", most=3)) == 3


# -- from Python


def test_from_python(spine: Spine) -> None:
    recipe = mb.load(spine.folder)
    assert recipe.check().ok
    plan = recipe.plan()
    assert "book" in repr(plan)
    assert "<pre>" in plan._repr_html_()
    out = plan.run()
    frame = out.scan()
    assert isinstance(frame, pl.LazyFrame)
    assert frame.collect().equals(spine.rows())
    assert f"{spine.rows().height:,} rows" in repr(out)
    assert "<table>" in out._repr_html_()
    again = mb.load(spine.folder / "recipe.yaml", set={"mix.total": "1000 tokens"})
    assert again.plan(survey=False).record.mix["total"] == 1000  # type: ignore[index]
    with pytest.raises(mb.RunError, match="another plan"):
        again.run()


def test_from_python_what_is_wrong(spine: Spine) -> None:
    spine.edit("keep:", "kepe:")
    recipe = mb.load(spine.folder)
    assert not recipe.check().ok
    with pytest.raises(mb.RecipeError, match="kepe"):
        recipe.plan()


def test_in_a_notebook(spine: Spine) -> None:
    """A loop runs already; planning, running and running again work inside it."""

    async def cell() -> int:
        plan = mb.load(spine.folder).plan()
        out = plan.run()
        mb.load(spine.folder).plan()
        return out.scan().collect().height

    assert asyncio.run(cell()) == spine.rows().height


def test_a_run_in_a_notebook_can_be_interrupted(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from concurrent.futures import Future

    result = Future.result
    spine.edit("latency: 0ms", "latency: 30s")

    def interrupted(self: Future[object], timeout: float | None = None) -> object:
        if timeout is None and not self.done() and not interrupted.done:  # type: ignore[attr-defined]
            interrupted.done = True  # type: ignore[attr-defined]
            with pytest.raises(TimeoutError):
                result(self, 1.5)
            raise KeyboardInterrupt
        return result(self, timeout)

    interrupted.done = False  # type: ignore[attr-defined]

    async def cell() -> None:
        plan = mb.load(spine.folder).plan(survey=False)
        monkeypatch.setattr(Future, "result", interrupted)
        with pytest.raises(mb.RunError, match="paused"):
            plan.run()

    asyncio.run(cell())
    assert spine.last()["status"] == "paused"
    assert spine.leftovers() == []


def test_public_names_are_there() -> None:
    for name in mb.__all__:
        assert getattr(mb, name) is not None
    with pytest.raises(AttributeError, match="nosuch"):
        getattr(mb, "nosuch")  # noqa: B009
