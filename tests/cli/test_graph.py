"""The `graph` command."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mashbill.runtime.cli import command

RECIPE = """\
mashbill: 1
name: small
models:
  writer: fake/echo
sources:
  web: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  pages: { op: filter, from: web, keep: words(text) > 3 }
  book:
    op: rewrite
    from: pages
    model: writer
    prompt: book.md.j2
    checks: { length: {} }
mix: { total: 1k tokens, parts: { pages: 60%, book: 40% }, on_shortfall: shrink }
"""
PROMPT = (
    "---\ninputs: { text: str }\n---\n{% block user %}Say it anew:\n\n{{ text }}{% endblock %}\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "book.md.j2").write_text(PROMPT)
    (tmp_path / "docs.jsonl").write_text('{"text": "one two three four"}\n')
    return tmp_path


def out(*arguments: str, capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    assert command(["graph", *arguments]) == code
    return capsys.readouterr().out


def test_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys=capsys) == (
        "web ─ pages ─┬─ book ◆ length ─ 40% ─┬─ mix ─ out\n"
        "             └─ 60% ─────────────────┘\n\n◆ verifier\n"
    )
    assert out("--ascii", capsys=capsys).startswith("web - pages -+- book * length - 40% -+-")


def test_a_selection(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert out("+pages", capsys=capsys) == "web ─ pages\n"
    assert out(".", "op:rewrite", capsys=capsys).startswith("book ◆ length\n")
    assert command(["graph", "pagse"]) == 64
    assert "did you mean `pages`?" in capsys.readouterr().err


@pytest.mark.parametrize("language", ["mermaid", "dot"])
def test_languages(folder: Path, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    short = out(f"--{language}", capsys=capsys)
    assert short == out("recipe.yaml", "--format", language, capsys=capsys)
    assert short.startswith({"mermaid": "flowchart LR\n", "dot": 'digraph "small" {\n'}[language])


def test_a_stream_that_cannot_draw(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    assert command(["graph"]) == 0
    stream.flush()
    text = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert text.startswith("web - pages -+- book * length") and "?" not in text


def test_a_recipe_with_an_error_is_drawn_as_far_as_it_goes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "recipe.yaml").write_text(RECIPE.replace("model: writer", "model: wirter"))
    assert command(["graph"]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("web ─ pages") and "mashbill check" in told.err
    (folder / "recipe.yaml").write_text("mashbill: 1\nname: [\n")
    assert command(["graph"]) == 1
    assert "error[S001]" in capsys.readouterr().out
