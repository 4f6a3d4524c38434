"""`mashbill why`: what changed since the last run, and where it is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .changing import Changing, make


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Changing:
    return make(tmp_path, monkeypatch)


def test_before_the_first_run(project: Changing) -> None:
    assert project.good("why").splitlines() == [
        "no run of this recipe yet", " + docs  new source", " + long  new step", " + book  new step"
    ]  # fmt: skip
    assert project.good("why", "book").startswith("book has not run yet")


def test_after_edits(project: Changing) -> None:
    project.good("run", "-q")
    assert all(" = " in li for li in project.good("why").splitlines()[1:])
    project.edit_prompt()
    project.edit("retry: 2", "retry: 1")
    out = project.good("why", "book")
    assert out.startswith("book will run again: its definition changed since r-0001")
    assert "on_fail[0].times   recipe.yaml:16   2 → 1" in out
    assert "prompts/book.md.j2  +1 -1" in out and "every fact" in out
    assert "unchanged: checks, model, operator" in out
    assert "completions that stay usable: none (the prompt is part of every request's key)" in out
    assert "the ledger holds 0% of its calls" in out.replace("\n", " ").replace("   ", "")
    assert max(map(len, out.splitlines())) <= 100
    assert project.good("why").splitlines() == [
        "compared with r-0001", " = docs  unchanged", " = long  unchanged",
        " ~ book  on_fail[0].times: 2 → 1 (+1 more)",
    ]  # fmt: skip


def test_what_the_ledger_holds_is_counted(project: Changing) -> None:
    project.good("run", "-q")
    project.edit("min: 0.1", "min: 0.2")
    out = " ".join(project.good("why", "book").split())
    assert "completions that stay usable: all" in out
    assert "the ledger holds 100% of its calls" in out


def test_a_step_that_is_fed_by_a_change(project: Changing) -> None:
    project.good("run", "-q")
    project.edit("words(text) > 2", "words(text) > 3")
    out = project.good("why", "book")
    assert out.startswith("book will run again: what it reads changed since r-0001")
    assert "upstream long   keep: words(text) > 2 → words(text) > 3" in out


def test_cosmetic_edits_are_no_reason(project: Changing) -> None:
    project.good("run", "-q")
    project.edit("seed: 7", "seed: 7  # lucky")
    project.edit_prompt("{{ text }}", "{{text}}")
    assert project.good("why", "book").startswith("book is unchanged since r-0001")


def test_why_it_did_run(project: Changing) -> None:
    project.good("run", "-q")
    project.edit_prompt()
    project.good("run", "-q", "--replace")
    out = project.good("why", "book").splitlines()
    assert out[0].startswith("book is unchanged since r-0002")
    assert out[1] == "it ran after r-0001 because: prompt: system block"


def test_a_value_typed_after_set_is_the_place(project: Changing) -> None:
    project.good("run", "-q")
    out = project.good("why", "long", "--set", "steps.long.keep=words(text) > 9")
    assert "keep   --set   words(text) > 2 → words(text) > 9" in out


def test_a_renamed_and_a_dropped_step(project: Changing) -> None:
    project.good("run", "-q")
    project.edit("  long:", "  lang:")
    project.edit("from: long", "from: lang")
    assert "where it was called long" in project.good("why", "lang")
    project.edit("from: lang", "from: docs")
    assert project.good("why", "long").startswith("long will not run")


def test_a_model_that_is_not_here(project: Changing, monkeypatch: pytest.MonkeyPatch) -> None:
    project.good("run", "-q")
    project.edit("fake/rewrite", "{ use: http/big, url: '${BIG_URL}' }")
    code, out, err = project.do("why", "book")
    assert code == 0 and "BIG_URL" in err
    assert "fake/rewrite → http/big" in out


def test_a_source_whose_data_changed(project: Changing) -> None:
    project.good("run", "-q")
    (project.folder / "docs.jsonl").write_text('{"text": "One two three four."}\n')
    lines = project.good("why", "docs").splitlines()
    assert lines[0] == "docs will be read again: it changed since r-0001"
    assert lines[1].endswith("changed")
    assert "upstream docs   data changed" in project.good("why", "book")


def test_plan_lists_what_was_dropped(project: Changing) -> None:
    project.good("run", "-q")
    project.edit("from: long", "from: docs")
    out = project.good("plan")
    assert " - long dropped" in " ".join(out.split()) and "1 dropped" in out


def test_unknown_steps_and_usage(project: Changing) -> None:
    code, _, err = project.do("why", "boko")
    assert code == 1 and "no step is called boko; did you mean book?" in err
    code, _, err = project.do("why", "something_else")
    assert code == 1 and "steps: docs, long, book" in err
    assert project.do("why", "book", "long")[0] == 64
    assert project.good("why", ".", "book").startswith("book has not run yet")


def test_as_json(project: Changing) -> None:
    project.good("run", "-q")
    project.edit("retry: 2", "retry: 1")
    value = json.loads(project.good("why", "book", "--format", "json"))
    assert value["changes"] == [
        {"kind": "field", "field": "on_fail[0].times", "old": 2, "new": 1,
         "place": "recipe.yaml:16"}
    ]  # fmt: skip
    every = json.loads(project.good("why", "--format", "json"))
    assert {n: s["symbol"] for n, s in every.items()} == {"docs": "=", "long": "=", "book": "~"}


def test_a_run_of_before_identities_were_stored(project: Changing) -> None:
    project.good("run", "-q")
    (project.folder / ".mashbill/runs/r-0001/identity.json").unlink()
    assert project.good("why", "book").startswith("book is unchanged since r-0001")
    project.edit("retry: 2", "retry: 1")
    assert "on_fail[0].times" in project.good("why", "book")


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"mashbill_identity": 1}'])
def test_a_torn_identity_is_passed_over(project: Changing, torn: str) -> None:
    project.good("run", "-q")
    (project.folder / ".mashbill/runs/r-0001/identity.json").write_text(torn)
    assert project.good("why", "book").startswith("book is unchanged since r-0001")
    (project.folder / ".mashbill/runs/r-0001/plan.json").write_text(torn)
    assert project.good("why", "book").startswith("book has not run yet")
    assert "new step" in project.good("plan")
