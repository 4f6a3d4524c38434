"""The `ls` command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mashbill.runtime.cli import command

from .test_graph import PROMPT, RECIPE, folder

__all__ = ["folder"]


def out(*arguments: str, capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    assert command(["ls", *arguments]) == code
    return capsys.readouterr().out


def names(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    listed = json.loads(out(*arguments, "--format", "json", capsys=capsys))
    return " ".join(entry["name"] for kind in ("sources", "steps") for entry in listed[kind])


def test_everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = RECIPE + "profiles: { smoke: { steps.book.limit: 1 } }\n"
    (folder / "recipe.yaml").write_text(text)
    assert (
        out(capsys=capsys)
        == """\
sources
  web  docs.jsonl  human  CC0-1.0

steps
  pages  filter   from web
  book   rewrite  from pages  writer  book.md.j2

models
  writer  fake/echo

prompts
  book.md.j2  of book

profiles
  smoke
"""
    )


def test_a_selection(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert names("+book", "--exclude", "web", capsys=capsys) == "pages book"
    assert names("source:web+1", capsys=capsys) == "web pages"
    assert names("--exclude", "op:filter", "--exclude", "web", capsys=capsys) == "book"
    assert out("pages", capsys=capsys) == "steps\n  pages  filter  from web\n"
    assert out("web,book", capsys=capsys) == "nothing is selected\n"
    assert command(["ls", "op:rewrit"]) == 64
    assert "did you mean `rewrite`?" in capsys.readouterr().err


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(out("--format", "json", capsys=capsys))
    assert list(listed) == [
        *("recipe", "sources", "steps", "models", "prompts", "profiles", "runs")
    ]
    assert listed["steps"][1] == {
        "name": "book",
        "op": "rewrite",
        "from": ["pages"],
        "model": "writer",
        "prompt": "book.md.j2",
    }
    assert listed["prompts"] == [{"path": "book.md.j2", "steps": ["book"]}]


def test_state(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert names("state:new", capsys=capsys) == "web pages book"
    assert command(["run", "-q"]) == 0
    capsys.readouterr()
    assert names("state:modified+", capsys=capsys) == ""
    assert names("state:unchanged", capsys=capsys) == "web pages book"
    (folder / "recipe.yaml").write_text(RECIPE.replace("> 3", "> 2"))
    assert names("state:modified", capsys=capsys) == "pages"
    assert names("state:downstream", capsys=capsys) == "book"
    assert names("state:modified+", capsys=capsys) == "pages book"
    assert names("state:new", capsys=capsys) == ""
    (folder / "recipe.yaml").write_text(RECIPE.replace("name: small", "name: small  # again"))
    (folder / "book.md.j2").write_text(PROMPT.replace("anew", "once more"))
    assert names("state:modified", capsys=capsys) == "book"
    listed = json.loads(out("--format", "json", capsys=capsys))
    assert [run["name"] for run in listed["runs"]] == ["r-0001"]


def test_a_recipe_elsewhere(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sub").mkdir()
    for name in ("recipe.yaml", "book.md.j2", "docs.jsonl"):
        (folder / name).rename(folder / "sub" / name)
    assert names("sub", "book", capsys=capsys) == "book"
    assert names("sub/recipe.yaml", "+pages", capsys=capsys) == "web pages"
    assert command(["ls", "book"]) == 1
    assert "no recipe.yaml" in capsys.readouterr().err
