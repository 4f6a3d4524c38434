"""`show STEP --columns`: types, nulls, and who made what, through the whole graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.cli import command

RECIPE = """\
mashbill: 1
name: columns
models:
  writer: fake/echo
sources:
  web: { path: docs.jsonl, license: CC0-1.0, origin: human, columns: { score: score } }
  notes: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  both:
    op: filter
    from: [web, notes]
    set: { size: = words(text), kind: page }
  title: { op: generate, from: both, model: writer, prompt: title.md.j2 }
  book:
    op: rewrite
    from: title
    model: writer
    prompt: book.md.j2
    set: { head: "= upper(title)" }
    checks: { length: {} }
    on_fail: [{ retry: 1 }, { fallback: input }]
"""
BOOK = "---\ninputs: { text: str }\n---\n{% block user %}Say it anew:\n\n{{ text }}{% endblock %}\n"
TITLE = BOOK.replace("---\n{%", "reply: { title: text }\n---\n{%")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "book.md.j2").write_text(BOOK)
    (tmp_path / "title.md.j2").write_text(TITLE)
    (tmp_path / "docs.jsonl").write_text('{"text": "one two three four", "score": 1}\n')
    return tmp_path


def columns(step: str, port: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert command(["show", step, "--columns", "--format", "json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert read["step"] == step
    return {c["name"]: c for c in read["ports"][port]["columns"]}


def test_a_source(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = columns("web", "", capsys)
    assert {n for n in found if not n.startswith("_")} == {"text", "source.text", "score"}
    assert all(c["made_by"] == ["web"] and c["model_words"] == "no" for c in found.values())
    assert (found["text"]["type"], found["text"]["nullable"]) == ("str", False)


def test_a_union_joins_makers_and_adds_nulls(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = columns("both", "", capsys)
    assert found["text"]["made_by"] == ["notes", "web"] and not found["text"]["nullable"]
    assert found["score"]["made_by"] == ["web"] and found["score"]["nullable"]
    assert found["size"]["made_by"] == ["both"]
    assert (found["size"]["type"], found["kind"]["type"]) == ("int", "str")
    aside = columns("both", "rejected", capsys)
    assert aside["_reason"]["made_by"] == ["both"] and "size" in aside


def test_a_models_words_are_followed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    title = columns("title", "", capsys)
    assert (title["title"]["made_by"], title["title"]["model_words"]) == (["title"], "yes")
    assert title["text"]["model_words"] == "no"
    book = columns("book", "", capsys)
    assert (book["head"]["made_by"], book["head"]["model_words"]) == (["book"], "yes")
    assert book["title"]["made_by"] == ["title"]
    assert book["text"]["made_by"] == ["book", "notes", "web"]
    assert book["text"]["model_words"] == "some"
    assert book["_accepted"]["type"] == "float"
    routed = columns("book", "routed", capsys)
    assert routed["text"]["made_by"] == ["notes", "web"] and "input.text" not in routed


def test_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["show", "both", "--columns"]) == 0
    text = capsys.readouterr().out
    head, _, *lines = text.split("\n")
    assert head == "both   rows of a filter, text human"
    assert "  score        any   may be  web         no" in lines
    assert "  size         int   never   both        no" in lines
    assert "both.rejected   rows of a filter, text human" in lines
    assert max(map(len, lines)) <= 80


def test_no_run_and_no_whole_recipe_is_needed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "recipe.yaml").write_text(RECIPE.replace("upper(title)", "upper(tilte)"))
    assert command(["show", "title", "--columns"]) == 0
    told = capsys.readouterr()
    assert "title" in told.out and "1 error" in told.err


def test_one_port(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["show", "both.rejected", "--columns"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("both.rejected   rows") and "_reason" in text and "\n\n" not in text
    assert command(["show", "both.routed", "--columns"]) == 64
    assert "`both` has no port `routed`; its ports: .rejected" in capsys.readouterr().err


def test_slips(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["show", "boook", "--columns"]) == 64
    assert "did you mean `book`?" in capsys.readouterr().err
    assert command(["show", "--columns"]) == 64
    assert "show STEP --columns" in capsys.readouterr().err
