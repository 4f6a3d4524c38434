"""Pilots: rows that a survey meets first, paid for once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mashbill as mb
from mashbill.runtime.piloting.pilot_log import pilot_speeds
from tests.runtime.conftest import MODELS, documents

from .conftest import surveyed

CHAIN = """\
steps:
  long: { op: filter, from: docs, keep: words(text) > 8 }
  book:
    op: rewrite
    from: long
    model: writer
    prompt: prompts/book.md.j2
    chunk: { by: sentence, max: 80 tokens }
    checks: { kept: { kind: expr, pass: "not contains(text, '11')" } }
    on_fail: [{ retry: 2 }, { fallback: input }]
  again: { op: generate, from: book, model: writer, samples: 2, prompt: prompts/book.md.j2 }
"""


def runs_after(folder: Path, steps: str, n: int, texts: list[str]) -> None:
    """Hold a run after a pilot against one without."""
    alone = surveyed(folder / "alone", texts, steps)
    alone.spine.good_run()
    piloted = surveyed(folder / "piloted", texts, steps)
    made = piloted.pilot(n)
    assert made.sent == len(piloted.spine.sent()) > 0
    piloted.spine.good_run()
    assert sorted(piloted.spine.sent()) == sorted(alone.spine.sent())
    assert piloted.spine.record()["models"]["writer"]["sent"] == (
        alone.spine.record()["models"]["writer"]["sent"] - made.sent
    )


def test_a_run_pays_for_no_row_of_the_pilot(tmp_path: Path) -> None:
    runs_after(tmp_path, CHAIN, 12, documents(60))


def test_of_a_choice_among_draws(tmp_path: Path) -> None:
    steps = """\
steps:
  made: { op: cot, from: docs, model: writer, samples: 3, prompt: prompts/book.md.j2 }
  best: { op: select, from: made, by: len(text) }
"""
    runs_after(tmp_path, steps, 9, documents(40))
    project = surveyed(tmp_path / "seen", documents(40), steps)
    project.pilot(9)
    best = project.node("best")
    assert (best.rows_in, best.assumed) == (27, False)
    assert best.reached is not None
    assert best.reached.of("rows_out") == pytest.approx(1 / 3)
    assert best.reached.degrees == pytest.approx(8)  # draws of a document were drawn together


def test_of_a_step_that_stops_when_enough_are_accepted(tmp_path: Path) -> None:
    steps = """\
steps:
  made: { op: cot, from: docs, model: writer, samples: 2, prompt: prompts/book.md.j2 }
  best: { op: select, from: made, rows: 10, candidates: 30 }
"""
    runs_after(tmp_path, steps, 5, documents(40))


def test_a_survey_meets_its_rows_first(tmp_path: Path) -> None:
    project = surveyed(tmp_path, documents(300), CHAIN)
    made = project.pilot(25)
    assert made.reached == {"book": 25}
    book, again = (project.facts().nodes[n] for n in ("book", "again"))
    assert (book.settled_rows, book.held) == (25, pytest.approx(25))
    assert (again.settled_rows, again.held, again.assumed) == (25, pytest.approx(25), False)
    more = project.pilot(40)
    assert more.documents == 40
    assert more.reused > 0
    book = project.node("book")
    assert (book.settled_rows, book.held) == (40, pytest.approx(40))


def test_of_several_sources(tmp_path: Path) -> None:
    """Documents are taken of each source by how many rows it has, and the survey does the same."""
    models = MODELS + "  others: { path: others.jsonl, license: CC0-1.0, origin: human }\n"
    steps = """\
steps:
  made: { op: generate, from: [docs, others], model: writer, prompt: prompts/book.md.j2 }
"""
    project = surveyed(tmp_path, documents(90), steps, models)
    project.spine.feed(({"text": f"Other {t}"} for t in documents(30)), "others.jsonl")
    assert project.pilot(20).documents == 20
    made = project.node("made")
    assert (made.settled_rows, made.held) == (20, pytest.approx(20))
    project.spine.good_run()
    assert len(set(project.spine.sent())) == len(project.spine.sent()) == 120


def test_checks_before_a_model_are_gone_through(tmp_path: Path) -> None:
    """As many documents are sent as it takes for the model to be asked about enough."""
    steps = """\
steps:
  few:
    op: verify
    from: docs
    checks: { k: { kind: expr, pass: "contains(text, 'Station 7')" } }
  made: { op: generate, from: few, model: writer, prompt: prompts/book.md.j2 }
"""
    project = surveyed(tmp_path, documents(400), steps)
    made = project.pilot(3)
    assert made.reached["made"] >= 3
    assert made.sent == made.reached["made"]
    assert made.documents > 3


def test_what_is_not_asked_about_is_not_counted(tmp_path: Path) -> None:
    steps = """\
steps:
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    when: contains(text, 'Station 1')
"""
    project = surveyed(tmp_path, documents(60), steps)
    assert project.pilot(6).sent == 6
    assert project.node("made").held == pytest.approx(6)


def test_it_costs_no_more_than_it_may(tmp_path: Path) -> None:
    project = surveyed(tmp_path, documents(80), CHAIN)
    price = "price: { input: 1, output: 2, per: 1M tokens, as_of: 2026-05-01 }"
    project.spine.edit("use: fake/rewrite,", f"use: fake/rewrite, {price},")
    whole = project.pilot(2)
    assert whole.usd == pytest.approx((whole.prompt_tokens + 2 * whole.reply_tokens) / 1e6)
    assert not whole.stopped
    most = 0.01
    made = project.pilot(80, limit_usd=most)
    assert "usd" in made.stopped
    assert made.usd is not None
    assert 0 < made.usd <= most


def test_it_keeps_to_the_budget(tmp_path: Path) -> None:
    project = surveyed(tmp_path, documents(40), CHAIN + "budget: { requests: 30 }\n")
    made = project.pilot(40)
    assert made.stopped
    assert made.sent == 30


def test_what_it_spends_counts_for_the_run(tmp_path: Path) -> None:
    """Pilot and run together stay under the cap; a run that was done begins a new account."""
    budget = "budget: { requests: 90 }\n"
    project = surveyed(tmp_path, documents(40), CHAIN + budget)
    first = project.pilot(2).sent
    second = project.pilot(5).sent
    assert first > 0 and second > 0
    project.spine.do("run", "--over-budget")
    assert len(project.spine.sent()) == 90
    raised = budget.replace("90", "900")
    project.spine.write(MODELS + CHAIN + raised)
    project.spine.good_run()
    sent = len(project.spine.sent())
    assert sent > 90
    project.spine.write(MODELS + CHAIN.replace("words(text) > 8", "words(text) > 7") + budget)
    assert project.pilot(4).stopped == ""


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    start = MODELS.index("{ use: fake")
    models = MODELS[:start] + "{ use: local/nothing.gguf }" + MODELS[MODELS.index("\nsources") :]
    project = surveyed(tmp_path, documents(4), CHAIN, models)
    with pytest.raises(mb.RunError, match="nothing"):
        project.pilot(2)


def test_nothing_to_ask(tmp_path: Path) -> None:
    steps = "steps:\n  long: { op: filter, from: docs, keep: words(text) > 8 }\n"
    made = surveyed(tmp_path, documents(4), steps).pilot(5)
    assert (made.sent, made.documents, made.models) == (0, 0, {})


def test_its_speed_is_noted(tmp_path: Path) -> None:
    project = surveyed(tmp_path, documents(30), CHAIN)
    project.spine.write(MODELS + CHAIN, latency="5ms", slots=4)
    assert pilot_speeds(project.project, project.plan) == {}
    made = project.pilot(6)
    speed = pilot_speeds(project.project, project.plan)["writer"]
    assert speed.basis == "p"
    assert speed.reply == pytest.approx(made.models["writer"].reply_per_second)
    assert speed.spread > 0.1
    line = json.loads((project.spine.folder / ".mashbill/pilots.jsonl").read_text())
    assert (line["recipe"], line["n"], line["sent"]) == ("spine", 6, made.sent)
    assert line["plan"] == project.plan.digest
    assert line["models"]["writer"]["reply_tokens"] == made.reply_tokens
    # Nothing new is measured where nothing is paid for, and nothing is known of other places.
    assert project.pilot(6).sent == 0
    assert len((project.spine.folder / ".mashbill/pilots.jsonl").read_text().splitlines()) == 1
    project.spine.write(MODELS + CHAIN, latency="5ms", slots=8)
    assert pilot_speeds(project.project, project.plan) == {}


def test_a_torn_line_of_pilots_is_passed_over(tmp_path: Path) -> None:
    project = surveyed(tmp_path, documents(10), CHAIN)
    project.pilot(2)
    log = project.spine.folder / ".mashbill/pilots.jsonl"
    log.write_text(log.read_text() + '{"mashbill_pilot": 1, "mod')
    assert "writer" in pilot_speeds(project.project, project.plan)


def test_a_limit_in_dollars_needs_prices(tmp_path: Path) -> None:
    start = MODELS.index("{ use: fake")
    models = MODELS[:start] + '{ use: http/nobody, url: "http://127.0.0.1:9" }'
    models += MODELS[MODELS.index("\nsources") :]
    project = surveyed(tmp_path, documents(4), CHAIN, models)
    with pytest.raises(mb.RunError, match="price of `writer`"):
        project.pilot(2, limit_usd=1.0)
