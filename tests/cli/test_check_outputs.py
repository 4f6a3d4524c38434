"""What `check` takes and prints: several recipes, families of codes, formats, colours."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from mashbill.runtime.cli import command

RECIPE = """\
mashbill: 1
name: {name}
models:
  writer: fake/echo
sources:
  docs: {{ path: docs.jsonl, license: CC0-1.0, origin: human }}
steps:
  long: {{ op: filter, from: {source}, keep: words({column}) > 3 }}
  book: {{ op: rewrite, from: long, model: writer, prompt: book.md.j2 }}
"""
PROMPT = (
    "---\ninputs: { text: str }\n---\n{% block user %}Say it anew:\n\n{{ text }}{% endblock %}\n"
)


def write(folder: Path, source: str = "docs", column: str = "text") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = RECIPE.format(name=folder.name.replace("-", "_"), source=source, column=column)
    (folder / "recipe.yaml").write_text(text)
    (folder / "book.md.j2").write_text(PROMPT)
    (folder / "docs.jsonl").write_text('{"text": "one two three four"}\n')


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    write(tmp_path / "good")
    write(tmp_path / "bad", source="dcos")
    write(tmp_path / "worse", column="txet")
    return tmp_path


def out(*arguments: str, capsys: pytest.CaptureFixture[str], code: int = 1) -> str:
    assert command(["check", *arguments]) == code
    return capsys.readouterr().out


def codes(*arguments: str, capsys: pytest.CaptureFixture[str], code: int = 1) -> list[str]:
    read = json.loads(out(*arguments, "--format", "json", capsys=capsys, code=code))
    return [d["code"] for d in read["diagnostics"]]


def last(text: str) -> str:
    return re.sub(r" in \d+\.\d\d s", "", text.rstrip().split("\n")[-1])


def test_several_recipes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = out("good", "bad/recipe.yaml", "worse", capsys=capsys)
    assert "bad/recipe.yaml:8:" in text and "worse/recipe.yaml:8:" in text
    assert last(text) == "Checked 3 recipes, 3 prompts, 6 steps: 2 errors (2 fixable with --fix)"
    good = out("good", capsys=capsys, code=0)
    assert last(good) == "Checked 1 recipe, 1 prompt, 2 steps: no problems"
    assert last(out("good", "good", "good/recipe.yaml", capsys=capsys, code=0)) == last(good)


def test_a_folder_of_recipes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "good" / "out" / "good" / "recipe")  # a data set's copy of its recipe
    write(folder / ".hidden" / "recipe")
    assert last(out(".", capsys=capsys)).startswith("Checked 3 recipes")
    (folder / "empty").mkdir()
    assert command(["check", "empty"]) == 1
    assert "no recipe.yaml in empty" in capsys.readouterr().err


def test_a_prompt_stands_for_its_recipe(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "bad/recipe.yaml:8:" in out("bad/book.md.j2", capsys=capsys)


def test_fix_mends_them_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", ".", "--fix"]) == 0
    told = capsys.readouterr()
    assert "Fixed 2 places." in told.err and last(told.out).endswith("6 steps: no problems")
    assert "from: docs" in (folder / "bad" / "recipe.yaml").read_text()


def test_families_of_codes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codes(".", capsys=capsys) == ["R101", "X151"]
    assert codes(".", "--select", "R", capsys=capsys) == ["R101"]
    assert codes(".", "--select", "p,x15", capsys=capsys) == ["X151"]
    assert codes(".", "--ignore", "X", "--ignore", "r101", capsys=capsys, code=0) == []
    assert codes(".", "--select", "R,X", "--ignore", "R101", capsys=capsys) == ["X151"]
    text = out(".", "--select", "X", capsys=capsys)
    assert last(text).endswith("1 error (1 fixable with --fix)") and "R101" not in text


def test_only_what_is_selected_is_mended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", ".", "--fix", "--select", "R"]) == 0
    assert "Fixed 1 place." in capsys.readouterr().err
    assert "txet" in (folder / "worse" / "recipe.yaml").read_text()


def test_a_code_that_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", ".", "--select", "Z1"]) == 64
    assert "no diagnostic's code begins with Z1" in capsys.readouterr().err
    assert command(["check", ".", "--ignore", "X159"]) == 64
    assert "did you mean X15" in capsys.readouterr().err


def test_annotations(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(".", "--format", "github", capsys=capsys).rstrip().split("\n")
    assert len(lines) == 2
    assert lines[0].startswith("::error file=bad/recipe.yaml,title=R101 unknown-step,line=8,")
    assert ",col=29," in lines[0] and lines[0].endswith("%0Adid you mean `docs`?")
    assert out("good", "--format", "github", capsys=capsys, code=0) == ""


@pytest.mark.parametrize("before", [True, False])
def test_colour(folder: Path, before: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def text(choice: str) -> str:
        option = ["--color", choice]
        words = [*option, "check", "bad"] if before else ["check", "bad", *option]
        assert command(words) == 1
        return re.sub(r"\d\.\d\d s", "", capsys.readouterr().out)

    always = text("always")
    assert "\x1b[1;31merror[R101]" in always
    assert "\x1b" not in text("never") and text("auto") == text("never")
    assert re.sub(r"\x1b\[[\d;]*m", "", always) == text("never")


def test_no_color_is_heard(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in out("bad", capsys=capsys)
    assert "\x1b" in out("bad", "--color", "always", capsys=capsys)


def test_a_stream_that_lacks_characters(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bad" / "recipe.yaml").write_text("mashbill: 1\nname: 日本…\n")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    assert command(["check", "bad"]) == 1
    stream.flush()
    assert b"error[" in stream.buffer.getvalue()  # type: ignore[attr-defined]
