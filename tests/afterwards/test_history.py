"""What runs leave for the estimates of the next: one line a step, however they end."""

from __future__ import annotations

import json
import math
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mashbill.compiler.plan import Plan
from mashbill.runtime.api import load
from mashbill.runtime.checkpool import CheckPool
from mashbill.runtime.history import HISTORY, priors, remember
from mashbill.runtime.history.keys import Key, key_of
from mashbill.runtime.history.lines import MOST_LINES, Line, append_lines, read_lines
from mashbill.runtime.history.priors import ASSUMED_SPREAD, LEAST_SPREAD, UNLIKE, pooled
from mashbill.runtime.history.remembering import from_records, recalled
from mashbill.runtime.project import Project
from tests.runtime.conftest import (
    RECIPE,
    Spine,
    checks_in_this_process,
    documents,
    make_spine,
    spine,
)

__all__ = ["checks_in_this_process", "spine"]

KEY = Key("rewrite@1", "weights", "prompt", "prompts/book.md.j2", "params", "cpu")


def a_line(run: int = 1, **more: Any) -> Line:
    made = Line(f"r-{run:04d}", float(run), "book", KEY, 100, 1.2, 80.0, 160.0, 0.9, 2.5)
    return replace(made, **more)


# -- the file


def test_lines_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_lines(tmp_path) == []
    append_lines(tmp_path, [])
    assert not (tmp_path / HISTORY).exists()
    lines = [a_line(1), a_line(2, seconds=0.0)]
    append_lines(tmp_path, lines[:1])
    append_lines(tmp_path, lines[1:])
    assert read_lines(tmp_path) == lines
    assert (tmp_path / HISTORY).read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("torn", [b'{"run": "r-0', b"\xff\xfe", b"[]", b'{"run": 1}', b"3"])
def test_a_torn_line_is_passed_over_and_the_next_is_whole(tmp_path: Path, torn: bytes) -> None:
    append_lines(tmp_path, [a_line(1)])
    with (tmp_path / HISTORY).open("ab") as file:
        file.write(torn)
    assert read_lines(tmp_path) == [a_line(1)]
    append_lines(tmp_path, [a_line(2)])
    assert read_lines(tmp_path) == [a_line(1), a_line(2)]


def test_what_a_later_version_adds_is_passed_over(tmp_path: Path) -> None:
    value = {**a_line().to_json(), "colour": "blue"}
    (tmp_path / HISTORY).write_text(json.dumps(value) + "\n")
    assert read_lines(tmp_path) == [a_line()]


def test_the_file_stays_bounded_and_keeps_the_latest(tmp_path: Path) -> None:
    line = json.dumps(a_line().to_json())
    (tmp_path / HISTORY).write_text((line + "\n") * (MOST_LINES - 1))
    append_lines(tmp_path, [a_line(2)])
    assert len(read_lines(tmp_path)) == MOST_LINES
    append_lines(tmp_path, [a_line(3)])
    left = read_lines(tmp_path)
    assert len(left) == MOST_LINES // 2 and left[-2:] == [a_line(2), a_line(3)]


def test_runs_that_end_together_lose_no_line(tmp_path: Path) -> None:
    many = [a_line(n) for n in range(80)]
    threads = [
        threading.Thread(target=lambda part: [append_lines(tmp_path, [p]) for p in part], args=(p,))
        for p in (many[::4], many[1::4], many[2::4], many[3::4])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line.run for line in read_lines(tmp_path)) == [line.run for line in many]


# -- several runs as one


def test_one_run() -> None:
    found = pooled([a_line()])
    assert (found.runs, found.rows, found.calls, found.reply) == (1, 100, 1.2, pytest.approx(80))
    assert (found.reply_ratio, found.rows_out) == (pytest.approx(0.5), 0.9)
    assert found.spread == ASSUMED_SPREAD


def test_large_and_late_runs_count_more() -> None:
    old, new = a_line(1, reply=100.0), a_line(2, reply=200.0)
    assert 150 < pooled([old, new]).reply < 160
    assert pooled([replace(old, rows=10_000), new]).reply < 105
    assert pooled([old, replace(new, rows=10_000)]).reply > 195
    assert pooled([old, new]).rows == 200


def test_calls_weigh_replies() -> None:
    """Tokens of a reply are those of all replies, not the mean of runs' means."""
    few, many = a_line(1, calls=1.0, reply=100.0), a_line(1, step="b", calls=3.0, reply=20.0)
    found = pooled([many, few])
    weights = (100 * 0.8 * 3, 100.0)
    expected = (weights[0] * 20 + weights[1] * 100) / sum(weights)
    assert found.reply == pytest.approx(expected)


def test_the_spread_is_how_far_runs_lie_apart() -> None:
    alike = pooled([a_line(n) for n in range(3)])
    assert alike.spread == LEAST_SPREAD
    apart = pooled([a_line(n, reply=80 * math.exp(s)) for n, s in enumerate((-0.3, 0, 0.3))])
    assert apart.spread == pytest.approx(0.3, rel=0.1)
    yields = pooled([a_line(n, rows_out=r) for n, r in enumerate((0.2, 0.4, 0.8))])
    assert yields.spread > 0.6, "the widest of calls, replies and rows"
    assert pooled([a_line(1), a_line(1), a_line(1)]).spread == ASSUMED_SPREAD, "of one run"
    nothing = pooled([a_line(n, calls=0.0, reply=0.0, prompt=0.0) for n in range(3)])
    assert (nothing.calls, nothing.reply, nothing.reply_ratio) == (0, 0, 0)


# -- of a project


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Spine:
    """A project that has run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CheckPool.__init__, "__defaults__", (0,))
        made = make_spine(tmp_path_factory.mktemp("once") / "spine", documents(40))
        made.good_run()
    return made


@pytest.fixture
def ran(once: Spine, tmp_path: Path) -> Spine:
    """A copy of it."""
    shutil.copytree(once.folder, tmp_path / "ran")
    return Spine(tmp_path / "ran")


def planned(spine: Spine) -> tuple[Plan, Project]:
    made = load(spine.folder / "recipe.yaml").plan(survey=False)
    return made.record, made.recipe.project


def test_a_run_leaves_what_the_next_plan_may_expect(spine: Spine) -> None:
    assert priors(*planned(spine)) == {}
    record = spine.good_run()
    (line,) = read_lines(spine.folder / ".mashbill")
    account, stats = record["steps"]["book"], record["models"]["writer"]
    assert (line.run, line.step, line.rows) == ("r-0001", "book", account["in"])
    prior = priors(*planned(spine))["book"]
    units = account["units"]["accepted"] + account["units"].get("fallback", 0)
    assert prior.calls == pytest.approx(stats["sent"] / units)
    assert prior.reply == pytest.approx(stats["completion_tokens"] / stats["sent"])
    ratio = stats["completion_tokens"] / stats["prompt_tokens"]
    assert prior.reply_ratio == pytest.approx(ratio)
    assert (prior.runs, prior.rows, prior.rows_out) == (1, account["in"], 1.0)


def test_what_the_ledger_answers_teaches_nothing_anew(ran: Spine) -> None:
    spine = ran
    spine.forget_output()
    record = spine.good_run()
    assert record["paid"]["book"]["models"] == {} and record["paid"]["book"]["held"] == 40
    assert len(read_lines(spine.folder / ".mashbill")) == 1


def test_only_new_rows_are_learnt_from(ran: Spine) -> None:
    spine = ran
    spine.feed({"text": t} for t in documents(55))
    record = spine.good_run("--replace")
    assert record["paid"]["book"]["settled"]["rows"] == 15
    lines = read_lines(spine.folder / ".mashbill")
    assert [line.rows for line in lines] == [40, 15]
    assert priors(*planned(spine))["book"].runs == 2


PROMPT = "prompts/book.md.j2"
Edit = Callable[[Spine], None]


def reworded(spine: Spine, old: str, new: str) -> None:
    file = spine.folder / PROMPT
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("edit", "spread"),
    [
        (lambda s: None, ASSUMED_SPREAD),
        (lambda s: reworded(s, "sentence. Keep", "sentence.\nKeep"), ASSUMED_SPREAD),
        (lambda s: s.edit("name: spine", "name: other"), ASSUMED_SPREAD),
        (lambda s: s.edit("book", "tale"), ASSUMED_SPREAD),
        (lambda s: reworded(s, "Keep all facts", "Lose none"), math.hypot(ASSUMED_SPREAD, UNLIKE)),
        (lambda s: s.edit("retry: 2", "retry: 3"), math.hypot(ASSUMED_SPREAD, UNLIKE)),
        (lambda s: s.edit("fake/rewrite", "fake/words"), None),
    ],
    ids=["same", "layout", "recipe", "name", "words", "ladder", "model"],
)
def test_which_steps_are_alike(ran: Spine, edit: Edit, spread: float | None) -> None:
    spine = ran
    (spine.folder / "prompts/tale.md.j2").write_text((spine.folder / PROMPT).read_text())
    edit(spine)
    found = priors(*planned(spine))
    assert [p.spread for p in found.values()] == ([] if spread is None else [spread])


def test_a_step_like_it_is_only_asked_where_none_is_the_same(spine: Spine) -> None:
    plan, project = planned(spine)
    node = next(n for n in plan.nodes if n.name == "book")
    key = key_of(plan, node)
    lines = [a_line(1, key=replace(key, prompt="other"), calls=9.0), a_line(2, key=key)]
    append_lines(project.state, lines)
    assert priors(plan, project)["book"].calls == 1.2
    append_lines(project.state, [a_line(3, key=replace(key, path="else", prompt="other"))])
    assert priors(plan, project)["book"].runs == 1


def test_runs_of_before_the_history_are_read_from_their_records(ran: Spine) -> None:
    spine = ran
    state = spine.folder / ".mashbill"
    expected = read_lines(state)
    (state / HISTORY).unlink()
    assert recalled(state) == expected
    assert priors(*planned(spine))["book"].rows == 40
    assert not (state / HISTORY).exists(), "a plan writes nothing"
    spine.feed({"text": t} for t in documents(50))
    spine.good_run("--replace")
    assert [line.run for line in read_lines(state)] == ["r-0001", "r-0002"]


def test_records_of_before_steps_noted_what_they_paid_for(ran: Spine) -> None:
    spine = ran
    state = spine.folder / ".mashbill"
    (told,) = read_lines(state)
    (state / HISTORY).unlink()
    file = state / "runs/r-0001/record.json"
    record = json.loads(file.read_text())
    del record["paid"], record["afterwards"]
    file.write_text(json.dumps(record))
    (inferred,) = from_records(state)
    assert inferred.rows == told.rows == 40
    for name in ("calls", "reply", "prompt", "rows_out"):
        assert getattr(inferred, name) == pytest.approx(getattr(told, name))
    for broken in ("{", '{"status": "done"}', "[]"):
        file.write_text(broken)
        assert from_records(state) == []


def test_a_history_that_cannot_be_written_ends_no_run(spine: Spine) -> None:
    (spine.folder / ".mashbill" / HISTORY).mkdir()
    spine.good_run()
    assert priors(*planned(spine)) == {}


def test_a_run_that_pauses_is_learnt_from(tmp_path: Path) -> None:
    capped = make_spine(
        tmp_path, documents(60), recipe=RECIPE + "budget: { requests: 100 }\n", latency="1ms"
    )
    assert capped.run("--over-budget").code == 5
    (line,) = read_lines(capped.folder / ".mashbill")
    assert 0 < line.rows <= 100 / 6, "rows of six sentences"
    assert capped.run("--set", "budget.requests=10k").code == 0
    lines = read_lines(capped.folder / ".mashbill")
    assert len(lines) == 2 and 42 <= sum(li.rows for li in lines) <= 60


def test_remembering_a_record_of_nothing(spine: Spine) -> None:
    plan, project = planned(spine)
    empty = {"run": "r-0001", "started": 1.0, "seconds": 1.0, "steps": {}, "models": {}, "paid": {}}
    remember(plan, project.state, empty)
    assert read_lines(project.state) == []
