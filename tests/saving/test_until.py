"""`--until STEP`: what it runs, what it leaves alone, and that a whole run pays for none of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

import mashbill as mb
from mashbill.compiler.until import end_after
from mashbill.runtime.output import output_of
from mashbill.runtime.planning.partway import last_whole_run, whole
from tests.draws.conftest import again as draws_again
from tests.draws.conftest import problems
from tests.draws.conftest import run as run_draws
from tests.draws.solver import solving
from tests.runtime.conftest import MODELS, PROMPT, Spine, documents, make_spine

TWO = (
    MODELS
    + """\
steps:
  book: { op: rewrite, from: docs, model: writer, prompt: prompts/book.md.j2 }
  short: { op: filter, from: book, keep: words(text) > 3 }
  again: { op: rewrite, from: short, again: true, model: writer, prompt: prompts/again.md.j2 }
"""
)


def ran(spine: Spine, *arguments: str) -> str:
    said = spine.run(*arguments)
    assert said.code == 0, said.text
    return said.out


def make_two(folder: Path, rows: int, recipe: str) -> Spine:
    made = make_spine(folder, documents(rows), recipe=recipe)
    (folder / "prompts/again.md.j2").write_text(PROMPT.replace("Keep all", "Shorten. Keep all"))
    return made


@pytest.fixture
def two(tmp_path: Path, spine: Spine) -> Spine:
    return make_two(tmp_path / "two", 6, TWO)


def test_no_data_set_is_written_and_a_whole_run_finds_every_reply(spine: Spine) -> None:
    out = ran(spine, "--until", "book")
    paid = len(spine.sent())
    assert paid > 0
    assert not (spine.folder / "out/spine").exists()
    assert not spine.leftovers()
    rows = spine.last()["steps"]["book"]["out"]
    assert out.endswith(
        f"Ended after `book`: {rows} rows, {paid} replies in the ledger; no data set was written."
        f"   (run r-0001, {out.rpartition('r-0001, ')[2].partition(')')[0]})\n"
        "The rest:  mashbill run spine/recipe.yaml\n"
    )
    record = spine.good_run()
    assert len(spine.sent()) == paid
    assert record["models"]["writer"]["sent"] == 0


def test_replies_of_steps_behind_it_are_not_asked_for(two: Spine) -> None:
    ran(two, "--until", "book")
    first = len(two.sent())
    assert set(two.last()["steps"]) == {"docs", "book"}
    ran(two, "--until", "again")
    assert len(two.sent()) > first
    total = len(two.sent())
    ran(two)
    assert len(two.sent()) == total


def test_a_filter_that_was_put_before_a_step_goes_with_it(tmp_path: Path, spine: Spine) -> None:
    """The run asks for what the whole run would, and for no more."""
    recipe = TWO.replace("keep: words(text) > 3", "keep: \"contains(_doc, 'a1')\"")
    recipe = recipe.replace("from: docs,", "from: docs, on_fail: [{ fallback: input }],")
    made = make_two(tmp_path / "pushed", 30, recipe)
    ran(made, "--until", "book")
    early = set(made.sent())
    ran(made)
    assert early <= set(made.sent())
    accounts = made.last()["steps"]
    assert accounts["book"]["in"] < 30, "the filter was put before the model"


def test_a_limit_further_on_is_felt(tmp_path: Path, spine: Spine) -> None:
    recipe = TWO.replace("from: book, keep: words(text) > 3", "from: book, limit: 4")
    recipe = recipe.replace("from: docs,", "from: docs, on_fail: [{ fallback: input }],")
    made = make_two(tmp_path / "limited", 30, recipe)
    ran(made, "--until", "book")
    assert made.last()["steps"]["book"]["out"] == 4
    sent = len(made.sent())
    ran(made, "--until", "short")
    assert len(made.sent()) == sent


FED = """\
  solved: { op: cot, model: solver, prompt: prompts/cot.md.j2, from: docs, samples: 4 }
  best: { op: select, from: solved, vote: answer, min_agree: 0.5, rows: 6, candidates: 20 }
"""


def test_a_step_that_another_stops_is_given_what_that_one_needs_at_least(tmp_path: Path) -> None:
    with solving():
        texts = problems(30)
        early = run_draws(tmp_path / "early", FED, texts, "--until", "solved", columns="")
        assert early.step("solved")["in"] == 30
        assert early.step("solved")["rejected"] == {"limit": 24}
        first = early.calls
        rest = draws_again(tmp_path / "early")
        alone = run_draws(tmp_path / "alone", FED, texts, columns="")
    assert 0 < first < alone.calls
    assert first + rest.calls == alone.calls, "no call was made that the whole run does not make"


def test_what_stands_there_is_left_alone(spine: Spine) -> None:
    spine.good_run()
    shards, record = spine.shards(), spine.record()
    spine.edit("words(text) > 8", "words(text) > 9")
    ran(spine, "--until", "book")
    assert spine.shards() == shards
    assert spine.record() == record


def test_identity_of_steps_is_the_whole_plans(spine: Spine) -> None:
    recipe = mb.load(spine.folder)
    all_, part = recipe.plan(survey=False), recipe.plan(survey=False, until="book")
    assert {n.name: n.fingerprint for n in part.record.nodes} == {
        n.name: n.fingerprint for n in all_.record.nodes
    }
    assert part.record.digest != all_.record.digest
    assert (part.record.mix, part.record.outputs) == (None, ())
    only = recipe.plan(survey=False, until="long").record
    assert [n.name for n in only.nodes] == ["docs", "long"]
    assert list(only.results) == ["long"]


def test_the_record_is_that_of_a_run_that_goes_on(spine: Spine) -> None:
    run = mb.load(spine.folder).plan(until="book").run()
    assert run.record["status"] == "paused"
    assert run.record["afterwards"]["complete"] is True, "it did all that was estimated"
    assert run.record["problem"] == "ended after `book`, as asked"
    assert run.record["output"]["rows"] == 0 and run.record["output"]["shards"] == []
    assert run.scan().collect().height == 0
    assert repr(run) == "<run r-0001: ended after `book`; no data set>"
    said = spine.do("status")
    assert "ended after `book`, as asked" in said.out
    assert "mashbill run" in said.out and "--until" not in said.out


def test_spending_counts_for_the_caps_of_the_data_set(spine: Spine) -> None:
    text = (spine.folder / "recipe.yaml").read_text()
    (spine.folder / "recipe.yaml").write_text(text + "budget: { requests: 10k }\n")
    ran(spine, "--until", "book")
    paid = len(spine.sent())
    record = spine.good_run()
    assert record["budget"]["caps"]["budget.requests"]["carried"] == paid
    assert record["budget"]["carried_from"] == ["r-0001"]


def test_a_cap_pauses_it_and_what_goes_on_ends_there_too(spine: Spine) -> None:
    text = (spine.folder / "recipe.yaml").read_text()
    (spine.folder / "recipe.yaml").write_text(text + "budget: { requests: 10 }\n")
    said = spine.run("--until", "book", "--over-budget")
    assert said.code == 5, said.text
    assert "Every finished completion is saved." in said.err
    assert "--until book" in said.err
    assert not (spine.folder / "out/spine").exists()


def test_a_plan_is_compared_with_whole_runs(spine: Spine) -> None:
    ran(spine, "--until", "long")
    plan = mb.load(spine.folder).plan(survey=False)
    before = plan.before()
    assert before is not None and before[0] == "r-0001"
    assert {n: c.symbol for n, c in plan.changes().items()} == {
        "docs": "=",
        "long": "=",
        "book": "+",
    }
    spine.good_run()
    ran(spine, "--until", "long")
    plan = mb.load(spine.folder).plan(survey=False)
    before = plan.before()
    assert before is not None and before[0] == "r-0002"
    assert {c.symbol for c in plan.changes().values()} == {"="}
    part = mb.load(spine.folder).plan(survey=False, until="long")
    assert {n: c.symbol for n, c in part.changes().items()} == {"docs": "=", "long": "="}
    found = last_whole_run(spine.folder / ".mashbill", "spine")
    assert found is not None and found[0].id == "r-0002"
    assert last_whole_run(spine.folder / ".mashbill", "other") is None


def test_another_pass_goes_through_the_whole_recipe(spine: Spine) -> None:
    said = spine.run("--until", "book", "--retry", "rejected")
    assert (said.code, said.err) == (
        64,
        "error: --retry rejected goes through the whole recipe: leave out --until\n",
    )


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_step_that_is_not_there(spine: Spine, verb: str) -> None:
    said = spine.do(verb, "--until", "boko")
    assert said.code == 64
    assert said.err == (
        "error: no step or source that runs is called `boko`; did you mean `book`?\n"
    )
    assert "there is docs, long, book" in spine.do(verb, "--until", "zzz").err


def test_a_plan_ends_there_too(spine: Spine) -> None:
    said = spine.do("plan", "--until", "long")
    assert said.code == 0, said.text
    assert said.out.startswith("Up to `long`: no data set is made, and its mix is left out.\n\n")
    assert "book" not in said.out and "Mix" not in said.out
    assert spine.do("plan", "--until", "book", "--detailed-exitcode").code == 2
    ran(spine, "--until", "book")
    assert spine.do("plan", "--until", "book", "--detailed-exitcode").code == 0
    assert spine.do("plan", "--detailed-exitcode").code == 2, "the data set is yet to be made"


def test_a_saved_plan_ends_where_it_did(spine: Spine) -> None:
    said = spine.do("plan", "--until", "book", "-o", "part.plan")
    assert said.code == 0, said.text
    again = mb.load_plan("part.plan")
    assert [n.name for n in again.record.nodes] == ["docs", "long", "book"]
    again.run()
    assert not output_of(again.record, again.recipe.project).path.exists()
    assert json.loads(Path("part.plan").read_text())["plan"]["recipe"]["until"] == "book"


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["mashbill", "run", "--until", "book"], ["mashbill", "run"]),
        (["mashbill", "run", "a b.yaml", "--until", "x", "--replay"],
         ["mashbill", "run", "a b.yaml", "--replay"]),
        (["mashbill", "run"], ["mashbill", "run"]),
    ],
)  # fmt: skip
def test_what_goes_on_to_the_end(words: Sequence[str], left: Sequence[str]) -> None:
    import shlex

    assert shlex.split(whole(shlex.join(words))) == left


def test_an_alias_is_the_step_that_it_shares(tmp_path: Path, spine: Spine) -> None:
    recipe = (
        MODELS
        + """\
steps:
  one: { op: rewrite, from: docs, model: writer, prompt: prompts/book.md.j2 }
  two: { op: rewrite, from: docs, model: writer, prompt: prompts/book.md.j2 }
  both: { op: filter, from: [one, two], keep: words(text) > 3 }
"""
    )
    made = make_spine(tmp_path / "shared", documents(4), recipe=recipe)
    compiled = mb.load(made.folder).plan(survey=False).compiled
    assert compiled.plan is not None
    ((alias, target),) = compiled.plan.aliases.items()
    cut = end_after(compiled, alias).plan
    assert cut is not None
    assert [n.name for n in cut.nodes] == ["docs", target]
