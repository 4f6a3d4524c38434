"""The `check` command: what it prints, what it mends, what it returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mashbill.runtime.cli import command

RECIPE = """\
mashbill: 1
name: small   # a comment that stays
models:
  writer: fake/echo
sources:
  docs: { path: docs.jsonl, licence: CC0-1.0, origin: human }
steps:
  long: { op: filter, from: dcos, keep: words(txet) > 3 }
  book: { op: rewrite, from: long, model: wirter, prompt: book.md.j2 }
"""
PROMPT = """\
---
inputs: { text: str }
---
{% block user %}Say it anew: {txt}{% endblock %}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "book.md.j2").write_text(PROMPT)
    (tmp_path / "docs.jsonl").write_text('{"text": "one two three four"}\n')
    return tmp_path


def test_everything_is_said_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check"]) == 1
    out = capsys.readouterr().out
    for what in ("licence", "dcos", "wirter"):
        assert what in out
    assert out.rstrip().splitlines()[-1].startswith("Checked 1 recipe")
    assert "Traceback" not in out


def test_fix_mends_and_keeps_comments(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(4):  # one mistake may hide another
        command(["check", "--fix"])
    text = (folder / "recipe.yaml").read_text()
    assert "license: CC0-1.0" in text and "from: docs" in text and "model: writer" in text
    assert "words(text) > 3" in text
    assert "# a comment that stays" in text
    capsys.readouterr()


def test_json_names_lines_and_columns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found


def test_a_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", "--explain", "p201"]) == 0
    assert capsys.readouterr().out.startswith("P201 ")
    assert command(["check", "--explain", "Z999"]) == 64


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert command([]) == 64
    assert command(["chekc"]) == 64
    assert command(["--version"]) == 0
    assert command(["check", "nowhere"]) == 1
    assert "no recipe" in capsys.readouterr().err


def test_fixes_that_overlap_or_uncover_others_are_all_made(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "mashbill: 1\nname: first\n"
        "sources:\n"
        "  docs: { path: docs.jsonl, columns: { a: a, b: b }, licence: CC0-1.0, origin: human }\n"
        "steps:\n"
        "  long: { op: filter, from: dcos, keep: min(a, b) > 3 and a < b }\n"
    )
    (tmp_path / "docs.jsonl").write_text('{"text": "x"}\n')
    assert command(["check", str(tmp_path), "--fix"]) == 0
    text = recipe.read_text()
    assert "license: CC0-1.0" in text
    assert "from: docs" in text
    assert command(["check", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("chekc", "did you mean `mashbill check`?"), ("zzz", "see them all: mashbill --help")],
)
def test_a_command_that_there_is_not(
    typed: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command([typed]) == 64
    assert capsys.readouterr().err == f"mashbill: no command is called '{typed}'; {hint}\n"
