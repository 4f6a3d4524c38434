"""`mashbill preview`: real rows that a run pays for no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from mashbill.runtime.cli.preview_ import text
from tests.runtime.conftest import (
    MODELS,
    Spine,
    checks_in_this_process,
    documents,
    make_spine,
    spine,
)

__all__ = ["checks_in_this_process", "spine"]


def preview(spine: Spine, *arguments: str) -> dict[str, Any]:
    said = spine.do("preview", *arguments, "--format", "json")
    assert said.code == 0, said.text
    value: dict[str, Any] = json.loads(said.out)
    return value


def test_a_run_pays_for_nothing_that_was_previewed(spine: Spine) -> None:
    found = preview(spine, "-n", "4")
    assert len(found["rows"]) == 4 and found["calls"] == len(spine.sent()) > 0
    assert not (spine.folder / "out").exists(), "a preview writes no data set"
    before = len(spine.sent())
    record = spine.good_run("--set", "steps.book.limit=4")
    assert record["models"]["writer"]["sent"] == 0 and len(spine.sent()) == before
    record = spine.good_run("--replace")
    assert record["models"]["writer"]["reused"] >= before
    assert len(spine.sent()) == len(set(spine.sent())), "no request was ever paid for twice"


def test_the_rows_are_those_that_a_limit_takes(spine: Spine) -> None:
    spine.feed([{"text": t} for t in (*documents(30), *("short",) * 3)])
    spine.edit("steps:", "output: { columns: [text, _doc] }\nsteps:")
    whole = preview(spine, "-n", "30")
    docs = [r["doc"] for r in whole["rows"]]
    assert docs == sorted(docs) and len(docs) == 30, "rows that a filter drops reach no model"
    assert [r["doc"] for r in preview(spine, "-n", "5")["rows"]] == docs[:5]
    spine.edit("book:\n", "book:\n    limit: 3\n")
    assert [r["doc"] for r in preview(spine, "-n", "5")["rows"]] == docs[:3]


REJECTING = (
    MODELS
    + """\
steps:
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    checks:
      length: { min: 0.1, max: 9 }
      never: { kind: expr, pass: "contains(text, 'no reply says this')" }
    on_fail: [{ retry: 1 }]
"""
)


def test_what_is_rejected_says_by_which_check_after_how_many_attempts(tmp_path: Path) -> None:
    spine = make_spine(tmp_path / "spine", documents(3, 1), recipe=REJECTING)
    found = preview(spine, "-n", "1")
    (row,) = found["rows"]
    assert row["verdict"] == "REJECTED by book: never after 2 attempts"
    (unit,) = row["steps"][-1]["outcomes"][0]["units"]
    assert [a["failed"] for a in unit["attempts"]] == ["never", "never"]
    for attempt in unit["attempts"]:  # the check before it has passed, with its evidence
        checks = {c["check"]: c for c in attempt["checks"]}
        assert checks["length"]["passed"] and checks["length"]["evidence"]
        assert not checks["never"]["passed"]
        assert attempt["completion_tokens"] > 0
    said = spine.do("preview", "-n", "1").out
    assert "REJECTED after 2 attempts by never" in said
    assert "run pays" not in said and "reused by run" in said


def test_passing_checks_show_their_evidence(tmp_path: Path) -> None:
    recipe = REJECTING.replace("contains(text, 'no reply says this')", "chars(text) > 0")
    spine = make_spine(tmp_path / "spine", documents(3, 1), recipe=recipe)
    said = spine.do("preview", "-n", "1").out
    assert "accepted: length ok (" in said and "never ok" in said and "kept" in said


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_the_terminal(spine: Spine, width: int) -> None:
    wide = "漢字" * 60
    spine.feed([{"text": f"{t} {wide} [bold]x[/bold]"} for t in documents(5, 2)])
    found = preview(spine, "-n", "3")
    lines = text(found, width).splitlines()
    assert max(map(cell_len, lines)) <= width
    joined = "\n".join(lines)
    assert ("input:" in joined) == (width < 72), "narrow: one above the other"
    assert "book" in joined and "row 1 of 3" in joined


def test_markup_and_control_characters_are_shown_as_they_are(spine: Spine) -> None:
    spine.feed([{"text": "[red]Ten words stand here[/red] \x1b[31mso that it is kept today."}])
    said = spine.do("preview", "-n", "1").out
    assert "[red]Ten words" in said and "\x1b" not in said


def test_the_page_escapes_what_rows_and_replies_say(spine: Spine) -> None:
    bad = "<script>alert('one')</script> & nine words more stand in this row today."
    spine.feed([{"text": bad}])
    preview(spine, "-n", "1")
    page = (spine.folder / ".mashbill/preview/index.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page and "&amp;" in page
    assert "http" not in page, "it needs no network"


def test_steps_are_chosen_by_selectors(spine: Spine) -> None:
    found = preview(spine, "long", "-n", "2")
    assert [[s["step"] for s in r["steps"]] for r in found["rows"]] == [["long"], ["long"]]
    assert found["calls"] == 0, "what is not asked for is not made"
    found = preview(spine, "+book", "-n", "1")
    assert [s["step"] for s in found["rows"][0]["steps"]] == ["long", "book"]
    assert spine.do("preview", "nothing").code == 64


def test_samples_and_a_check_of_its_own(tmp_path: Path) -> None:
    recipe = MODELS + (
        "steps:\n"
        "  good: { op: verify, from: docs, checks: { f: { kind: expr, pass: "
        "\"contains(text, 'Station 1')\" } } }\n"
        "  asked: { op: generate, from: good, model: writer, prompt: prompts/book.md.j2, "
        "samples: 2 }\n"
    )
    spine = make_spine(tmp_path / "spine", documents(12, 1), recipe=recipe)
    found = preview(spine, "-n", "2")
    assert [r["verdict"] for r in found["rows"]] == ["kept", "kept"]
    for row in found["rows"]:  # those that the check lets through
        assert "Station 1" in row["text"]
        (step,) = [s for s in row["steps"] if s["step"] == "asked"]
        assert len(step["outcomes"]) == 2
    said = spine.do("preview", "-n", "1").out
    assert "good: f ok" in said
    assert spine.good_run("--set", "steps.asked.limit=2")["models"]["writer"]["sent"] == 0


def test_without_a_model_it_shows_what_comes_out(tmp_path: Path) -> None:
    recipe = MODELS + "steps:\n  long: { op: filter, from: docs, keep: words(text) > 8 }\n"
    spine = make_spine(tmp_path / "spine", documents(4), recipe=recipe)
    found = preview(spine, "-n", "2")
    assert len(found["rows"]) == 2 and found["calls"] == 0


def test_nothing_reaches_the_model(spine: Spine) -> None:
    spine.feed([{"text": "short"}])
    said = spine.do("preview")
    assert said.code == 1 and "No row reaches a model step" in said.out


def test_a_model_that_does_not_answer_is_said_as_it_is(spine: Spine) -> None:
    spine.edit("fake/rewrite", "fake/none")
    said = spine.do("preview")
    assert said.code == 1 and "error[M251]" in said.err
    assert spine.do("preview", "-n", "0").code == 64


def test_it_stays_under_the_caps_of_its_data_set(spine: Spine) -> None:
    spine.edit("mix:", "budget: { requests: 2 }\nmix:")
    said = spine.do("preview", "-n", "5")
    assert said.code == 1, said.text
    assert "budget.requests: 2 of 2 requests spent" in said.text
    assert len(spine.sent()) == 2
    said = spine.do("run", "--quiet", "--over-budget")
    assert said.code == 5, "what a preview has sent is gone for the run"
    assert len(spine.sent()) == 2


def test_without_caps_it_leaves_no_account(spine: Spine) -> None:
    assert spine.do("preview", "-n", "2").code == 0
    assert not list(spine.folder.glob(".mashbill/pilots/*"))
